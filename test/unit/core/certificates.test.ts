// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { generateKeyPairSync, sign as nodeSign, X509Certificate } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { concat } from '../../../daemon/base/bytes.ts'
import { nativeEd25519, type Signer } from '../../../daemon/core/envelope/index.ts'
import {
  caCertificate,
  caName,
  checkDeviceLeaf,
  checkHubLeaf,
  deviceLeaf,
  distinguishedName,
  extension,
  hubLeaf,
  readCsr,
  toPem,
  writeCsr,
} from '../../../daemon/core/identity/certificates.ts'
import {
  bitString,
  context,
  der,
  integer,
  oid,
  sequence,
  set,
  TAG,
  TRUE,
  time,
  utf8String,
} from '../../../daemon/core/identity/der.ts'
import { idOf } from '../../../daemon/core/model/index.ts'

const ed25519 = nativeEd25519()
const party = (n: number): Signer => ed25519.signer(new Uint8Array(32).fill(n))
const [ca, nextCa, device, hub, stranger] = [1, 2, 3, 4, 5].map(party) as [
  Signer,
  Signer,
  Signer,
  Signer,
  Signer,
]
const NOW = 1_795_000_000_000
const DAY = 86_400_000
const SERIAL = Uint8Array.of(0x41, 2, 3, 4, 5, 6, 7, 8)
const CAS = [ca.key, nextCa.key]

const ED25519 = sequence(oid('2b6570'))
const EKU = oid('551d25')
const CLIENT_AUTH = oid('2b06010505070302')
const SERVER_AUTH = oid('2b06010505070301')
const ANY_EKU = oid('551d2500')
const keyUsage = (bits: string) => extension(oid('551d0f'), true, Uint8Array.fromHex(bits))
const eku = (...purposes: Uint8Array[]) => extension(EKU, false, sequence(...purposes))
const basic = (...items: Uint8Array[]) => extension(oid('551d13'), true, sequence(...items))
const spki = (key: Uint8Array) => sequence(ED25519, bitString(key))
const v = (n: number) => context(0, integer(Uint8Array.of(n)))

interface Forged {
  version?: Uint8Array
  serial?: Uint8Array
  algorithm?: Uint8Array
  outerAlgorithm?: Uint8Array
  issuer?: Uint8Array
  validity?: Uint8Array
  subject?: Uint8Array
  key?: Uint8Array
  behindKey?: Uint8Array
  extensions?: readonly Uint8Array[]
  signer?: Signer
  signature?: (signed: Uint8Array) => Uint8Array
}

/** A leaf as our CA issues it, but for what is given. */
function forge(spoilt: Forged = {}): Uint8Array {
  const extensions = spoilt.extensions ?? [keyUsage('03020780'), eku(CLIENT_AUTH)]
  const signed = sequence(
    spoilt.version ?? v(2),
    spoilt.serial ?? integer(SERIAL),
    spoilt.algorithm ?? ED25519,
    spoilt.issuer ?? distinguishedName(caName('device', ca.key)),
    spoilt.validity ?? sequence(time(NOW - DAY), time(NOW + DAY)),
    spoilt.subject ?? distinguishedName(idOf(device.key)),
    spoilt.key ?? spki(device.key),
    spoilt.behindKey ?? new Uint8Array(0),
    extensions.length > 0 ? context(3, sequence(...extensions)) : new Uint8Array(0),
  )
  const signature = spoilt.signature?.(signed) ?? (spoilt.signer ?? ca).sign(signed)
  return sequence(signed, spoilt.outerAlgorithm ?? ED25519, bitString(signature))
}

const check = (leaf: Uint8Array, now = NOW) => checkDeviceLeaf(leaf, CAS, now, ed25519)

