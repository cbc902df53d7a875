// SPDX-License-Identifier: GPL-3.0-or-later
/** What the mesh asks of the rooms that remember and of the one that carries. */
import type { Instant } from '../../base/clock.ts'
import type { Secret } from '../../base/secret.ts'
import type { Frame, Sample } from '../envelope/message.ts'
import type { PartyId } from '../model/index.ts'
import type { Entry } from '../ports.ts'
import type { PastMessage } from './histories.ts'

/** An envelope that every daemon keeps: the newest of its kind, subject and sealer. */
export interface MeshPaper {
  readonly kind: 'member' | 'beacon'
  /** Whom it is about. */
  readonly subject: PartyId
  readonly sealer: PartyId
  readonly frame: Frame
}

export interface MeshPaperBook {
  papers(): readonly MeshPaper[]
  /** In the place of the one before of this kind, subject and sealer. */
  keep(paper: MeshPaper): Promise<void>
}

/** Revocation lists (SPEC 12.5): who keeps and judges them is another room's business. */
export interface Revocations {
  /** Whether this key is in any current list. */
  isRevoked(key: Uint8Array): boolean
  /** The current lists, one of each who sealed any. */
  frames(): readonly Frame[]
  take(frame: Frame): Promise<'new' | 'known' | 'refused'>
}

/** How far a log goes: the position of its last entry, and that one's hash. */
export interface LogHead {
  readonly position: number
  readonly hash: Uint8Array
}

/** Bytes that follow from one another, up to a place that their author signed for. */
export interface Run {
  readonly from: number
  /** The hash that the first follows from. */
  readonly before: Uint8Array
  readonly entries: readonly Uint8Array[]
  readonly beacon: Frame
}

/** The logs of all daemons of the home, our own among them. */
export interface LogShelf {
  authors(): readonly PartyId[]
  /** Position 0 and the chain's start for an author of whom there is nothing. */
  head(author: PartyId): LogHead
  /** Our own entries from `from` on, or from the first that was not pruned; as many as a piece may hold, at least one if there is one. */
  own(from: number): (Omit<Run, 'beacon'> & { readonly last: LogHead }) | undefined
  /** Another's entries from `from` up to the next place that its author signed for. */
  others(author: PartyId, from: number): Run | undefined
  /** Keeps a verified run behind the head; does nothing if the head has passed it. What it skips its author had pruned. */
  append(author: PartyId, run: Run, hashes: readonly Uint8Array[]): Promise<void>
  /** Entries of one log before `before`, at most `limit`, newest last. */
  read(author: PartyId, before: number, limit: number): readonly Entry[]
}

export interface HeardBook {
  /** When a daemon was last heard, as far as it is remembered. */
  heardAt(member: PartyId): Instant | undefined
  heard(member: PartyId, at: Instant): Promise<void>
}

/** What other homes said of their devices, so that it can be shown while they are away. */
export interface FarBook {
  things(): ReadonlyArray<{ readonly member: PartyId; readonly device: PartyId; readonly word: Uint8Array }>
  keepThing(member: PartyId, device: PartyId, word: Uint8Array): Promise<void>
  dropThing(member: PartyId, device: PartyId): Promise<void>
  dropMember(member: PartyId): Promise<void>
}

/** Whom this daemon lets in from outside, and what others said of theirs (SPEC 14.9). */
export interface GuestBook {
  /** What each daemon said last, one word of each kind. */
  said(): ReadonlyArray<{ readonly member: PartyId; readonly word: Uint8Array }>
  keepSaid(member: PartyId, kind: 'guests' | 'offers', word: Uint8Array): Promise<void>
  dropSaid(member: PartyId): Promise<void>
  /** By which invitations somebody came, and who, if it was one key alone. */
  arrivals(): ReadonlyArray<{ readonly guest: Uint8Array; readonly key: PartyId | undefined }>
  keepArrival(guest: Uint8Array, key: PartyId | undefined): Promise<void>
  dropArrival(guest: Uint8Array): Promise<void>
}

/** A sealed message as it is kept: its number there rises with the order of arrival. */
export interface PastReading {
  readonly number: number
  readonly receivedAt: Instant
  readonly frame: Frame
}

/** Readings of our own devices, or those that are kept here of other daemons'. */
export type PastSource = 'own' | 'kept'

export interface PastPage {
  readonly readings: readonly PastReading[]
  /** Where the next page goes on. */
  readonly last: number
  readonly more: boolean
}

/** What one answer of another daemon came to. */
export interface PastStep {
  readonly member: PartyId
  readonly device: PartyId
  readonly source: PastSource
  readonly last: number
  readonly messages: ReadonlyArray<{ readonly message: PastMessage; readonly receivedAt: Instant }>
}

/** What devices measured for other daemons (SPEC 14.8); a bounded number of readings of each. */
export interface FarReadingBook {
  page(device: PartyId, source: PastSource, after: number, limit: number): PastPage
  /** How far that daemon's readings are here. */
  cursor(member: PartyId, device: PartyId, source: PastSource): number
  /** Each epoch and sequence once, and the cursor with them. */
  keep(step: PastStep): Promise<void>
  /** As `ReadingBook` answers it. */
  history(device: PartyId, affordance: number, since: Instant, limit: number): readonly Sample[]
}

/** What is wrong with the way to a daemon. */
export interface WayTrouble {
  readonly code: string
  readonly detail: string
}

/** The room that carries: connections to other daemons over onions (edge/mesh). */
export interface MeshRoom {
  /** @param politely  leave the first call to the one with the lower key */
  reach(peer: PartyId, address: string, politely: boolean): void
  leave(peer: PartyId, why: string): void
  send(peer: PartyId, stream: 'talk' | 'log', message: Uint8Array): void
  /** A code of the room or of the dialer, and a sentence. */
  trouble(peer: PartyId): WayTrouble | undefined
  rtt(peer: PartyId): number | undefined
  /** Messages that were handed to the connection there is. */
  said(peer: PartyId): number | undefined
  /** Round trips on the connection there is, ms; rejects when there is none or it is silent. */
  ping(peer: PartyId, times: number, signal: AbortSignal): Promise<readonly number[]>
  /** Rejects with a sentence for people. */
  ask(peer: PartyId, address: string, question: Uint8Array, signal: AbortSignal): Promise<Uint8Array>
}

/** What the room asks and tells. */
export interface MeshEar {
  mayEnter(peer: PartyId, door: string | undefined): boolean
  connected(peer: PartyId): void
  gone(peer: PartyId): void
  heard(peer: PartyId, stream: 'talk' | 'log', message: Uint8Array): Promise<boolean>
  asked(peer: PartyId, question: Uint8Array): Promise<Uint8Array>
}

/** Keys by which our tor may read the descriptors of others' addresses. */
export interface OnionKeys {
  unlock(address: string, clientKey: Secret): void
  lock(address: string): void
}

/** The streams to daemons that are connected and proved who they are. */
export interface MeshWire {
  send(peer: PartyId, stream: 'talk' | 'log', bytes: Uint8Array): void
  /** Ends the connection, after what was sent has left. */
  cut(peer: PartyId, why: string): void
}
