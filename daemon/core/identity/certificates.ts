// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The certificates of the device link (SPEC 6.2): keys enter, DER leaves; a peer's DER enters, its proven key leaves.
 *
 * Always true: the same CA key gives the same CA bytes; what is issued here passes the checks made here; a check answers
 * with a key only when every rule of SPEC 6.2 holds. Written on our own strict DER, because certificate libraries accept
 * BER, sign through asynchronous WebCrypto keys only, and could not sign with a key held in a chip.
 * Absent on purpose: path building. A leaf is signed by a CA that we hold, or it is nothing.
 */
import type { Code } from '../../../schemas/gen/ts/codes.ts'
import {
  CERTIFICATE_BYTES_MAX,
  CSR_BYTES_MAX,
  DEVICE_CERTIFICATE_DAYS,
  SIGNATURE_BYTES,
} from '../../../schemas/gen/ts/wire.ts'
import { equal, toHex } from '../../base/bytes.ts'
import type { Instant } from '../../base/clock.ts'
import { no, type Verdict, yes } from '../../base/error.ts'
import { type Ed25519, isSoundPoint, isSoundSignature, type Signer } from '../envelope/ed25519.ts'
import { idOf } from '../model/ids.ts'
import {
  bitString,
  context,
  DerFault,
  DerReader,
  integer,
  octetString,
  oid,
  readBits,
  readBoolean,
  readTime,
  sequence,
  set,
  TAG,
  TRUE,
  time,
  utf8String,
} from './der.ts'

export type CertificateCode = Extract<Code, 'certificate-profile' | 'expired'>
export type HubLeafCode = Extract<Code, 'tls-profile' | 'tls-bad-chain' | 'tls-expired'>
export type Role = 'device' | 'hub'

export const OID = {
  commonName: oid('550403'),
  ed25519: oid('2b6570'),
  keyUsage: oid('551d0f'),
  basicConstraints: oid('551d13'),
  extendedKeyUsage: oid('551d25'),
  serverAuth: oid('2b06010505070301'),
  clientAuth: oid('2b06010505070302'),
} as const

const ED25519 = sequence(OID.ed25519)
export const VERSION_3 = context(0, integer(Uint8Array.of(2)))
/** BIT STRINGs of named bits (RFC 5280 §4.2.1.3): digitalSignature is bit 0, keyCertSign bit 5. */
export const DIGITAL_SIGNATURE = Uint8Array.of(TAG.bitString, 2, 7, 0x80)
export const KEY_CERT_SIGN = Uint8Array.of(TAG.bitString, 2, 2, 0x04)
const NOT_A_CA = sequence()
const PURPOSE: Record<Role, Uint8Array> = { device: OID.clientAuth, hub: OID.serverAuth }

/** 2025-01-01T00:00:00Z and 9999-12-31T23:59:59Z: what never expires is dated like this (RFC 5280 §4.1.2.5). */
export const ALWAYS_FROM: Instant = 1_735_689_600_000
export const FOR_EVER: Instant = 253_402_300_799_000
export const DAY_MS = 86_400_000

/** Name of the CA with this key: `shallot device ` or `shallot hub ` and the first 8 bytes of the key in hex. */
export function caName(role: Role, key: Uint8Array): string {
  return `shallot ${role} ${toHex(key.subarray(0, 8))}`
}

/** One RDN with the commonName as UTF8String. */
export function distinguishedName(commonName: string): Uint8Array {
  return sequence(set(sequence(OID.commonName, utf8String(commonName))))
}

export function extension(id: Uint8Array, critical: boolean, value: Uint8Array): Uint8Array {
  return critical ? sequence(id, TRUE, octetString(value)) : sequence(id, octetString(value))
}

function subjectPublicKeyInfo(key: Uint8Array): Uint8Array {
  return sequence(ED25519, bitString(key))
}

interface Subject {
  readonly serial: Uint8Array
  readonly issuer: Uint8Array
  readonly from: Instant
  readonly until: Instant
  readonly name: Uint8Array
  readonly key: Uint8Array
  readonly extensions: readonly Uint8Array[]
}