describe('checkDeviceLeaf() accepts [SPEC 6.2]', () => {
  const accepted: Record<string, Uint8Array> = {
    'what deviceLeaf() issues': deviceLeaf(ca, device.key, SERIAL, NOW),
    'what the next CA issues': deviceLeaf(nextCa, device.key, SERIAL, NOW),
    'the forger’s leaf when nothing is spoilt': forge(),
    'no keyUsage': forge({ extensions: [eku(CLIENT_AUTH)] }),
    'basicConstraints that say no CA': forge({ extensions: [basic(), eku(CLIENT_AUTH)] }),
    'an unknown extension that is not critical': forge({
      extensions: [eku(CLIENT_AUTH), extension(oid('551d63'), false, integer(Uint8Array.of(1)))],
    }),
  }
  for (const [what, leaf] of Object.entries(accepted))
    it(what, () => assert.deepEqual(check(leaf), { ok: true, value: device.key }))
})

const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 })
const spkiOf = (key: typeof p256.publicKey) => Uint8Array.from(key.export({ format: 'der', type: 'spki' }))
const smallOrder = new Uint8Array(32)
const notCanonical = Uint8Array.from(new Uint8Array(32).fill(0xff), (byte, i) => (i === 31 ? 0x7f : byte))
const intermediate = party(9)

