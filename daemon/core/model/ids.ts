// SPDX-License-Identifier: GPL-3.0-or-later
import { KEY_BYTES, TEXT_ID_CHARS } from '../../../schemas/gen/ts/wire.ts'
import { fromBase64url, toBase64url } from '../../base/bytes.ts'

declare const party: unique symbol

/** A party's Ed25519 public key as text: base64url, 43 characters (SPEC 1.2). */
export type PartyId = string & { readonly [party]: true }

export function idOf(key: Uint8Array): PartyId {
  return toBase64url(key) as PartyId
}

/** Text from outside as an id, or undefined when it is not the one spelling of 32 bytes. */
export function parseId(text: string): PartyId | undefined {
  return text.length === TEXT_ID_CHARS && fromBase64url(text)?.length === KEY_BYTES
    ? (text as PartyId)
    : undefined
}

export function keyOf(id: PartyId): Uint8Array {
  return fromBase64url(id)!
}
