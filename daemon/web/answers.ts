// SPDX-License-Identifier: GPL-3.0-or-later
/** What a home answers (SPEC 9.3) → what the page keeps. A member of the wrong kind is refused, an unknown one passed over. */
import { CODES, type Code } from '../../schemas/gen/ts/codes.ts'
import type { PartyId } from '../core/model/index.ts'
import { badAnswer } from './error.ts'
import {
  bytesIn,
  type Fields,
  fieldsOf,
  flagIn,
  idIn,
  listIn,
  numberIn,
  optionalBytesIn,
  optionalIdIn,
  optionalTextIn,
  parseJson,
  textIn,
  valueIn,
} from './fields.ts'

const THINGS_MAX = 1000
const OWNERS_MAX = 64
const SAMPLES_MAX = 10_000
const ENTRIES_MAX = 1000
const AFFORDANCES_MAX = 64

export type Value = number | boolean

export interface Reported {
  readonly value: Value
  /** ms; when the device took it. */
  readonly at: number
}

export interface Thing {
  readonly id: PartyId
  readonly name: string
  readonly connected: boolean
  readonly since: number
  readonly nonce?: Uint8Array | undefined
  readonly hello?: Uint8Array | undefined
  readonly record?: Uint8Array | undefined
  /** By the names of SPEC 4.13, in the device's order; absent value: never reported. */
  readonly properties: ReadonlyMap<string, Reported | undefined>
  readonly actions: readonly string[]
}

export interface HomeState {
  readonly at: number
  readonly home: PartyId
  readonly owners: readonly Uint8Array[]
  readonly things: readonly Thing[]
}

export function readState(text: string): HomeState {
  const fields = fieldsOf(parseJson(text))
  return {
    at: numberIn(fields, 'at'),
    home: idIn(fields, 'home'),
    owners: listIn(fields, 'owners', OWNERS_MAX).map((frame) => bytesIn({ frame }, 'frame')),
    things: listIn(fields, 'things', THINGS_MAX).map((thing) => readThing(fieldsOf(thing))),
  }
}

export function readThing(fields: Fields): Thing {
  const properties = entriesIn(fields, 'properties').map(([name, property]) => {
    const known = property.value !== undefined
    const reported = known && { value: valueIn(property, 'value'), at: numberIn(property, 'at') }
    return [name, reported || undefined] as const
  })
  return {
    id: idIn(fields, 'id'),
    name: textIn(fields, 'name'),
    connected: flagIn(fields, 'connected'),
    since: numberIn(fields, 'since'),
    nonce: optionalBytesIn(fields, 'nonce'),
    hello: optionalBytesIn(fields, 'hello'),
    record: optionalBytesIn(fields, 'record'),
    properties: new Map(properties),
    actions: entriesIn(fields, 'actions').map(([name]) => name),
  }
}

function entriesIn(fields: Fields, name: string): [string, Fields][] {
  const entries = Object.entries(fieldsOf(fields[name]))
  if (entries.length > AFFORDANCES_MAX) throw badAnswer(name)
  return entries.map(([key, value]) => [key, fieldsOf(value)])
}

export interface NamedValue extends Reported {
  readonly property: string
}

/** Events of `GET /events` that the page acts on; others are undefined. */
export type LiveEvent =
  | { readonly event: 'state'; readonly state: HomeState }
  | { readonly event: 'reading'; readonly device: PartyId; readonly values: readonly NamedValue[] }
  | {
      readonly event: 'presence'
      readonly device: PartyId
      readonly connected: boolean
      readonly at: number
    }
  /** What the page holds may be wrong: it begins anew. */
  | { readonly event: 'changed' }

export function readEvent(event: string, data: string): LiveEvent | undefined {
  if (event === 'state') return { event, state: readState(data) }
  if (event === 'enrolment' || event === 'lagged') return { event: 'changed' }
  if (event !== 'reading' && event !== 'presence') return undefined
  const fields = fieldsOf(parseJson(data))
  const device = idIn(fields, 'device')
  if (event === 'presence') {
    return { event, device, connected: flagIn(fields, 'connected'), at: numberIn(fields, 'at') }
  }
  return { event, device, values: listIn(fields, 'values', SAMPLES_MAX).map(readSample) }
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

/** An act in the hub's log. */
export interface Entry {
  readonly index: number
  readonly at: number
  readonly kind: string
  readonly device?: PartyId | undefined
  readonly signer?: PartyId | undefined
  readonly origin?: string | undefined
  readonly code?: Code | undefined
  readonly note?: string | undefined
  readonly frame?: Uint8Array | undefined
}

export function readEntries(answer: unknown): readonly Entry[] {
  return listIn(fieldsOf(answer), 'entries', ENTRIES_MAX).map((entry) => {
    const fields = fieldsOf(entry)
    return {
      index: numberIn(fields, 'index'),
      at: numberIn(fields, 'at'),
      kind: textIn(fields, 'kind'),
      device: optionalIdIn(fields, 'device'),
      signer: optionalIdIn(fields, 'signer'),
      origin: optionalTextIn(fields, 'origin'),
      code: knownCode(fields.code),
      note: optionalTextIn(fields, 'note'),
      frame: optionalBytesIn(fields, 'frame'),
    }
  })
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