const refused: Record<string, Uint8Array> = {
  'a CA': forge({ extensions: [basic(TRUE), eku(CLIENT_AUTH)] }),
  'a CA with a path length': forge({
    extensions: [basic(TRUE, integer(Uint8Array.of(0))), eku(CLIENT_AUTH)],
  }),
  'FALSE written out, which DER forbids': forge({
    extensions: [basic(der(TAG.boolean, Uint8Array.of(0))), eku(CLIENT_AUTH)],
  }),
  'X.509 version 1': forge({ version: new Uint8Array(0), extensions: [] }),
  'X.509 version 1 with extensions': forge({ version: new Uint8Array(0) }),
  'X.509 version 2': forge({ version: v(1) }),
  'no extensions': forge({ extensions: [] }),
  'no extended key usage': forge({ extensions: [keyUsage('03020780')] }),
  serverAuth: forge({ extensions: [eku(SERVER_AUTH)] }),
  'any extended key usage': forge({ extensions: [eku(ANY_EKU)] }),
  'client and server authentication': forge({ extensions: [eku(CLIENT_AUTH, SERVER_AUTH)] }),
  'clientAuth twice': forge({ extensions: [eku(CLIENT_AUTH, CLIENT_AUTH)] }),
  'an empty extended key usage': forge({ extensions: [eku()] }),
  'the extended key usage twice': forge({ extensions: [eku(CLIENT_AUTH), eku(CLIENT_AUTH)] }),
  keyCertSign: forge({ extensions: [keyUsage('03020204'), eku(CLIENT_AUTH)] }),
  'digitalSignature and keyCertSign': forge({ extensions: [keyUsage('03020284'), eku(CLIENT_AUTH)] }),
  'an unknown critical extension': forge({
    extensions: [eku(CLIENT_AUTH), extension(oid('551d63'), true, sequence())],
  }),
  'a name constraint': forge({ extensions: [eku(CLIENT_AUTH), extension(oid('551d1e'), true, sequence())] }),
  'a P-256 key': forge({ key: spkiOf(p256.publicKey) }),
  'an RSA key': forge({ key: spkiOf(rsa.publicKey) }),
  'a key of 31 bytes': forge({ key: spki(device.key.subarray(1)) }),
  'a key of 33 bytes': forge({ key: spki(concat(device.key, Uint8Array.of(0))) }),
  'a key of small order': forge({ key: spki(smallOrder), subject: distinguishedName(idOf(smallOrder)) }),
  'a key that is not canonical': forge({
    key: spki(notCanonical),
    subject: distinguishedName(idOf(notCanonical)),
  }),
  'another CA of the same name': forge({ signer: stranger }),
  'another CA with a name of its own': deviceLeaf(stranger, device.key, SERIAL, NOW),
  'the name of one of our CAs and the signature of the other': forge({ signer: nextCa }),
  'the name of the hub CA': forge({ issuer: distinguishedName(caName('hub', ca.key)) }),
  'a leaf under an intermediate that our CA signed': deviceLeaf(intermediate, device.key, SERIAL, NOW),
  'our CA itself': caCertificate('device', ca),
  'a hub’s leaf': hubLeaf(ca, device.key, SERIAL),
  'a self-signed leaf': forge({ signer: device, issuer: distinguishedName(idOf(device.key)) }),
  'an ECDSA signature': forge({
    algorithm: sequence(oid('2a8648ce3d040302')),
    outerAlgorithm: sequence(oid('2a8648ce3d040302')),
    signature: (signed) => Uint8Array.from(nodeSign('sha256', signed, p256.privateKey)),
  }),
  'two different algorithms inside and outside': forge({ outerAlgorithm: sequence(oid('2b6571')) }),
  'parameters behind the algorithm': forge({
    algorithm: sequence(oid('2b6570'), Uint8Array.of(5, 0)),
    outerAlgorithm: sequence(oid('2b6570'), Uint8Array.of(5, 0)),
  }),
  'a signature of 63 bytes': forge({ signature: (signed) => ca.sign(signed).subarray(1) }),
  'a signature with S + L': forge({ signature: (signed) => plusOrder(ca.sign(signed)) }),
  'the subject of somebody else': forge({ subject: distinguishedName(idOf(stranger.key)) }),
  'an empty subject': forge({ subject: sequence() }),
  'a subject of two names': forge({
    subject: sequence(commonName(idOf(device.key)), commonName(idOf(device.key))),
  }),
  'unique identifiers': forge({ behindKey: der(0x81, Uint8Array.of(0, 1)) }),
  'a negative serial number': forge({ serial: der(TAG.integer, Uint8Array.of(0x80)) }),
  'the serial number zero': forge({ serial: integer(Uint8Array.of(0)) }),
  'a serial number of 21 bytes': forge({ serial: integer(new Uint8Array(21).fill(1)) }),
  'a padded serial number': forge({ serial: der(TAG.integer, Uint8Array.of(0, 1)) }),
  'one that is not valid yet': forge({ validity: sequence(time(NOW + 1000), time(NOW + DAY)) }),
  'a date that does not exist': forge({
    validity: sequence(der(TAG.utcTime, new TextEncoder().encode('250230000000Z')), time(NOW + DAY)),
  }),
  'a leap second': forge({
    validity: sequence(der(TAG.utcTime, new TextEncoder().encode('251231235960Z')), time(NOW + DAY)),
  }),
  'GeneralizedTime before 2050': forge({
    validity: sequence(
      der(TAG.generalizedTime, new TextEncoder().encode('20250101000000Z')),
      time(NOW + DAY),
    ),
  }),
  'a date with an offset': forge({
    validity: sequence(der(TAG.utcTime, new TextEncoder().encode('2502010000+0100')), time(NOW + DAY)),
  }),
  'a byte behind it': concat(forge(), Uint8Array.of(0)),
  'a second certificate behind it': concat(forge(), forge()),
  nothing: new Uint8Array(0),
  'a length in a longer form than needed': longLength(forge()),
  'one of more than 512 bytes': forge({
    extensions: [eku(CLIENT_AUTH), extension(oid('551d63'), false, new Uint8Array(300))],
  }),
}

function commonName(text: string): Uint8Array {
  return set(sequence(oid('550403'), utf8String(text)))
}

/** The same point S on another spelling: S + L. */
function plusOrder(signature: Uint8Array): Uint8Array {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n
  const s = BigInt(`0x${Uint8Array.from(signature.subarray(32)).reverse().toHex()}`) + order
  const bytes = Uint8Array.fromHex(s.toString(16).padStart(64, '0')).reverse()
  return concat(signature.subarray(0, 32), bytes)
}

