// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { equal } from '../../daemon/base/bytes.ts'
import {
  type Ed25519,
  encodeCbor,
  type Frame,
  type Signer,
  sealEnvelope,
} from '../../daemon/core/envelope/index.ts'
import { idOf } from '../../daemon/core/model/index.ts'
import { openTrust, type Trust } from '../../daemon/core/policy/index.ts'

const sha512 = (...parts: readonly Uint8Array[]) => {
  const hash = createHash('sha512')
  for (const part of parts) hash.update(part)
  return Uint8Array.from(hash.digest())
}

/** Not Ed25519: a keyless imitation a hundred times as fast, which nobody in a simulation tries to break. */
export const quickEd25519: Ed25519 = {
  signer(seed) {
    const key = sha512(seed).slice(0, 32)
    key[0] = 2
    key[31]! &= 0x3f
    return { key, sign: (message) => imitation(key, message) }
  },
  verify: (key, message, signature) => equal(imitation(key, message), signature),
}

function imitation(key: Uint8Array, message: Uint8Array): Uint8Array {
  const signature = sha512(key, message)
  signature[0] = 2
  signature[31]! &= 0x3f
  signature[63]! &= 0x0f
  return signature
}

export function signerOf(name: string): Signer {
  return quickEd25519.signer(sha512(new TextEncoder().encode(name)).slice(0, 32))
}

const ROOT = signerOf('root')
export const OWNER = signerOf('owner')
export const HOME = idOf(ROOT.key)
export const EPOCH = new Uint8Array(8)
const claims = (sequence: number) => ({ audience: HOME, sealedAt: 1, epoch: EPOCH, sequence })
export const TRUST: Trust = (() => {
  const owner = sealEnvelope({ type: 'owner', ...claims(1), name: 'ada', key: OWNER.key }, ROOT)
  const trust = openTrust(ROOT.key, [owner], quickEd25519)
  assert(trust.ok)
  return trust.value
})()

export function memberFrame(key: Uint8Array, name: string, sequence: number, by = OWNER): Frame {
  return sealEnvelope({ type: 'member', ...claims(sequence), name, key }, by)
}

/** A revocation list: a version and keys. Lists only grow, as the owner's CLI makes them. */
export function revocationFrame(version: number, keys: readonly Uint8Array[]): Frame {
  return encodeCbor([version, [...keys]])
}
