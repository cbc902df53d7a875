// SPDX-License-Identifier: GPL-3.0-or-later
import 'reflect-metadata'
import assert from 'node:assert/strict'
import { webcrypto, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { connect, createServer, type TLSSocket } from 'node:tls'
import * as x509 from '@peculiar/x509'
import { toPem } from '../../../daemon/core/identity/certificates.ts'
import {
  localAddress,
  serverLeaf,
  webCaCertificate,
  webKey,
  webLeaf,
  webScalar,
} from '../../../daemon/core/identity/web-certificates.ts'
import { CERTIFICATE_BYTES_MAX } from '../../../schemas/gen/ts/wire.ts'

const NOW = Date.now()
const DAY = 86_400_000
const scalar = (n: number) => webScalar(new Uint8Array(48).fill(n))
const ca = webKey(scalar(1))
const leafKey = webKey(scalar(2))
const SERIAL = new Uint8Array(16).fill(7)
const leafFor = (...names: string[]) => webLeaf(ca, leafKey, names, SERIAL, NOW)
const pemOf = (der: Uint8Array) => toPem('CERTIFICATE', der)

/** Opens TLS on loopback under this CA and asks for this name; the code of the refusal, or 'accepted'. */
async function browse(caPem: string, leaf: { cert: string; key: string }, name: string): Promise<string> {
  const server = createServer(leaf, (socket) => socket.end()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const socket: TLSSocket = connect({ host: name, port, ca: caPem, lookup: toLoopback })
  try {
    await once(socket, 'secureConnect')
    return 'accepted'
  } catch (error) {
    const { code, message } = error as { code: string; message: string }
    return code === 'UNSPECIFIED' ? message : code
  } finally {
    socket.destroy()
    server.close()
  }
}

const toLoopback = ((_name: string, options: { all?: boolean }, answer: (...args: unknown[]) => void) =>
  options.all ? answer(null, [{ address: '127.0.0.1', family: 4 }]) : answer(null, '127.0.0.1', 4)) as never

describe('the web CA [SPEC 5, 9.1]', () => {
  it('a leaf for a local name is accepted by a TLS client that trusts the CA', async () => {
    for (const name of ['localhost', 'hub.local', 'hub.home.arpa'])
      assert.equal(await browse(pemOf(webCaCertificate(ca)), leafFor(name), name), 'accepted')
  })

  it('a leaf for a loopback address is accepted', async () => {
    assert.equal(
      await browse(pemOf(webCaCertificate(ca)), leafFor('127.0.0.1', '::1'), '127.0.0.1'),
      'accepted',
    )
  })

  it('a copy made again from the same scalar trusts the leaf too', async () => {
    const again = webCaCertificate(webKey(scalar(1)))
    assert.equal(await browse(pemOf(again), leafFor('localhost'), 'localhost'), 'accepted')
    assert.deepEqual(new X509Certificate(again).publicKey.export({ format: 'jwk' }), publicJwk())
  })

  function publicJwk() {
    return new X509Certificate(webCaCertificate(ca)).publicKey.export({ format: 'jwk' })
  }

  for (const name of ['example.com', 'local.example.com', 'notlocalhost'])
    it(`its leaf for ${name} is refused, whoever trusts the CA`, async () => {
      const code = await browse(pemOf(webCaCertificate(ca)), leafFor(name), name)
      assert.equal(code, 'permitted subtree violation')
    })

  it('its leaf for a public address is refused, even where a local name is asked for', async () => {
    for (const address of ['8.8.8.8', '2001:db8::1'])
      assert.equal(
        await browse(pemOf(webCaCertificate(ca)), leafFor('localhost', address), 'localhost'),
        'permitted subtree violation',
      )
  })

  it('a leaf of another CA is refused', async () => {
    const other = pemOf(webCaCertificate(webKey(scalar(3))))
    assert.equal(await browse(other, leafFor('localhost'), 'localhost'), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE')
  })

  it('a leaf of another CA that takes the name of ours is refused', async () => {
    const impostor = { ...webKey(scalar(3)), point: ca.point }
    const leaf = webLeaf(impostor, leafKey, ['localhost'], SERIAL, NOW)
    assert.equal(await browse(pemOf(webCaCertificate(ca)), leaf, 'localhost'), 'CERT_SIGNATURE_FAILURE')
  })

  it('a name that the leaf does not have is refused', async () => {
    const code = await browse(pemOf(webCaCertificate(ca)), leafFor('localhost'), 'hub.local')
    assert.equal(code, 'ERR_TLS_CERT_ALTNAME_INVALID')
  })
})

describe('webLeaf()', () => {
  const leaf = new X509Certificate(leafFor('hub.local', '192.168.1.2', 'fd00::1:2', '::ffff:10.0.0.1').cert)

  it('holds for a year from the day before, for servers, and is no CA', () => {
    assert.equal(Date.parse(leaf.validTo) - Date.parse(leaf.validFrom), 365 * DAY)
    assert.ok(Date.parse(leaf.validFrom) < NOW)
    assert.deepEqual(leaf.keyUsage, ['1.3.6.1.5.5.7.3.1'])
    assert.equal(leaf.ca, false)
  })

  it('carries its names in every textual form of an address', () => {
    for (const ip of ['192.168.1.2', 'fd00::1:2', '::ffff:10.0.0.1']) assert.equal(leaf.checkIP(ip), ip)
    assert.equal(leaf.checkHost('hub.local'), 'hub.local')
  })

  for (const name of ['300.1.1.1', ':::', '1:2:3:4:5:6:7', '1::2::3', '12345::', 'g::1'])
    it(`does not issue for ${name}`, () => {
      assert.throws(() => leafFor(name), { name: 'AssertionError' })
    })
})

describe('webScalar() [FIPS 186-5 A.2.1]', () => {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
  const asBytes = (n: bigint) => Uint8Array.fromHex(n.toString(16).padStart(96, '0'))

  it('is at least one', () => assert.equal(BigInt(`0x${webScalar(asBytes(0n)).toHex()}`), 1n))
  it('is less than the order', () => {
    assert.equal(BigInt(`0x${webScalar(asBytes(order - 2n)).toHex()}`), order - 1n)
    assert.equal(BigInt(`0x${webScalar(asBytes(order - 1n)).toHex()}`), 1n)
  })
})

describe('the certificate of a device’s own server [SPEC 18.2]', () => {
  const certificateOf = (...names: string[]) => serverLeaf(ca, leafKey.point, names, SERIAL, NOW)!
  const serve = (certificate: Uint8Array) => ({
    cert: pemOf(certificate),
    key: leafKey.key.export({ format: 'pem', type: 'pkcs8' }).toString(),
  })

  it('is accepted for its name by a TLS client that trusts the web CA, and for no other', async () => {
    const leaf = serve(certificateOf('0123456789abcdef.local', '192.168.1.77').certificate)
    const caPem = pemOf(webCaCertificate(ca))
    assert.equal(await browse(caPem, leaf, '0123456789abcdef.local'), 'accepted')
    assert.equal(await browse(caPem, leaf, 'fedcba9876543210.local'), 'ERR_TLS_CERT_ALTNAME_INVALID')
    assert.equal(await browse(caPem, leaf, 'localhost'), 'ERR_TLS_CERT_ALTNAME_INVALID')
  })

  it('is a server’s, no CA’s, of 365 days, and fits the wire, as another reader has it', async () => {
    const { certificate, from, until } = certificateOf(
      '0123456789abcdef.local',
      'fd00:1111:2222:3333:4444:5555:6666:7777',
    )
    assert.ok(certificate.length <= CERTIFICATE_BYTES_MAX, `${certificate.length} bytes`)
    const read = new x509.X509Certificate(Uint8Array.from(certificate))
    assert.deepEqual(
      [+read.notBefore, +read.notAfter],
      [from, until].map((at) => Math.floor(at / 1000) * 1000),
    )
    assert.equal((until - from) / DAY, 365)
    assert.deepEqual([...read.getExtension(x509.ExtendedKeyUsageExtension)!.usages], ['1.3.6.1.5.5.7.3.1'])
    assert.equal(read.getExtension(x509.KeyUsagesExtension)?.usages, x509.KeyUsageFlags.digitalSignature)
    assert.equal(read.getExtension(x509.BasicConstraintsExtension), null)
    assert.equal(new X509Certificate(certificate).ca, false)
    const issuer = new x509.X509Certificate(Uint8Array.from(webCaCertificate(ca)))
    assert.ok(await read.verify({ publicKey: issuer, date: new Date(NOW) }, webcrypto as never))
  })

  const point = leafKey.point
  for (const [what, bytes] of [
    ['a point that is not on the curve', Uint8Array.from(point, (byte, i) => (i === 64 ? byte ^ 1 : byte))],
    ['the point at infinity', Uint8Array.of(0)],
    ['a compressed point', Uint8Array.of(2 + (point[64]! & 1), ...point.subarray(1, 33))],
    ['a hybrid point', Uint8Array.from(point, (byte, i) => (i === 0 ? 6 + (point[64]! & 1) : byte))],
    ['a coordinate beyond the field', Uint8Array.of(4, ...new Uint8Array(64).fill(0xff))],
    ['zeros', new Uint8Array(65)],
  ] as const)
    it(`is not made for ${what}`, () => {
      assert.equal(serverLeaf(ca, bytes, ['0123456789abcdef.local'], SERIAL, NOW), undefined)
    })

  it('names an address only where the CA may', () => {
    const near = [
      '127.0.0.1',
      '10.1.2.3',
      '172.31.0.1',
      '192.168.0.1',
      '169.254.1.1',
      '::1',
      'fd00::1',
      'fe80::1',
    ]
    for (const address of near) assert.equal(localAddress(address), address)
    for (const address of ['8.8.8.8', '172.32.0.1', '192.169.0.1', '::2', '2001:db8::1', '::ffff:8.8.8.8'])
      assert.equal(localAddress(address), undefined)
    assert.equal(localAddress('::ffff:192.168.0.1'), '192.168.0.1')
    assert.equal(localAddress('fe80::1%wlan0'), 'fe80::1')
  })
})
