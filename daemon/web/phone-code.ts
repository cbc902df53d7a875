// SPDX-License-Identifier: GPL-3.0-or-later
/** What a phone scans to join, and what it proves with it (SPEC 13.3 to 13.5). */
import { hkdf } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import * as wire from '../../schemas/gen/ts/wire.ts'
import { concat, utf8 } from '../base/bytes.ts'
import { no, type Verdict, yes } from '../base/error.ts'
import type { Cbor } from '../core/envelope/browser.ts'
import { type CodeFault, isBytes, readCode, writeCode } from './code.ts'

export interface PhoneCode {
  readonly root: Uint8Array
  readonly secret: Uint8Array
}

export interface PhoneProof {
  readonly pairing: Uint8Array
  readonly proofForHub: Uint8Array
  readonly proofForOwner: Uint8Array
  /** Six digits that the owner sees, too. */
  readonly match: string
}

/** The other members tell software that is no page how to find the home; this page is there already. */
export function readPhoneCode(text: string): Verdict<PhoneCode, CodeFault> {
  const map = readCode(wire.CODE_PHONE_PREFIX, text, wire.PHONE_CODE_CHARS_MAX)
  if (!map.ok) return map
  const root = map.value.get(wire.PHONE_ROOT)
  const secret = map.value.get(wire.PHONE_SECRET)
  if (!isBytes(root, wire.KEY_BYTES) || !isBytes(secret, wire.ENROL_SECRET_BYTES)) return no('code-damaged')
  return yes({ root, secret })
}

/** What the next phone scans. @param onion  the key of the address that is its own */
export function writePhoneCode(
  { root, secret }: PhoneCode,
  onion: Uint8Array,
  lan: readonly string[],
): string {
  const members: [number, Cbor][] = [
    [wire.PHONE_ROOT, root],
    [wire.PHONE_ONION, onion],
    [wire.PHONE_SECRET, secret],
  ]
  if (lan.length > 0) members.push([wire.PHONE_LAN, [...lan]])
  return writeCode(wire.CODE_PHONE_PREFIX, members)
}

const SALT = utf8('shallot-pair/1')
const MATCHES = 1_000_000

/** What both sides make of the secret. */
export interface PairKeys {
  readonly pairing: Uint8Array
  readonly hubKey: Uint8Array
  readonly ownerKey: Uint8Array
}

export function pairKeys(secret: Uint8Array): PairKeys {
  const expand = (info: string, bytes: number) => hkdf(sha256, secret, SALT, utf8(info), bytes)
  return {
    pairing: expand('id', wire.PERMIT_ID_BYTES),
    hubKey: expand('hub', wire.PROOF_BYTES),
    ownerKey: expand('owner', wire.PROOF_BYTES),
  }
}

/** @param key  the phone's own, 32 bytes */
export function provePhone({ secret }: PhoneCode, key: Uint8Array): PhoneProof {
  const { pairing, hubKey, ownerKey } = pairKeys(secret)
  const match = new DataView(hmac(sha256, ownerKey, concat(utf8('match'), key)).buffer).getUint32(0) % MATCHES
  return {
    pairing,
    proofForHub: hmac(sha256, hubKey, key),
    proofForOwner: hmac(sha256, ownerKey, key),
    match: String(match).padStart(6, '0'),
  }
}