/** The outermost length as 0x83 00 xx xx instead of 0x82 xx xx. */
function longLength(leaf: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(leaf[0]!, 0x83, 0), leaf.subarray(2))
}

describe('checkDeviceLeaf() refuses as certificate-profile [SPEC 6.2]', () => {
  for (const [what, leaf] of Object.entries(refused))
    it(what, () => {
      const verdict = check(leaf)
      assert.equal(verdict.ok ? 'accepted' : verdict.why, 'certificate-profile')
    })

  it('a leaf under no CA at all', () => {
    assert.equal(checkDeviceLeaf(forge(), [], NOW, ed25519).ok, false)
  })

  it('a leaf that is cut off at any byte', () => {
    const leaf = forge()
    for (let size = 0; size < leaf.length; size++) assert.equal(check(leaf.subarray(0, size)).ok, false)
  })

  it('a leaf with any one bit turned', () => {
    const leaf = forge()
    for (let bit = 0; bit < leaf.length * 8; bit++) {
      const turned = Uint8Array.from(leaf)
      turned[bit >> 3]! ^= 1 << (bit & 7)
      assert.equal(check(turned).ok, false, `bit ${bit}`)
    }
  })

  it('random bytes, without a throw', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => !check(bytes).ok))
  })
})

describe('dates', () => {
  const leaf = deviceLeaf(ca, device.key, SERIAL, NOW)

  it('a device’s leaf holds for a year from the day before', () => {
    const { validFrom, validTo } = new X509Certificate(leaf)
    assert.equal(Date.parse(validFrom), NOW - DAY)
    assert.equal(Date.parse(validTo), NOW + 364 * DAY)
  })

  it('checkDeviceLeaf() takes it in its last second', () => {
    assert.equal(check(leaf, NOW + 364 * DAY).ok, true)
  })

  it('checkDeviceLeaf() says expired afterwards, and only of a leaf that was ours', () => {
    assert.deepEqual(check(leaf, NOW + 364 * DAY + 1), { ok: false, why: 'expired' })
    const foreign = check(deviceLeaf(stranger, device.key, SERIAL, NOW), NOW + 400 * DAY)
    assert.equal(foreign.ok ? '' : foreign.why, 'certificate-profile')
  })

  it('dates from 2050 are written as GeneralizedTime and read back', () => {
    const late = Date.UTC(2050, 0, 2)
    assert.equal(check(deviceLeaf(ca, device.key, SERIAL, late), late).ok, true)
  })
})

describe('certificates as OpenSSL sees them', () => {
  const caX509 = new X509Certificate(caCertificate('device', ca))
  const leaf = deviceLeaf(ca, device.key, SERIAL, NOW)

  it('the CA is one, for ever, and the same from the same key', () => {
    assert.equal(caX509.ca, true)
    assert.equal(caX509.subject, caName('device', ca.key).replace(/^/, 'CN='))
    assert.equal(Date.parse(caX509.validTo), Date.UTC(9999, 11, 31, 23, 59, 59))
    assert.deepEqual(caCertificate('device', party(1)), caCertificate('device', ca))
    assert.match(caX509.subject, /^CN=shallot device [0-9a-f]{16}$/)
  })

  it('the leaves verify under it and fit the link', () => {
    for (const each of [leaf, hubLeaf(ca, hub.key, SERIAL)]) {
      const x509 = new X509Certificate(each)
      assert.ok(x509.verify(caX509.publicKey))
      assert.equal(x509.ca, false)
      assert.ok(each.length < 330, `${each.length} bytes`)
    }
  })

  it('a serial is positive whatever was drawn', () => {
    for (const first of [0x00, 0x7f, 0x80, 0xff])
      assert.equal(check(deviceLeaf(ca, device.key, new Uint8Array(8).fill(first), NOW)).ok, true)
  })

  it('PEM is what OpenSSL writes', () => {
    assert.equal(toPem('CERTIFICATE', leaf), new X509Certificate(leaf).toString())
  })
})

