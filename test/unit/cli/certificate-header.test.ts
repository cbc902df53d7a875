// SPDX-License-Identifier: GPL-3.0-or-later
/** `shallot cert header`: there and back is the same file, and a private key never slips through. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { convert } from '../../../daemon/cli/certificate-header.ts'
import { nativeEd25519 } from '../../../daemon/core/envelope/index.ts'
import { hubLeaf } from '../../../daemon/core/identity/certificates.ts'
import { Account } from './as-user.ts'

const signer = nativeEd25519().signer(new Uint8Array(32).fill(3))
const leaf = Buffer.from(hubLeaf(signer, signer.key, new Uint8Array(8).fill(1)))

function pem(label: string, der: Uint8Array): string {
  const rows = Buffer.from(der)
    .toString('base64')
    .match(/.{1,64}/g)!
  return `-----BEGIN ${label}-----\n${rows.join('\n')}\n-----END ${label}-----\n`
}

const certificate = pem('CERTIFICATE', leaf)
const ed = generateKeyPairSync('ed25519')
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const der = (key: KeyObject, type: 'spki' | 'pkcs8' | 'sec1' | 'pkcs1') =>
  Buffer.from(key.export({ format: 'der', type: type as 'pkcs8' }))
const locked = Buffer.from(
  ed.privateKey.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'x' }),
)
const PRIVATE: [string, Uint8Array | string][] = [
  ['PKCS #8, PEM', pem('PRIVATE KEY', der(ed.privateKey, 'pkcs8'))],
  ['PKCS #8, DER', der(ed.privateKey, 'pkcs8')],
  ['SEC 1, PEM', pem('EC PRIVATE KEY', der(ec.privateKey, 'sec1'))],
  ['SEC 1, DER', der(ec.privateKey, 'sec1')],
  ['PKCS #1, PEM', pem('RSA PRIVATE KEY', der(rsa.privateKey, 'pkcs1'))],
  ['PKCS #1, DER', der(rsa.privateKey, 'pkcs1')],
  ['encrypted PKCS #8, PEM', locked],
  ['a certificate and its key', certificate + pem('PRIVATE KEY', der(ed.privateKey, 'pkcs8'))],
]
const PUBLIC: [string, Uint8Array | string][] = [
  ['a certificate, PEM', certificate],
  ['a certificate, DER', leaf],
  ['a chain', certificate + certificate],
  ['a public key, PEM', pem('PUBLIC KEY', der(rsa.publicKey, 'spki'))],
  ['a public key, DER', der(ec.publicKey, 'spki')],
]

const bytesOf = (file: Uint8Array | string) => (typeof file === 'string' ? Buffer.from(file) : file)
const turn = (file: Uint8Array | string, privateKeys = false) =>
  convert(bytesOf(file), { name: 'ours', privateKeys })

function codeOf(file: Uint8Array | string, privateKeys = false): string {
  const turned = turn(file, privateKeys)
  return turned.ok ? 'ok' : turned.why
}

function headerOf(file: Uint8Array | string, privateKeys = false): string {
  const turned = turn(file, privateKeys)
  assert.ok(turned.ok && turned.value.to === 'header', JSON.stringify(turned))
  return Buffer.from(turned.value.bytes).toString()
}

describe('there and back', () => {
  for (const [what, file] of [...PUBLIC, ...PRIVATE])
    test(`${what} is the same, byte for byte`, () => {
      const isPrivate = PRIVATE.some(([name]) => name === what)
      const back = turn(headerOf(file, isPrivate), isPrivate)
      assert.ok(back.ok)
      assert.equal(back.value.isPrivate, isPrivate)
      assert.deepEqual(Buffer.from(back.value.bytes), Buffer.from(bytesOf(file)))
    })

  test('a C compiler finds those bytes in it', () => {
    const directory = mkdtempSync(join(tmpdir(), 'sh-header-'))
    const read = (...bytes: string[]) =>
      `#include <stdio.h>\n#include "ours.h"\nint main(void) { ${bytes.map((name) => `fwrite(${name}, 1, sizeof ${name}, stdout);`).join(' ')} return 0; }\n`
    writeFileSync(join(directory, 'ours.h'), headerOf(certificate + certificate))
    writeFileSync(join(directory, 'main.c'), read('ours_1', 'ours_2'))
    const flags = ['-std=c99', '-Wall', '-Wextra', '-Werror', '-pedantic']
    execFileSync('cc', [...flags, join(directory, 'main.c'), '-o', join(directory, 'main')])
    assert.deepEqual(execFileSync(join(directory, 'main')), Buffer.concat([leaf, leaf]))
    rmSync(directory, { recursive: true })
  })
})

describe('a private key', () => {
  for (const [what, file] of PRIVATE)
    test(`${what}: refused unless asked for, and out of its header too`, () => {
      assert.equal(codeOf(file), 'forbidden')
      assert.equal(codeOf(headerOf(file, true)), 'forbidden')
    })

  for (const label of ['CERTIFICATE', 'PUBLIC KEY', 'EC PRIVATE KEY'])
    test(`does not pass as ${label}`, () => {
      for (const privateKeys of [false, true]) {
        assert.equal(codeOf(pem(label, der(ed.privateKey, 'pkcs8')), privateKeys), 'bad-value')
      }
    })
})

describe('refused', () => {
  const many = certificate.repeat(9)
  const cases: [string, Uint8Array | string, string][] = [
    ['nothing', '', 'bad-value'],
    ['text', 'hello\n', 'bad-value'],
    ['noise', new Uint8Array(300).fill(0x30), 'bad-value'],
    ['a certificate with a byte behind it', Buffer.concat([leaf, Buffer.of(0)]), 'bad-value'],
    ['a certificate without its last byte', leaf.subarray(0, -1), 'bad-value'],
    ['an empty sequence', Buffer.of(0x30, 0), 'bad-value'],
    ['a length without end', Buffer.of(0x30, 0x80, 0, 0), 'bad-value'],
    [
      'a public key that says it is a certificate',
      pem('CERTIFICATE', der(ed.publicKey, 'spki')),
      'bad-value',
    ],
    ['a label of something else', pem('X509 CRL', leaf), 'bad-value'],
    ['line ends of Windows', certificate.replaceAll('\n', '\r\n'), 'bad-value'],
    ['words before it, as openssl -text has them', `Certificate:\n${certificate}`, 'bad-value'],
    ['words after it', `${certificate}bye\n`, 'bad-value'],
    ['no last line end', certificate.slice(0, -1), 'bad-value'],
    ['lines of 76', pem('CERTIFICATE', leaf).replace('\n', ''), 'bad-value'],
    ['an end of another block', certificate.replace('END CERTIFICATE', 'END PUBLIC KEY'), 'bad-value'],
    ['nine blocks', many, 'bad-value'],
    ['too much', Buffer.alloc(65_537, 0x41), 'too-large'],
    ['a header of somebody else', 'static const unsigned char ours_1[1] = { 0x00 };\n', 'bad-value'],
  ]
  for (const [what, file, code] of cases) test(what, () => assert.equal(codeOf(file), code))

  for (const [what, edit] of [
    ['a byte', (header: string) => header.replace('0x30,', '0x31,')],
    ['its length', (header: string) => header.replace(/\[\d+\]/, '[7]')],
    ['its form', (header: string) => header.replace('form: PEM', 'form: PAM')],
    ['a row more', (header: string) => header.replace('\n};', ',\n  0x00\n};')],
    ['code between', (header: string) => header.replace('#endif', 'int x;\n#endif')],
    ['another name', (header: string) => header.replace('ours_1[', 'mine_1[')],
  ] as const)
    test(`a header in which ${what} was changed`, () => {
      const header = headerOf(certificate)
      assert.notEqual(edit(header), header)
      assert.equal(codeOf(edit(header)), 'bad-value')
    })

  test('any flipped bit of a PEM file gives the same file back, or nothing', () => {
    fc.assert(
      fc.property(fc.nat(certificate.length * 8 - 1), (at) => {
        const file = Buffer.from(certificate)
        file[at >> 3]! ^= 1 << (at & 7)
        const turned = turn(file)
        if (!turned.ok) return
        const back = turn(Buffer.from(turned.value.bytes))
        assert.ok(back.ok)
        assert.deepEqual(Buffer.from(back.value.bytes), file)
      }),
    )
  })

  for (const name of ['', '1st', 'Ours', 'a-b', 'a b', 'a'.repeat(33), 'x;int'])
    test(`the name "${name}", which is none in C as we write it`, () => {
      assert.equal(convert(leaf, { name, privateKeys: false }).ok, false)
    })
})

describe('at the command line', () => {
  const account = new Account()
  const at = (name: string) => join(account.base, name)
  before(() => {
    writeFileSync(at('Home CA.pem'), certificate)
    writeFileSync(at('key.pem'), PRIVATE[0]![1])
  })
  after(() => account[Symbol.dispose]())
  const header = (...args: string[]) => account.jsonWithin(['cert', 'header', ...args])

  test('a file becomes a header that is named after it, and itself again', async () => {
    const there = await header('Home CA.pem', '--out', 'ca.h')
    assert.deepEqual([there.exit, there.said.form, there.said.private], [0, 'header', false])
    assert.match(readFileSync(at('ca.h'), 'utf8'), /unsigned char home_ca_1\[/)
    assert.equal((await header('ca.h', '--out', 'again.pem')).exit, 0)
    assert.equal(readFileSync(at('again.pem'), 'utf8'), certificate)
  })

  test('nothing is overwritten, and a refused file leaves nothing behind', async () => {
    writeFileSync(at('mine.h'), 'mine')
    const kept = await header('Home CA.pem', '--out', 'mine.h')
    assert.deepEqual([kept.exit, kept.said.code], [3, 'conflict'])
    assert.equal(readFileSync(at('mine.h'), 'utf8'), 'mine')
    const refused = await header('key.pem', '--out', 'key.h')
    assert.deepEqual([refused.exit, refused.said.code], [3, 'forbidden'])
    assert.match(refused.said.next as string, /--private-key/)
    assert.ok(!existsSync(at('key.h')))
    assert.deepEqual((await header('nothing.pem', '--out', 'x.h')).said.code, 'missing')
  })

  test('a private key that was asked for is written for its owner alone', async () => {
    assert.equal((await header('key.pem', '--out', 'key.h', '--private-key')).exit, 0)
    assert.equal(statSync(at('key.h')).mode & 0o777, 0o600)
    assert.equal((await header('key.h', '--out', 'back.pem', '--private-key')).exit, 0)
    assert.equal(statSync(at('back.pem')).mode & 0o777, 0o600)
    assert.equal(readFileSync(at('back.pem'), 'utf8'), PRIVATE[0]![1])
  })
})
