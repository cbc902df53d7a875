// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * What the desks of people ask of the room that remembers: the sealed papers of SPEC 12 and 13 as they came, and what became
 * of pairings, tokens and uses. Nothing here is believed: whoever loads a paper opens it again.
 */
import type { Instant } from '../base/clock.ts'
import type { Frame, HolderKind } from './envelope/message.ts'
import type { PartyId } from './model/index.ts'
import type { UseBook } from './policy/index.ts'
import type { NewEntry } from './ports.ts'

/** `owner`, `holder` and `enrolment` by key, `person` by id, `grant` by digest, `revocation` by the key of its signer. */
export type PaperKind = 'owner' | 'person' | 'holder' | 'grant' | 'revocation' | 'enrolment'

export interface Paper {
  readonly key: Uint8Array
  readonly frame: Frame
  /** When the hub was given it. */
  readonly at: Instant
  /** Put away: it counts for nothing more, but the log still wants its name. */
  readonly goneAt?: Instant | undefined
}

export interface PaperBook {
  /** In the order in which they first came. */
  all(kind: PaperKind): readonly Paper[]
  /** Keeps a paper in place of the one with this key, together with its entry in the log. */
  put(kind: PaperKind, paper: Paper, entry: NewEntry): Promise<void>
  /** Puts a paper away; false when there is none. */
  remove(kind: PaperKind, key: Uint8Array, at: Instant, entry: NewEntry): Promise<boolean>
}

/** What is thinned at once (SPEC 12.6): in the papers, kept by these keys, and in the counts of uses. */
export interface Thinning {
  readonly at: Instant
  /** Seconds: the latest time at which people are known to have sealed anything, to be remembered. */
  readonly sealedAt: number
  /** Grants that hold no more, and those that hold again after all. */
  readonly over: readonly Uint8Array[]
  readonly back: readonly Uint8Array[]
  /** Grants of which nothing is kept but what the log says. */
  readonly forgotten: readonly Uint8Array[]
  /** Ids of grants that have ended: their uses need no count. */
  readonly spent: readonly Uint8Array[]
  /** Permits and pairings that nobody used, and that were over by then. */
  readonly unusedBefore: Instant
}

export interface PastBook {
  /** Seconds, as the last thinning left it; 0: none was. */
  readonly sealedAt: number
  thin(thinning: Thinning): Promise<void>
}

/** A pairing on its way (SPEC 13.3): for whom, by whom, and what became of it. */
export interface OpenPairing {
  readonly pairing: Uint8Array
  readonly name: string
  readonly person: Uint8Array
  readonly kind: HolderKind
  /** Who sealed it, and confirms it. */
  readonly by: PartyId
  readonly expiresAt: Instant
  /** The hub's proof key; absent once a phone has asked, or nobody can ask any more. */
  readonly proofKey?: Uint8Array | undefined
  /** The onion service that is this phone's own. */
  readonly invitation?: string | undefined
  /** The phone that asked, and its envelope. */
  readonly key?: PartyId | undefined
  readonly pair?: Frame | undefined
  readonly end?: 'confirmed' | 'declined' | undefined
}

export interface PairingBook {
  get(pairing: Uint8Array): OpenPairing | undefined
  /** The latest that this key asked in. */
  askedBy(key: PartyId): OpenPairing | undefined
  /** Those with an onion service. */
  invited(): readonly OpenPairing[]
  /** Rejects with code `pairing-known` when there is one of this id. */
  open(pairing: OpenPairing & { readonly frame: Frame }, entry: NewEntry): Promise<void>
  /** The first phone takes it; false for another one, or when it is over. The same phone may ask again. */
  ask(pairing: Uint8Array, key: PartyId, pair: Frame, entry: NewEntry): Promise<boolean>
  end(pairing: Uint8Array, how: 'confirmed' | 'declined', entry?: NewEntry): Promise<void>
}

/** A bearer token (SPEC 9.6): its digest, never itself. */
export interface KeptToken {
  readonly name: string
  /** SHA-256 of its text. */
  readonly digest: Uint8Array
  /** For a page without scripts, whose path holds it; else for `Authorization: Bearer`. */
  readonly form: boolean
  readonly by: PartyId
  readonly at: Instant
  /** The grants that the hub acts by for it. */
  readonly grants: readonly Uint8Array[]
}

export interface TokenBook {
  list(): readonly KeptToken[]
  /** Instead of the one of this name. */
  put(token: KeptToken, entry: NewEntry): Promise<void>
  remove(name: string, entry: NewEntry): Promise<boolean>
}

/** How often grants were used, over all devices (SPEC 12.3). */
export interface KeptUseBook extends UseBook {
  /** One more use of each id: counted from this moment on, on disk when the promise resolves. */
  spend(grants: readonly Uint8Array[]): Promise<void>
  /** What was counted did not come about. */
  giveBack(grants: readonly Uint8Array[]): Promise<void>
}
