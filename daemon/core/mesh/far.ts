// SPDX-License-Identifier: GPL-3.0-or-later
import type { Code } from '../../../schemas/gen/ts/codes.ts'
import { DEVICE_ENVELOPE_BYTES_MAX, ENVELOPE_BYTES_MAX } from '../../../schemas/gen/ts/wire.ts'
import { equal } from '../../base/bytes.ts'
import type { Instant } from '../../base/clock.ts'
import { no, type Verdict, yes } from '../../base/error.ts'
import {
  type Body,
  type Ed25519,
  type Frame,
  type Hello,
  type Message,
  openEnvelope,
  type Reading,
  type Receipt,
  type Receiver,
  type Sample,
} from '../envelope/index.ts'
import { type Device, idOf, isDeviceName, keyOf, type PartyId, type Twin } from '../model/index.ts'
import type { Trust } from '../policy/index.ts'
import type { FarBook } from './ports.ts'
import { decodeTalk, encodeTalk, type ThingWord } from './words.ts'

/** A device in another home of the owner, as that home's daemon last said. */
export interface FarThing {
  readonly member: PartyId
  readonly device: Device
  readonly twin: Twin
}

export interface FarDeps {
  readonly trust: Trust
  readonly ed25519: Ed25519
  readonly book: FarBook
  readonly isRevoked: (key: Uint8Array) => boolean
  /** The daemon that an owner gave it to (SPEC 14.7): what another one tells of it is from before. */
  readonly hubOf?: ((device: PartyId) => PartyId | undefined) | undefined
}

/** Devices that one daemon may show to another. */
const THINGS_PER_MEMBER_MAX = 1024

/**
 * What is believed of devices in other homes (SPEC 14.4): hello, readings and receipts because the device sealed them, the record
 * because an owner did; name, presence and losses are that daemon's word. What does not verify is left out, the rest stays.
 */
export class FarThings {
  readonly #deps: FarDeps
  /** By the very bytes that were opened, which nobody changes. */
  readonly #proven = new WeakMap<Frame, Message>()
  readonly #members = new Map<PartyId, Map<PartyId, { thing: FarThing; word: ThingWord }>>()

  constructor(deps: FarDeps) {
    this.#deps = deps
    for (const { member, word } of deps.book.things()) {
      const said = decodeTalk(word)
      if (said?.word === 'thing') this.#put(member, { ...said, connected: false })
    }
  }

