// SPDX-License-Identifier: GPL-3.0-or-later
/** What one phone scans to join, and how both sides know that they mean one another (SPEC 13.3 to 13.5). */
import { createHmac, hkdfSync } from 'node:crypto'
import * as wire from '../../../schemas/gen/ts/wire.ts'
import { concat, utf8 } from '../../base/bytes.ts'
import { no, type Verdict, yes } from '../../base/error.ts'
import { Secret } from '../../base/secret.ts'
import type { Cbor, CborMap } from '../envelope/cbor.ts'
import { type CodeFault, isBytes, isText, readCode, writeCode } from './codes.ts'

export interface PhoneCode {
  readonly root: Uint8Array
  /** The Ed25519 key of the onion address that is this phone's. */
  readonly onion: Uint8Array
  readonly secret: Secret
  /** X25519 private key, when that address asks for client authorisation. */
  readonly clientKey?: Secret
  /** Origins to try first, `https://…`. */
  readonly lan: readonly string[]
  /** SHA-256 of the DER of the CA that signs the LAN page. */
  readonly webCa?: Uint8Array
}

export function writePhoneCode(code: PhoneCode): Secret<string> {
  const map: CborMap = new Map<number, Cbor>([
    [wire.PHONE_VERSION, wire.CODE_VERSION_NOW],
    [wire.PHONE_ROOT, code.root],
    [wire.PHONE_ONION, code.onion],
    [wire.PHONE_SECRET, code.secret.reveal()],
  ])
  if (code.clientKey) map.set(wire.PHONE_CLIENT_KEY, code.clientKey.reveal())
  if (code.lan.length > 0) map.set(wire.PHONE_LAN, [...code.lan])
  if (code.webCa) map.set(wire.PHONE_WEB_CA, code.webCa)
  return new Secret(writeCode(wire.CODE_PHONE_PREFIX, map))
}

export function readPhoneCode(text: string): Verdict<PhoneCode, CodeFault> {
  const read = readCode(wire.CODE_PHONE_PREFIX, text, wire.PHONE_CODE_CHARS_MAX)
  if (!read.ok) return read
  const map = read.value
  const root = map.get(wire.PHONE_ROOT)
  const onion = map.get(wire.PHONE_ONION)
  const secret = map.get(wire.PHONE_SECRET)
  const clientKey = map.get(wire.PHONE_CLIENT_KEY)
  const lan = map.get(wire.PHONE_LAN) ?? []
  const webCa = map.get(wire.PHONE_WEB_CA)
  if (!isBytes(root, 32) || !isBytes(onion, 32) || !isBytes(secret, wire.ENROL_SECRET_BYTES)) {
    return no('code-damaged')
  }
  if (clientKey !== undefined && !isBytes(clientKey, 32)) return no('code-damaged')
  if (!Array.isArray(lan) || !lan.every((origin) => isText(origin, 1, 256))) return no('code-damaged')
  if (webCa !== undefined && !isBytes(webCa, 32)) return no('code-damaged')
  return yes({
    root,
    onion,
    secret: new Secret(secret),
    lan: lan as string[],
    ...(clientKey && { clientKey: new Secret(clientKey) }),
    ...(webCa && { webCa }),
  })
}

/** What both sides make of a phone code's secret. */
export interface PairKeys {
  readonly pairing: Uint8Array
  readonly hubProofKey: Secret
  readonly ownerProofKey: Secret
}

const PAIR_SALT = 'shallot-pair/1'
const PAIRING_BYTES = 8

export function pairKeys(secret: Secret): PairKeys {
  const expand = (info: string, bytes: number) =>
    new Uint8Array(hkdfSync('sha256', secret.reveal(), PAIR_SALT, info, bytes))
  return {
    pairing: expand('id', PAIRING_BYTES),
    hubProofKey: new Secret(expand('hub', 32)),
    ownerProofKey: new Secret(expand('owner', 32)),
  }
}

/** HMAC-SHA-256 over the phone's key. */
export function pairProof(proofKey: Secret, phoneKey: Uint8Array): Uint8Array {
  return Uint8Array.from(createHmac('sha256', proofKey.reveal()).update(phoneKey).digest())
}

/** The six digits that both sides show. */
export function matchDigits(ownerProofKey: Secret, phoneKey: Uint8Array): string {
  const mac = createHmac('sha256', ownerProofKey.reveal())
    .update(concat(utf8('match'), phoneKey))
    .digest()
  return String(mac.readUInt32BE(0) % 1_000_000).padStart(6, '0')
}
