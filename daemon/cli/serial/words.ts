// SPDX-License-Identifier: GPL-3.0-or-later
/** What is asked of a device over its serial line, and what it says (SPEC 17.2, schemas/wire/provision.cddl). */
import { type Code, codeByNumber } from '../../../schemas/gen/ts/codes.ts'
import * as wire from '../../../schemas/gen/ts/wire.ts'
import { no, type Verdict, yes } from '../../base/error.ts'
import type { Secret } from '../../base/secret.ts'
import { type Cbor, type CborMap, encodeCbor } from '../../core/envelope/index.ts'
import { type LineCode, readLine, writeLine } from './line.ts'

export type Ask =
  | { readonly kind: 'who' }
  | { readonly kind: 'part'; readonly at: number; readonly piece: Uint8Array }
  | { readonly kind: 'take'; readonly size: number; readonly digest: Uint8Array }

/** @param sequence 1 to 255; the answer repeats it */
export function writeAsk(sequence: number, ask: Ask): string {
  switch (ask.kind) {
    case 'who':
      return writeLine([sequence, wire.SERIAL_WHO])
    case 'part':
      return writeLine([sequence, wire.SERIAL_PART, ask.at, ask.piece])
    case 'take':
      return writeLine([sequence, wire.SERIAL_TAKE, ask.size, ask.digest])
  }
}

/** What a device says of itself. Its texts are its own: show them only through a Voice. */
export interface Self {
  readonly board: string
  readonly firmware: string
  readonly isEnrolled: boolean
  readonly hasWifi: boolean
  readonly knowsWifi: boolean
}

export type Stage = 'unread' | 'joining' | 'enrolling' | 'waiting' | 'done' | 'refused'

const STAGES: ReadonlyMap<number, Stage> = new Map([
  [wire.SERIAL_UNREAD, 'unread'],
  [wire.SERIAL_JOINING, 'joining'],
  [wire.SERIAL_ENROLLING, 'enrolling'],
  [wire.SERIAL_WAITING, 'waiting'],
  [wire.SERIAL_DONE, 'done'],
  [wire.SERIAL_REFUSED, 'refused'],
])

export type Heard =
  | { readonly kind: 'answer'; readonly sequence: number; readonly code: Code; readonly self?: Self }
  | { readonly kind: 'told'; readonly stage: Stage; readonly code: Code }

/** @returns undefined for a line that is none of ours; `bad-provision` for one that no device of this version says */
export function readHeard(text: string): Verdict<Heard, LineCode | 'bad-provision'> | undefined {
  const line = readLine(text)
  if (!line?.ok) return line
  const heard = Array.isArray(line.value) ? heardIn(line.value) : undefined
  return heard ? yes(heard) : no('bad-provision')
}

function heardIn(items: readonly Cbor[]): Heard | undefined {
  const [first] = items
  if (typeof first !== 'number' || first < 0 || first > SEQUENCE_MAX) return undefined
  return first === 0 ? toldIn(items) : answerIn(first, items)
}

export const SEQUENCE_MAX = 255

function toldIn(items: readonly Cbor[]): Heard | undefined {
  const [stage, code] = [STAGES.get(items[1] as number), codeIn(items[2])]
  return items.length === 3 && stage && code ? { kind: 'told', stage, code } : undefined
}

function answerIn(sequence: number, items: readonly Cbor[]): Heard | undefined {
  const code = codeIn(items[1])
  if (!code) return undefined
  if (items.length === 2) return { kind: 'answer', sequence, code }
  const self = code === 'ok' && items.length === 6 ? selfIn(items.slice(2)) : undefined
  return self && { kind: 'answer', sequence, code, self }
}

function codeIn(value: Cbor | undefined): Code | undefined {
  return typeof value === 'number' ? codeByNumber(value) : undefined
}

function selfIn([version, board, firmware, facts]: readonly Cbor[]): Self | undefined {
  if (version !== wire.SERIAL_VERSION_NOW || !isLabel(board) || !isLabel(firmware)) return undefined
  if (typeof facts !== 'number' || facts < 0) return undefined
  const has = (bit: number) => Math.floor(facts / bit) % 2 === 1
  return {
    board,
    firmware,
    isEnrolled: has(wire.SERIAL_IS_ENROLLED),
    hasWifi: has(wire.SERIAL_HAS_WIFI),
    knowsWifi: has(wire.SERIAL_KNOWS_WIFI),
  }
}

function isLabel(value: Cbor | undefined): value is string {
  if (typeof value !== 'string') return false
  const size = Buffer.byteLength(value)
  return size >= 1 && size <= wire.LABEL_BYTES_MAX
}

export interface Wifi {
  readonly name: string
  /** Empty: an open network. */
  readonly password: Secret<string>
}

/** What is handed over, as bytes (SPEC 17.3). */
export function writeProvision(orders: { readonly wifi?: Wifi; readonly code?: Secret<string> }): Uint8Array {
  const map: CborMap = new Map<number, Cbor>([[wire.PROVISION_VERSION, wire.PROVISION_VERSION_NOW]])
  if (orders.wifi) map.set(wire.PROVISION_WIFI_NAME, orders.wifi.name)
  const password = orders.wifi?.password.reveal() ?? ''
  if (password !== '') map.set(wire.PROVISION_WIFI_PASSWORD, password)
  if (orders.code) map.set(wire.PROVISION_CODE, orders.code.reveal())
  return encodeCbor(map)
}

/** What is wrong with a network that somebody named, as a sentence; undefined: nothing. */
export function faultOfWifi({ name, password }: Wifi): string | undefined {
  const size = Buffer.byteLength(name)
  if (size < 1 || size > wire.WIFI_NAME_BYTES_MAX || /\p{Cc}/u.test(name)) {
    return `the name of a Wi-Fi is 1 to ${wire.WIFI_NAME_BYTES_MAX} bytes of text`
  }
  const typed = password.reveal()
  const isOpen = typed === ''
  if (isOpen || /^[ -~]{8,63}$/.test(typed) || /^[0-9a-fA-F]{64}$/.test(typed)) return undefined
  return 'the password of a Wi-Fi is 8 to 63 characters of plain ASCII, or its key as 64 hexadecimal digits'
}
