// SPDX-License-Identifier: GPL-3.0-or-later
/** One line of a device's serial line as an item, and back (SPEC 17.1). */
import { createHash } from 'node:crypto'
import { CODE_CHECKSUM_BYTES, SERIAL_LINE_CHARS_MAX, SERIAL_PREFIX } from '../../../schemas/gen/ts/wire.ts'
import { concat, equal, fromBase64url, toBase64url } from '../../base/bytes.ts'
import { no, type Verdict } from '../../base/error.ts'
import { type Cbor, type CborCode, decodeCbor, encodeCbor } from '../../core/envelope/index.ts'

export type LineCode = 'frame-too-large' | 'serial-damaged' | CborCode

export function writeLine(item: Cbor): string {
  const bytes = encodeCbor(item)
  return SERIAL_PREFIX + toBase64url(concat(bytes, checksumOf(bytes)))
}

/** @param text without its end. @returns undefined for a line that is none of ours, such as what a device logs */
export function readLine(text: string): Verdict<Cbor, LineCode> | undefined {
  if (!text.startsWith(SERIAL_PREFIX)) return undefined
  if (text.length > SERIAL_LINE_CHARS_MAX) return no('frame-too-large')
  const bytes = fromBase64url(text.slice(SERIAL_PREFIX.length))
  if (!bytes || bytes.length <= CODE_CHECKSUM_BYTES) return no('serial-damaged')
  const end = bytes.length - CODE_CHECKSUM_BYTES
  const item = bytes.subarray(0, end)
  return equal(checksumOf(item), bytes.subarray(end)) ? decodeCbor(item) : no('serial-damaged')
}

function checksumOf(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest().subarray(0, CODE_CHECKSUM_BYTES)
}
