// SPDX-License-Identifier: GPL-3.0-or-later
/** What daemons say to each other ⇄ bytes (SPEC 14.4, 14.5): exactly these shapes, or undefined. */
import * as wire from '../../../schemas/gen/ts/wire.ts'
import { toHex } from '../../base/bytes.ts'
import { type Cbor, decodeCbor, encodeCbor, type Frame } from '../envelope/index.ts'
import { idOf, keyOf, type PartyId } from '../model/index.ts'
import { type LookWord, lookItem, readLookWord } from './look-words.ts'
import type { PastReading, PastSource } from './ports.ts'

/** A device of the sender's home, with all that is needed to check it and to seal commands for it. */
export interface ThingWord {
  readonly word: 'thing'
  readonly device: PartyId
  readonly name: string
  readonly board: string
  readonly firmware: string
  readonly affordances: readonly number[]
  readonly connected: boolean
  readonly since: number
  readonly lost: number
  /** Empty when there is none yet. */
  readonly hello: Frame
  readonly record: Frame
  /** The messages behind its last reported values. */
  readonly readings: readonly Frame[]
}

export type OrderStage =
  | 'at-hub'
  | 'at-device'
  | 'done'
  | 'refused'
  | 'expired'
  | 'expired-reached'
  /** Refused by the daemon over there: the code says why. */
  | 'not-taken'

export type TalkWord =
  | {
      readonly word: 'papers'
      readonly members: readonly Frame[]
      readonly revocations: readonly Frame[]
      /** Owners, people, their keys and grants. */
      readonly others: readonly Frame[]
      readonly beacons: readonly Frame[]
    }
  /** How far the sender has each author's log. */
  | {
      readonly word: 'heads'
      /** Of the papers the sender has: who has others sends them. */
      readonly papers: Uint8Array
      readonly heads: ReadonlyMap<PartyId, number>
    }
  | ThingWord
  | { readonly word: 'gone'; readonly device: PartyId }
  | { readonly word: 'reading'; readonly device: PartyId; readonly frame: Frame }
  | {
      readonly word: 'presence'
      readonly device: PartyId
      readonly connected: boolean
      readonly since: number
    }
  | {
      readonly word: 'order'
      readonly number: number
      readonly device: PartyId
      readonly command: Frame
    }
  | {
      readonly word: 'stage'
      readonly number: number
      readonly stage: OrderStage
      /** A number of codes.csv; 0 where there is none. */
      readonly code: number
      /** Empty before the end. */
      readonly receipt: Frame
    }
  /** What a device measured before (SPEC 14.8). */
  | {
      readonly word: 'past'
      readonly device: PartyId
      readonly source: PastSource
      readonly after: number
      /** Nothing from this moment on, ms; 0: everything. */
      readonly until: number
      readonly everyS: number
    }
  | {
      readonly word: 'passed'
      readonly device: PartyId
      readonly source: PastSource
      readonly last: number
      readonly more: boolean
      readonly readings: readonly PastReading[]
    }
  | { readonly word: 'guests'; readonly guests: readonly GuestItem[] }
  | { readonly word: 'offers'; readonly offers: readonly OfferItem[] }
  | LookWord

/** An invitation that the sender would have the receiver answer too (SPEC 14.9). */
export interface GuestItem {
  readonly guest: Uint8Array
  /** Whether its address asks for a client key. */
  readonly authorised: boolean
  /** Whose it is, as far as it is one key's. */
  readonly key?: PartyId | undefined
}

/** The address that the sender offers to a guest of the receiver's. */
export interface OfferItem {
  readonly guest: Uint8Array
  /** The Ed25519 key of the address. */
  readonly onion: Uint8Array
  /** X25519, for who comes by it. */
  readonly clientKey?: Uint8Array | undefined
}

export type LogWord =
  | { readonly word: 'want'; readonly author: PartyId; readonly from: number }
  | { readonly word: 'more'; readonly author: PartyId }
  | {
      readonly word: 'piece'
      readonly author: PartyId
      readonly from: number
      /** What was asked for before it is not there any more. */
      readonly skips: boolean
      /** The hash that the first entry follows from. */
      readonly before: Uint8Array
      readonly beacon: Frame
      /** Parts of the message they came in, not copies: whoever keeps one copies it. */
      readonly entries: readonly Uint8Array[]
    }

