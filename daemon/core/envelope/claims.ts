// SPDX-License-Identifier: GPL-3.0-or-later
/** The claims of each type ⇄ CBOR, by the shapes of schemas/wire/messages.cddl (SPEC 2.3, 4): exactly those members, or `bad-claims`. */

import type { MessageType } from '../../../schemas/gen/ts/wire.ts'
import * as wire from '../../../schemas/gen/ts/wire.ts'
import { concat } from '../../base/bytes.ts'
import type { Cbor, CborMap } from './cbor.ts'
import type { Body, BodyOf, Sample } from './message.ts'

/** Turns one member of a map into a field and back; `read` answers undefined for the wrong kind, length or range. */
interface Field<T> {
  readonly read: (value: Cbor) => T | undefined
  readonly write: (value: T) => Cbor
}

const same = { write: (value: Cbor) => value }
const encoder = new TextEncoder()

function bytesField(least: number, most: number): Field<Uint8Array> {
  return {
    ...same,
    read: (value) =>
      value instanceof Uint8Array && value.length >= least && value.length <= most
        ? Uint8Array.from(value)
        : undefined,
  }
}

function textField(least: number, most: number): Field<string> {
  return {
    ...same,
    read(value) {
      if (typeof value !== 'string') return undefined
      const size = encoder.encode(value).length
      return size >= least && size <= most ? value : undefined
    },
  }
}

const uint: Field<number> = {
  ...same,
  read: (value) => (typeof value === 'number' && value >= 0 ? value : undefined),
}
const bool: Field<boolean> = { ...same, read: (value) => (typeof value === 'boolean' ? value : undefined) }
const affordance: Field<number> = {
  ...same,
  read: (value) =>
    typeof value === 'number' && value >= 0 && value <= wire.AFFORDANCE_MAX ? value : undefined,
}
const value: Field<number | boolean> = {
  ...same,
  read: (item) => (typeof item === 'number' || typeof item === 'boolean' ? item : undefined),
}
const operation: Field<'write' | 'invoke'> = {
  read: (item) =>
    item === wire.OPERATION_WRITE ? 'write' : item === wire.OPERATION_INVOKE ? 'invoke' : undefined,
  write: (item) => (item === 'write' ? wire.OPERATION_WRITE : wire.OPERATION_INVOKE),
}

function listField<T>(item: Field<T>, least: number, most: number): Field<readonly T[]> {
  return {
    write: (items) => items.map((each) => item.write(each)),
    read(list) {
      if (!Array.isArray(list) || list.length < least || list.length > most) return undefined
      const items: T[] = []
      for (const each of list) {
        const one = item.read(each)
        if (one === undefined) return undefined
        items.push(one)
      }
      return items
    },
  }
}

const sample: Field<Sample> = {
  write: (item) => [item.affordance, item.at, item.value],
  read(item) {
    if (!Array.isArray(item) || item.length !== 3) return undefined
    const [of, at, reads] = [affordance.read(item[0]!), uint.read(item[1]!), value.read(item[2]!)]
    if (of === undefined || at === undefined || reads === undefined) return undefined
    return { affordance: of, at, value: reads }
  },
}

/** RFC 8747 §3.2 with the one kind of COSE_Key there is here. */
const cnf: Field<Uint8Array> = {
  write: (key) =>
    new Map([
      [
        wire.CNF_COSE_KEY,
        new Map<number, Cbor>([
          [wire.COSE_KTY, wire.KTY_OKP],
          [wire.COSE_CRV, wire.CRV_ED25519],
          [wire.COSE_X, key],
        ]),
      ],
    ]),
  read(item) {
    if (!(item instanceof Map) || item.size !== 1) return undefined
    const key = item.get(wire.CNF_COSE_KEY)
    if (!(key instanceof Map) || key.size !== 3) return undefined
    if (key.get(wire.COSE_KTY) !== wire.KTY_OKP || key.get(wire.COSE_CRV) !== wire.CRV_ED25519)
      return undefined
    const x = key.get(wire.COSE_X)
    return x === undefined ? undefined : bytesField(wire.KEY_BYTES, wire.KEY_BYTES).read(x)
  },
}

