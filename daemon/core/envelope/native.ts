// SPDX-License-Identifier: GPL-3.0-or-later
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { concat } from '../../base/bytes.ts'
import type { Ed25519 } from './ed25519.ts'

/** DER around a raw key: PKCS #8 (RFC 8410 §7) and SubjectPublicKeyInfo (RFC 8410 §4). */
const PKCS8 = Uint8Array.fromHex('302e020100300506032b657004220420')
const SPKI = Uint8Array.fromHex('302a300506032b6570032100')

/** Public keys are few and used often, and importing one costs as much as a third of a verification. */
const IMPORTED_MAX = 4096

/** Ed25519 by OpenSSL, for the daemon: five to nine times the portable one. */
export function nativeEd25519(): Ed25519 {
  const imported = new Map<string, KeyObject>()
  const importKey = (key: Uint8Array): KeyObject => {
    const name = Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1')
    let object = imported.get(name)
    if (!object) {
      object = createPublicKey({ key: Buffer.from(concat(SPKI, key)), format: 'der', type: 'spki' })
      if (imported.size >= IMPORTED_MAX) imported.delete(imported.keys().next().value!)
      imported.set(name, object)
    }
    return object
  }
  return {
    signer(seed) {
      const secret = importSeed(seed)
      const spki = createPublicKey(secret).export({ format: 'der', type: 'spki' })
      return {
        key: Uint8Array.from(spki.subarray(SPKI.length)),
        sign: (message) => Uint8Array.from(sign(null, message, secret)),
      }
    },
    verify: (key, message, signature) => verify(null, message, importKey(key), signature),
    verifyAside: (key, message, signature) =>
      new Promise((resolve) => {
        verify(null, message, importKey(key), signature, (error, isTrue) => resolve(!error && isTrue))
      }),
  }
}

function importSeed(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.from(concat(PKCS8, seed)), format: 'der', type: 'pkcs8' })
}