const STAGES: readonly (readonly [OrderStage, number])[] = [
  ['at-hub', wire.STAGE_AT_HUB],
  ['at-device', wire.STAGE_AT_DEVICE],
  ['done', wire.STAGE_DONE],
  ['refused', wire.STAGE_REFUSED],
  ['expired', wire.STAGE_EXPIRED],
  ['expired-reached', wire.STAGE_EXPIRED_REACHED],
  ['not-taken', wire.STAGE_NOT_TAKEN],
]
/** The highest number that has a meaning, on either stream. */
const LAST_WORD = wire.TALK_GOT
const NUMBER_OF_STAGE = new Map(STAGES)
const STAGE_OF_NUMBER = new Map(STAGES.map(([stage, number]) => [number, stage]))

export function encodeTalk(word: TalkWord): Uint8Array {
  return encodeCbor(talkItem(word))
}

function talkItem(word: TalkWord): Cbor {
  switch (word.word) {
    case 'papers':
      return [
        wire.TALK_PAPERS,
        ...[word.members, word.revocations, word.beacons, word.others].map((frames) => [...frames]),
      ]
    case 'heads':
      return [
        wire.TALK_HEADS,
        word.papers,
        [...word.heads].map(([author, position]) => [keyOf(author), position]),
      ]
    case 'thing': {
      const { name, board, firmware, affordances, connected, since, lost, hello, record, readings } = word
      const about: Cbor[] = [name, board, firmware, [...affordances], connected, since, lost]
      return [wire.TALK_THING, keyOf(word.device), ...about, hello, record, [...readings]]
    }
    case 'gone':
      return [wire.TALK_GONE, keyOf(word.device)]
    case 'reading':
      return [wire.TALK_READING, keyOf(word.device), word.frame]
    case 'presence':
      return [wire.TALK_PRESENCE, keyOf(word.device), word.connected, word.since]
    case 'order':
      return [wire.TALK_ORDER, word.number, keyOf(word.device), word.command]
    case 'stage':
      return [wire.TALK_STAGE, word.number, NUMBER_OF_STAGE.get(word.stage)!, word.code, word.receipt]
    case 'past': {
      const { device, source, after, until, everyS } = word
      return [wire.TALK_PAST, keyOf(device), source === 'kept', after, until, everyS]
    }
    case 'passed': {
      const { device, source, last, more, readings } = word
      const about = [wire.TALK_PASSED, keyOf(device), source === 'kept', last, more]
      return [...about, readings.map(({ receivedAt }) => receivedAt), readings.map(({ frame }) => frame)]
    }
    case 'guests':
      return [
        wire.TALK_GUESTS,
        word.guests.map(({ guest, authorised, key }) => [guest, authorised, key ? keyOf(key) : NONE]),
      ]
    case 'offers':
      return [
        wire.TALK_OFFERS,
        word.offers.map(({ guest, onion, clientKey }) => [guest, onion, clientKey ?? NONE]),
      ]
    default:
      return lookItem(word)
  }
}

/** What a later version says and this one does not know: passed over, so that old and new can live together. */
export function isLater(bytes: Uint8Array): boolean {
  const item = decodeCbor(bytes)
  const [number] = item.ok && Array.isArray(item.value) ? item.value : []
  return typeof number === 'number' && number > LAST_WORD
}

export function decodeTalk(bytes: Uint8Array): TalkWord | undefined {
  const item = decodeCbor(bytes)
  if (!item.ok || !Array.isArray(item.value)) return undefined
  const [number, ...rest] = item.value
  const read = new Reader(rest)
  const word = readTalk(number, read)
  return word && read.isWhole ? word : undefined
}