const id = textField(wire.TEXT_ID_CHARS, wire.TEXT_ID_CHARS)
const name = textField(1, wire.NAME_BYTES_MAX)
const label = textField(1, wire.LABEL_BYTES_MAX)
const epoch = bytesField(wire.EPOCH_BYTES, wire.EPOCH_BYTES)
const permit = bytesField(wire.PERMIT_ID_BYTES, wire.PERMIT_ID_BYTES)
const digest = bytesField(wire.DIGEST_BYTES, wire.DIGEST_BYTES)
const proof = bytesField(wire.PROOF_BYTES, wire.PROOF_BYTES)
const affordances = listField(affordance, 1, wire.AFFORDANCES_MAX)

/** A member: where its field stands in the message, and whether it may be absent. */
interface Member {
  readonly field: string
  // The table joins many types of field; `BodyOf` gives the types back at the edges of this file.
  readonly kind: Field<never>
  readonly optional?: boolean
}

type Shape = { readonly claims: ReadonlyMap<number, Member>; readonly body?: ReadonlyMap<number, Member> }

const member = <T>(field: string, kind: Field<T>, optional = false): Member => ({
  field,
  kind: kind as unknown as Field<never>,
  optional,
})
const SUB: [number, Member] = [wire.CLAIM_SUB, member('name', name)]
const EXP: [number, Member] = [wire.CLAIM_EXP, member('expiresAt', uint)]
const CNF: [number, Member] = [wire.CLAIM_CNF, member('key', cnf)]
const NONCE: [number, Member] = [wire.CLAIM_NONCE, member('nonce', epoch)]

function shape(claims: [number, Member][], body?: [number, Member][]): Shape {
  const all = new Map<number, Member>([
    [wire.CLAIM_AUD, member('audience', id)],
    [wire.CLAIM_IAT, member('sealedAt', uint)],
    ...claims,
  ])
  return body ? { claims: all, body: new Map(body) } : { claims: all }
}

const SHAPES: { readonly [T in MessageType]: Shape } = {
  owner: shape([SUB, CNF]),
  member: shape([SUB, CNF]),
  permit: shape([SUB, EXP], [[wire.PERMIT_ID, member('permit', permit)]]),
  enrolment: shape([SUB, CNF], [[wire.ENROLMENT_PERMIT, member('permit', permit)]]),
  enrol: shape(
    [],
    [
      [wire.ENROL_PERMIT, member('permit', permit)],
      [wire.ENROL_CSR, member('csr', bytesField(1, wire.CSR_BYTES_MAX))],
      [wire.ENROL_PROOF_HUB, member('proofForHub', proof)],
      [wire.ENROL_PROOF_OWNER, member('proofForOwner', proof)],
      [wire.ENROL_BOARD, member('board', label)],
      [wire.ENROL_FIRMWARE, member('firmware', label)],
      [wire.ENROL_AFFORDANCES, member('affordances', affordances)],
    ],
  ),
  enrolled: shape(
    [NONCE],
    [
      [wire.ENROLLED_CERTIFICATE, member('certificate', bytesField(1, wire.CERTIFICATE_BYTES_MAX))],
      [wire.ENROLLED_NAME, member('name', name)],
    ],
  ),
  hello: shape(
    [],
    [
      [wire.HELLO_BOARD, member('board', label)],
      [wire.HELLO_FIRMWARE, member('firmware', label)],
      [wire.HELLO_AFFORDANCES, member('affordances', affordances)],
      [wire.HELLO_LOST, member('lost', uint)],
    ],
  ),
  welcome: shape(
    [NONCE],
    [
      [wire.WELCOME_TIME_MS, member('timeMs', uint)],
      [wire.WELCOME_WANTS_RECORD, member('wantsRecord', bool)],
    ],
  ),
  reading: shape(
    [],
    [[wire.READING_VALUES, member('values', listField(sample, 1, wire.VALUES_PER_READING_MAX))]],
  ),
  command: shape(
    [EXP, NONCE],
    [
      [wire.COMMAND_OPERATION, member('operation', operation)],
      [wire.COMMAND_AFFORDANCE, member('affordance', affordance)],
      [wire.COMMAND_VALUE, member('value', value, true)],
    ],
  ),
  receipt: shape(
    [],
    [
      [wire.RECEIPT_COMMAND, member('command', digest)],
      [wire.RECEIPT_CODE, member('code', uint)],
      [wire.RECEIPT_VALUES, member('values', listField(sample, 0, wire.VALUES_PER_READING_MAX))],
    ],
  ),
  request: shape(
    [EXP],
    [
      [wire.REQUEST_METHOD, member('method', textField(3, 7))],
      [wire.REQUEST_PATH, member('path', textField(1, wire.REQUEST_PATH_BYTES_MAX))],
      [wire.REQUEST_DIGEST, member('digest', digest)],
    ],
  ),
  beacon: shape(
    [],
    [
      [wire.BEACON_POSITION, member('position', uint)],
      [wire.BEACON_HASH, member('hash', digest)],
      [wire.BEACON_CLIENT, member('client', bytesField(wire.KEY_BYTES, wire.KEY_BYTES))],
      [wire.BEACON_WAYS, member('ways', bytesField(0, wire.BEACON_WAYS_BYTES_MAX))],
    ],
  ),
}

