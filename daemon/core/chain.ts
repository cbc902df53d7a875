// SPDX-License-Identifier: GPL-3.0-or-later
import { hash } from 'node:crypto'
import { concat, utf8 } from '../base/bytes.ts'
import { type Cbor, type CborMap, decodeCbor, encodeCbor } from './envelope/index.ts'
import { idOf, keyOf, type PartyId } from './model/index.ts'
import type { EntryKind, NewEntry } from './ports.ts'

const DOMAIN_CHAIN = utf8('shallot/log/1/chain\0')
const DOMAIN_ENTRY = utf8('shallot/log/1/entry\0')

/** Members of an entry's body. A number, once given, keeps its meaning; readers pass over those they do not know. */
const MEMBER = {
  position: 1,
  kind: 2,
  at: 3,
  device: 4,
  signer: 5,
  frame: 6,
  command: 7,
  origin: 8,
  code: 9,
  note: 10,
  person: 11,
  chain: 12,
} as const

/** What the first entry of an author follows from, so that no entry fits into another author's chain. */
export function genesisHash(author: PartyId): Uint8Array {
  return sha256(concat(DOMAIN_CHAIN, keyOf(author)))
}

/** SHA-256 over a domain, the hash before, and the body as it is kept and will travel. */
export function entryHash(previous: Uint8Array, body: Uint8Array): Uint8Array {
  const { length: at } = DOMAIN_ENTRY
  const size = at + previous.length + body.length
  if (size > hashed.length) hashed = new Uint8Array(2 * size)
  hashed.set(DOMAIN_ENTRY)
  hashed.set(previous, at)
  hashed.set(body, at + previous.length)
  return sha256(hashed.subarray(0, size))
}

/** What was hashed last: a log has many entries, and a buffer for each would outlive its use until the next collection. */
let hashed = new Uint8Array(4096)

export function encodeEntry(position: number, entry: NewEntry): Uint8Array {
  const body: CborMap = new Map<number, Cbor>([
    [MEMBER.position, position],
    [MEMBER.kind, entry.kind],
    [MEMBER.at, entry.at],
  ])
  const optional: ReadonlyArray<readonly [number, Cbor | undefined]> = [
    [MEMBER.device, entry.device && keyOf(entry.device)],
    [MEMBER.signer, entry.signer && keyOf(entry.signer)],
    [MEMBER.frame, entry.frame],
    [MEMBER.command, entry.command],
    [MEMBER.origin, entry.origin],
    [MEMBER.code, entry.code],
    [MEMBER.note, entry.note],
    [MEMBER.person, entry.person],
    [MEMBER.chain, entry.chain && [...entry.chain]],
  ]
  for (const [member, value] of optional) if (value !== undefined) body.set(member, value)
  return encodeCbor(body)
}

/** The position and content of a body, or undefined when it is not one. */
export function decodeEntry(body: Uint8Array): (NewEntry & { readonly position: number }) | undefined {
  const item = decodeCbor(body)
  if (!item.ok || !(item.value instanceof Map)) return undefined
  const map = item.value
  const [position, kind, at] = [map.get(MEMBER.position), map.get(MEMBER.kind), map.get(MEMBER.at)]
  if (typeof position !== 'number' || typeof kind !== 'string' || typeof at !== 'number') return undefined
  const device = bytesOf(map.get(MEMBER.device))
  const signer = bytesOf(map.get(MEMBER.signer))
  return {
    position,
    kind: kind as EntryKind,
    at,
    device: device && idOf(device),
    signer: signer && idOf(signer),
    frame: bytesOf(map.get(MEMBER.frame)),
    command: bytesOf(map.get(MEMBER.command)),
    origin: textOf(map.get(MEMBER.origin)),
    code: numberOf(map.get(MEMBER.code)),
    note: textOf(map.get(MEMBER.note)),
    person: bytesOf(map.get(MEMBER.person)),
    chain: listOf(map.get(MEMBER.chain)),
  }
}

function bytesOf(value: Cbor | undefined): Uint8Array | undefined {
  return value instanceof Uint8Array ? value : undefined
}

function listOf(value: Cbor | undefined): readonly Uint8Array[] | undefined {
  return Array.isArray(value) && value.every((each) => each instanceof Uint8Array) ? value : undefined
}

function textOf(value: Cbor | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function numberOf(value: Cbor | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined
}

function sha256(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(hash('sha256', bytes, 'buffer'))
}