describe('checkHubLeaf(), as a device looks at it [SPEC 6.2]', () => {
  const check = (leaf: Uint8Array, now = NOW, cas = CAS) => {
    const verdict = checkHubLeaf(leaf, cas, now, ed25519)
    return verdict.ok ? 'ok' : verdict.why
  }
  const dated = (from: number, until: number) =>
    forge({
      issuer: distinguishedName(caName('hub', ca.key)),
      validity: sequence(time(from), time(until)),
      extensions: [eku(SERVER_AUTH)],
    })

  it('accepts a hub’s leaf for ever', () => {
    assert.equal(check(hubLeaf(ca, hub.key, SERIAL), Date.UTC(9000, 0)), 'ok')
  })

  it('refuses as tls-profile a device’s leaf, and one that is none', () => {
    assert.equal(check(deviceLeaf(ca, hub.key, SERIAL, NOW)), 'tls-profile')
    assert.equal(check(new Uint8Array(9)), 'tls-profile')
  })

  it('refuses as tls-bad-chain what no CA signed that is pinned, whatever its name', () => {
    assert.equal(check(hubLeaf(stranger, hub.key, SERIAL)), 'tls-bad-chain')
    const renamed = { issuer: distinguishedName(caName('hub', ca.key)), extensions: [eku(SERVER_AUTH)] }
    assert.equal(check(forge(renamed)), 'ok')
    assert.equal(check(forge({ ...renamed, signer: stranger })), 'tls-bad-chain')
    assert.equal(check(hubLeaf(ca, hub.key, SERIAL), NOW, []), 'tls-bad-chain')
  })

  it('looks at its end when it knows the time, and at its beginning never', () => {
    assert.equal(check(dated(NOW - DAY, NOW)), 'ok')
    assert.equal(check(dated(NOW - DAY, NOW - 1000)), 'tls-expired')
    assert.equal(check(dated(NOW - DAY, NOW - 1000), 0), 'ok')
    assert.equal(check(dated(NOW + DAY, NOW + 2 * DAY)), 'ok')
  })
})

describe('readCsr() [SPEC 7.2]', () => {
  const csr = writeCsr(device)

  it('answers with the key that signed it, in under 384 bytes', () => {
    assert.deepEqual(readCsr(csr, ed25519), { ok: true, value: device.key })
    assert.ok(csr.length <= 384)
  })

  const spoilt: Record<string, Uint8Array> = {
    'a byte behind it': concat(csr, Uint8Array.of(0)),
    'a request of more than 384 bytes': concat(csr, new Uint8Array(384)),
    'a request that somebody else signed': forgeCsr(spki(device.key), stranger),
    'a request for a P-256 key': forgeCsr(spkiOf(p256.publicKey), device),
    'a request for a key of small order': forgeCsr(spki(smallOrder), device),
    'a certificate': forge(),
    nothing: new Uint8Array(0),
  }
  for (const [what, bytes] of Object.entries(spoilt))
    it(`refuses ${what}`, () => {
      const verdict = readCsr(bytes, ed25519)
      assert.equal(verdict.ok ? 'accepted' : verdict.why, 'bad-csr')
    })

  it('refuses it with any one bit turned', () => {
    for (let bit = 0; bit < csr.length * 8; bit++) {
      const turned = Uint8Array.from(csr)
      turned[bit >> 3]! ^= 1 << (bit & 7)
      assert.equal(readCsr(turned, ed25519).ok, false, `bit ${bit}`)
    }
  })
})

function forgeCsr(key: Uint8Array, signer: Signer): Uint8Array {
  const signed = sequence(integer(Uint8Array.of(0)), distinguishedName('x'), key, context(0))
  return sequence(signed, ED25519, bitString(signer.sign(signed)))
}
