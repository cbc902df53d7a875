// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Secret } from '../../../daemon/base/secret.ts'
import {
  keyProof,
  matchDigits,
  type PhoneCode,
  pairKeys,
  readHomeCode,
  readPhoneCode,
  writePhoneCode,
} from '../../../daemon/core/identity/index.ts'
import * as page from '../../../daemon/web/phone-code.ts'

const bytes = (fill: number, size = 32) => new Uint8Array(size).fill(fill)
const CODE: PhoneCode = {
  root: bytes(1),
  onion: bytes(2),
  secret: new Secret(bytes(3, 16)),
  clientKey: new Secret(bytes(4)),
  lan: ['https://192.168.1.5:8443'],
  webCa: bytes(5),
}

suite('phone codes [SPEC 13.3]', () => {
  test('are read as they were written, with and without what may be absent', () => {
    const whole = readPhoneCode(writePhoneCode(CODE).reveal())
    assert.ok(whole.ok)
    const { secret, clientKey, ...rest } = whole.value
    assert.deepEqual(rest, { root: CODE.root, onion: CODE.onion, lan: CODE.lan, webCa: CODE.webCa })
    assert.deepEqual([secret.reveal(), clientKey?.reveal()], [bytes(3, 16), bytes(4)])
    const { root, onion } = CODE
    const bare = readPhoneCode(writePhoneCode({ root, onion, secret: CODE.secret, lan: [] }).reveal())
    assert.ok(bare.ok)
    assert.deepEqual(Object.keys(bare.value).sort(), ['lan', 'onion', 'root', 'secret'])
  })

  test('a page reads the same from it, and both make the same proofs and digits of it', () => {
    const read = page.readPhoneCode(writePhoneCode(CODE).reveal())
    assert.ok(read.ok)
    const key = bytes(7)
    const proof = page.provePhone(read.value, key)
    const keys = pairKeys(CODE.secret)
    assert.deepEqual(proof.pairing, keys.pairing)
    assert.deepEqual(proof.proofForHub, keyProof(keys.hubProofKey, key))
    assert.deepEqual(proof.proofForOwner, keyProof(keys.ownerProofKey, key))
    assert.equal(proof.match, matchDigits(keys.ownerProofKey, key))
    assert.match(proof.match, /^\d{6}$/)
  })

  test('one that a page wrote is read here', () => {
    const text = page.writePhoneCode({ root: CODE.root, secret: bytes(3, 16) }, CODE.onion, CODE.lan)
    const read = readPhoneCode(text)
    assert.ok(read.ok)
    assert.deepEqual([read.value.onion, read.value.lan], [CODE.onion, CODE.lan])
  })

  const text = writePhoneCode(CODE).reveal()
  for (const [what, damaged] of [
    ['nothing', ''],
    ['another kind of code', text.replace('phone', 'home')],
    ['a character less', text.slice(0, -1)],
    ['a character more', `${text}A`],
    ['a character changed', text.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))],
    ['a character that is none', `${text.slice(0, -1)}!`],
    ['far too long', text + 'A'.repeat(1024)],
    ['members of the wrong size', writePhoneCode({ ...CODE, root: bytes(1, 31) }).reveal()],
    ['a secret that is too short', writePhoneCode({ ...CODE, secret: new Secret(bytes(3, 15)) }).reveal()],
    ['a pin that is no hash', writePhoneCode({ ...CODE, webCa: bytes(5, 33) }).reveal()],
  ] as const) {
    test(`refuses ${what}`, () =>
      assert.deepEqual(readPhoneCode(damaged), { ok: false, why: 'code-damaged' }))
  }

  test('is no home code', () => assert.equal(readHomeCode(text).ok, false))
})

test('other keys have other digits', () => {
  const { ownerProofKey } = pairKeys(CODE.secret)
  const digits = Array.from({ length: 50 }, (_, at) => matchDigits(ownerProofKey, bytes(at)))
  assert.ok(new Set(digits).size > 48)
})
