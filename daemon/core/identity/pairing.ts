// SPDX-License-Identifier: GPL-3.0-or-later
/** What one phone scans to join, and how both sides know that they mean one another (SPEC 13.3 to 13.5). */
import { createHmac } from 'node:crypto'
import * as wire from '../../../schemas/gen/ts/wire.ts'
import { concat, utf8 } from '../../base/bytes.ts'
import { no, type Verdict, yes } from '../../base/error.ts'
import { Secret } from '../../base/secret.ts'
import type { Cbor } from '../envelope/cbor.ts'
import {
  type CodeFault,
  codeKeys,
  isBytes,
  type ProofKeys,
  type Reach,
  type ReachNumbers,
  reachIn,
  reachMap,
  readCode,
  writeCode,
} from './codes.ts'

/** The onion address in it is this phone's own. */
export interface PhoneCode extends Reach {
  readonly secret: Secret
  /** SHA-256 of the DER of the CA that signs the LAN page. */
  readonly webCa?: Uint8Array
}

const PHONE_NUMBERS: ReachNumbers = {
  version: wire.PHONE_VERSION,
  root: wire.PHONE_ROOT,
  onion: wire.PHONE_ONION,
  clientKey: wire.PHONE_CLIENT_KEY,
  lan: wire.PHONE_LAN,
  webCa: wire.PHONE_WEB_CA,
}

export function writePhoneCode(code: PhoneCode): Secret<string> {
  const map = reachMap(code, PHONE_NUMBERS)
  map.set(wire.PHONE_SECRET, code.secret.reveal())
  return new Secret(writeCode(wire.CODE_PHONE_PREFIX, map))
}

export function readPhoneCode(text: string): Verdict<PhoneCode, CodeFault> {
  const read = readCode(wire.CODE_PHONE_PREFIX, text, wire.PHONE_CODE_CHARS_MAX)
  if (!read.ok) return read
  const secret = read.value.get(wire.PHONE_SECRET)
  if (!isBytes(secret, wire.ENROL_SECRET_BYTES)) return no('code-damaged')
  const reach = reachIn(read.value, PHONE_NUMBERS, (value: Cbor) => isBytes(value, 32))
  return reach.ok ? yes({ ...reach.value, secret: new Secret(secret) }) : reach
}

/** What both sides make of a phone code's secret (SPEC 13.3). */
export interface PairKeys extends ProofKeys {
  readonly pairing: Uint8Array
}

export function pairKeys(secret: Secret): PairKeys {
  const { id, ...keys } = codeKeys(secret, 'shallot-pair/1')
  return { pairing: id, ...keys }
}

/** The six digits that both sides show. */
export function matchDigits(ownerProofKey: Secret, phoneKey: Uint8Array): string {
  const mac = createHmac('sha256', ownerProofKey.reveal())
    .update(concat(utf8('match'), phoneKey))
    .digest()
  return String(mac.readUInt32BE(0) % 1_000_000).padStart(6, '0')
}