  list(): readonly FarThing[] {
    return [...this.#members.values()].flatMap((things) => [...things.values()].map(({ thing }) => thing))
  }

  get(device: PartyId): FarThing | undefined {
    for (const things of this.#members.values()) {
      const found = things.get(device)
      if (found) return found.thing
    }
    return undefined
  }

  of(member: PartyId): readonly FarThing[] {
    return [...(this.#members.get(member)?.values() ?? [])].map(({ thing }) => thing)
  }

  /** @returns false when the sender may not say it: too many, or a device that an owner gave to another */
  async take(member: PartyId, word: ThingWord): Promise<boolean> {
    const hub = this.#deps.hubOf?.(word.device)
    if (hub !== undefined && hub !== member) return false
    const owner = this.get(word.device)?.member
    const here = this.#members.get(member)
    if ((here?.size ?? 0) >= THINGS_PER_MEMBER_MAX && !here!.has(word.device)) return false
    if (!this.#put(member, word)) return false
    // It has moved: a device is where it was last shown to be by a daemon that holds it now.
    if (owner !== undefined && owner !== member) await this.drop(owner, word.device)
    await this.#deps.book.keepThing(member, word.device, encodeTalk(word))
    return true
  }

  /** @returns the samples that are now the reported ones, or undefined for what this device did not seal */
  async reading(member: PartyId, device: PartyId, frame: Frame): Promise<readonly Sample[] | undefined> {
    const known = this.#members.get(member)?.get(device)
    if (!known) return undefined
    const opened = this.#openSaid(device, frame)
    if (!opened) return undefined
    const readings = [...known.word.readings, frame]
    const kept = behindReported(readings.flatMap((each) => this.#openSaid(device, each) ?? []))
    const word = { ...known.word, readings: kept.map((each) => each.frame) }
    this.#put(member, word)
    await this.#deps.book.keepThing(member, device, encodeTalk(word))
    return opened.body.values
  }

  presence(member: PartyId, device: PartyId, connected: boolean, since: Instant): boolean {
    const known = this.#members.get(member)?.get(device)
    if (!known) return false
    this.#put(member, { ...known.word, connected, since })
    return true
  }

  /** The way to that home is lost: what is there is not known to be connected. */
  away(member: PartyId): readonly PartyId[] {
    const things = [...(this.#members.get(member)?.values() ?? [])]
    const were = things.filter(({ thing }) => thing.device.presence.connected)
    for (const { word } of were) this.#put(member, { ...word, connected: false })
    return were.map(({ thing }) => thing.device.id)
  }

  async drop(member: PartyId, device: PartyId): Promise<void> {
    this.#members.get(member)?.delete(device)
    await this.#deps.book.dropThing(member, device)
  }

  /** Nothing of a daemon that was removed is shown any more. */
  async forget(member: PartyId): Promise<void> {
    if (this.#members.delete(member)) await this.#deps.book.dropMember(member)
  }

  #put(member: PartyId, word: ThingWord): boolean {
    const { isRevoked } = this.#deps
    if (!isDeviceName(word.name) || isRevoked(keyOf(word.device))) return false
    const hello = word.hello.length > 0 ? this.#openHello(word.device, word.hello) : undefined
    const readings = word.readings.flatMap((frame) => this.#openSaid(word.device, frame) ?? [])
    const device: Device = {
      id: word.device,
      name: word.name,
      board: word.board,
      firmware: word.firmware,
      affordances: word.affordances,
      enrolledAt: 0,
      ...(this.#isRecord(word.device, word.record) && { record: word.record }),
      presence: {
        connected: word.connected,
        since: word.since,
        ...(hello && { nonce: hello.body.epoch, hello: hello.frame }),
      },
      lost: word.lost,
    }
    const things = this.#members.get(member) ?? new Map()
    things.set(word.device, { thing: { member, device, twin: twinOf(readings) }, word })
    this.#members.set(member, things)
    return true
  }

  #openHello(device: PartyId, frame: Frame): Message<Hello> | undefined {
    const opened = this.#open(device, frame, ['hello'])
    return opened.ok ? (opened.value as Message<Hello>) : undefined
  }

  #openSaid(device: PartyId, frame: Frame): Said | undefined {
    const opened = this.#open(device, frame, ['reading', 'receipt'])
    return opened.ok ? (opened.value as Message<Reading | Receipt>) : undefined
  }

  #open(device: PartyId, frame: Frame, types: readonly Body['type'][]): Verdict<Message, Code> {
    return this.#openOnce(frame, {
      sizeMax: DEVICE_ENVELOPE_BYTES_MAX,
      accepts: (body, signer) => types.includes(body.type) && idOf(signer) === device,
      isAudience: (body) => body.audience === this.#deps.trust.home,
    })
  }

  #isRecord(device: PartyId, frame: Frame): boolean {
    if (frame.length === 0) return false
    const { trust } = this.#deps
    const opened = this.#openOnce(frame, {
      sizeMax: ENVELOPE_BYTES_MAX,
      accepts: (body, signer) => body.type === 'enrolment' && trust.isOwner(signer),
      isAudience: (body) => body.audience === trust.home,
    })
    return opened.ok && opened.value.body.type === 'enrolment' && equal(opened.value.body.key, keyOf(device))
  }

  /** What is kept is looked at again with each word of its device: who may have sealed it is asked anew, its signature is not. */
  #openOnce(frame: Frame, receiver: Receiver): Verdict<Message, Code> {
    const known = this.#proven.get(frame)
    if (!known) {
      const opened = openEnvelope(frame, receiver, this.#deps.ed25519)
      if (opened.ok) this.#proven.set(frame, opened.value)
      return opened
    }
    const isMeant = receiver.accepts(known.body, known.signer) && receiver.isAudience(known.body)
    return isMeant ? yes(known) : no('unknown-signer')
  }
}

type Said = Message<Reading | Receipt>

/** Of each affordance the last: within a boot the sequence says which that is, another boot is heard in order. */
function lastOf(said: readonly Said[]): Map<number, { message: Said; sample: Sample }> {
  const last = new Map<number, { message: Said; sample: Sample }>()
  for (const message of said) {
    for (const sample of message.body.values) {
      const before = last.get(sample.affordance)?.message.body
      const isOlder =
        before && equal(before.epoch, message.body.epoch) && before.sequence > message.body.sequence
      if (!isOlder) last.set(sample.affordance, { message, sample })
    }
  }
  return last
}

function twinOf(said: readonly Said[]): Twin {
  const reported = [...lastOf(said).values()].map(({ sample }) => sample)
  return { reported: reported.sort((a, b) => a.affordance - b.affordance), desired: [] }
}

/** The messages that are needed for what is reported, in the order they were heard. */
function behindReported(said: readonly Said[]): readonly Said[] {
  const needed = new Set([...lastOf(said).values()].map(({ message }) => message))
  return said.filter((message) => needed.has(message))
}
