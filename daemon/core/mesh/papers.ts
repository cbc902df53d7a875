// SPDX-License-Identifier: GPL-3.0-or-later
import { hash } from 'node:crypto'
import { BEACON_WAY_BYTES, ENVELOPE_BYTES_MAX, KEY_BYTES } from '../../../schemas/gen/ts/wire.ts'
import { concat } from '../../base/bytes.ts'
import { no, type Verdict, yes } from '../../base/error.ts'
import {
  type Beacon,
  type Body,
  type Ed25519,
  type EnvelopeCode,
  type Frame,
  type Member,
  type Message,
  openEnvelope,
} from '../envelope/index.ts'
import { idOf, keyOf, type PartyId } from '../model/index.ts'
import type { Trust } from '../policy/index.ts'
import type { OtherPapers } from './others.ts'
import type { MeshPaper, MeshPaperBook, Revocations } from './ports.ts'

/** A daemon of this home, made one by an owner and not removed. */
export interface MemberView {
  readonly id: PartyId
  readonly name: string
  readonly frame: Frame
  /** Its latest beacon, if any was heard. */
  readonly beacon?: Message<Beacon> | undefined
}

export interface PapersDeps {
  readonly trust: Trust
  readonly ed25519: Ed25519
  readonly book: MeshPaperBook
  readonly revocations: Revocations
  readonly others: Pick<OtherPapers, 'frames'>
}

const DIGEST_BYTES = 8

type Taken = Verdict<'new' | 'known', EnvelopeCode | 'not-permitted'>

/**
 * Who is a daemon of this home (SPEC 14.1): a key for which an owner sealed a `member`, unless that key or that owner stands in
 * a current revocation list. The answer depends on what is known and not on the order in which it came.
 */
export class Papers {
  readonly #deps: PapersDeps
  /** By subject, then by the owner who sealed it: the newest of each. */
  readonly #members = new Map<PartyId, Map<PartyId, Message<Member>>>()
  readonly #beacons = new Map<PartyId, Message<Beacon>>()

  constructor(deps: PapersDeps) {
    this.#deps = deps
    for (const { kind, frame } of deps.book.papers()) {
      const opened = kind === 'member' ? this.#openMember(frame) : this.#openBeacon(frame)
      if (!opened.ok) continue
      if (kind === 'member') this.#put(opened.value as Message<Member>)
      else this.#beacons.set(idOf(opened.value.signer), opened.value as Message<Beacon>)
    }
  }

  get home(): PartyId {
    return this.#deps.trust.home
  }

  async takeMember(frame: Frame): Promise<Taken> {
    const opened = this.#openMember(frame)
    if (!opened.ok) return opened
    const [subject, sealer] = [idOf(opened.value.body.key), idOf(opened.value.signer)]
    const undo = this.#put(opened.value)
    if (!undo) return yes('known')
    await this.#keep({ kind: 'member', subject, sealer, frame }, undo)
    return yes('new')
  }

  /** Of a daemon that is or was a member; the one with the largest sequence stays. */
  async takeBeacon(frame: Frame): Promise<Taken> {
    const opened = this.#openBeacon(frame)
    if (!opened.ok) return opened
    const sealer = idOf(opened.value.signer)
    if (!this.wasMember(sealer)) return no('not-permitted', 'the sealer was never a member')
    const known = this.#beacons.get(sealer)
    if (known && known.body.sequence >= opened.value.body.sequence) return yes('known')
    // A beacon that says nothing new but its time and position is not worth a write.
    this.#beacons.set(sealer, opened.value)
    if (known && saysTheSame(known.body, opened.value.body)) return yes('known')
    const undo = () => {
      if (known) this.#beacons.set(sealer, known)
      else this.#beacons.delete(sealer)
    }
    await this.#keep({ kind: 'beacon', subject: sealer, sealer, frame }, undo)
    return yes('new')
  }

  /** Verifies a beacon that stands for a place in a log, whatever its age. */
  openBeacon(frame: Frame, author: PartyId): Message<Beacon> | undefined {
    const opened = this.#openBeacon(frame)
    return opened.ok && idOf(opened.value.signer) === author ? opened.value : undefined
  }

  isMember(id: PartyId): boolean {
    return this.#standing(id) !== undefined
  }

  /** Whether any owner ever made it one: its log up to its removal is part of the home's history. */
  wasMember(id: PartyId): boolean {
    return this.#members.has(id)
  }

  isRemoved(id: PartyId): boolean {
    return this.#members.has(id) && !this.isMember(id)
  }

