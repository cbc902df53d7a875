// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The home's CA for browsers and the leaf of the LAN page (SPEC 5, 9.1): ECDSA P-256, because browsers know no Ed25519
 * certificates. The CA may speak for local names and addresses only, so that trusting it gives nobody the internet.
 *
 * Always true: the same scalar gives the same CA key, name and dates. The signature inside is drawn anew (ECDSA), so two
 * copies of the CA differ in it; each verifies what the other's key signed.
 */

import assert from 'node:assert/strict'
import { createECDH, createPrivateKey, ECDH, hash, type KeyObject, sign } from 'node:crypto'
import { DIRECT_KEY_BYTES } from '../../../schemas/gen/ts/wire.ts'
import { concat, toHex, utf8 } from '../../base/bytes.ts'
import type { Instant } from '../../base/clock.ts'
import { isCode } from '../../base/error.ts'
import {
  ALWAYS_FROM,
  DAY_MS,
  DIGITAL_SIGNATURE,
  distinguishedName,
  extension,
  FOR_EVER,
  KEY_CERT_SIGN,
  OID,
  toPem,
  VERSION_3,
} from './certificates.ts'
import { bitString, context, der, integer, octetString, oid, sequence, TRUE, time } from './der.ts'

const WEB_OID = {
  ecPublicKey: oid('2a8648ce3d0201'),
  prime256v1: oid('2a8648ce3d030107'),
  ecdsaWithSha256: oid('2a8648ce3d040302'),
  subjectKeyIdentifier: oid('551d0e'),
  subjectAltName: oid('551d11'),
  nameConstraints: oid('551d1e'),
  authorityKeyIdentifier: oid('551d23'),
} as const

const ECDSA = sequence(WEB_OID.ecdsaWithSha256)
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
/** Browsers take no more than 397 days of a server. */
const LEAF_DAYS = 365
/** SEC 1 §2.3.3. */
const UNCOMPRESSED = 0x04

/** GeneralName (RFC 5280 §4.2.1.6), context-specific and primitive. */
const DNS_NAME = 0x82
const IP_ADDRESS = 0x87

/** Names under which a home is found without the internet: mDNS, RFC 8375, and the machine itself. */
const LOCAL_NAMES = ['localhost', 'local', 'home.arpa']

/** Address and mask: loopback, link-local and private ranges (RFC 1918, 3927, 4193, 4291). */
const LOCAL_NETWORKS = [
  '7f000000ff000000',
  '0a000000ff000000',
  'ac100000fff00000',
  'c0a80000ffff0000',
  'a9fe0000ffff0000',
  `${'0'.repeat(31)}1${'f'.repeat(32)}`,
  `fc${'0'.repeat(30)}fe${'0'.repeat(30)}`,
  `fe80${'0'.repeat(28)}ffc0${'0'.repeat(28)}`,
]

/** A P-256 key pair in memory. */
export interface WebKey {
  readonly key: KeyObject
  /** Uncompressed point, 65 bytes. */
  readonly point: Uint8Array
}

/** A uniform P-256 private scalar, 32 bytes, from 48 random or derived bytes (SPEC 5; FIPS 186-5 A.2.1). */
export function webScalar(bytes: Uint8Array): Uint8Array {
  const scalar = (BigInt(`0x${toHex(bytes)}`) % (ORDER - 1n)) + 1n
  return Uint8Array.fromHex(scalar.toString(16).padStart(64, '0'))
}

/** The key pair of a private scalar, 32 bytes big-endian, 1 to order − 1. */
export function webKey(scalar: Uint8Array): WebKey {
  const pair = createECDH('prime256v1')
  pair.setPrivateKey(scalar)
  const key = createPrivateKey({ key: Buffer.from(webKeyDer(scalar)), format: 'der', type: 'sec1' })
  return { key, point: Uint8Array.from(pair.getPublicKey()) }
}

