// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Certificates for tests of the device link: a hub CA, a device CA, leaves of both, and every wrong kind of them.
 * Ed25519 throughout. A CA is a name and a key; its own certificate is made for Node only and never sent.
 */
import 'reflect-metadata'
import { createPublicKey, KeyObject, randomBytes, webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

x509.cryptoProvider.set(webcrypto as Crypto)

const ALGORITHM = { name: 'Ed25519' }
const HOUR_MS = 3_600_000
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
export const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'

export type Keys = { pair: webcrypto.CryptoKeyPair; raw: Buffer; seed: Buffer; pem: string }
export type Ca = { keys: Keys; name: x509.Name }
export type Leaf = { keys: Keys; der: Buffer; pem: string }

export type LeafOptions = {
  /** null leaves the extension out. */
  constraints?: { ca: boolean } | null
  purposes?: string[] | null
  keyUsage?: number
  notBefore?: Date
  notAfter?: Date
  /** The key's id when left out, as SPEC 6.2 wants it. */
  subject?: x509.Name | string
  /** In hexadecimal. */
  serial?: string
  keys?: Keys
  extra?: x509.Extension[]
}

export async function makeKeys(): Promise<Keys> {
  const pair = (await webcrypto.subtle.generateKey(ALGORITHM, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair
  const jwk = await webcrypto.subtle.exportKey('jwk', pair.privateKey)
  const pem = KeyObject.from(pair.privateKey).export({ type: 'pkcs8', format: 'pem' })
  return {
    pair,
    raw: Buffer.from(jwk.x!, 'base64url'),
    seed: Buffer.from(jwk.d!, 'base64url'),
    pem: pem.toString(),
  }
}

/** SPEC: one RDN, commonName, UTF8String, the kind and the first 8 bytes of the key. */
export function caName(kind: 'hub' | 'device', key: Uint8Array): x509.Name {
  const text = `shallot ${kind} ${Buffer.from(key.subarray(0, 8)).toString('hex')}`
  return new x509.Name([{ CN: [{ utf8String: text }] }])
}

export async function makeCa(kind: 'hub' | 'device'): Promise<Ca> {
  const keys = await makeKeys()
  return { keys, name: caName(kind, keys.raw) }
}

/** The CA's own certificate, as PEM, for a Node server that verifies clients with it. */
export async function caPem(ca: Ca): Promise<string> {
  const { pem } = await issueLeaf(ca, {
    constraints: { ca: true },
    purposes: null,
    subject: ca.name,
    keys: ca.keys,
  })
  return pem
}

export async function issueLeaf(ca: Ca, options: LeafOptions = {}): Promise<Leaf> {
  const keys = options.keys ?? (await makeKeys())
  const constraints = options.constraints === undefined ? { ca: false } : options.constraints
  const purposes = options.purposes === undefined ? [SERVER_AUTH] : options.purposes
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: options.serial ?? `01${randomBytes(7).toString('hex')}`,
    subject: options.subject ?? new x509.Name([{ CN: [{ utf8String: keys.raw.toString('base64url') }] }]),
    issuer: ca.name,
    notBefore: options.notBefore ?? new Date(Date.now() - HOUR_MS),
    notAfter: options.notAfter ?? new Date(Date.now() + HOUR_MS),
    publicKey: keys.pair.publicKey,
    signingKey: ca.keys.pair.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      constraints ? [new x509.BasicConstraintsExtension(constraints.ca, undefined, true)] : [],
      options.keyUsage === undefined ? [] : [new x509.KeyUsagesExtension(options.keyUsage, true)],
      purposes ? [new x509.ExtendedKeyUsageExtension(purposes, false)] : [],
      options.extra ?? [],
    ].flat(),
  })
  return { keys, der: Buffer.from(certificate.rawData), pem: certificate.toString('pem') }
}

/** The same certificate with one bit of its signature turned over. */
export function flipSignatureBit(leaf: Leaf): Leaf {
  const der = Buffer.from(leaf.der)
  der[der.length - 20]! ^= 1
  const body = der.toString('base64').replaceAll(/(.{64})/g, '$1\n')
  return { ...leaf, der, pem: `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n` }
}

/** A CA with the real one's name and somebody else's key. */
export async function impostorOf(ca: Ca): Promise<Ca> {
  return { name: ca.name, keys: await makeKeys() }
}

/** The raw 32 bytes of a certificate's Ed25519 key. */
export function rawKeyOf(pem: string): Buffer {
  return Buffer.from(createPublicKey(pem).export({ format: 'jwk' }).x!, 'base64url')
}
