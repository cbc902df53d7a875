// SPDX-License-Identifier: GPL-3.0-or-later
import { createHash, createPrivateKey, createPublicKey } from 'node:crypto'
import { concat, fromBase32 } from '../../base/bytes.ts'
import { no, type Verdict, yes } from '../../base/error.ts'
import type { Secret } from '../../base/secret.ts'
import { onionAddress } from '../../core/identity/index.ts'
import { OnionError } from './error.ts'

const VERSION = 3
const SEED_BYTES = 32
const ID_CHARS = 56
const SUFFIX = '.onion'

/** A v3 onion key as tor wants it. */
export interface OnionKey {
  /** 56 characters and `.onion`. */
  readonly address: string
  /** What ADD_ONION takes after `ED25519-V3:`: the expanded key, 64 bytes, base64 with padding. Secret. */
  expandedBase64(): string
}

/**
 * Derives the address and tor's expanded key from a 32-byte RFC 8032 seed.
 * @throws OnionError bad-service when the seed is not 32 bytes
 * @see rend-spec-v3 §6 [ONIONADDRESS], RFC 8032 §5.1.5
 */
export function onionKeyOf(seed: Secret): OnionKey {
  if (seed.reveal().length !== SEED_BYTES) {
    throw new OnionError('bad-service', `an onion seed has ${SEED_BYTES} bytes`)
  }
  return {
    address: onionAddress(publicKeyOf(seed)),
    expandedBase64: () => expand(seed.reveal()).toBase64(),
  }
}

/**
 * Reads an onion address strictly: 56 lower-case base32 characters and `.onion`, version 3, right checksum.
 * No subdomain, no port, no trailing dot, no upper case: one service has one spelling.
 */
export function parseAddress(
  text: string,
): Verdict<{ publicKey: Uint8Array }, 'not-onion' | 'bad-version' | 'bad-checksum'> {
  if (text.length !== ID_CHARS + SUFFIX.length || !/^[a-z2-7]{56}\.onion$/.test(text)) {
    return no('not-onion', 'an onion address has 56 characters a-z and 2-7, then .onion')
  }
  const bytes = fromBase32(text.slice(0, ID_CHARS))!
  const publicKey = bytes.subarray(0, 32)
  if (bytes[34] !== VERSION) return no('bad-version', `onion version ${bytes[34]} is not ${VERSION}`)
  if (onionAddress(publicKey) !== text) {
    return no('bad-checksum', 'the onion address is mistyped: its checksum is wrong')
  }
  return yes({ publicKey })
}

/** The name without `.onion`, as the control port speaks of services. */
export function serviceIdOf(address: string): string {
  return address.slice(0, ID_CHARS)
}

/** Node takes raw private keys only inside PKCS #8 (RFC 8410 §7), whose head is constant. */
const ED25519_PKCS8 = Uint8Array.fromHex('302e020100300506032b657004220420')

function publicKeyOf(seed: Secret): Uint8Array {
  const der = Buffer.from(concat(ED25519_PKCS8, seed.reveal()))
  const publicKey = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }))
  return Uint8Array.from(publicKey.export({ format: 'der', type: 'spki' }).subarray(-32))
}

/** Tor accepts an unclamped scalar without complaint, so the clamping is on us. */
function expand(seed: Uint8Array): Uint8Array {
  const hash = Uint8Array.from(createHash('sha512').update(seed).digest())
  hash[0]! &= 248
  hash[31]! &= 127
  hash[31]! |= 64
  return hash
}
