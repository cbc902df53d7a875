// SPDX-License-Identifier: GPL-3.0-or-later
import { encode as cborgEncode, rfc8949EncodeOptions } from 'cborg'
import type { Code } from '../../../schemas/gen/ts/codes.ts'
import { CBOR_DEPTH_MAX } from '../../../schemas/gen/ts/wire.ts'
import { no, type Verdict, yes } from '../../base/error.ts'

/** What the wire can hold (SPEC 1.1); maps keep their order and may have integer keys. */
export type Cbor = number | boolean | string | Uint8Array | Cbor[] | CborMap
export type CborMap = Map<number | string, Cbor>
export type CborCode = Extract<Code, `cbor-${string}`>

/** The deterministic encoding (RFC 8949 §4.2.1) as bytes of its own. */
export function encodeCbor(value: Cbor): Uint8Array {
  // cborg may answer with a view of a larger pool.
  return Uint8Array.from(cborgEncode(value, rfc8949EncodeOptions))
}

/** Reads exactly one item and names the first fault met (SPEC 1.1); byte strings in the result are views of `bytes`. */
export function decodeCbor(bytes: Uint8Array): Verdict<Cbor, CborCode> {
  return reading(bytes, (reader) => reader.item(0))
}

/** Reads one item under one tag, which must be `tag`: the outermost form of an envelope. */
export function decodeTagged(bytes: Uint8Array, tag: number): Verdict<Cbor, CborCode | 'wrong-tag'> {
  return reading(bytes, (reader) => {
    const head = reader.head()
    if (head.major !== MAJOR.tag || head.value !== tag) throw new Fault('wrong-tag')
    return reader.item(0)
  })
}

const MAJOR = { uint: 0, negative: 1, bytes: 2, text: 3, array: 4, map: 5, tag: 6, simple: 7 } as const
const FALSE = 20
const TRUE = 21

class Fault<C extends string> {
  readonly code: C
  constructor(code: C) {
    this.code = code
  }
}

function reading<C extends string>(
  bytes: Uint8Array,
  read: (reader: Reader) => Cbor,
): Verdict<Cbor, CborCode | C> {
  const reader = new Reader(bytes)
  try {
    const value = read(reader)
    return reader.at === bytes.length ? yes(value) : no('cbor-trailing')
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault
    return no(fault.code)
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

class Reader {
  at = 0
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** One head: major type and argument, in the order of faults SPEC 1.1 gives. */
  head(): { major: number; info: number; value: number } {
    const first = this.#byte()
    const major = first >> 5
    const info = first & 31
    if (info < 24) return { major, info, value: info }
    if (info === 31) throw new Fault('cbor-not-canonical')
    if (info > 27) throw new Fault('cbor-malformed')
    const size = 1 << (info - 24)
    if (this.#bytes.length - this.at < size) throw new Fault('cbor-truncated')
    return { major, info, value: this.#argument(major, info, size) }
  }

  #argument(major: number, info: number, size: number): number {
    let value = 0
    for (let i = 0; i < size; i++) value = value * 256 + this.#bytes[this.at++]!
    // The one-byte form of a simple value has rules of its own; none of them is on our wire.
    if (major === MAJOR.simple) throw new Fault('cbor-type')
    const least = [24, 0x100, 0x10000, 0x100000000][info - 24]!
    if (value < least) throw new Fault('cbor-not-canonical')
    if (value > Number.MAX_SAFE_INTEGER - (major === MAJOR.negative ? 1 : 0)) throw new Fault('cbor-range')
    return value
  }

  item(depth: number): Cbor {
    const { major, value } = this.head()
    switch (major) {
      case MAJOR.uint:
        return value
      case MAJOR.negative:
        return -1 - value
      case MAJOR.bytes:
        return this.#take(value)
      case MAJOR.text:
        return this.#text(value)
      case MAJOR.array:
        return this.#array(value, depth + 1)
      case MAJOR.map:
        return this.#map(value, depth + 1)
      default:
        if (major === MAJOR.simple && (value === FALSE || value === TRUE)) return value === TRUE
        throw new Fault('cbor-type')
    }
  }

  #array(count: number, depth: number): Cbor[] {
    if (depth > CBOR_DEPTH_MAX) throw new Fault('cbor-depth')
    const items: Cbor[] = []
    for (let i = 0; i < count; i++) items.push(this.item(depth))
    return items
  }

  #map(count: number, depth: number): CborMap {
    if (depth > CBOR_DEPTH_MAX) throw new Fault('cbor-depth')
    const map: CborMap = new Map()
    let before: Uint8Array | undefined
    for (let i = 0; i < count; i++) {
      const start = this.at
      const key = this.item(depth)
      if (typeof key !== 'number' && typeof key !== 'string') throw new Fault('cbor-type')
      const spelling = this.#bytes.subarray(start, this.at)
      const order = before === undefined ? 1 : compareBytes(spelling, before)
      if (order === 0) throw new Fault('cbor-duplicate-key')
      if (order < 0) throw new Fault('cbor-not-canonical')
      before = spelling
      map.set(key, this.item(depth))
    }
    return map
  }

  #text(size: number): string {
    const bytes = this.#take(size)
    try {
      return utf8.decode(bytes)
    } catch {
      throw new Fault('cbor-utf8')
    }
  }

  #take(size: number): Uint8Array {
    if (this.#bytes.length - this.at < size) throw new Fault('cbor-truncated')
    this.at += size
    return this.#bytes.subarray(this.at - size, this.at)
  }

  #byte(): number {
    if (this.at >= this.#bytes.length) throw new Fault('cbor-truncated')
    return this.#bytes[this.at++]!
  }
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return a.length - b.length
}
