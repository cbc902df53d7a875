// SPDX-License-Identifier: GPL-3.0-or-later
/** One request from its first header to its answer: form, then who asks, then the route. The same on every face. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { TrieRouter } from 'hono/router/trie-router'
import { REQUEST_PATH_BYTES_MAX } from '../../../schemas/gen/ts/wire.ts'
import { codeOf, ignore, isCode, sentenceOf } from '../../base/error.ts'
import type { PartyId } from '../../core/model/index.ts'
import { Sight } from '../../core/sight.ts'
import { json, type Problem, problem, problemBody, type Reply, refused } from './answer.ts'
import { claimOf, isForeign, isLetIn, prove, unauthorized } from './asker.ts'
import { hasBody, mediaTypeOf, readBody } from './body.ts'
import { decoded, readQuery } from './fields.ts'
import { isOurHost } from './host.ts'
import { openOutlet } from './outlet.ts'
import { PAGE_PATH, type Page, tellPage } from './page.ts'
import type { Peer, Peers } from './peers.ts'
import type { Asking, Method, Route, RouteDeps, Unproved } from './route.ts'
import { OpenStreams } from './streams.ts'

/** What the app must know of the face that a request came in by. */
export interface Side {
  readonly origin: string
  readonly scheme: 'http' | 'https'
  readonly only: PartyId | undefined
  /** Names beside those of `isOurHost`: the face's onion address. */
  readonly hosts: readonly string[]
  readonly peers: Peers
  /** Aborts when the face begins to close, and when it has drained. */
  readonly closing: AbortSignal
  readonly closed: AbortSignal
}

/** Nothing here is for caches, frames, scripts or referrers; a browser that shows an answer must do nothing with it. */
const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

const NOT_KEPT = "the disk of this daemon's machine did not take it, and nothing of it was done"
const OVER = new Error('the client has gone, or the face closes')
const PROBE = '/.well-known/shallot'
const EMPTY = new Uint8Array()

type Found = { readonly route: Route; readonly params: Readonly<Record<string, string>> }
type Proved = Exclude<Route, { readonly who: 'nobody' }>
type ByMethod = Partial<Record<Method, Route>>

export class App {
  readonly #deps: RouteDeps
  readonly #page: Page | undefined
  readonly #router = new TrieRouter<ByMethod>()
  readonly #open: OpenStreams

  constructor(deps: RouteDeps, routes: readonly Route[], page: Page | undefined) {
    this.#deps = deps
    this.#open = new OpenStreams(deps.home)
    this.#page = page
    for (const [path, group] of Map.groupBy(routes, (route) => route.path)) {
      this.#router.add('ALL', path, Object.fromEntries(group.map((route) => [route.method, route])))
    }
  }

  /** Answers one request; never rejects. `mayContinue`: the client waits for 100 before it sends the body. */
  async handle(
    request: IncomingMessage,
    response: ServerResponse,
    side: Side,
    peer: Peer,
    mayContinue = false,
  ): Promise<void> {
    let reply: Reply
    try {
      reply = await this.#reply(request, response, side, peer, mayContinue)
    } catch (error) {
      if (request.destroyed && !request.complete)
        return ignore(error, 'the client left before its body ended')
      reply = this.#ownFault(error)
    }
    try {
      await this.#send(reply, response, side)
      this.#endStalled(response)
      this.#discardRest(request)
    } catch (error) {
      if (!response.destroyed) this.#ownFault(error)
      response.destroy()
    }
  }

