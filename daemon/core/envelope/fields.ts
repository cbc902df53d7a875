// SPDX-License-Identifier: GPL-3.0-or-later
/** Kinds of members and claims, each with its limits (schemas/wire/*.cddl): CBOR ⇄ a field of a message. */
import * as wire from '../../../schemas/gen/ts/wire.ts'
import type { Cbor } from './cbor.ts'
import type { DirectServer, Hours, ImageStanding, Permission, Pin, Place, Sample, Zone } from './message.ts'

/** Turns one member of a map into a field and back; `read` answers undefined for the wrong kind, length or range. */
export interface Field<T> {
  readonly read: (value: Cbor) => T | undefined
  readonly write: (value: T) => Cbor
}

const same = { write: (value: Cbor) => value }
const encoder = new TextEncoder()

export function bytesField(least: number, most: number): Field<Uint8Array> {
  return {
    ...same,
    read: (value) =>
      value instanceof Uint8Array && value.length >= least && value.length <= most
        ? Uint8Array.from(value)
        : undefined,
  }
}

export function textField(least: number, most: number): Field<string> {
  return {
    ...same,
    read(value) {
      if (typeof value !== 'string') return undefined
      const size = encoder.encode(value).length
      return size >= least && size <= most ? value : undefined
    },
  }
}

export function intField(least: number, most: number): Field<number> {
  return {
    ...same,
    read: (value) => (typeof value === 'number' && value >= least && value <= most ? value : undefined),
  }
}

export const uint = intField(0, wire.INTEGER_MAX)
export const bool: Field<boolean> = {
  ...same,
  read: (value) => (typeof value === 'boolean' ? value : undefined),
}
export const affordance = intField(0, wire.AFFORDANCE_MAX)
export const value: Field<number | boolean> = {
  ...same,
  read: (item) => (typeof item === 'number' || typeof item === 'boolean' ? item : undefined),
}
export function listField<T>(item: Field<T>, least: number, most: number): Field<readonly T[]> {
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

/** An array of exactly these items, each a field of the object that is read. */
export function tupleField<T>(items: readonly (readonly [keyof T & string, Field<never>])[]): Field<T> {
  return {
    write: (object) => items.map(([key, field]) => field.write(object[key] as never)),
    read(list) {
      if (!Array.isArray(list) || list.length !== items.length) return undefined
      const object: Record<string, unknown> = {}
      for (const [at, [key, field]] of items.entries()) {
        const read = field.read(list[at]!)
        if (read === undefined) return undefined
        object[key] = read
      }
      return object as T
    },
  }
}

/** A field among fields of other types. */
export const among = <T>(field: Field<T>): Field<never> => field as unknown as Field<never>

/** One of a few numbers, each with its word. */
export function wordField<W extends string>(words: Readonly<Record<W, number>>): Field<W> {
  const byNumber = new Map<Cbor, W>(
    Object.entries<number>(words).map(([word, number]) => [number, word as W]),
  )
  return { read: (item) => byNumber.get(item), write: (word) => words[word] }
}

export const operation = wordField({
  write: wire.OPERATION_WRITE,
  invoke: wire.OPERATION_INVOKE,
  read: wire.OPERATION_READ,
})

export const sample = tupleField<Sample>([
  ['affordance', among(affordance)],
  ['at', among(uint)],
  ['value', among(value)],
])

/** RFC 8747 §3.2 with the one kind of COSE_Key there is here. */
export const cnf: Field<Uint8Array> = {
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

export const id = textField(wire.TEXT_ID_CHARS, wire.TEXT_ID_CHARS)
export const name = textField(1, wire.NAME_BYTES_MAX)
export const label = textField(1, wire.LABEL_BYTES_MAX)
export const epoch = bytesField(wire.EPOCH_BYTES, wire.EPOCH_BYTES)
export const digest = bytesField(wire.DIGEST_BYTES, wire.DIGEST_BYTES)
export const proof = bytesField(wire.PROOF_BYTES, wire.PROOF_BYTES)
export const affordances = listField(affordance, 1, wire.AFFORDANCES_MAX)

export const short = bytesField(8, 8)

const permission = tupleField<Permission>([
  ['affordance', among(affordance)],
  ['methods', among(intField(1, wire.METHOD_GET | wire.METHOD_POST | wire.METHOD_PUT))],
])
export const permissions = listField(permission, 1, wire.GRANT_PERMISSIONS_MAX)

const minute = intField(0, wire.MINUTES_PER_DAY)
const hour = tupleField<Hours>([
  ['days', among(intField(1, 127))],
  ['from', among(minute)],
  ['to', among(minute)],
])
export const hours = listField(hour, 1, wire.GRANT_HOURS_MAX)

export const pin = tupleField<Pin>([
  ['salt', among(bytesField(wire.PIN_SALT_BYTES, wire.PIN_SALT_BYTES))],
  ['rounds', among(intField(wire.PIN_ROUNDS_LEAST, wire.PIN_ROUNDS_MAX))],
  ['key', among(bytesField(wire.PIN_KEY_BYTES, wire.PIN_KEY_BYTES))],
])

const group = textField(1, wire.GROUP_BYTES_MAX)
export const groups = listField(group, 1, wire.GROUPS_MAX)
export const key = bytesField(wire.KEY_BYTES, wire.KEY_BYTES)

function eitherField<A, B>(one: Field<A>, other: Field<B>, isOne: (item: A | B) => boolean): Field<A | B> {
  return {
    read: (item) => one.read(item) ?? other.read(item),
    write: (item) => (isOne(item) ? one.write(item as A) : other.write(item as B)),
  }
}
const grantDevice = eitherField(key, group, (item) => typeof item !== 'string')
export const grantDevices = listField(grantDevice, 0, wire.GRANT_DEVICES_MAX)
const revocationEntry = eitherField(short, key, (item) => item.length === 8)
export const revocationEntries = listField(revocationEntry, 0, wire.REVOCATION_ENTRIES_MAX)
export const leaseGrants = listField(short, 0, wire.LEASE_GRANTS_MAX)

export const holderKind = wordField({ phone: wire.HOLDER_PHONE, script: wire.HOLDER_SCRIPT })
export const actSource = wordField({
  keypad: wire.ACT_KEYPAD,
  page: wire.ACT_PAGE,
  button: wire.ACT_BUTTON,
  direct: wire.ACT_DIRECT,
})

const standing = wordField({
  steady: wire.STANDING_STEADY,
  trial: wire.STANDING_TRIAL,
  returned: wire.STANDING_RETURNED,
})
export const imageStanding = tupleField<ImageStanding>([
  ['running', among(uint)],
  ['standing', among(standing)],
  ['tried', among(uint)],
])

export const keyPair = listField(key, 2, 2)

const port = intField(1, 65_535)
export const directServer = tupleField<DirectServer>([
  ['port', among(port)],
  ['key', among(bytesField(wire.DIRECT_KEY_BYTES, wire.DIRECT_KEY_BYTES))],
])
export const origins = listField(textField(1, wire.DIRECT_ORIGIN_BYTES_MAX), 0, wire.DIRECT_ORIGINS_MAX)

const place = tupleField<Place>([
  ['host', among(textField(1, wire.PLACE_ADDRESS_CHARS_MAX))],
  ['port', among(port)],
])
export const places = listField(place, 1, wire.PLACES_MAX)

const east = intField(-wire.ZONE_MINUTES_MAX, wire.ZONE_MINUTES_MAX)
export const zone = tupleField<Zone>([
  ['offset', among(east)],
  ['changesAt', among(uint)],
  ['thereafter', among(east)],
])
