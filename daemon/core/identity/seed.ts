// SPDX-License-Identifier: GPL-3.0-or-later
import { createHash, createPrivateKey, createPublicKey, hkdfSync } from 'node:crypto'
import { entropyToMnemonic, mnemonicToEntropy, validateMnemonic } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { concat, fromBase32, toBase32, utf8 } from '../../base/bytes.ts'
import { no, type Verdict, yes } from '../../base/error.ts'
import { Secret } from '../../base/secret.ts'
import { webScalar } from './web-certificates.ts'

const SALT = 'shallot/1'
const SEED_BYTES = 32

/** The 24 words as entropy (SPEC 5): everything long-lived grows from it, and it is kept nowhere. */
export type Seed = Secret

/** @param entropy 32 random bytes @returns 24 English words (BIP-39) */
export function wordsOf(entropy: Seed): Secret<string> {
  return new Secret(entropyToMnemonic(entropy.reveal(), wordlist))
}

/** Words as a person typed them: any white space, any case; a wrong word or checksum is `bad-words`. */
export function parseWords(typed: string): Verdict<Seed, 'bad-words'> {
  const words = typed.trim().toLowerCase().split(/\s+/)
  const unknown = words.findIndex((word) => !wordlist.includes(word))
  if (words.length !== 24) return no('bad-words', `24 words are needed, these are ${words.length}`)
  if (unknown >= 0) return no('bad-words', `word ${unknown + 1} is not in the list of words`)
  const sentence = words.join(' ')
  if (!validateMnemonic(sentence, wordlist)) {
    return no('bad-words', 'every word exists, but together they do not add up: check their order')
  }
  return yes(new Secret(mnemonicToEntropy(sentence, wordlist)))
}

/** HKDF-SHA-256 with the home's salt (SPEC 5). */
export function derive(from: Secret, purpose: string, bytes: number = SEED_BYTES): Secret {
  return new Secret(new Uint8Array(hkdfSync('sha256', from.reveal(), SALT, purpose, bytes)))
}

/** The web CA's scalar: 48 bytes mod (order − 1), plus 1, big-endian (FIPS 186-5 A.2.1). */
export function deriveP256(from: Seed, purpose: string): Secret {
  return new Secret(webScalar(derive(from, purpose, 48).reveal()))
}

/** The Ed25519 seed of an onion service's address in one epoch (SPEC 5). */
export function onionSeed(master: Secret, service: string, epoch: number): Secret {
  return derive(master, `onion/${service}/${epoch}`)
}

/** The X25519 private key of whoever holds the invitation (SPEC 5); clamped by its users (RFC 7748 §5). */
export function onionClientKey(master: Secret, service: string, epoch: number): Secret {
  return derive(master, `onion-client/${service}/${epoch}`)
}

/** The X25519 private key of a daemon (SPEC 5): others encrypt the descriptors of its addresses for it. */
export function meshClientKey(hubSeed: Secret): Secret {
  return derive(hubSeed, 'mesh-client')
}

/** PKCS #8 around a raw X25519 private key (RFC 8410 §7). */
const X25519_PKCS8 = Uint8Array.fromHex('302e020100300506032b656e04220420')

/** The X25519 public key of a private one, 32 bytes each. */
export function x25519Public(privateKey: Secret): Uint8Array {
  const der = Buffer.from(concat(X25519_PKCS8, privateKey.reveal()))
  const key = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }))
  return Uint8Array.from(key.export({ format: 'der', type: 'spki' }).subarray(-32))
}

const ONION_VERSION = Uint8Array.of(3)

/** The address of an onion service, 56 characters and `.onion` (rend-spec-v3 §6). */
export function onionAddress(publicKey: Uint8Array): string {
  const checksum = createHash('sha3-256')
    .update(utf8('.onion checksum'))
    .update(publicKey)
    .update(ONION_VERSION)
    .digest()
  return `${toBase32(concat(publicKey, checksum.subarray(0, 2), ONION_VERSION))}.onion`
}

/** The raw key in an address, or undefined for what is none (SPEC 10.3). */
export function onionKey(address: string): Uint8Array | undefined {
  const key = fromBase32(address.replace(/\.onion$/, ''))?.subarray(0, 32)
  return key?.length === 32 && onionAddress(key) === address ? Uint8Array.from(key) : undefined
}
