// SPDX-License-Identifier: GPL-3.0-or-later
/** Who asks (SPEC 9.2): a seal over the request, a sealed command in its body, or a token. */
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { fromBase64url } from '../../base/bytes.ts'
import type { Caller, Place } from '../../core/receive.ts'
import { type Problem, problem } from './answer.ts'
import { mediaTypeOf } from './body.ts'
import type { HttpHome } from './home.ts'
import type { Asking, Route } from './route.ts'

/** Who asks, and the sealed command or request that says so. */
export type Asked = Pick<Asking, 'caller' | 'command' | 'sealed'>

/** What a request says of who asks, before anything is proved. */
export type Claim =
  | { readonly by: 'seal'; readonly frame: Uint8Array }
  | { readonly by: 'token'; readonly token: string; readonly form: boolean }
  /** The body says by itself who sealed it. */
  | { readonly by: 'command' }
  | { readonly by: 'nothing' }

/** @returns undefined when there is a header that cannot be read, or none where one is needed */
export function claimOf(
  request: IncomingMessage,
  route: Route,
  params: Readonly<Record<string, string>>,
): Claim | undefined {
  if (route.who !== 'nobody' && route.form) return { by: 'token', token: params.token ?? '', form: true }
  const header = request.headers.authorization
  if (header === undefined) {
    if (route.who === 'nobody') return { by: 'nothing' }
    return route.commands && mediaTypeOf(request) === 'application/cose' ? { by: 'command' } : undefined
  }
  // What is in a header that we cannot read is still a claim to be proved.
  const [, scheme = '', text = ''] = /^(Shallot|Bearer) ([A-Za-z0-9_-]+)$/i.exec(header) ?? []
  if (scheme.toLowerCase() === 'bearer') return { by: 'token', token: text, form: false }
  const frame = text === '' ? undefined : fromBase64url(text)
  return frame && { by: 'seal', frame }
}

/** @returns undefined when nobody has to be anybody */
export function prove(
  home: HttpHome,
  claim: Claim,
  request: IncomingMessage,
  body: Uint8Array,
  place: Place,
): Asked | Problem | undefined {
  switch (claim.by) {
    case 'nothing':
      return undefined
    case 'seal': {
      const identified = home.desk.identify(claim.frame, {
        method: request.method!,
        path: request.url!,
        digest: createHash('sha256').update(body).digest(),
        origin: place.origin,
      })
      if (identified.ok) return { caller: identified.value, sealed: claim.frame }
      const { why, detail } = identified
      return unauthorized(detail, why === 'unauthorized' ? undefined : why)
    }
    case 'command': {
      const sealed = home.desk.sealer(body, place.origin)
      return sealed.ok ? sealed.value : unauthorized(sealed.detail, sealed.why)
    }
    case 'token': {
      const bearer = home.desk.tokens.bearer(claim.token, claim.form, place)
      if (bearer.ok) return { caller: bearer.value }
      return bearer.why === 'too-many-tries' ? problem(bearer.why) : unauthorized('no such token')
    }
  }
}

export function unauthorized(detail: string | undefined, reason?: Problem['reason']): Problem {
  return problem('unauthorized', detail, { reason, headers: { 'www-authenticate': 'Shallot, Bearer' } })
}

/** Whether this caller is let in at all; what it may see and do is the route's. */
export function isLetIn(route: Route, { kind }: Caller, mayShare: () => boolean): boolean {
  if (kind === 'owner' || route.who === 'all') return true
  return route.who === 'sharer' && mayShare()
}

/**
 * Whether a page of another origin made a browser send this: it cannot forge these headers, and cannot leave them out.
 * Opening a form by its link is the one thing that another page may bring about.
 */
export function isForeign(request: IncomingMessage, route: Route, scheme: string): boolean {
  const { origin, host, 'sec-fetch-site': site } = request.headers
  if (origin !== undefined) return origin.toLowerCase() !== `${scheme}://${host}`.toLowerCase()
  if (route.who !== 'nobody' && route.form && request.method === 'GET') return false
  return site === 'cross-site' || site === 'same-site'
}