function sign(subject: Subject, signer: Signer): Uint8Array {
  const signed = sequence(
    VERSION_3,
    integer(subject.serial),
    ED25519,
    subject.issuer,
    sequence(time(subject.from), time(subject.until)),
    subject.name,
    subjectPublicKeyInfo(subject.key),
    context(3, sequence(...subject.extensions)),
  )
  return sequence(signed, ED25519, bitString(signer.sign(signed)))
}

/** The self-signed certificate of a CA, DER: a function of its key alone, so that a restored home has the same. */
export function caCertificate(role: Role, ca: Signer): Uint8Array {
  const name = distinguishedName(caName(role, ca.key))
  const pathLengthZero = sequence(TRUE, integer(Uint8Array.of(0)))
  return sign(
    {
      serial: Uint8Array.of(1),
      issuer: name,
      from: ALWAYS_FROM,
      until: FOR_EVER,
      name,
      key: ca.key,
      extensions: [
        extension(OID.basicConstraints, true, pathLengthZero),
        extension(OID.keyUsage, true, KEY_CERT_SIGN),
      ],
    },
    ca,
  )
}

/**
 * A device's certificate, DER, about 320 bytes: a year long, from a day ago in case clocks differ.
 * @param key     the device's public key, proven by its CSR (`readCsr`)
 * @param serial  8 random bytes
 */
export function deviceLeaf(ca: Signer, key: Uint8Array, serial: Uint8Array, now: Instant): Uint8Array {
  const from = now - DAY_MS
  return leaf('device', ca, key, serial, from, from + DEVICE_CERTIFICATE_DAYS * DAY_MS)
}

/** The hub's certificate on the device link, DER: as long-lived as its CA, which devices pin. */
export function hubLeaf(ca: Signer, key: Uint8Array, serial: Uint8Array): Uint8Array {
  return leaf('hub', ca, key, serial, ALWAYS_FROM, FOR_EVER)
}

function leaf(role: Role, ca: Signer, key: Uint8Array, serial: Uint8Array, from: Instant, until: Instant) {
  return sign(
    {
      // The top bit off and the next on: a positive number of full length, whatever was drawn.
      serial: Uint8Array.from(serial, (byte, i) => (i === 0 ? (byte & 0x7f) | 0x40 : byte)),
      issuer: distinguishedName(caName(role, ca.key)),
      from,
      until,
      name: distinguishedName(idOf(key)),
      key,
      extensions: [
        extension(OID.keyUsage, true, DIGITAL_SIGNATURE),
        extension(OID.extendedKeyUsage, false, sequence(PURPOSE[role])),
      ],
    },
    ca,
  )
}

/** A PKCS #10 request (RFC 2986) for the signer's own key, DER, without attributes: what a device asks with. */
export function writeCsr(signer: Signer): Uint8Array {
  const signed = sequence(
    integer(Uint8Array.of(0)),
    distinguishedName(idOf(signer.key)),
    subjectPublicKeyInfo(signer.key),
    context(0),
  )
  return sequence(signed, ED25519, bitString(signer.sign(signed)))
}

/** The key that a request asks for and has signed with. Its subject and attributes are not believed, so not read. */
export function readCsr(bytes: Uint8Array, ed25519: Ed25519): Verdict<Uint8Array, 'bad-csr'> {
  if (bytes.length > CSR_BYTES_MAX) return no('bad-csr', 'too long')
  return strictly('bad-csr', () => {
    const { signed, signature } = readSigned(bytes)
    const request = new DerReader(signed).inside(TAG.sequence)
    requireBytes(request.whole(TAG.integer), integer(Uint8Array.of(0)), 'version')
    request.contents(TAG.sequence)
    const key = readKey(request)
    request.contents(0xa0)
    request.end()
    if (!verifies(ed25519, key, signed, signature)) throw new DerFault('signature')
    return key
  })
}

/**
 * Checks a device's leaf against SPEC 6.2, every rule and the signature.
 * @param caKeys  public keys of the device CAs, current and next
 * @returns the device's key; `expired` when all else holds and its last day is over
 */