  #ownFault(error: unknown): Problem {
    this.#deps.log.say('error', 'http-failed', { code: codeOf(error), message: sentenceOf(error) })
    if (isCode(error, 'disk-full'))
      return problem(
        'internal',
        "the disk of this daemon's machine is full: make room on it, and try again",
        {
          status: 507,
        },
      )
    const isDisk = isCode(error, 'io') || isCode(error, 'not-writable')
    return problem('internal', isDisk ? `${NOT_KEPT}: ${sentenceOf(error)}` : undefined)
  }

  async #reply(
    request: IncomingMessage,
    response: ServerResponse,
    side: Side,
    peer: Peer,
    mayContinue: boolean,
  ): Promise<Reply> {
    if (!side.peers.draw(peer)) {
      return problem('too-many-requests', undefined, { headers: { 'retry-after': '1' } })
    }
    const target = request.url ?? ''
    if (!target.startsWith('/') || target.length > REQUEST_PATH_BYTES_MAX) {
      return problem('bad-request', `the target is a path of at most ${REQUEST_PATH_BYTES_MAX} bytes`)
    }
    const unanswerable = judgeFraming(request)
    if (unanswerable) return unanswerable
    if (!isOurHost(request.headers.host, side.hosts)) {
      this.#deps.home.desk.foreign(`${request.method} by a name that is not ours`, side.origin)
      return problem('bad-request', 'no such host here', { status: 421 })
    }
    const [path = '', ...queries] = target.split('?')
    if (path === PROBE) return this.#probe(request, queries.length > 0)
    if (path === PAGE_PATH && !side.only) return this.#tellPage(request, queries.length > 0, side.scheme)
    const found = this.#find(request, path, side)
    if ('kind' in found) return found
    const wrongForm = judgeForm(request, found.route, this.#deps.limits.bodyBytesMax)
    if (wrongForm) return wrongForm
    const query = readQuery(queries.join('?'), found.route.query ?? [])
    if (!query.ok) return refused(query)
    if (isForeign(request, found.route, side.scheme)) return this.#foreign(request, side)
    const claim = claimOf(request, found.route, found.params)
    if (!claim) return unauthorized('no Authorization that says who asks')
    if (mayContinue) response.writeContinue()
    const body = hasBody(request) ? await readBody(request, this.#deps.limits.bodyBytesMax) : undefined
    if (body && !body.ok) return refused(body)
    const bytes = body?.value ?? EMPTY
    const place = { origin: side.origin, address: peer.address }
    const asked = prove(this.#deps.home, claim, request, bytes, place)
    if (asked && 'kind' in asked) return asked
    if (claim.by === 'seal' || claim.by === 'token') side.peers.proved(peer)
    const unproved: Unproved = {
      only: side.only,
      place,
      target,
      isHead: request.method === 'HEAD',
      params: found.params,
      query: query.value,
      body: bytes,
      type: mediaTypeOf(request),
      accept: request.headers.accept ?? '',
      languages: request.headers['accept-language'] ?? '',
      base: `${side.scheme}://${request.headers.host}/`,
    }
    if (found.route.who === 'nobody') return found.route.run({ ...unproved, gone: goneWith(response) })
    const reply = await this.#asProved(found.route, { ...unproved, ...asked! })
    // A recorded command proves who sealed it, not who sends it: only one that was taken earns wider limits.
    if (claim.by === 'command' && reply.kind === 'stream') side.peers.proved(peer)
    return reply
  }

  async #asProved(route: Proved, asking: Omit<Asking, 'sight'>): Promise<Reply> {
    const { authority, desk } = this.#deps.home
    const { caller } = asking
    this.#deps.home.services.arrived(asking.place.origin)
    this.#deps.home.mesh.guests.arrived(caller)
    const sight = new Sight(authority, caller)
    if (!isLetIn(route, caller, () => sight.mayShare())) {
      desk.forbidden(caller, `${route.method} ${route.path}`)
      return problem('forbidden')
    }
    const reply = await route.run({ ...asking, sight })
    return reply.kind === 'stream' ? { ...reply, caller } : reply
  }

  /** Says that this address was renewed, so that a client need not ask each time; where it moved `GET /home` tells (SPEC 10.4). */
  #moved({ origin }: Side): Record<string, string> {
    return this.#deps.home.services.movedTo(origin) ? { 'shallot-moved': '1' } : {}
  }

  /** Marks the list of addresses at other homes, so that who keeps it asks only for another one (SPEC 14.9). */
  #others({ origin }: Side): Record<string, string> {
    const mark = this.#deps.home.mesh.guests.markFor(origin)
    return mark === undefined ? {} : { 'shallot-others': mark }
  }

  #foreign(request: IncomingMessage, side: Side): Problem {
    this.#deps.home.desk.foreign(`${request.method} for a page of another origin`, side.origin)
    return problem('forbidden', 'this was asked for by a page of another origin')
  }

  /** The one thing that strangers may ask: it lets a probe tell this hub from another, and a restarted one from itself. */
  #probe(request: IncomingMessage, withQuery: boolean): Reply {
    if (!isRead(request)) return wrongMethod(['GET'])
    if (withQuery || hasBody(request)) return problem('bad-request')
    const { home, bootedAt } = this.#deps.home
    return json({ home, bootedAt })
  }

  /** The page is the same for everybody and says nothing of this home: what it shows it must ask for, sealed. */
  #tellPage(request: IncomingMessage, withQuery: boolean, scheme: Side['scheme']): Reply {
    if (!isRead(request)) return wrongMethod(['GET'])
    if (withQuery || hasBody(request)) return problem('bad-request')
    if (!this.#page) return problem('not-found', 'the page was not built: run `npm run page`')
    return tellPage(this.#page, request.headers, scheme)
  }

  #find(request: IncomingMessage, path: string, side: Side): Found | Problem {
    const [hit] = this.#router.match('ALL', path)[0]
    const methods = Object.values(hit?.[0] ?? {}).filter((route) => !side.only || route.ofThing)
    if (!hit || methods.length === 0) {
      if (hit)
        this.#deps.home.desk.foreign(`${request.method} beyond the one device of this address`, side.origin)
      return problem('not-found', 'no such route')
    }
    const wanted = isRead(request) ? 'GET' : request.method
    const route = methods.find((each) => each.method === wanted)
    if (!route) return wrongMethod(methods.map((each) => each.method))
    const params: Record<string, string> = {}
    for (const [name, segment] of Object.entries(hit[1])) {
      const text = decoded(segment)
      if (text === undefined) return problem('bad-request', 'the path is badly encoded')
      params[name] = text
    }
    return { route, params }
  }

  async #send(reply: Reply, response: ServerResponse, side: Side): Promise<void> {
    if (reply.kind === 'stream') return this.#stream(reply, response, side)
    if (reply.kind === 'empty') {
      response.writeHead(reply.status, { ...HEADERS, ...reply.headers }).end()
      return
    }
    if (reply.kind === 'bytes') {
      const head = { ...HEADERS, 'content-length': reply.body.length, ...reply.headers }
      response.writeHead(200, head).end(reply.body)
      return
    }
    const isProblem = reply.kind === 'problem'
    const text = isProblem ? problemBody(reply) : JSON.stringify(reply.body)
    response.writeHead(reply.status, {
      ...HEADERS,
      ...this.#moved(side),
      ...this.#others(side),
      'content-type': isProblem ? 'application/problem+json' : 'application/json',
      'content-length': Buffer.byteLength(text),
      ...reply.headers,
    })
    response.end(text)
  }

  async #stream(reply: Reply & { kind: 'stream' }, response: ServerResponse, side: Side): Promise<void> {
    const over = new AbortController()
    const end = () => over.abort(OVER)
    const closes = reply.endless ? side.closing : side.closed
    response.once('close', end)
    closes.addEventListener('abort', end, { once: true })
    const open = reply.caller && this.#open.enter(reply.caller, end)
    if (response.destroyed || closes.aborted) end()
    // The head goes out with the first thing that is written, and both kinds of stream write at once.
    response.writeHead(200, {
      ...HEADERS,
      ...this.#moved(side),
      ...this.#others(side),
      'content-type': reply.type,
      ...reply.headers,
    })
    // Of what goes on without end there is a head, and then an end.
    const isHead = response.req.method === 'HEAD'
    const outlet = openOutlet(this.#deps.clock, response, this.#deps.limits.stalledMsMax, over.signal)
    try {
      if (!isHead) await reply.run(outlet)
    } catch (error) {
      if (response.destroyed) return ignore(error, 'the client left')
      if (over.signal.aborted && !closes.aborted) return void response.destroy()
      if (!closes.aborted) throw error
      // An answer that broke off must not look like one that ended.
      if (!reply.endless) return void response.destroy()
    } finally {
      open?.[Symbol.dispose]()
      closes.removeEventListener('abort', end)
    }
    response.end()
  }

  /** What the client's side has not taken at once it must take within `stalledMsMax`. */
  #endStalled(response: ServerResponse): void {
    const { clock, limits } = this.#deps
    setImmediate(() => {
      if (response.writableFinished || response.destroyed) return
      clock.sleep(limits.stalledMsMax).then(() => {
        if (!response.writableFinished) response.destroy()
      })
    })
  }

  /** A client that is refused early may still be sending: it reads the answer only if we do not close in its face. */
  #discardRest(request: IncomingMessage): void {
    if (request.complete) return
    const { clock, limits } = this.#deps
    request.resume()
    clock.sleep(limits.discardMsMax).then(() => {
      if (!request.complete) request.destroy()
    })
  }
}