  member(id: PartyId): MemberView | undefined {
    const record = this.#standing(id)
    return record && { id, name: record.body.name, frame: record.frame, beacon: this.#beacons.get(id) }
  }

  /** Ascending by id, so that two daemons that know the same say the same. */
  members(): readonly MemberView[] {
    return [...this.#members.keys()].sort().flatMap((id) => this.member(id) ?? [])
  }

  /** What it was called, also after its removal. */
  nameOf(id: PartyId): string {
    return newest([...(this.#members.get(id)?.values() ?? [])])?.body.name ?? id.slice(0, 8)
  }

  /** The onion key by which `to` reaches `from`, as `from` says. */
  way(from: PartyId, to: PartyId): Uint8Array | undefined {
    const ways = this.#beacons.get(from)?.body.ways
    return ways && readWays(ways).get(to)
  }

  sequenceOf(id: PartyId): number {
    return this.#beacons.get(id)?.body.sequence ?? 0
  }

  frames(): {
    members: readonly Frame[]
    revocations: readonly Frame[]
    beacons: readonly Frame[]
    others: readonly Frame[]
  } {
    const members = [...this.#members.values()].flatMap((each) =>
      [...each.values()].map(({ frame }) => frame),
    )
    const beacons = [...this.#beacons.values()].map(({ frame }) => frame)
    const { revocations, others } = this.#deps
    return { members, revocations: revocations.frames(), beacons, others: others.frames() }
  }

  /** The same for two daemons that know the same; positions in beacons do not count. */
  digest(): Uint8Array {
    const { members, revocations, others } = this.frames()
    const ways = [...this.#beacons.values()].map(({ signer, body }) => concat(signer, body.client, body.ways))
    const hashes = [...members, ...revocations, ...others, ...ways]
      .map((bytes) => hash('sha256', bytes))
      .sort()
    return Uint8Array.from(hash('sha256', hashes.join(), 'buffer').subarray(0, DIGEST_BYTES))
  }

  #standing(id: PartyId): Message<Member> | undefined {
    const { trust, revocations } = this.#deps
    const records = this.#members.get(id)
    if (!records || revocations.isRevoked(keyOf(id))) return undefined
    const sound = [...records.values()].filter(
      ({ signer }) => trust.isOwner(signer) && !revocations.isRevoked(signer),
    )
    return newest(sound)
  }

  /** What could not be kept is not known: it is taken when it comes again. */
  async #keep(paper: MeshPaper, undo: () => void): Promise<void> {
    try {
      await this.#deps.book.keep(paper)
    } catch (error) {
      undo()
      throw error
    }
  }

  /** @returns how to undo it, or undefined when it says nothing that was not known */
  #put(message: Message<Member>): (() => void) | undefined {
    const [subject, sealer] = [idOf(message.body.key), idOf(message.signer)]
    const records = this.#members.get(subject) ?? new Map<PartyId, Message<Member>>()
    const known = records.get(sealer)
    if (known && known.body.sequence >= message.body.sequence) return undefined
    this.#members.set(subject, records.set(sealer, message))
    return () => void (known ? records.set(sealer, known) : records.delete(sealer))
  }

  #openMember(frame: Frame): Verdict<Message<Member>, EnvelopeCode> {
    const { trust } = this.#deps
    const opened = this.#open(frame, (body, signer) => body.type === 'member' && trust.isOwner(signer))
    return opened.ok ? yes(opened.value as Message<Member>) : opened
  }

  #openBeacon(frame: Frame): Verdict<Message<Beacon>, EnvelopeCode> {
    const opened = this.#open(
      frame,
      (body) => body.type === 'beacon' && body.ways.length % BEACON_WAY_BYTES === 0,
    )
    return opened.ok ? yes(opened.value as Message<Beacon>) : opened
  }

  #open(frame: Frame, accepts: (body: Body, signer: Uint8Array) => boolean): Verdict<Message, EnvelopeCode> {
    const { trust, ed25519 } = this.#deps
    const isAudience = (body: Body) => body.audience === trust.home
    return openEnvelope(frame, { sizeMax: ENVELOPE_BYTES_MAX, accepts, isAudience }, ed25519)
  }
}

function newest(records: readonly Message<Member>[]): Message<Member> | undefined {
  return records.toSorted(
    (a, b) => b.body.sequence - a.body.sequence || (idOf(a.signer) < idOf(b.signer) ? -1 : 1),
  )[0]
}

function saysTheSame(a: Beacon, b: Beacon): boolean {
  return Buffer.compare(a.ways, b.ways) === 0 && Buffer.compare(a.client, b.client) === 0
}

/** By daemon: the Ed25519 key of the onion address for it (SPEC 14.2). */
export function readWays(ways: Uint8Array): ReadonlyMap<PartyId, Uint8Array> {
  const all = new Map<PartyId, Uint8Array>()
  for (let at = 0; at + BEACON_WAY_BYTES <= ways.length; at += BEACON_WAY_BYTES) {
    const middle = at + KEY_BYTES
    all.set(idOf(ways.subarray(at, middle)), Uint8Array.from(ways.subarray(middle, at + BEACON_WAY_BYTES)))
  }
  return all
}

/** Ascending by daemon, so that the same ways are the same bytes. */
export function writeWays(ways: ReadonlyMap<PartyId, Uint8Array>): Uint8Array {
  const bytes = new Uint8Array(ways.size * BEACON_WAY_BYTES)
  let at = 0
  for (const id of [...ways.keys()].sort()) {
    bytes.set(keyOf(id), at)
    bytes.set(ways.get(id)!, at + KEY_BYTES)
    at += BEACON_WAY_BYTES
  }
  return bytes
}