/** Longest life of a message with a deadline, in seconds (SPEC 3.4). */
const LIFETIME_S_MAX: Partial<Record<MessageType, number>> = {
  command: wire.COMMAND_LIFETIME_S_MAX,
  permit: wire.PERMIT_LIFETIME_S_MAX,
  request: wire.REQUEST_LIFETIME_S_MAX,
}

/** @returns the message's fields, or undefined for `bad-claims` (SPEC 2.3, 3.1, 3.4). */
export function readClaims(type: MessageType, payload: Cbor): Body | undefined {
  if (!(payload instanceof Map)) return undefined
  const fields: Record<string, unknown> = { type }
  const { claims, body } = SHAPES[type]
  const cti = payload.get(wire.CLAIM_CTI)
  const rest = new Map(payload)
  rest.delete(wire.CLAIM_CTI)
  if (!readCti(cti, fields)) return undefined
  if (body) {
    const inner = payload.get(wire.CLAIM_BODY)
    rest.delete(wire.CLAIM_BODY)
    if (!(inner instanceof Map) || !readMembers(body, inner, fields)) return undefined
  }
  if (!readMembers(claims, rest, fields)) return undefined
  const message = fields as unknown as Body
  return livesTooLong(message) ? undefined : message
}

function readCti(cti: Cbor | undefined, fields: Record<string, unknown>): boolean {
  if (!(cti instanceof Uint8Array) || cti.length !== wire.CTI_BYTES) return false
  const sequence = new DataView(cti.buffer, cti.byteOffset).getBigUint64(wire.EPOCH_BYTES)
  if (sequence > BigInt(wire.INTEGER_MAX)) return false
  fields.epoch = Uint8Array.from(cti.subarray(0, wire.EPOCH_BYTES))
  fields.sequence = Number(sequence)
  return true
}

function readMembers(
  members: ReadonlyMap<number, Member>,
  map: CborMap,
  fields: Record<string, unknown>,
): boolean {
  let used = 0
  for (const [key, { field, kind, optional }] of members) {
    const item = map.get(key)
    if (item === undefined) {
      if (optional) continue
      return false
    }
    const read = kind.read(item)
    if (read === undefined) return false
    fields[field] = read
    used++
  }
  return used === map.size
}

function livesTooLong(message: Body): boolean {
  const most = LIFETIME_S_MAX[message.type]
  return most !== undefined && 'expiresAt' in message && message.expiresAt - message.sealedAt > most
}

/** The payload of a message; its fields must be of the shape that `readClaims` would accept. */
export function writeClaims<T extends MessageType>(message: BodyOf<T>): CborMap {
  const { claims, body } = SHAPES[message.type]
  const fields = message as unknown as Record<string, unknown>
  const payload: CborMap = writeMembers(claims, fields)
  const cti = concat(message.epoch, new Uint8Array(8))
  new DataView(cti.buffer).setBigUint64(wire.EPOCH_BYTES, BigInt(message.sequence))
  payload.set(wire.CLAIM_CTI, cti)
  if (body) payload.set(wire.CLAIM_BODY, writeMembers(body, fields))
  return payload
}

function writeMembers(members: ReadonlyMap<number, Member>, fields: Record<string, unknown>): CborMap {
  const map: CborMap = new Map()
  for (const [key, { field, kind, optional }] of members) {
    const item = fields[field]
    if (item === undefined && optional) continue
    map.set(key, kind.write(item as never))
  }
  return map
}
