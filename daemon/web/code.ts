// SPDX-License-Identifier: GPL-3.0-or-later
/** Codes for people (SPEC 1.4) as a page reads and writes them; core/identity does the same with Node's hashes. */
import { sha256 } from '@noble/hashes/sha2.js'
import { CODE_CHECKSUM_BYTES } from '../../schemas/gen/ts/wire.ts'
import { concat, equal, fromBase64url, toBase64url } from '../base/bytes.ts'
import { no, type Verdict, yes } from '../base/error.ts'
import { type Cbor, type CborMap, decodeCbor, encodeCbor } from '../core/envelope/browser.ts'

export type CodeFault = 'code-damaged' | 'code-version'

/** The member that every code begins with, and the version that is written here. */
const VERSION_MEMBER = 1
const VERSION = 1

export function writeCode(prefix: string, members: readonly (readonly [number, Cbor])[]): string {
  const bytes = encodeCbor(new Map<number, Cbor>([[VERSION_MEMBER, VERSION], ...members]))
  return prefix + toBase64url(concat(bytes, checksumOf(bytes)))
}

/** The map in a code, once prefix, alphabet, checksum and version were looked at. */
export function readCode(prefix: string, text: string, charsMax: number): Verdict<CborMap, CodeFault> {
  const typed = text.replace(/\s+/g, '')
  if (typed.length > charsMax || !typed.startsWith(prefix)) return no('code-damaged')
  const bytes = fromBase64url(typed.slice(prefix.length))
  if (!bytes || bytes.length <= CODE_CHECKSUM_BYTES) return no('code-damaged')
  const item = bytes.subarray(0, -CODE_CHECKSUM_BYTES)
  if (!equal(checksumOf(item), bytes.subarray(-CODE_CHECKSUM_BYTES))) return no('code-damaged')
  const decoded = decodeCbor(item)
  if (!decoded.ok || !(decoded.value instanceof Map)) return no('code-damaged')
  const version = decoded.value.get(VERSION_MEMBER)
  if (typeof version !== 'number' || version < 1) return no('code-damaged')
  return version > VERSION ? no('code-version') : yes(decoded.value)
}

function checksumOf(bytes: Uint8Array): Uint8Array {
  return sha256(bytes).subarray(0, CODE_CHECKSUM_BYTES)
}

export function isBytes(value: Cbor | undefined, size: number): value is Uint8Array {
  return value instanceof Uint8Array && value.length === size
}
