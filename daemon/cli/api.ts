// SPDX-License-Identifier: GPL-3.0-or-later
import type { IncomingMessage } from 'node:http'
import { CODES, type Code, MEANINGS } from '../../schemas/gen/ts/codes.ts'
import { toBase64url, utf8 } from '../base/bytes.ts'
import { type Clock, deadline } from '../base/clock.ts'
import { codeOf, ignore, isCode, sentenceOf } from '../base/error.ts'
import type { Request } from '../core/envelope/index.ts'
import { pathThere, seenFrom } from './elsewhere.ts'
import { CliError } from './error.ts'
import { type Person, sha256 } from './person.ts'
import { parseJson, readBody, readEvents, readLines, type ServerEvent, type Way } from './reach/index.ts'

export interface ApiDeps {
  readonly clock: Clock
  readonly person: Person
  /** Opens the way to the home, again when the one there was has failed. */
  readonly openWay: (signal: AbortSignal) => Promise<Way>
}

interface Call {
  readonly method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE'
  readonly path: string
  /** Absent for a sealed command: its route has one kind of answer. */
  readonly accept?: string
  readonly type?: string
  readonly body: Uint8Array
  /** The body is a sealed command, which needs no sealed request beside it (SPEC 9.2). */
  readonly commands?: true
}

const REQUEST_LIFETIME_S = 60
/** On a stream of events the home says something every 15 s, if only that it is still there: silent for so long, it is gone. */
export const SILENCE_MS_MAX = 45_000
const SILENCE_LOOK_MS = 5000
const NOTHING = new Uint8Array()
const MARK_CHARS_MAX = 64

/** The home's HTTP API (SPEC 9): every question is sealed by the person who asks, every refusal becomes a CliError. */
export class Api implements AsyncDisposable {
  readonly #deps: ApiDeps
  readonly #signal: AbortSignal
  #way: Promise<Way> | undefined
  #moved = false
  #others: string | undefined

  constructor(deps: ApiDeps, signal: AbortSignal) {
    this.#deps = deps
    this.#signal = signal
  }

  /** The way that is used; opened if there is none yet. */
  way(): Promise<Way> {
    this.#way ??= this.#deps.openWay(this.#signal)
    return this.#way
  }

  /** The home has said that the address by which it was reached is to be another (SPEC 10.4). */
  get moved(): boolean {
    return this.#moved
  }

  /** How the home marks the list of addresses at other homes that it has for us (SPEC 14.9), if it said so. */
  get others(): string | undefined {
    return this.#others
  }

  async get(path: string): Promise<unknown> {
    return this.#json({ method: 'GET', path, accept: 'application/json', body: NOTHING })
  }

  /** What is no JSON: the whole of it, at most 4 MiB. */
  async getBytes(path: string): Promise<Uint8Array> {
    return this.#whole({ method: 'GET', path, accept: '*/*', body: NOTHING })
  }

  /** @returns what was answered, undefined for nothing */
  async send(method: 'PUT' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: object): Promise<unknown> {
    const call = { method, path, accept: 'application/json' }
    return body === undefined
      ? this.#json({ ...call, body: NOTHING })
      : this.#json({ ...call, type: 'application/json', body: utf8(JSON.stringify(body)) })
  }

  async sendSealed(method: 'PUT' | 'POST', path: string, frame: Uint8Array): Promise<unknown> {
    return this.#json({ method, path, accept: 'application/json', type: 'application/cose', body: frame })
  }

  /** Bytes that are no envelope. */
  async sendBytes(method: 'PUT' | 'POST', path: string, bytes: Uint8Array): Promise<unknown> {
    const type = 'application/octet-stream'
    return this.#json({ method, path, accept: 'application/json', type, body: bytes })
  }

  /** A sealed body whose answer comes in lines of JSON, as long as it takes. */
  async *stages(method: 'PUT' | 'POST', path: string, frame: Uint8Array): AsyncGenerator<unknown> {
    const answer = await this.#ask({ method, path, type: 'application/cose', body: frame, commands: true })
    for await (const line of broken(readLines(answer))) if (line !== '') yield parseJson(utf8(line))
  }

