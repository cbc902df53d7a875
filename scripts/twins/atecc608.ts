// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Microchip ATECC608, by the datasheet of the ATECC508A (DS20005927A) whose commands it took over: wake and sleep (§6), groups and sums
 * (§9.1), and of the commands GenKey, Nonce as given and Sign of what was loaded (§9.7, §9.12, §9.18), with P-256.
 */
import { createECDH, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import type { I2cChip } from './index.ts'
import type { KeyStore } from './keys.ts'
import type { Part } from './world.ts'

const [SLEEP, COMMAND] = [1, 3]
const [GENKEY, NONCE, SIGN] = [0x40, 0x16, 0x41]
const [GENKEY_MS, NONCE_MS, SIGN_MS] = [115, 7, 50] // table 9-4, the most
const WATCHDOG_MS = 1300 // §9.5: then it sleeps again
const SAYS = { awake: 0x11, badParse: 0x03, badExecution: 0x0f, badSum: 0xff, done: 0x00 } as const

function sumOf(bytes: Uint8Array): Buffer {
  let sum = 0
  for (const byte of bytes) {
    for (let bit = 1; bit < 256; bit <<= 1) {
      const turns = ((byte & bit) !== 0) !== ((sum & 0x8000) !== 0)
      sum = ((sum << 1) & 0xffff) ^ (turns ? 0x8005 : 0)
    }
  }
  const out = Buffer.alloc(2)
  out.writeUInt16LE(sum)
  return out
}

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
const bytesOf = (number: bigint): Buffer => Buffer.from(number.toString(16).padStart(64, '0'), 'hex')

/** The inverse to a prime modulus (Fermat). */
function inverse(number: bigint): bigint {
  let result = 1n
  for (let [base, left] = [number % ORDER, ORDER - 2n]; left > 0n; left >>= 1n, base = (base * base) % ORDER)
    if (left & 1n) result = (result * base) % ORDER
  return result
}

/** FIPS 186-5 §6.4.1, of a digest that is there already: Node signs messages alone. */
function signDigest(key: KeyObject, digest: Buffer): Buffer {
  const secret = numberOf(Buffer.from(key.export({ format: 'jwk' }).d!, 'base64url'))
  for (;;) {
    const once = (numberOf(randomBytes(40)) % (ORDER - 1n)) + 1n
    const point = createECDH('prime256v1')
    point.setPrivateKey(bytesOf(once))
    const r = numberOf(point.getPublicKey().subarray(1, 33)) % ORDER
    const s = (inverse(once) * (numberOf(digest) + r * secret)) % ORDER
    if (r > 0n && s > 0n) return Buffer.concat([bytesOf(r), bytesOf(s)])
  }
}

function pointOf(key: KeyObject): Buffer {
  const { x = '', y = '' } = createPublicKey(key).export({ format: 'jwk' })
  return Buffer.concat([Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')])
}

export function atecc608(now: () => number, keys: KeyStore): I2cChip {
  let wokenAt = Number.NEGATIVE_INFINITY
  let loaded: Buffer | undefined
  let pending = Buffer.alloc(0)
  let readyAt = 0
  const isAwake = (): boolean => now() - wokenAt < WATCHDOG_MS

  function say(data: Uint8Array, part: Part, ms = 0): void {
    const group = Buffer.concat([Buffer.of(data.length + 3), data])
    pending = Buffer.concat([group, sumOf(group)])
    if (part.fault === 'checksum') pending[pending.length - 1]! ^= 1
    readyAt = now() + ms
  }

  function obey(code: number, mode: number, slot: number, data: Buffer, part: Part): void {
    const name = `atecc608-${slot}`
    if (part.fault === 'locked') {
      say(Buffer.of(SAYS.badExecution), part)
      return
    }
    if (code === NONCE && mode === 3 && data.length === 32) {
      loaded = Buffer.from(data)
      say(Buffer.of(SAYS.done), part, NONCE_MS)
      return
    }
    if (code === GENKEY && mode === 4 && slot < 16) {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      keys.write(name, privateKey)
      say(pointOf(privateKey), part, GENKEY_MS)
      return
    }
    const key = code === SIGN && mode === 0x80 ? keys.read(name) : undefined
    if (!key || !loaded) {
      say(Buffer.of(code === SIGN ? SAYS.badExecution : SAYS.badParse), part)
      return
    }
    say(signDigest(key, loaded), part, SIGN_MS)
    loaded = undefined
  }

  function hear(group: Buffer, part: Part): void {
    if (group.length < 7 || group[0] !== group.length) {
      say(Buffer.of(SAYS.badParse), part)
      return
    }
    const body = group.subarray(0, -2)
    if (!sumOf(body).equals(group.subarray(-2))) {
      say(Buffer.of(SAYS.badSum), part)
      return
    }
    obey(body[1]!, body[2]!, body.readUInt16LE(3), body.subarray(5), part)
  }

  return {
    wake(part) {
      wokenAt = now()
      say(Buffer.of(SAYS.awake), part)
    },
    transfer(out, inSize, part) {
      if (!isAwake() || part.fault === 'asleep') return undefined
      if (out.length > 0) {
        if (out[0] === SLEEP) wokenAt = Number.NEGATIVE_INFINITY
        if (out[0] === COMMAND) hear(Buffer.from(out.subarray(1)), part)
        return inSize === 0 ? Buffer.alloc(0) : undefined
      }
      if (now() < readyAt || inSize === 0 || inSize > pending.length) return undefined
      const piece = pending.subarray(0, inSize)
      pending = pending.subarray(inSize)
      return Buffer.from(piece)
    },
  }
}
