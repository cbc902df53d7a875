// SPDX-License-Identifier: GPL-3.0-or-later
/** What a phone scans to join, and what it proves with it (SPEC 13.3 to 13.5). */
import { hkdf } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import * as wire from '../../schemas/gen/ts/wire.ts'
import { concat, utf8 } from '../base/bytes.ts'
import { no, type Verdict, yes } from '../base/error.ts'
import { type CodeFault, isBytes, readCode } from './code.ts'

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

const SALT = utf8('shallot-pair/1')
const MATCHES = 1_000_000

/** @param key  the phone's own, 32 bytes */
export function provePhone({ secret }: PhoneCode, key: Uint8Array): PhoneProof {
  const expand = (info: string, bytes: number) => hkdf(sha256, secret, SALT, utf8(info), bytes)
  const ownerKey = expand('owner', wire.PROOF_BYTES)
  const match = new DataView(hmac(sha256, ownerKey, concat(utf8('match'), key)).buffer).getUint32(0) % MATCHES
  return {
    pairing: expand('id', wire.PERMIT_ID_BYTES),
    proofForHub: hmac(sha256, expand('hub', wire.PROOF_BYTES), key),
    proofForOwner: hmac(sha256, ownerKey, key),
    match: String(match).padStart(6, '0'),
  }
}