  /**
   * Server-sent events until the home ends them; resolves when the home has begun to answer.
   * Its iteration throws CliError `unreachable` when the connection breaks, or carries nothing for SILENCE_MS_MAX.
   */
  async events(path: string): Promise<AsyncGenerator<ServerEvent>> {
    const answer = await this.#ask({ method: 'GET', path, accept: 'text/event-stream', body: NOTHING })
    return eventsOf(answer, this.#deps.clock)
  }

  async #json(call: Call): Promise<unknown> {
    const body = await this.#whole(call)
    return body.length === 0 ? undefined : seenFrom(parseJson(body), call.path, await this.way())
  }

  async #whole(call: Call): Promise<Uint8Array> {
    const answer = await this.#ask(call)
    using patience = deadline(this.#deps.clock, (await this.way()).patienceMs, this.#signal)
    const onLate = () =>
      answer.destroy(new CliError('unreachable', 'the home stopped in the middle of its answer'))
    patience.signal.addEventListener('abort', onLate, { once: true })
    return await readWhole(answer)
  }

  /** An answer that is no refusal. What the hub did not act on is asked once more, sealed anew. */
  async #ask(call: Call): Promise<IncomingMessage> {
    try {
      return await this.#askOnce(call)
    } catch (error) {
      if (!(error instanceof CliError)) throw error
      if (error.code === 'replayed') return this.#askOnce(call)
      const way = await this.way()
      if (error.code !== 'unreachable' || call.method !== 'GET' || way.kind === 'unix') throw error
      await this.#leave()
      return this.#askOnce(call)
    }
  }

  async #askOnce(call: Call): Promise<IncomingMessage> {
    const way = await this.way()
    const path = pathThere(call.path, way)
    if (path === call.path) return this.#askBy(way, call)
    try {
      return await this.#askBy(way, { ...call, path })
    } catch (error) {
      // A name that the home asked for does not have means the only other device that is called so, there as here.
      if (!isCode(error, 'not-found') || call.method !== 'GET') throw error
      return this.#askBy(way, call)
    }
  }

  async #askBy(way: Way, call: Call): Promise<IncomingMessage> {
    const headers = {
      ...(call.accept && { accept: call.accept }),
      // A command says by itself who asks; and with no header that it can do without it is one cell of Tor, not two.
      ...(!call.commands && { authorization: `Shallot ${toBase64url(await this.#sealRequest(call))}` }),
      ...(call.type && { 'content-type': call.type }),
    }
    const answer = await this.#patiently(way, { ...call, headers })
    if (answer.headers['shallot-moved'] === '1') this.#moved = true
    const others = answer.headers['shallot-others']
    if (typeof others === 'string') this.#others = others.slice(0, MARK_CHARS_MAX)
    if (answer.statusCode! >= 200 && answer.statusCode! < 300) return answer
    throw await refusalIn(answer, this.#deps.person, call.path)
  }

  /** Waits for the head of the answer, no longer than the way deserves. */
  async #patiently(way: Way, ask: Call & { headers: Record<string, string> }): Promise<IncomingMessage> {
    const patience = deadline(this.#deps.clock, way.patienceMs)
    // A deadline of its own cannot be handed on: the body may take as long as it likes once the head has come.
    const late = new AbortController()
    const onLate = () => late.abort(patience.signal.reason)
    patience.signal.addEventListener('abort', onLate, { once: true })
    try {
      return await way.ask(ask, AbortSignal.any([this.#signal, late.signal]))
    } catch (error) {
      this.#signal.throwIfAborted()
      throw this.#failureOf(error, way)
    } finally {
      patience[Symbol.dispose]()
    }
  }

  #failureOf(error: unknown, way: Way): CliError {
    if (error instanceof CliError) return error
    const cause = { cause: error }
    const code = codeOf(error)
    if (way.kind === 'unix' && (code === 'ENOENT' || code === 'ECONNREFUSED')) {
      return new CliError('unreachable', `no daemon answers ${way.words}`, {
        ...cause,
        next: 'start it with `shallot daemon`, or name its directory with --data',
      })
    }
    if (code === 'EACCES' || code === 'EPERM') {
      return new CliError('forbidden', `this account may not use the daemon's socket (${way.words})`, {
        ...cause,
        next: "run this in the daemon's account, or reach the home with --home",
      })
    }
    if (code?.startsWith('HPE_')) {
      return new CliError('bad-answer', `what answers ${way.words} does not speak HTTP`, cause)
    }
    if (late(error)) {
      const s = Math.round(way.patienceMs / 1000)
      return new CliError('unreachable', `the home did not answer ${way.words} within ${s} s`, cause)
    }
    return new CliError('unreachable', `the home did not answer ${way.words}: ${sentenceOf(error)}`, cause)
  }

  #sealRequest({ method, path, body }: Call): Promise<Uint8Array> {
    const { person } = this.#deps
    return person.seal<Request>(person.home, {
      type: 'request',
      expiresAt: person.now() + REQUEST_LIFETIME_S,
      method,
      path,
      digest: sha256(body),
    })
  }

  async #leave(): Promise<void> {
    const way = this.#way
    this.#way = undefined
    await (await way)?.[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#leave().catch((error) => ignore(error, 'it was never open'))
  }
}