/** ECPrivateKey (RFC 5915 §3). */
function webKeyDer(scalar: Uint8Array): Uint8Array {
  return sequence(integer(Uint8Array.of(1)), octetString(scalar), context(0, WEB_OID.prime256v1))
}

/** The web CA's self-signed certificate, DER. */
export function webCaCertificate(ca: WebKey): Uint8Array {
  const name = webCaName(ca)
  return issue(ca, {
    serial: Uint8Array.of(1),
    issuer: name,
    from: ALWAYS_FROM,
    until: FOR_EVER,
    name,
    point: ca.point,
    extensions: [
      extension(OID.basicConstraints, true, sequence(TRUE, integer(Uint8Array.of(0)))),
      extension(OID.keyUsage, true, KEY_CERT_SIGN),
      extension(WEB_OID.nameConstraints, true, sequence(context(0, ...localSubtrees()))),
      extension(WEB_OID.subjectKeyIdentifier, false, octetString(keyIdentifier(ca.point))),
    ],
  })
}

export interface WebLeaf {
  /** PEM, as Node's https takes them. */
  readonly cert: string
  readonly key: string
}

/**
 * A certificate for the LAN page: one year, from a day ago.
 * @param names   host names and IP addresses, at least one; outside the CA's constraints clients will refuse them
 * @param serial  16 random bytes
 */
export function webLeaf(
  ca: WebKey,
  leaf: WebKey,
  names: readonly string[],
  serial: Uint8Array,
  now: Instant,
): WebLeaf {
  const { certificate } = issueLeaf(ca, 'shallot hub', leaf.point, names, serial, now)
  const key = leaf.key.export({ format: 'pem', type: 'pkcs8' }).toString()
  return { cert: toPem('CERTIFICATE', certificate), key }
}

/** Of a server whose key is not ours. */
export interface ServerLeaf {
  /** DER. */
  readonly certificate: Uint8Array
  readonly from: Instant
  readonly until: Instant
}

/**
 * A certificate for a device's own server (SPEC 18.2), like that of the LAN page.
 * @param point  65 bytes from outside
 * @returns undefined when they are no uncompressed point of P-256
 */
export function serverLeaf(
  ca: WebKey,
  point: Uint8Array,
  names: readonly string[],
  serial: Uint8Array,
  now: Instant,
): ServerLeaf | undefined {
  return isPoint(point) ? issueLeaf(ca, 'shallot device', point, names, serial, now) : undefined
}

function isPoint(point: Uint8Array): boolean {
  if (point.length !== DIRECT_KEY_BYTES || point[0] !== UNCOMPRESSED) return false
  try {
    ECDH.convertKey(point, 'prime256v1')
    return true
  } catch (error) {
    if (!isCode(error, 'ERR_CRYPTO_OPERATION_FAILED')) throw error
    return false
  }
}

/** @param subject  with a space in it, so that no verifier can take it for a host name */
function issueLeaf(
  ca: WebKey,
  subject: string,
  point: Uint8Array,
  names: readonly string[],
  serial: Uint8Array,
  now: Instant,
): ServerLeaf {
  const from = now - DAY_MS
  const until = from + LEAF_DAYS * DAY_MS
  const certificate = issue(ca, {
    serial: Uint8Array.from(serial, (byte, i) => (i === 0 ? (byte & 0x7f) | 0x40 : byte)),
    issuer: webCaName(ca),
    from,
    until,
    name: distinguishedName(subject),
    point,
    extensions: [
      extension(OID.keyUsage, true, DIGITAL_SIGNATURE),
      extension(OID.extendedKeyUsage, false, sequence(OID.serverAuth)),
      extension(WEB_OID.subjectAltName, false, sequence(...names.map(generalName))),
      extension(WEB_OID.authorityKeyIdentifier, false, sequence(der(0x80, keyIdentifier(ca.point)))),
    ],
  })
  return { certificate, from, until }
}

interface WebSubject {
  readonly serial: Uint8Array
  readonly issuer: Uint8Array
  readonly from: Instant
  readonly until: Instant
  readonly name: Uint8Array
  readonly point: Uint8Array
  readonly extensions: readonly Uint8Array[]
}

