// SPDX-License-Identifier: GPL-3.0-or-later
/** The claims of each type ⇄ CBOR, by the shapes of schemas/wire (SPEC 2.3): exactly those members, or `bad-claims`. */
import type { MessageType } from '../../../schemas/gen/ts/wire.ts'
import * as wire from '../../../schemas/gen/ts/wire.ts'
import { concat } from '../../base/bytes.ts'
import type { Cbor, CborMap } from './cbor.ts'
import type { Body, BodyOf, Grant } from './message.ts'
import { type Member, SHAPES } from './shapes.ts'

/** Longest life of a message with a deadline, in seconds (SPEC 3.4). */
const LIFETIME_S_MAX: Partial<Record<MessageType, number>> = {
  command: wire.COMMAND_LIFETIME_S_MAX,
  permit: wire.PERMIT_LIFETIME_S_MAX,
  request: wire.REQUEST_LIFETIME_S_MAX,
  lease: wire.GRANT_LEASE_S_MAX,
  pairing: wire.PAIRING_LIFETIME_S_MAX,
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
  if (message.type === 'grant' && !isCoherent(message)) return undefined
  return livesTooLong(message) ? undefined : message
}

/** What the members of a grant must be to one another (SPEC 12.1). */
function isCoherent(grant: Grant): boolean {
  const { key, pin, share, uses, expiresAt, notBefore, hours } = grant
  if ((key === undefined) === (pin === undefined)) return false
  if (pin && share !== undefined) return false
  if (uses !== undefined && expiresAt === undefined) return false
  if (expiresAt !== undefined && notBefore !== undefined && notBefore >= expiresAt) return false
  return hours === undefined || hours.every(({ from, to }) => from < to)
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
  return most !== undefined && 'expiresAt' in message && message.expiresAt! - message.sealedAt > most
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
