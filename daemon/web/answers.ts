// SPDX-License-Identifier: GPL-3.0-or-later
/** What a home answers (SPEC 9.3–9.5) → what the page keeps. A member of the wrong kind is refused, an unknown one passed over. */
import { CODES, type Code } from '../../schemas/gen/ts/codes.ts'
import type { PartyId } from '../core/model/index.ts'
import { badAnswer } from './error.ts'
import {
  bytesIn,
  type Fields,
  fieldsOf,
  flagIn,
  idIn,
  isAbsent,
  listIn,
  numberIn,
  optionalBytesIn,
  optionalNumberIn,
  optionalTextIn,
  parseJson,
  textIn,
  valueIn,
} from './fields.ts'

const THINGS_MAX = 1000
const OWNERS_MAX = 64
/** One of each owner, and the root's. */
const LISTS_MAX = OWNERS_MAX + 1
const SAMPLES_MAX = 10_000
const AFFORDANCES_MAX = 64
const OTHERS_MAX = 64

export type Value = number | boolean

/** Whether the person who asks may do something now (SPEC 9.4). */
export interface May {
  readonly ok: boolean
  /** The grant to name in a command; none: as an owner. */
  readonly grant?: Uint8Array | undefined
  /** Why not at this moment. */
  readonly code?: Code | undefined
}

export type Operation = 'read' | 'write' | 'invoke'

export interface Held {
  readonly number: number
  /** By the names of SPEC 4.13. */
  readonly name: string
  readonly kind: 'property' | 'action'
  /** Never reported, or not to be read by this person: absent. */
  readonly value?: Value | undefined
  /** ms; when the device took it. */
  readonly at?: number | undefined
  readonly may: Readonly<Partial<Record<Operation, May>>>
}

/** What proves that a device is the one it is said to be; asked for again when the device was born anew. */
export interface Papers {
  readonly nonce?: Uint8Array | undefined
  readonly hello?: Uint8Array | undefined
  readonly record?: Uint8Array | undefined
}

export interface Thing extends Papers {
  readonly id: PartyId
  readonly name: string
  /** What the other home is called that it is in, if it is not here. */
  readonly home?: string | undefined
  readonly connected: boolean
  readonly since: number
  /** In another home, to which there is no way now: when that was last heard, ms. */
  readonly unreachable?: number | undefined
  /** The origin of its own server (SPEC 18), where this page can reach it. */
  readonly direct?: string | undefined
  /** In the device's order. */
  readonly affordances: ReadonlyMap<string, Held>
}

export interface Me {
  readonly kind: 'owner' | 'holder'
  readonly name: string
  /** Whether something may be passed on. */
  readonly share: boolean
}

export interface Owner {
  readonly key: PartyId
  readonly name: string
  readonly frame: Uint8Array
}

/** Where this phone is to go, when its address was renewed (SPEC 10.4). */
export interface Move {
  /** `….onion` */
  readonly address: string
  /** X25519, for a browser that will be asked for it. */
  readonly clientKey?: Uint8Array | undefined
}

/** An address of this phone's at another home of the owner, for when this one is down (SPEC 14.9). */
export interface Other extends Move {
  readonly home: string
}

/** The home that let this phone in, when this is another one. */
export interface Host {
  readonly home: string
  readonly connected: boolean
  readonly heardAt?: number | undefined
}

export interface Others {
  /** What this home's daemon is called. */
  readonly here: string
  readonly others: readonly Other[]
  readonly host?: Host | undefined
}

/** The first picture of a home. */
export interface Picture extends Partial<Others> {
  readonly me: Me
  readonly home: PartyId
  /** Its key: who acts for a page without scripts. */
  readonly hub: PartyId
  readonly owners: readonly Owner[]
  /** What root and owners took back, as they sealed it. */
  readonly revocations: readonly Uint8Array[]
  readonly moved?: Move | undefined
  /** Names of those who occur, by the person's id. */
  readonly people: ReadonlyMap<string, string>
  readonly things: readonly Thing[]
}