export function checkDeviceLeaf(
  bytes: Uint8Array,
  caKeys: readonly Uint8Array[],
  now: Instant,
  ed25519: Ed25519,
): Verdict<Uint8Array, CertificateCode> {
  const leaf = readDeviceLeaf(bytes, caKeys, ed25519)
  if (!leaf.ok) return leaf
  const { key, from, until } = leaf.value
  if (now < from) return no('certificate-profile', 'not valid yet')
  if (now > until) return no('expired')
  return yes(key)
}

/** What a device's leaf says when every rule of SPEC 6.2 but its dates holds. */
export interface DeviceLeaf {
  readonly key: Uint8Array
  /** The key of the CA that signed it. */
  readonly ca: Uint8Array
  readonly from: Instant
  readonly until: Instant
}

/** The same without a look at the clock: what has ended is still good for a renewal (SPEC 6.7). */
export function readDeviceLeaf(
  bytes: Uint8Array,
  caKeys: readonly Uint8Array[],
  ed25519: Ed25519,
): Verdict<DeviceLeaf, 'certificate-profile'> {
  const leaf = readLeaf('device', bytes)
  if (!leaf.ok) return no('certificate-profile', leaf.detail)
  const ca = signerOf('device', leaf.value, caKeys, ed25519)
  if (!ca.ok) return no('certificate-profile', ca.detail)
  const { key, from, until } = leaf.value
  return yes({ key, ca: ca.value, from, until })
}

/**
 * The same for a hub's leaf, as a device checks it. When it begins is not looked at: the time is the hub's own (SPEC 3.4).
 * @param now  0: not known, and its end is not looked at either
 */
export function checkHubLeaf(
  bytes: Uint8Array,
  caKeys: readonly Uint8Array[],
  now: Instant,
  ed25519: Ed25519,
): Verdict<Uint8Array, HubLeafCode> {
  const leaf = readHubLeaf(bytes)
  if (!leaf.ok) return leaf
  const ca = signerOf('hub', leaf.value, caKeys, ed25519)
  if (!ca.ok) return no('tls-bad-chain', ca.detail)
  return now > leaf.value.until ? no('tls-expired') : yes(leaf.value.key)
}

/** What a hub's leaf says, by the rules of SPEC 6.2 that take no other key to hold: neither signature nor dates are judged. */
export function readHubLeaf(bytes: Uint8Array): Verdict<Leaf, 'tls-profile'> {
  const leaf = readLeaf('hub', bytes)
  return leaf.ok ? leaf : no('tls-profile', leaf.detail)
}

/** The key of the CA among these that signed it. */
function signerOf(
  role: Role,
  { issuer, signed, signature }: Leaf,
  caKeys: readonly Uint8Array[],
  ed25519: Ed25519,
): Verdict<Uint8Array, 'unsigned'> {
  const ca = caKeys.find((each) => equal(issuer, distinguishedName(caName(role, each))))
  if (!ca) return no('unsigned', 'issuer')
  return verifies(ed25519, ca, signed, signature) ? yes(ca) : no('unsigned', 'signature')
}

export interface Leaf {
  readonly key: Uint8Array
  readonly issuer: Uint8Array
  readonly from: Instant
  readonly until: Instant
  readonly signed: Uint8Array
  readonly signature: Uint8Array
}

function readLeaf(role: Role, bytes: Uint8Array): Verdict<Leaf, 'profile'> {
  if (bytes.length > CERTIFICATE_BYTES_MAX) return no('profile', 'too long')
  return strictly('profile', () => readStrictly(role, bytes))
}

function readStrictly(role: Role, bytes: Uint8Array): Leaf {
  const { signed, signature } = readSigned(bytes)
  if (signature.length !== SIGNATURE_BYTES) throw new DerFault('signature of another size')
  const fields = new DerReader(signed).inside(TAG.sequence)
  requireBytes(fields.whole(0xa0), VERSION_3, 'version')
  checkSerial(fields.contents(TAG.integer))
  requireBytes(fields.whole(TAG.sequence), ED25519, 'algorithm')
  const issuer = fields.whole(TAG.sequence)
  const validity = fields.inside(TAG.sequence)
  const [from, until] = [readTime(validity), readTime(validity)]
  validity.end()
  const subject = fields.whole(TAG.sequence)
  const key = readKey(fields)
  requireBytes(subject, distinguishedName(idOf(key)), 'subject')
  const extensions = fields.inside(0xa3)
  checkExtensions(extensions.inside(TAG.sequence), role)
  extensions.end()
  fields.end()
  return { key, issuer, from, until, signed, signature }
}

