// SPDX-License-Identifier: GPL-3.0-or-later
/** Hostile points and signatures, made on the curve itself: what a verifier that is too kind would accept. */
import { getPublicKey, hashes, Point, utils } from '@noble/ed25519'
import { sha512 } from '@noble/hashes/sha2.js'
import { concat } from '../../daemon/base/bytes.ts'

hashes.sha512 = sha512

const L = 2n ** 252n + 27742317777372353535851937790883648493n
const P = 2n ** 255n - 19n

function fromLittleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Uint8Array.from(bytes).reverse().toHex()}`)
}

function toLittleEndian(value: bigint): Uint8Array {
  return Uint8Array.fromHex(value.toString(16).padStart(64, '0')).reverse()
}

/** A point of order eight: what is left of some point when its large-order part is multiplied away. */
function orderEight(): Point {
  for (let y = 2n; y < 100n; y++) {
    const point = pointAt(y)
    const small = point?.multiply(L - 1n, false).add(point)
    if (small && !small.double().double().is0()) return small
  }
  throw new Error('no point of order eight below y = 100')
}

function pointAt(y: bigint): Point | undefined {
  try {
    return Point.fromBytes(toLittleEndian(y), true)
  } catch {
    return undefined
  }
}

const T = orderEight()

/** Every canonical spelling of a point of small order, and those of the neutral point that are not canonical. */
export function smallOrderKeys(): Uint8Array[] {
  const keys: Uint8Array[] = []
  let point = Point.ZERO
  for (let i = 0; i < 8; i++) {
    keys.push(point.toBytes())
    point = point.add(T)
  }
  const minusZero = toLittleEndian(1n + 2n ** 255n)
  return [...keys, minusZero, toLittleEndian(P), toLittleEndian(P + 1n)]
}

function challenge(r: Uint8Array, key: Uint8Array, message: Uint8Array): bigint {
  return fromLittleEndian(sha512(concat(r, key, message))) % L
}

interface MixedKey {
  readonly key: Uint8Array
  readonly scalar: bigint
}

export const torsion = {
  /** A key with a known scalar and a part of order eight. */
  mixedKey(): MixedKey {
    const { scalar } = utils.getExtendedPublicKey(new Uint8Array(32).fill(8))
    return { key: Point.BASE.multiply(scalar).add(T).toBytes(), scalar }
  },

  /** Gives `build` a signing function whose signatures satisfy 8·S·B = 8·R + 8·k·A and not S·B = R + k·A. */
  mixedEnvelope(
    { key, scalar }: MixedKey,
    build: (kid: Uint8Array, sign: (message: Uint8Array) => Uint8Array) => Uint8Array,
  ): Uint8Array {
    return build(key, (message) => {
      for (let nonce = 1000n; ; nonce++) {
        const r = Point.BASE.multiply(nonce).toBytes()
        const k = challenge(r, key, message)
        if (k % 8n === 0n) continue
        return concat(r, toLittleEndian((nonce + k * scalar) % L))
      }
    })
  },

  /** A signature by the honest key of seed `fill`, whose R has a part of order eight. */
  signWithTorsionInR(fill: number, message: Uint8Array): Uint8Array {
    const seed = new Uint8Array(32).fill(fill)
    const { scalar } = utils.getExtendedPublicKey(seed)
    const r = Point.BASE.multiply(4242n).add(T).toBytes()
    const k = challenge(r, getPublicKey(seed), message)
    return concat(r, toLittleEndian((4242n + k * scalar) % L))
  },
}