export function readPicture(text: string): Picture {
  const fields = fieldsOf(parseJson(text))
  const me = fieldsOf(fields.me)
  const people = listIn(fields, 'people', THINGS_MAX).map(fieldsOf)
  return {
    me: {
      kind: textIn(me, 'kind') === 'owner' ? 'owner' : 'holder',
      name: textIn(me, 'name'),
      share: flagIn(me, 'share'),
    },
    home: idIn(fields, 'home'),
    hub: idIn(fields, 'hub'),
    owners: listIn(fields, 'owners', OWNERS_MAX).map((owner) => readOwner(fieldsOf(owner))),
    revocations: listIn(fields, 'revocations', LISTS_MAX).map((list) => bytesIn(fieldsOf(list), 'frame')),
    moved: isAbsent(fields, 'moved') ? undefined : readMove(fieldsOf(fields.moved)),
    ...(!isAbsent(fields, 'others') && readOthers(fields)),
    people: new Map(people.map((person) => [textIn(person, 'id'), textIn(person, 'name')])),
    things: listIn(fields, 'things', THINGS_MAX).map((thing) => readThing(fieldsOf(thing))),
  }
}

export const ONION = /^[a-z2-7]{56}\.onion$/

export function readMove(fields: Fields): Move {
  const address = textIn(fields, 'address')
  if (!ONION.test(address)) throw badAnswer('onion address')
  return { address, clientKey: optionalBytesIn(fields, 'clientKey') }
}

export function readOthers(fields: Fields): Others {
  return {
    here: textIn(fields, 'here'),
    others: listIn(fields, 'others', OTHERS_MAX).map((each) => {
      const other = fieldsOf(each)
      return { home: textIn(other, 'home'), ...readMove(other) }
    }),
    host: isAbsent(fields, 'host') ? undefined : readHost(fieldsOf(fields.host)),
  }
}

function readHost(fields: Fields): Host {
  return {
    home: textIn(fields, 'home'),
    connected: flagIn(fields, 'connected'),
    heardAt: optionalNumberIn(fields, 'heardAt'),
  }
}

export function readOwner(fields: Fields): Owner {
  return {
    key: idIn(fields, 'key'),
    name: textIn(fields, 'name'),
    frame: bytesIn(fields, 'frame'),
  }
}

const OWN_SERVER = /^https:\/\/[0-9a-f]{16}\.local(:[1-9]\d{0,4})?$/

export function readThing(fields: Fields): Thing {
  const direct = optionalTextIn(fields, 'direct')
  if (direct !== undefined && !OWN_SERVER.test(direct)) throw badAnswer('origin of a device')
  const affordances = listIn(fields, 'affordances', AFFORDANCES_MAX).map((each) => readHeld(fieldsOf(each)))
  return {
    id: idIn(fields, 'id'),
    name: textIn(fields, 'name'),
    home: optionalTextIn(fields, 'home'),
    connected: flagIn(fields, 'connected'),
    since: numberIn(fields, 'since'),
    unreachable: optionalNumberIn(fields, 'unreachable'),
    direct,
    ...readPapers(fields),
    affordances: new Map(affordances.map((held) => [held.name, held])),
  }
}

export function readPapers(fields: Fields): Papers {
  return {
    nonce: optionalBytesIn(fields, 'nonce'),
    hello: optionalBytesIn(fields, 'hello'),
    record: optionalBytesIn(fields, 'record'),
  }
}

function readHeld(fields: Fields): Held {
  const may = fieldsOf(fields.may)
  const readMay = (operation: Operation) => {
    if (isAbsent(may, operation)) return {}
    const said = fieldsOf(may[operation])
    const grant = optionalBytesIn(said, 'grant')
    return { [operation]: { ok: flagIn(said, 'ok'), grant, code: knownCode(said.code) } }
  }
  return {
    number: numberIn(fields, 'number'),
    name: textIn(fields, 'name'),
    kind: textIn(fields, 'kind') === 'action' ? 'action' : 'property',
    value: isAbsent(fields, 'value') ? undefined : valueIn(fields, 'value'),
    at: optionalNumberIn(fields, 'at'),
    may: { ...readMay('read'), ...readMay('write'), ...readMay('invoke') },
  }
}

export interface NamedValue {
  readonly property: string
  readonly value: Value
  readonly at: number
}

/** Events of `GET /events` that the page acts on; others are undefined. */
export type LiveEvent =
  | { readonly event: 'home'; readonly picture: Picture }
  | { readonly event: 'reading'; readonly device: PartyId; readonly values: readonly NamedValue[] }
  | {
      readonly event: 'presence'
      readonly device: PartyId
      readonly connected: boolean
      readonly at: number
      /** The way to its home was lost. */
      readonly unreachable: boolean
    }
  | { readonly event: 'others'; readonly others: Others }
  /** Another picture of a device is kept. */
  | { readonly event: 'still'; readonly device: PartyId }
  | { readonly event: 'moved'; readonly moved: Move }
  /** The log has more to tell. */
  | { readonly event: 'logged' }
  /** What the page holds may be wrong: it begins anew. */
  | { readonly event: 'changed' }

