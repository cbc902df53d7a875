// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemRandom } from '../../../../daemon/base/random.ts'
import { Secret } from '../../../../daemon/base/secret.ts'
import { hubLeaf } from '../../../../daemon/core/identity/certificates.ts'
import { Fronts } from '../../../../daemon/edge/link/fronts.ts'
import { ed25519, signerOf } from '../../../support/link-home.ts'

const SEED = new Secret(new Uint8Array(32).fill(5))
const KEY = ed25519.signer(SEED.reveal()).key
const [FIRST, SECOND, THIRD] = [1, 2, 3].map((n) => hubLeaf(signerOf(n), KEY, systemRandom.bytes(8))) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
]
const [HERE, THERE] = ['192.0.2.1', '192.0.2.2']

const open = (...others: Uint8Array[]) =>
  new Fronts(
    SEED,
    { hubLeaf: FIRST, otherLeaves: others, deviceCas: [signerOf(9)], otherDeviceCas: [signerOf(8).key] },
    { secured: () => {}, failed: () => {} },
  )

describe('what the hub shows of itself [SPEC 16.3]', () => {
  it('is the first leaf, to everybody', () => {
    const fronts = open(SECOND)
    assert.deepEqual([fronts.of(HERE).leaf, fronts.of(THERE).leaf], [FIRST, FIRST])
  })

  it('is the next leaf for an address that refused one, and for no other', () => {
    const fronts = open(SECOND, THIRD)
    fronts.refused(HERE)
    assert.deepEqual([fronts.of(HERE).leaf, fronts.of(THERE).leaf], [SECOND, FIRST])
    fronts.refused(HERE)
    assert.equal(fronts.of(HERE).leaf, THIRD)
  })

  it('begins again when all were refused', () => {
    const fronts = open(SECOND)
    for (let times = 0; times < 2; times++) fronts.refused(HERE)
    assert.equal(fronts.of(HERE).leaf, FIRST)
  })

  it('is the first leaf again for who got in', () => {
    const fronts = open(SECOND, THIRD)
    fronts.refused(HERE)
    fronts.taken(HERE)
    assert.equal(fronts.of(HERE).leaf, FIRST)
  })

  it('is remembered for a bounded number of addresses', () => {
    const fronts = open(SECOND)
    fronts.refused(HERE)
    for (let n = 0; n < 1024; n++) fronts.refused(`10.0.${n >> 8}.${n & 255}`)
    assert.equal(fronts.of(HERE).leaf, FIRST)
    assert.equal(fronts.of('10.0.3.255').leaf, SECOND)
  })

  it('is by a TLS server of its own for each leaf, so that no ticket outlives its leaf', () => {
    const fronts = open(SECOND)
    const { server } = fronts.of(HERE)
    fronts.refused(HERE)
    assert.notEqual(fronts.of(HERE).server, server)
  })

  it('takes certificates of CAs that issue no more', () => {
    assert.deepEqual(open().caKeys, [signerOf(9).key, signerOf(8).key])
  })
})
