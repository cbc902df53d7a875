// SPDX-License-Identifier: GPL-3.0-or-later
import { getPublicKey, hashes, Point, sign } from '@noble/ed25519'
import { sha512 } from '@noble/hashes/sha2.js'
import { concat, equal } from '../../base/bytes.ts'
import type { Ed25519 } from './ed25519.ts'

hashes.sha512 = sha512

const L = 2n ** 252n + 27742317777372353535851937790883648493n

/**
 * Ed25519 by @noble/ed25519, for places without OpenSSL (a page in a browser).
 * Its own `verify` multiplies by the cofactor, which accepts signatures that OpenSSL and the firmware refuse;
 * so the equation of SPEC 2.4 is written out here over its points.
 */
export function portableEd25519(): Ed25519 {
  return {
    signer(seed) {
      const secret = Uint8Array.from(seed)
      return { key: getPublicKey(secret), sign: (message) => sign(message, secret) }
    },
    verify(key, message, signature) {
      const r = signature.subarray(0, 32)
      const s = littleEndian(signature.subarray(32))
      const k = littleEndian(sha512(concat(r, key, message))) % L
      try {
        const a = Point.fromBytes(key)
        const expected = multiply(Point.BASE, s).subtract(multiply(a, k))
        return equal(expected.toBytes(), r)
      } catch {
        return false
      }
    },
  }
}

function multiply(point: Point, scalar: bigint): Point {
  return scalar === 0n ? Point.ZERO : point.multiply(scalar, false)
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Uint8Array.from(bytes).reverse().toHex()}`)
}