/** SIGNED{…} of X.509 with Ed25519 and nothing behind it. */
function readSigned(bytes: Uint8Array): { signed: Uint8Array; signature: Uint8Array } {
  const outer = new DerReader(bytes)
  const parts = outer.inside(TAG.sequence)
  outer.end()
  const signed = parts.whole(TAG.sequence)
  requireBytes(parts.whole(TAG.sequence), ED25519, 'algorithm')
  const signature = readBits(parts)
  parts.end()
  return { signed, signature }
}

function readKey(reader: DerReader): Uint8Array {
  const info = reader.inside(TAG.sequence)
  requireBytes(info.whole(TAG.sequence), ED25519, 'kind of key')
  const key = readBits(info)
  info.end()
  if (!isSoundPoint(key)) throw new DerFault('unsound key')
  return Uint8Array.from(key)
}

/** Positive, shortest form, at most 20 octets (RFC 5280 §4.1.2.2). */
function checkSerial(serial: Uint8Array): void {
  const [first = 0x80, second = 0x80] = serial
  const padded = first === 0 && second < 0x80
  if (serial.length > 20 || first >= 0x80 || padded || serial.every((byte) => byte === 0))
    throw new DerFault('serial')
}

function checkExtensions(list: DerReader, role: Role): void {
  const seen = new Set<string>()
  while (!list.atEnd) {
    const item = list.inside(TAG.sequence)
    const id = item.whole(TAG.oid)
    const critical = item.nextIs(TAG.boolean) && readCritical(item)
    const value = item.contents(TAG.octetString)
    item.end()
    if (seen.has(toHex(id))) throw new DerFault('extension twice')
    seen.add(toHex(id))
    checkExtension(id, critical, value, role)
  }
  if (!seen.has(toHex(OID.extendedKeyUsage))) throw new DerFault('no extended key usage')
}

/** DER leaves out a value that is the default, so FALSE may not be written. */
function readCritical(item: DerReader): true {
  if (!readBoolean(item)) throw new DerFault('default written out')
  return true
}

function checkExtension(id: Uint8Array, critical: boolean, value: Uint8Array, role: Role): void {
  if (equal(id, OID.extendedKeyUsage)) requireBytes(value, sequence(PURPOSE[role]), 'extended key usage')
  else if (equal(id, OID.keyUsage)) requireBytes(value, DIGITAL_SIGNATURE, 'key usage')
  else if (equal(id, OID.basicConstraints)) requireBytes(value, NOT_A_CA, 'basic constraints')
  else if (critical) throw new DerFault('unknown critical extension')
}

function requireBytes(found: Uint8Array, wanted: Uint8Array, what: string): void {
  if (!equal(found, wanted)) throw new DerFault(what)
}

function verifies(ed25519: Ed25519, key: Uint8Array, signed: Uint8Array, signature: Uint8Array): boolean {
  return isSoundSignature(signature) && ed25519.verify(key, signed, signature)
}

function strictly<T, Why extends string>(why: Why, read: () => T): Verdict<T, Why> {
  try {
    return yes(read())
  } catch (fault) {
    if (!(fault instanceof DerFault)) throw fault
    return no(why, fault.message)
  }
}

/** PEM (RFC 7468), for the places that take nothing else. */
export function toPem(label: 'CERTIFICATE' | 'PRIVATE KEY', bytes: Uint8Array): string {
  const lines = bytes.toBase64().match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

/** An Ed25519 seed as PKCS #8 (RFC 8410 §7) in PEM, as TLS wants it. */
export function privateKeyPem(seed: Uint8Array): string {
  return toPem('PRIVATE KEY', sequence(integer(Uint8Array.of(0)), ED25519, octetString(octetString(seed))))
}
