// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCode } from '../../../../daemon/base/error.ts'
import { Secret } from '../../../../daemon/base/secret.ts'
import { onionAddress } from '../../../../daemon/core/identity/index.ts'
import { onionKeyOf, parseAddress } from '../../../../daemon/edge/onion/address.ts'

/** RFC 8032 §7.1, test 1. */
const SEED = new Secret(
  Uint8Array.fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'),
)
const PUBLIC = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'
const ADDRESS = '25njqamcweflpvkl73j4szahhihoc4xt3ktcgjnpaingr5yhkenl5sid.onion'
/** Chosen by others, so that our derivation is not measured against itself. */
const PUBLISHED = '2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion'

const why = (text: string) => {
  const verdict = parseAddress(text)
  return verdict.ok ? 'ok' : verdict.why
}

test('onionKeyOf() derives the address of the RFC 8032 key', () => {
  assert.equal(onionKeyOf(SEED).address, onionAddress(Uint8Array.fromHex(PUBLIC)))
  assert.equal(onionKeyOf(SEED).address, ADDRESS)
})

test('onionKeyOf() expands the seed to 64 clamped bytes, since tor takes any', () => {
  const expanded = Uint8Array.fromBase64(onionKeyOf(SEED).expandedBase64())
  assert.equal(
    expanded.toHex(),
    '307c83864f2833cb427a2ef1c00a013cfdff2768d980c0a3a520f006904de94f' +
      '9b4f0afe280b746a778684e75442502057b7473a03f08f96f5a38e9287e01f8f',
  )
  assert.equal(expanded[0]! & 7, 0)
  assert.equal(expanded[31]! & 0xc0, 0x40)
})

test('onionKeyOf() refuses a seed of another length', () => {
  for (const length of [0, 31, 33, 64]) {
    assert.throws(
      () => onionKeyOf(new Secret(new Uint8Array(length))),
      (error) => isCode(error, 'bad-service'),
    )
  }
})

test('parseAddress() reads addresses that others published', () => {
  const verdict = parseAddress(PUBLISHED)
  assert.ok(verdict.ok)
  assert.equal(onionAddress(verdict.value.publicKey), PUBLISHED)
  assert.ok(parseAddress(ADDRESS).ok)
})

test('parseAddress() refuses one changed character, wherever it is', () => {
  const codes = new Set<string>()
  for (let i = 0; i < 56; i++) {
    const other = ADDRESS[i] === 'a' ? 'b' : 'a'
    codes.add(why(ADDRESS.slice(0, i) + other + ADDRESS.slice(i + 1)))
  }
  assert.deepEqual([...codes].sort(), ['bad-checksum', 'bad-version'])
})

test('parseAddress() refuses another version before it looks at the checksum', () => {
  assert.equal(why(`${ADDRESS.slice(0, 55)}e.onion`), 'bad-version')
})

test('parseAddress() refuses every other spelling of a right address', () => {
  const id = ADDRESS.slice(0, 56)
  for (const text of [
    '',
    id,
    ADDRESS.toUpperCase(),
    `A${ADDRESS.slice(1)}`,
    `${id.slice(1)}.onion`,
    `a${ADDRESS}`,
    `www.${ADDRESS}`,
    `${ADDRESS}.`,
    `${ADDRESS}:80`,
    `${ADDRESS}\n`,
    ` ${ADDRESS}`,
    `${id}.Onion`,
    `${id}.onion.example`,
    `${id.slice(0, 55)}0.onion`,
    `${id.slice(0, 55)}=.onion`,
    'expyuzz4wqqyqhjn.onion',
  ]) {
    assert.equal(why(text), 'not-onion', text)
  }
})
