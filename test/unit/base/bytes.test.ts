// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  concat,
  equal,
  fromBase32,
  fromBase64url,
  fromHex,
  toBase32,
  toBase64url,
  toHex,
} from '../../../daemon/base/bytes.ts'

const bytes = fc.uint8Array({ maxLength: 80 })

for (const [name, write, read] of [
  ['hex', toHex, fromHex],
  ['base64url', toBase64url, fromBase64url],
  ['base32', toBase32, fromBase32],
] as const) {
  test(`${name} gives back any bytes`, () => {
    fc.assert(fc.property(bytes, (value) => assert.deepEqual(read(write(value)), value)))
  })

  test(`${name} reads text only as what writes it again`, () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii', maxLength: 40 }), (text) => {
        const value = read(text)
        if (value !== undefined) assert.equal(write(value), name === 'base64url' ? text : text.toLowerCase())
      }),
    )
  })
}

const refused: [string, (text: string) => Uint8Array | undefined, readonly string[]][] = [
  ['fromHex', fromHex, ['0', 'abc', 'g0', '0x00', ' 00', '00 ', '0\n']],
  [
    'fromBase64url',
    fromBase64url,
    ['A', 'AAAAA', 'AA=', 'AA==', 'A+', 'A/', ' AA', 'AB', 'AAB', 'AA\n', 'Ä'],
  ],
  ['fromBase32', fromBase32, ['0', '1', '8', 'a=', 'a', 'ab', 'aaa', 'aaaaaa', ' aa', 'ab=====', 'ſa']],
]
for (const [name, read, texts] of refused) {
  for (const text of texts) {
    test(`${name}() refuses ${JSON.stringify(text)}`, () => assert.equal(read(text), undefined))
  }
}

test('equal() is false for another length, another byte and a beginning', () => {
  const value = Uint8Array.of(1, 2, 3)
  assert(equal(value, Uint8Array.of(1, 2, 3)) && equal(new Uint8Array(), new Uint8Array()))
  for (const other of [[1, 2], [1, 2, 4], [0, 2, 3], [1, 2, 3, 0], []]) {
    assert.equal(equal(value, Uint8Array.from(other)), false)
  }
})

test('concat() copies, so that a later change of a part changes nothing', () => {
  const part = Uint8Array.of(1, 2)
  const whole = concat(part, new Uint8Array(), Uint8Array.of(3))
  part[0] = 9
  assert.deepEqual(whole, Uint8Array.of(1, 2, 3))
})
