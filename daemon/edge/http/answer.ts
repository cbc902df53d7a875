// SPDX-License-Identifier: GPL-3.0-or-later
import { type Code, MEANINGS } from '../../../schemas/gen/ts/codes.ts'
import type { No } from '../../base/error.ts'
import type { Caller } from '../../core/receive.ts'

export type Headers = Readonly<Record<string, string>>

/** Where a stream is written to; `signal` aborts when the client has gone or the face closes. */
export interface Outlet {
  readonly signal: AbortSignal
  /** Resolves when the client's side took it, rejects when the client is gone. */
  write(piece: string | Uint8Array): Promise<void>
}

/** What a route has to say; the app puts it on the wire. */
export type Reply =
  | { readonly kind: 'json'; readonly status: number; readonly body: unknown; readonly headers?: Headers }
  | { readonly kind: 'empty'; readonly status: number; readonly headers?: Headers }
  | { readonly kind: 'bytes'; readonly body: Uint8Array; readonly headers: Headers }
  | {
      readonly kind: 'stream'
      readonly type: 'application/x-ndjson' | 'text/event-stream' | 'image/jpeg'
      readonly headers?: Headers
      /** Endless ones end when the face closes; the others may finish within the drain. */
      readonly endless: boolean
      readonly run: (outlet: Outlet) => Promise<void>
      /** Whose it is: it ends when they are taken back. */
      readonly caller?: Caller
    }
  | Problem

/** RFC 9457, with the code of schemas/codes.csv. */
export interface Problem {
  readonly kind: 'problem'
  readonly status: number
  readonly code: Code
  readonly detail?: string | undefined
  /** For `unauthorized`: what was wrong with the proof. */
  readonly reason?: Code | undefined
  readonly headers?: Headers | undefined
}

export function json(body: unknown, status = 200, headers?: Headers): Reply {
  return { kind: 'json', status, body, ...(headers && { headers }) }
}

export function empty(status = 204, headers?: Headers): Reply {
  return { kind: 'empty', status, ...(headers && { headers }) }
}

export interface ProblemExtras {
  readonly status?: number
  readonly reason?: Code | undefined
  readonly headers?: Headers
}

export function problem(code: Code, detail?: string, extras: ProblemExtras = {}): Problem {
  return { kind: 'problem', code, detail, status: STATUS[code] ?? 400, ...extras }
}

/** A refusal by the core as the answer to the request. */
export function refused({ why, detail }: No<Code>): Problem {
  return problem(why, detail)
}

export function problemBody({ status, code, detail, reason }: Problem): string {
  const title = MEANINGS[code]
  return JSON.stringify({ type: `urn:shallot:problem:${code}`, title, status, code, detail, reason })
}

/** Codes that are not simply 400. */
const STATUS: Partial<Record<Code, number>> = {
  'too-large': 413,
  'bad-key': 403,
  'bad-signature': 403,
  'unknown-signer': 403,
  'wrong-audience': 403,
  'no-clock': 503,
  expired: 409,
  'not-yet': 409,
  'stale-nonce': 409,
  replayed: 409,
  'not-permitted': 403,
  'no-such-affordance': 404,
  'bad-value': 422,
  'read-only': 403,
  busy: 503,
  'unknown-grant': 404,
  'grant-chain': 409,
  'grant-revoked': 403,
  'grant-not-yet': 403,
  'grant-expired': 403,
  'grant-elsewhere': 403,
  'not-granted': 403,
  'outside-hours': 403,
  'uses-spent': 403,
  'lease-lapsed': 403,
  'grant-wider': 403,
  'grants-full': 409,
  'still-digest': 502,
  'still-broken': 502,
  'still-elsewhere': 409,
  'bad-proof': 403,
  unconfirmed: 409,
  'permit-unknown': 404,
  'permit-used': 409,
  'permit-expired': 410,
  'too-many-tries': 429,
  'name-taken': 409,
  forgotten: 410,
  away: 503,
  'queue-full': 503,
  unreachable: 503,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  'payload-too-large': 413,
  'unsupported-media-type': 415,
  'too-many-requests': 429,
  internal: 500,
}
