// SPDX-License-Identifier: GPL-3.0-or-later
/** DER (X.690 §10) as far as certificates need it. Written and read by the same strict rules: one spelling for one value. */
import { concat, utf8 } from '../../base/bytes.ts'
import type { Instant } from '../../base/clock.ts'

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

/** One element: tag, shortest length, contents. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const size = contents.reduce((sum, part) => sum + part.length, 0)
  return concat(Uint8Array.of(tag, ...lengthOctets(size)), ...contents)
}

function lengthOctets(size: number): number[] {
  if (size < 0x80) return [size]
  return size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff]
}

export const sequence = (...items: readonly Uint8Array[]): Uint8Array => der(TAG.sequence, ...items)
export const set = (...items: readonly Uint8Array[]): Uint8Array => der(TAG.set, ...items)
export const octetString = (...contents: readonly Uint8Array[]): Uint8Array =>
  der(TAG.octetString, ...contents)
export const utf8String = (text: string): Uint8Array => der(TAG.utf8String, utf8(text))
export const TRUE = der(TAG.boolean, Uint8Array.of(0xff))

/** Context-specific [n], constructed (explicit tagging, or an implicit SEQUENCE). */
export const context = (n: number, ...items: readonly Uint8Array[]): Uint8Array => der(0xa0 | n, ...items)

/** A whole number of octets. */
export const bitString = (contents: Uint8Array): Uint8Array => der(TAG.bitString, Uint8Array.of(0), contents)

/** An object identifier from its content octets in hex. */
export const oid = (hex: string): Uint8Array => der(TAG.oid, Uint8Array.fromHex(hex))

/** A non-negative INTEGER from big-endian bytes of any length. */
export function integer(magnitude: Uint8Array): Uint8Array {
  const first = magnitude.findIndex((byte) => byte !== 0)
  if (first < 0) return der(TAG.integer, Uint8Array.of(0))
  const trimmed = magnitude.subarray(first)
  return trimmed[0]! >= 0x80 ? der(TAG.integer, Uint8Array.of(0), trimmed) : der(TAG.integer, trimmed)
}

/** UTCTime to 2049, GeneralizedTime from 2050 (RFC 5280 §4.1.2.5); whole seconds. */
export function time(at: Instant): Uint8Array {
  const digits = Temporal.Instant.fromEpochMilliseconds(at)
    .toString({ smallestUnit: 'second' })
    .replaceAll(/[-:TZ]/g, '')
  return Number(digits.slice(0, 4)) < 2050
    ? der(TAG.utcTime, utf8(`${digits.slice(2)}Z`))
    : der(TAG.generalizedTime, utf8(`${digits}Z`))
}

/** What a reader throws at the first octet that is not strict DER or not what was asked for; never leaves this folder. */
export class DerFault extends Error {}

/** Walks over the elements of some contents, from the front. */
export class DerReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  nextIs(tag: number): boolean {
    return this.#bytes[this.#at] === tag
  }

  /** The contents of the next element, which must have this tag. */
  contents(tag: number): Uint8Array {
    if (!this.nextIs(tag)) throw new DerFault(`no element of tag ${tag}`)
    this.#at++
    const size = this.#length()
    if (this.#bytes.length - this.#at < size) throw new DerFault('truncated')
    this.#at += size
    return this.#bytes.subarray(this.#at - size, this.#at)
  }

  /** The next element with its tag and length. */
  whole(tag: number): Uint8Array {
    const start = this.#at
    this.contents(tag)
    return this.#bytes.subarray(start, this.#at)
  }

  inside(tag: number): DerReader {
    return new DerReader(this.contents(tag))
  }

  /** No octet may follow. */
  end(): void {
    if (!this.atEnd) throw new DerFault('trailing octets')
  }

  #length(): number {
    const first = this.#byte()
    if (first < 0x80) return first
    const octets = first & 0x7f
    if (octets === 0 || octets > 2) throw new DerFault('length of another form')
    const size = octets === 1 ? this.#byte() : this.#byte() * 256 + this.#byte()
    if (size < (octets === 1 ? 0x80 : 0x100)) throw new DerFault('length too long')
    return size
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw new DerFault('truncated')
    return byte
  }
}

/** The octets of a BIT STRING without unused bits. */
export function readBits(reader: DerReader): Uint8Array {
  const contents = reader.contents(TAG.bitString)
  if (contents[0] !== 0) throw new DerFault('unused bits')
  return contents.subarray(1)
}

export function readBoolean(reader: DerReader): boolean {
  const contents = reader.contents(TAG.boolean)
  if (contents.length !== 1 || (contents[0] !== 0 && contents[0] !== 0xff)) throw new DerFault('no boolean')
  return contents[0] === 0xff
}

const ascii = new TextDecoder('ascii')

/** As `time` writes it, and no other way. */
export function readTime(reader: DerReader): Instant {
  const utc = reader.nextIs(TAG.utcTime)
  const text = ascii.decode(reader.contents(utc ? TAG.utcTime : TAG.generalizedTime))
  if (!(utc ? /^\d{12}Z$/ : /^\d{14}Z$/).test(text)) throw new DerFault('no time')
  const digits = utc ? `${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}` : text
  const [, year, month, day, hour, minute, second] = /(....)(..)(..)(..)(..)(..)/.exec(digits)!
  // Temporal takes a leap second for the one before it.
  if (second === '60' || (!utc && Number(year) < 2050)) throw new DerFault('another spelling of a time')
  try {
    return Temporal.Instant.from(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`).epochMilliseconds
  } catch {
    throw new DerFault('no such time')
  }
}
