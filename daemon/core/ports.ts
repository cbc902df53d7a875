// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * What the deciding rooms ask of the rooms that remember and of those that touch the world. `state` and `edge` implement
 * these; test/contract runs one suite over every implementation, memory twins included.
 *
 * Always true: a promise from a remembering port resolves only when what it promises survives `kill -9` and power loss.
 */
import type { Code } from '../../schemas/gen/ts/codes.ts'
import type { Instant } from '../base/clock.ts'
import type { Verdict } from '../base/error.ts'
import type { Act, Frame, Hello, Message, Reading, Receipt, Sample, Still } from './envelope/message.ts'
import type { Device, PartyId, Twin } from './model/index.ts'
import type { Piece } from './stills/ports.ts'
import type { WantedImage } from './updates/ports.ts'

export interface NewDevice {
  readonly id: PartyId
  readonly name: string
  readonly board: string
  readonly firmware: string
  readonly affordances: readonly number[]
  /** The permit it enrolled under; absent for a device that came with its record (SPEC 6.5). */
  readonly permit?: Uint8Array
  readonly record?: Frame
}

/** Devices, what they report and what is asked of them: the registry, their only writer. Reads answer from memory. */
export interface DeviceBook {
  get(id: PartyId): Device | undefined
  named(name: string): Device | undefined
  list(): readonly Device[]
  twin(id: PartyId): Twin
  isForgotten(id: PartyId): boolean
  /** Adds a device, or the same again if its id is known. */
  enrol(device: NewDevice, at: Instant): Promise<Verdict<Device, 'name-taken' | 'forgotten'>>
  /** Keeps the owner's record; the name in it becomes the device's. */
  confirm(id: PartyId, name: string, record: Frame): Promise<Verdict<Device, 'not-found' | 'name-taken'>>
  rename(id: PartyId, name: string): Promise<Verdict<Device, 'not-found' | 'name-taken'>>
  /** For ever: the id never comes back, its name is free again. */
  forget(id: PartyId, at: Instant): Promise<Verdict<Device, 'not-found'>>
  /** A session began; presence lives in memory, the nonce and hello are kept. */
  sessionOpened(id: PartyId, hello: Message<Hello>, at: Instant): Promise<void>
  sessionClosed(id: PartyId, at: Instant): void
  /** What was last asked of a property, and by which command (its SHA-256). Does nothing for a device that is gone. */
  desire(
    id: PartyId,
    affordance: number,
    value: number | boolean,
    command: Uint8Array,
    at: Instant,
  ): Promise<void>
}

/** Samples by device and affordance. */
export interface ReadingBook {
  /**
   * Keeps the sealed reading, or the receipt with what it changed, and its samples once per (device, epoch, sequence);
   * updates the reported twin. A sample without a time, or from a future beyond the allowed skew, gets that of its receipt.
   * @param entry  goes into the journal together with it, and only if it is new
   */
  append(
    device: PartyId,
    message: Message<Reading> | Message<Receipt> | Message<Act>,
    receivedAt: Instant,
    entry?: NewEntry,
  ): Promise<'new' | 'known'>
  /** Ascending by time, from `since` on; at most `limit` (1..10,000), the newest when there are more. */
  history(device: PartyId, affordance: number, since: Instant, limit: number): readonly Sample[]
  /** The sealed messages behind the reported values, in the order they came. */
  reportedBy(device: PartyId): readonly Frame[]
}

export type EntryKind =
  | 'command'
  | 'receipt'
  | 'expired'
  | 'enrolled'
  | 'confirmed'
  | 'forgotten'
  | 'renamed'
  | 'permit'
  | 'refused'
  | 'invited'
  | 'withdrawn'
  | 'joined'
  | 'adopted'
  | 'act'
  | 'person'
  | 'holder'
  | 'owner'
  | 'granted'
  | 'revoked'
  | 'pairing'
  | 'asked'
  | 'declined'
  | 'token'
  | 'removed'
  | 'authorities'
  | 'pruned'
  | 'rollout'
  | 'updated'

export interface NewEntry {
  readonly kind: EntryKind
  readonly at: Instant
  readonly device?: PartyId | undefined
  readonly signer?: PartyId | undefined
  /** The envelope itself, for kinds that have one. */
  readonly frame?: Frame | undefined
  /** SHA-256 of the command that a receipt or an expiry answers. */
  readonly command?: Uint8Array | undefined
  /** Where it came from: `unix`, `lan`, `onion:<name>`, `link`. */
  readonly origin?: string | undefined
  /** A number of schemas/codes.csv, where there is a result. */
  readonly code?: number | undefined
  /** The person that the signer's key belongs to, or that this is about: 8 bytes. */
  readonly person?: Uint8Array | undefined
  /** The grants by which it was done, from the owner's end to the one that was named. */
  readonly chain?: readonly Uint8Array[] | undefined
  /** A name or a reason, for people; never a secret. */
  readonly note?: string | undefined
}

export interface Entry extends NewEntry {
  /** From 1, without gaps. */
  readonly index: number
  /** SHA-256 over the entry and the hash before it. */
  readonly hash: Uint8Array
}

export interface JournalReport {
  readonly entries: number
  /** How many older ones are gone by pruning; `entries` does not count them. */
  readonly pruned?: number
  readonly head: Uint8Array
  /** The first entry that does not follow from the one before it, and why. */
  readonly broken?: { readonly index: number; readonly why: string } | undefined
}

