// SPDX-License-Identifier: GPL-3.0-or-later

/**
 * What any Ed25519 under an envelope must do; native.ts and portable.ts keep this contract and
 * test/contract/ed25519.test.ts holds both to it, hostile keys and signatures included.
 */
export interface Ed25519 {
  /** @param seed 32 bytes (RFC 8032 §5.1.5); copied, so the caller may wipe it */
  signer(seed: Uint8Array): Signer
  /** True only by the cofactorless rule of SPEC 2.4; call `isSoundKey` and `isSoundSignature` first. */
  verify(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
  /** The same by another thread, where there is one: for many at a time, which would hold up all else. */
  verifyAside?(key: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean>
}

/** Somebody who can seal: a key in memory, and later a chip. */
export interface Signer {
  /** The 32-byte public key, which is also the party's name. */
  readonly key: Uint8Array
  /** @returns the 64-byte signature (RFC 8032 §5.1.6) */
  sign(message: Uint8Array): Uint8Array
}

const P = 2n ** 255n - 19n
const L = 2n ** 252n + 27742317777372353535851937790883648493n

/** One of the two y of order 8, as it is spelled on the wire; the other is its negative. */
const ORDER_8_Y = littleEndian(
  Uint8Array.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'),
)

/**
 * y coordinates of the eight points of small order: 1 (neutral), −1 (order 2), 0 (order 4) and the two of order 8.
 * With the sign bit either way these are all spellings that are canonical; the others fail `y < p`.
 */
const SMALL_ORDER_Y: ReadonlySet<bigint> = new Set([0n, 1n, P - 1n, ORDER_8_Y, P - ORDER_8_Y])

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Uint8Array.from(bytes).reverse().toHex()}`)
}

/** Canonical and not of small order (SPEC 2.4); whether it is on the curve at all is left to `verify`. */
export function isSoundPoint(encoded: Uint8Array): boolean {
  if (encoded.length !== 32) return false
  if (couldNotBeUnsound(encoded)) return true
  const y = littleEndian(encoded) & ((1n << 255n) - 1n)
  // The spelling "x = 0 with the sign bit" belongs to y = ±1 alone, which are refused with either sign.
  return y < P && !SMALL_ORDER_Y.has(y)
}

/** Every unsound spelling begins with one of these bytes; the others need no big number. */
const SUSPECT_FIRST_BYTES = suspectFirstBytes()

function suspectFirstBytes(): ReadonlySet<number> {
  const first = new Set<number>()
  for (const y of SMALL_ORDER_Y) first.add(Number(y & 0xffn))
  for (let y = P; y < 1n << 255n; y++) first.add(Number(y & 0xffn))
  return first
}

function couldNotBeUnsound(encoded: Uint8Array): boolean {
  return !SUSPECT_FIRST_BYTES.has(encoded[0]!)
}

/** R sound and S < L (SPEC 2.4, RFC 8032 §5.1.7). */
export function isSoundSignature(signature: Uint8Array): boolean {
  if (signature.length !== 64 || !isSoundPoint(signature.subarray(0, 32))) return false
  const top = signature[63]!
  if (top < 0x10) return true
  return top === 0x10 && littleEndian(signature.subarray(32)) < L
}