function readTalk(number: Cbor | undefined, read: Reader): TalkWord | undefined {
  switch (number) {
    case wire.TALK_PAPERS:
      return {
        word: 'papers',
        members: read.frames(),
        revocations: read.frames(),
        beacons: read.frames(),
        others: read.frames(),
      }
    case wire.TALK_HEADS:
      return { word: 'heads', papers: read.bytes(), heads: read.heads() }
    case wire.TALK_THING:
      return readThing(read)
    case wire.TALK_GONE:
      return { word: 'gone', device: read.party() }
    case wire.TALK_READING:
      return { word: 'reading', device: read.party(), frame: read.bytes() }
    case wire.TALK_PRESENCE:
      return { word: 'presence', device: read.party(), connected: read.truth(), since: read.number() }
    case wire.TALK_ORDER:
      return { word: 'order', number: read.number(), device: read.party(), command: read.bytes() }
    case wire.TALK_STAGE: {
      const [order, stage] = [read.number(), STAGE_OF_NUMBER.get(read.number())]
      const [code, receipt] = [read.number(), read.bytes()]
      return stage && { word: 'stage', number: order, stage, code, receipt }
    }
    case wire.TALK_PAST:
      return {
        word: 'past',
        device: read.party(),
        source: read.truth() ? 'kept' : 'own',
        after: read.number(),
        until: read.number(),
        everyS: read.number(),
      }
    case wire.TALK_PASSED:
      return readPassed(read)
    case wire.TALK_GUESTS:
      return { word: 'guests', guests: read.each(guestOf) }
    case wire.TALK_OFFERS:
      return { word: 'offers', offers: read.each(offerOf) }
  }
  return readLookWord(number, read)
}

function readPassed(read: Reader): TalkWord | undefined {
  const [device, isKept] = [read.party(), read.truth()]
  const [last, more] = [read.number(), read.truth()]
  const [times, frames] = [read.numbers(wire.PAST_READINGS_MAX), read.frames()]
  // Its number is the sender's own business.
  const readings = frames.map((frame, i) => ({ number: 0, receivedAt: times[i] ?? 0, frame }))
  const isWhole = times.length === frames.length
  return isWhole
    ? { word: 'passed', device, source: isKept ? 'kept' : 'own', last, more, readings }
    : undefined
}

function readThing(read: Reader): ThingWord {
  return {
    word: 'thing',
    device: read.party(),
    name: read.text(wire.NAME_BYTES_MAX),
    board: read.text(wire.LABEL_BYTES_MAX),
    firmware: read.text(wire.LABEL_BYTES_MAX),
    affordances: read.numbers(wire.AFFORDANCES_MAX),
    connected: read.truth(),
    since: read.number(),
    lost: read.number(),
    hello: read.bytes(),
    record: read.bytes(),
    readings: read.frames(),
  }
}

export function encodeLog(word: LogWord): Uint8Array {
  const author = keyOf(word.author)
  if (word.word === 'want') return encodeCbor([wire.LOG_WANT, author, word.from])
  if (word.word === 'more') return encodeCbor([wire.LOG_MORE, author])
  return encodeCbor([
    wire.LOG_PIECE,
    author,
    word.from,
    word.skips,
    word.before,
    word.beacon,
    [...word.entries],
  ])
}

export function decodeLog(bytes: Uint8Array): LogWord | undefined {
  const item = decodeCbor(bytes)
  if (!item.ok || !Array.isArray(item.value)) return undefined
  const [number, ...rest] = item.value
  const read = new Reader(rest)
  const author = read.party()
  const word = readLog(number, author, read)
  return word && read.isWhole ? word : undefined
}

function readLog(number: Cbor | undefined, author: PartyId, read: Reader): LogWord | undefined {
  if (number === wire.LOG_WANT) return { word: 'want', author, from: read.number() }
  if (number === wire.LOG_MORE) return { word: 'more', author }
  if (number !== wire.LOG_PIECE) return undefined
  const [from, skips] = [read.number(), read.truth()]
  const [before, beacon, entries] = [read.bytes(), read.bytes(), read.views()]
  const { length } = entries
  return length >= 1 && length <= wire.PIECE_ENTRIES_MAX
    ? { word: 'piece', author, from, skips, before, beacon, entries }
    : undefined
}

const NONE = new Uint8Array()
const NOBODY = idOf(new Uint8Array(wire.KEY_BYTES))

/** Takes one item after the other; whatever is not of the kind asked for spoils the whole. */
export class Reader {
  readonly #items: readonly Cbor[]
  #at = 0
  #spoilt = false

  constructor(items: readonly Cbor[]) {
    this.#items = items
  }

  /** All was of the right kind, and nothing is left. */
  get isWhole(): boolean {
    return !this.#spoilt && this.#at === this.#items.length
  }