/** What the parser lets through and RFC 9112 §3.2, §6.1 and RFC 9110 §10.1.1 do not: two readers of it would disagree. */
function judgeFraming({ headers, rawHeaders }: IncomingMessage): Problem | undefined {
  const hosts = rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === 'host')
  if (hosts.length > 1) return problem('bad-request', 'more than one Host')
  const { 'transfer-encoding': coding, expect } = headers
  if (coding !== undefined && coding.toLowerCase() !== 'chunked')
    return problem('bad-request', 'a body comes as it is or in chunks', { status: 501 })
  if (expect !== undefined && expect.toLowerCase() !== '100-continue')
    return problem('bad-request', 'nothing but 100-continue can be expected', { status: 417 })
  return undefined
}

/** Everything that headers alone can tell, so that a body that will be refused is not asked for. */
function judgeForm(request: IncomingMessage, { takes }: Route, bytesMax: number): Problem | undefined {
  if (!hasBody(request)) {
    return takes && !takes.optional ? problem('bad-request', 'a body is missing') : undefined
  }
  if (!takes) return problem('bad-request', 'this takes no body')
  if (
    ![takes.type, takes.or].includes(mediaTypeOf(request) as never) ||
    request.headers['content-encoding'] !== undefined
  ) {
    return problem('unsupported-media-type', `this takes ${takes.type}`)
  }
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) return problem('payload-too-large')
  return undefined
}

/** Aborts when the client has gone. */
function goneWith(response: ServerResponse): AbortSignal {
  const gone = new AbortController()
  response.once('close', () => gone.abort(OVER))
  return gone.signal
}

/** HEAD is GET without the body, which node leaves out (RFC 9110 §9.3.2). */
function isRead({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD'
}

/** HEAD is allowed where GET is. */
function wrongMethod(allowed: readonly string[]): Problem {
  const methods = allowed.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
  return problem('bad-request', 'this cannot be done here', {
    status: 405,
    headers: { allow: methods.join(', ') },
  })
}