export function readEvent(event: string, data: string): LiveEvent | undefined {
  if (event === 'home') return { event, picture: readPicture(data) }
  if (event === 'enrolment' || event === 'lagged' || event === 'rights') return { event: 'changed' }
  if (event === 'moved') return { event, moved: readMove(fieldsOf(parseJson(data))) }
  if (event === 'others') return { event, others: readOthers(fieldsOf(parseJson(data))) }
  if (event === 'still') return readKept(fieldsOf(parseJson(data)))
  if (event === 'act' || event === 'receipt') return { event: 'logged' }
  if (event !== 'reading' && event !== 'presence') return undefined
  const fields = fieldsOf(parseJson(data))
  const device = idIn(fields, 'device')
  if (event === 'presence') {
    const connected = flagIn(fields, 'connected')
    const unreachable = !connected && fields.why === 'unreachable'
    return { event, device, connected, at: numberIn(fields, 'at'), unreachable }
  }
  return { event, device, values: listIn(fields, 'values', SAMPLES_MAX).map(readSample) }
}

function readKept(fields: Fields): LiveEvent | undefined {
  const isKept = isAbsent(fields, 'code') && numberIn(fields, 'got') === numberIn(fields, 'size')
  return isKept ? { event: 'still', device: idIn(fields, 'device') } : undefined
}

function readSample(sample: unknown): NamedValue {
  const fields = fieldsOf(sample)
  return {
    property: textIn(fields, 'property'),
    value: valueIn(fields, 'value'),
    at: numberIn(fields, 'at'),
  }
}

/** One line of the answer to a command. */
export type Stage =
  | { readonly stage: 'at-hub' }
  | { readonly stage: 'at-device' }
  | { readonly stage: 'done'; readonly receipt: Uint8Array }
  | { readonly stage: 'refused'; readonly receipt: Uint8Array }
  | { readonly stage: 'expired'; readonly reached: boolean }

export function readStage(line: string): Stage {
  const fields = fieldsOf(parseJson(line))
  const stage = textIn(fields, 'stage')
  if (stage === 'at-hub' || stage === 'at-device') return { stage }
  if (stage === 'done' || stage === 'refused') return { stage, receipt: bytesIn(fields, 'receipt') }
  if (stage === 'expired') return { stage, reached: fields.reached === true }
  throw badAnswer('known stage')
}

export function readHistory(answer: unknown): readonly NamedValue[] {
  return listIn(fieldsOf(answer), 'samples', SAMPLES_MAX).map(readSample)
}

/** The newest picture of a list, by its envelope; and one that is on its way, or was not kept. */
export interface Stills {
  readonly frame: Uint8Array | undefined
  readonly coming:
    | { readonly got: number; readonly size: number; readonly code: Code | undefined }
    | undefined
}

const STILLS_MAX = 100

export function readStills(answer: unknown): Stills {
  const fields = fieldsOf(answer)
  const [first] = listIn(fields, 'stills', STILLS_MAX)
  const frame = first === undefined ? undefined : bytesIn(fieldsOf(first), 'frame')
  if (isAbsent(fields, 'coming')) return { frame, coming: undefined }
  const coming = fieldsOf(fields.coming)
  const code = knownCode(coming.code)
  return { frame, coming: { got: numberIn(coming, 'got'), size: numberIn(coming, 'size'), code } }
}

/** The refusal (RFC 9457) that the home answered with. */
export interface Problem {
  readonly code: Code | undefined
  readonly reason: Code | undefined
  readonly detail: string | undefined
}

export function readProblem(text: string): Problem {
  let said: unknown
  try {
    said = JSON.parse(text)
  } catch {
    said = undefined
  }
  const problem = typeof said === 'object' && said !== null ? (said as Fields) : {}
  const detail = typeof problem.detail === 'string' ? problem.detail.slice(0, 300) : undefined
  return { code: knownCode(problem.code), reason: knownCode(problem.reason), detail }
}

export function knownCode(value: unknown): Code | undefined {
  return typeof value === 'string' && Object.hasOwn(CODES, value) ? (value as Code) : undefined
}