  #next<T>(read: (item: Cbor) => T | undefined, otherwise: T): T {
    const item = this.#items[this.#at++]
    const value = item === undefined ? undefined : read(item)
    if (value === undefined) this.#spoilt = true
    return value ?? otherwise
  }

  bytes(): Uint8Array {
    return this.#next((item) => (item instanceof Uint8Array ? Uint8Array.from(item) : undefined), NONE)
  }

  party(): PartyId {
    return this.#next(partyOf, NOBODY)
  }

  number(): number {
    return this.#next((item) => (typeof item === 'number' && item >= 0 ? item : undefined), 0)
  }

  truth(): boolean {
    return this.#next((item) => (typeof item === 'boolean' ? item : undefined), false)
  }

  text(bytesMax: number): string {
    const fits = (item: Cbor) =>
      typeof item === 'string' && item !== '' && Buffer.byteLength(item) <= bytesMax ? item : undefined
    return this.#next(fits, '')
  }

  /** Exactly so many, or none. */
  bytesOrNone(size: number): Uint8Array {
    return this.#next(
      (item) => (isBytes(item, size) || isBytes(item, 0) ? Uint8Array.from(item) : undefined),
      NONE,
    )
  }

  /** At most so many items, each of which `readItem` takes. */
  list<T>(most: number, readItem: (item: Cbor) => T | undefined): T[] {
    const all = (list: Cbor) => {
      if (!Array.isArray(list) || list.length > most) return undefined
      const items = list.map(readItem).filter((item) => item !== undefined)
      return items.length === list.length ? items : undefined
    }
    return this.#next(all, [])
  }

  frames(): Uint8Array[] {
    return this.views().map((each) => Uint8Array.from(each))
  }

  /** Not copied: they hold the whole message for as long as any of them is held. */
  views(): Uint8Array[] {
    const isView = (item: Cbor): item is Uint8Array => item instanceof Uint8Array
    const all = (item: Cbor) => (Array.isArray(item) && item.every(isView) ? item : undefined)
    return this.#next(all, [])
  }

  numbers(most: number): number[] {
    const isNumber = (item: Cbor): item is number => typeof item === 'number' && item >= 0
    const all = (item: Cbor) =>
      Array.isArray(item) && item.length <= most && item.every(isNumber) ? [...item] : undefined
    return this.#next(all, [])
  }

  /** Items about guests, each of them once. */
  each<T extends { readonly guest: Uint8Array }>(readItem: (item: Cbor) => T | undefined): T[] {
    const all = (list: Cbor) => {
      if (!Array.isArray(list) || list.length > wire.GUESTS_MAX) return undefined
      const items = list.map(readItem).filter((item) => item !== undefined)
      const ids = new Set(items.map(({ guest }) => toHex(guest)))
      return ids.size === list.length ? items : undefined
    }
    return this.#next(all, [])
  }

  heads(): ReadonlyMap<PartyId, number> {
    return this.#next(headsOf, new Map())
  }
}

function partyOf(item: Cbor): PartyId | undefined {
  return item instanceof Uint8Array && item.length === wire.KEY_BYTES ? idOf(item) : undefined
}

function guestOf(item: Cbor): GuestItem | undefined {
  if (!Array.isArray(item) || item.length !== 3) return undefined
  const [guest, authorised, key] = item
  if (!isBytes(guest, wire.GUEST_BYTES) || typeof authorised !== 'boolean') return undefined
  if (isBytes(key, 0)) return { guest, authorised }
  return isBytes(key, wire.KEY_BYTES) ? { guest, authorised, key: idOf(key) } : undefined
}

function offerOf(item: Cbor): OfferItem | undefined {
  if (!Array.isArray(item) || item.length !== 3) return undefined
  const [guest, onion, clientKey] = item
  if (!isBytes(guest, wire.GUEST_BYTES) || !isBytes(onion, wire.KEY_BYTES)) return undefined
  if (isBytes(clientKey, 0)) return { guest, onion }
  return isBytes(clientKey, wire.KEY_BYTES) ? { guest, onion, clientKey } : undefined
}

function isBytes(item: Cbor | undefined, size: number): item is Uint8Array {
  return item instanceof Uint8Array && item.length === size
}

function headsOf(item: Cbor): Map<PartyId, number> | undefined {
  if (!Array.isArray(item)) return undefined
  const heads = new Map<PartyId, number>()
  for (const pair of item) {
    if (!Array.isArray(pair) || pair.length !== 2) return undefined
    const [author, position] = [partyOf(pair[0]!), pair[1]]
    if (!author || typeof position !== 'number' || position < 0) return undefined
    heads.set(author, position)
  }
  return heads
}