export interface JournalSearch {
  readonly before?: number
  readonly limit: number
  readonly since: Instant
  readonly until: Instant
  readonly matches: (entry: Entry) => boolean
}

/** The hash-chained log of every act. */
export interface Journal {
  append(entry: NewEntry): Promise<Entry>
  /** Newest last; `before`/`limit` page backwards. */
  read(options: {
    readonly before?: number
    readonly limit: number
    readonly device?: PartyId
  }): readonly Entry[]
  /** Newest last: at most `limit` that match, searched backwards from `before` to `since`, in steps that let others run. */
  search(options: JournalSearch): Promise<readonly Entry[]>
  /**
   * Removes from the beginning what is older than `before`, and leaves an entry that says so: the chain goes on from the
   * hash of the last that went. Resolves to how many went.
   */
  prune(before: Instant, at: Instant): Promise<number>
  /** Recomputes the whole chain from the disk, in steps that let others run. */
  verify(): Promise<JournalReport>
}

/** A permit on its way: who may enrol under which name, and what became of it (SPEC 7). */
export interface OpenPermit {
  readonly permit: Uint8Array
  readonly name: string
  readonly expiresAt: Instant
  /** The hub's proof key; absent once the permit is used or stale, so that nobody can prove anything against an empty one. */
  readonly proofKey?: Uint8Array | undefined
  readonly usedBy?: PartyId | undefined
  /** The device's enrol envelope, for the owner to check. */
  readonly enrol?: Frame | undefined
  /** The hub's answer, to be given again to the same device. */
  readonly enrolled?: Frame | undefined
}

export interface PermitBook {
  get(permit: Uint8Array): OpenPermit | undefined
  /** Rejects with code `permit-known` when there is one of this id. */
  open(permit: {
    permit: Uint8Array
    name: string
    expiresAt: Instant
    proofKey: Uint8Array
    frame: Frame
  }): Promise<void>
  /** Once, and again for the same device; rejects with code `permit-unknown` or, for another device, `permit-used`. */
  use(permit: Uint8Array, by: PartyId, enrol: Frame, enrolled: Frame): Promise<void>
}

/** An onion service that somebody was given (SPEC 10), or a device that has one of its own. */
export interface ServiceRecord {
  /** `invitation:<name>` or `device:<id>` (SPEC 5). */
  readonly service: string
  readonly epoch: number
  readonly authorised: boolean
  readonly createdAt: Instant
}

export interface ServiceBook {
  list(): readonly ServiceRecord[]
  get(service: string): ServiceRecord | undefined
  put(record: ServiceRecord): Promise<void>
  remove(service: string): Promise<boolean>
  /** 0 for a service that never was; else one more than its last, so that a withdrawn address never comes back. */
  nextEpoch(service: string): number
}

/** The way to connected devices: the link. */
export interface Carrier {
  /** Queues one envelope on the device's connection. */
  send(device: PartyId, frame: Frame): 'sent' | 'away' | 'too-slow'
  /** Ends the device's connection, if it has one, and says why. */
  drop(device: PartyId, why: 'forgotten' | 'superseded' | 'hub-elsewhere' | 'ca-announced'): void
}

/** What the link asks when devices speak; `receive.ts` answers. */
export interface DeviceDesk {
  /** `elsewhere`: another daemon of the home has charge of it (SPEC 14.7). */
  standing(id: PartyId): 'known' | 'unknown' | 'forgotten' | 'elsewhere'
  /** The name of a known device. */
  nameOf(id: PartyId): string | undefined
  permit(permit: Uint8Array): OpenPermit | undefined
  enrolled(
    device: NewDevice & { readonly enrol: Frame; readonly enrolled: Frame },
  ): Promise<Verdict<Device, 'name-taken' | 'forgotten'>>
  /** A device that would enrol was refused: for the log. */
  turnedAway(why: Code, address: string): void
  /** A stranger with our certificate shows an owner's record (SPEC 6.5). */
  readmit(
    hello: Message<Hello>,
    record: Frame,
  ): Promise<Verdict<Device, 'unknown-device' | 'forgotten' | 'hub-elsewhere'>>
  hello(device: PartyId, hello: Message<Hello>): Promise<void>
  /** The welcome is on its way: what waits for the device may follow it. */
  welcomed(device: PartyId): void
  /** Resolves when it is on disk: only then is `stored` said. */
  reading(device: PartyId, reading: Message<Reading>): Promise<void>
  receipt(device: PartyId, receipt: Message<Receipt>): Promise<void>
  /** What it did for somebody who stood before it (SPEC 12.8). */
  act(device: PartyId, act: Message<Act>): Promise<void>
  got(device: PartyId, digest: Uint8Array): void
  /** How far it is with an image (SPEC 15.4). */
  wanted(device: PartyId, wanted: WantedImage): void
  /** It has a picture, and is told from where on that is wanted (SPEC 19.3). */
  still(device: PartyId, still: Message<Still>): void
  /** The next bytes of it. A code ends the connection; resolves when what was whole is on disk. */
  piece(device: PartyId, piece: Piece): Promise<'unexpected-message' | 'bad-note' | undefined>
  gone(device: PartyId, why: string): void
  /** Sent after the welcome: owner envelopes, its enrolment, what was taken back, codes for its keypad, leases. */
  papers(device: PartyId): readonly Frame[]
}