async function* eventsOf(answer: IncomingMessage, clock: Clock): AsyncGenerator<ServerEvent> {
  let heardAt = clock.monotonic()
  using _look = clock.every(SILENCE_LOOK_MS, () => {
    if (clock.monotonic() - heardAt < SILENCE_MS_MAX) return
    answer.destroy(new CliError('unreachable', 'the home has fallen silent'))
  })
  async function* heard(): AsyncGenerator<string> {
    for await (const line of readLines(answer)) {
      heardAt = clock.monotonic()
      yield line
    }
  }
  try {
    yield* readEvents(broken(heard()))
  } finally {
    answer.destroy()
  }
}

function late(error: unknown): boolean {
  return error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError')
}

/** A connection that ends in the middle is no fault of ours, and not done either. */
async function* broken<T>(lines: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* lines
  } catch (error) {
    if (error instanceof CliError) throw error
    throw new CliError('unreachable', 'the connection to the home broke off', { cause: error })
  }
}

async function readWhole(answer: IncomingMessage): Promise<Uint8Array> {
  try {
    return await readBody(answer)
  } catch (error) {
    if (error instanceof CliError) throw error
    throw new CliError('unreachable', 'the connection to the home broke off', { cause: error })
  }
}

/** The problem (RFC 9457) that the home answered with, as our error. */
async function refusalIn(answer: IncomingMessage, person: Person, path: string): Promise<CliError> {
  const said = parseJson(await readWhole(answer))
  const problem = typeof said === 'object' && said !== null ? (said as Record<string, unknown>) : {}
  const code = knownCode(problem.code)
  if (!code) {
    return new CliError('bad-answer', `the home refused with status ${answer.statusCode} and no code we know`)
  }
  const detail = typeof problem.detail === 'string' ? problem.detail.slice(0, 300) : MEANINGS[code]
  const device = /^\/things\/([^/?]+)/.exec(path)?.[1]
  if (code === 'not-found' && device !== undefined) {
    const named = JSON.stringify(decodeURIComponent(device).slice(0, 64))
    return new CliError(code, `${detail}: ${named}`, { next: 'see `shallot device list`' })
  }
  if (code !== 'unauthorized') return new CliError(code, detail)
  return unauthorized(knownCode(problem.reason), detail, person)
}

function unauthorized(reason: Code | undefined, detail: string, { role, name }: Person): CliError {
  if (reason === 'replayed') return new CliError('replayed', 'the home has seen this request before')
  if (reason === 'expired' || reason === 'not-yet') {
    return new CliError('unauthorized', `the home's clock and ours differ too much (${MEANINGS[reason]})`, {
      next: 'set the clock of this machine, or of the home',
    })
  }
  if (reason === 'unknown-signer') {
    return role === 'owner'
      ? new CliError('unauthorized', 'the home does not know this owner', {
          next: 'is --owner the directory of this home?',
        })
      : new CliError('unauthorized', `the home does not know the key of ${name}`, {
          next: 'is the key file of this home? An owner gives out keys with `shallot token add`',
        })
  }
  if (reason === 'grant-revoked') {
    return new CliError('grant-revoked', `the key of ${name} was taken back`, {
      next: 'an owner can give you another',
    })
  }
  return new CliError('unauthorized', reason ? `${detail}: ${MEANINGS[reason]}` : detail)
}

function knownCode(value: unknown): Code | undefined {
  return typeof value === 'string' && Object.hasOwn(CODES, value) ? (value as Code) : undefined
}