function issue(ca: WebKey, subject: WebSubject): Uint8Array {
  const signed = sequence(
    VERSION_3,
    integer(subject.serial),
    ECDSA,
    subject.issuer,
    sequence(time(subject.from), time(subject.until)),
    subject.name,
    sequence(sequence(WEB_OID.ecPublicKey, WEB_OID.prime256v1), bitString(subject.point)),
    context(3, sequence(...subject.extensions)),
  )
  const signature = Uint8Array.from(sign('sha256', signed, ca.key))
  return sequence(signed, ECDSA, bitString(signature))
}

/** `shallot web ` and the first 8 bytes of the key's x in hex. */
function webCaName(ca: WebKey): Uint8Array {
  return distinguishedName(`shallot web ${toHex(ca.point.subarray(1, 9))}`)
}

/** RFC 7093 §2 (1): the first 160 bits of the SHA-256 of the point. */
function keyIdentifier(point: Uint8Array): Uint8Array {
  return Uint8Array.from(hash('sha256', point, 'buffer').subarray(0, 20))
}

function localSubtrees(): Uint8Array[] {
  const names = LOCAL_NAMES.map((name) => der(DNS_NAME, utf8(name)))
  const networks = LOCAL_NETWORKS.map((network) => der(IP_ADDRESS, Uint8Array.fromHex(network)))
  return [...names, ...networks].map((base) => sequence(base))
}

/** A peer's address as the CA may name it: loopback, link-local or private; undefined for any other. */
export function localAddress(address: string): string | undefined {
  const plain = address.split('%')[0]!.replace(/^::ffff:(?=\d+\.)/, '')
  const bytes = toHex(plain.includes(':') ? ipv6(plain) : ipv4(plain))
  return LOCAL_NETWORKS.some((network) => isWithin(bytes, network)) ? plain : undefined
}

/** @param network  address and mask, in hex like `address` */
function isWithin(address: string, network: string): boolean {
  if (network.length !== address.length * 2) return false
  const number = (hex: string) => BigInt(`0x${hex}`)
  const [base, mask] = [network.slice(0, address.length), network.slice(address.length)]
  return (number(address) & number(mask)) === number(base)
}

function generalName(name: string): Uint8Array {
  if (/^\d+(\.\d+){3}$/.test(name)) return der(IP_ADDRESS, ipv4(name))
  return name.includes(':') ? der(IP_ADDRESS, ipv6(name)) : der(DNS_NAME, utf8(name))
}

function ipv4(text: string): Uint8Array {
  const numbers = text.split('.').map(Number)
  assert(
    numbers.every((number) => number < 256),
    `${text} is no IPv4 address`,
  )
  return Uint8Array.from(numbers)
}

/** Eight groups from the textual forms of RFC 4291 §2.2; a zone is not part of the address. */
function ipv6(text: string): Uint8Array {
  const plain = text.split('%')[0]!
  const dotted = /^(.*:)(\d+(?:\.\d+){3})$/.exec(plain)
  const tail = dotted ? ipv4(dotted[2]!) : new Uint8Array(0)
  const [before = '', after, ...more] = (dotted ? dotted[1]!.replace(/([^:]):$/, '$1') : plain).split('::')
  const front = groupBytes(before)
  const back = concat(groupBytes(after ?? ''), tail)
  const gap = 16 - front.length - back.length
  assert(more.length === 0 && (after === undefined ? gap === 0 : gap > 0), `${text} is no IPv6 address`)
  return concat(front, new Uint8Array(gap), back)
}

function groupBytes(groups: string): Uint8Array {
  const hex = groups === '' ? [] : groups.split(':')
  assert(
    hex.every((group) => /^[0-9a-f]{1,4}$/i.test(group)),
    `${groups} are no IPv6 groups`,
  )
  return Uint8Array.fromHex(hex.map((group) => group.padStart(4, '0')).join(''))
}
