// SPDX-License-Identifier: GPL-3.0-or-later
/** A person's key as a link or a file that brings it back (SPEC 11.2), with or without a passphrase. */
import { hmac } from '@noble/hashes/hmac.js'
import { scryptAsync } from '@noble/hashes/scrypt.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concat, equal, utf8 } from '../base/bytes.ts'
import { no, type Verdict, yes } from '../base/error.ts'
import type { Random } from '../base/random.ts'
import { type CodeFault, isBytes, readCode, writeCode } from './code.ts'

export interface Identity {
  /** The home's root key: whom this page believes. */
  readonly root: Uint8Array
  /** Ed25519 seed of the person's own key. */
  readonly seed: Uint8Array
  /** For people: `mum's phone`. */
  readonly name: string
}

/** A key as it was read: at once, or after its passphrase. */
export type KeptIdentity =
  | { readonly locked: false; readonly identity: Identity }
  | { readonly locked: true; readonly unlock: (passphrase: string) => Promise<Identity | undefined> }

export const KEY_PREFIX = 'shallot:key:'
const CHARS_MAX = 1024
const SALT_BYTES = 16
const NAME_CHARS_MAX = 64

/** scrypt (RFC 7914): N = 2^16, r = 8, p = 2: 64 MiB, about as slow as OWASP's least; a guess costs that much each time. */
const SLOW = { N: 2 ** 16, r: 8, p: 2, dkLen: 64 }

const MEMBER = { root: 2, name: 3, seed: 4, salt: 5, sealed: 6, proof: 7 } as const

export function writeKey({ root, seed, name }: Identity): string {
  return writeCode(KEY_PREFIX, [
    [MEMBER.root, root],
    [MEMBER.name, name],
    [MEMBER.seed, seed],
  ])
}

/**
 * The seed under a passphrase: 64 bytes come from scrypt over a salt used once; the first half is added to the seed, the
 * second is the key of an HMAC-SHA-256 over everything else, so that a wrong passphrase is known as one.
 */
export async function writeLockedKey(
  { root, seed, name }: Identity,
  passphrase: string,
  random: Random,
): Promise<string> {
  const salt = random.bytes(SALT_BYTES)
  const slow = await scryptAsync(utf8(passphrase.normalize('NFKC')), salt, SLOW)
  const sealed = added(seed, slow.subarray(0, 32))
  return writeCode(KEY_PREFIX, [
    [MEMBER.root, root],
    [MEMBER.name, name],
    [MEMBER.salt, salt],
    [MEMBER.sealed, sealed],
    [MEMBER.proof, proofOf(slow, { root, name, salt, sealed })],
  ])
}

export function readKey(text: string): Verdict<KeptIdentity, CodeFault> {
  const map = readCode(KEY_PREFIX, text, CHARS_MAX)
  if (!map.ok) return map
  const { value } = map
  const root = value.get(MEMBER.root)
  const name = value.get(MEMBER.name)
  if (!isBytes(root, 32) || typeof name !== 'string' || name.length > NAME_CHARS_MAX)
    return no('code-damaged')
  const seed = value.get(MEMBER.seed)
  if (value.size === 4 && isBytes(seed, 32)) return yes({ locked: false, identity: { root, seed, name } })
  const salt = value.get(MEMBER.salt)
  const sealed = value.get(MEMBER.sealed)
  const proof = value.get(MEMBER.proof)
  if (value.size !== 6 || !isBytes(salt, SALT_BYTES) || !isBytes(sealed, 32) || !isBytes(proof, 32)) {
    return no('code-damaged')
  }
  return yes({
    locked: true,
    async unlock(passphrase) {
      const slow = await scryptAsync(utf8(passphrase.normalize('NFKC')), salt, SLOW)
      if (!equal(proof, proofOf(slow, { root, name, salt, sealed }))) return undefined
      return { root, seed: added(sealed, slow.subarray(0, 32)), name }
    },
  })
}

interface Locked {
  readonly root: Uint8Array
  readonly name: string
  readonly salt: Uint8Array
  readonly sealed: Uint8Array
}

function proofOf(slow: Uint8Array, { root, name, salt, sealed }: Locked): Uint8Array {
  return hmac(sha256, slow.subarray(32), concat(root, salt, sealed, utf8(name)))
}

function added(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, at) => byte ^ b[at]!)
}
