// SPDX-License-Identifier: GPL-3.0-or-later
import type { PartyId } from './model/index.ts'

/** Who asks, proved by a sealed request, by a sealed command, or by a token. */
export interface Caller {
  readonly id: PartyId
  readonly name: string
  readonly kind: 'owner' | 'holder' | 'token'
  /** Where the request came in: `unix`, `lan`, `onion:<service>`; for a token `token:<name>`. */
  readonly origin: string
  /** For a token: where the request came in. */
  readonly via?: string | undefined
  /** The person that the key belongs to. */
  readonly person?: Uint8Array | undefined
  /** For a token: the ids of the grants that it acts by, with the hub's key. */
  readonly acts?: readonly Uint8Array[] | undefined
}

/** The request as the HTTP face saw it, to be held against what was sealed (SPEC 9.2). */
export interface Asked {
  readonly method: string
  /** With query. */
  readonly path: string
  /** SHA-256 of the body. */
  readonly digest: Uint8Array
  readonly origin: string
}
