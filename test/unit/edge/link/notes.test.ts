// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Cbor, encodeCbor } from '../../../../daemon/core/envelope/index.ts'
import { readGot, readWanted } from '../../../../daemon/edge/link/notes.ts'

const DIGEST = new Uint8Array(8).fill(7)

describe('what a device says of an image [SPEC 15.4]', () => {
  it('is its manifest, how much is there, and why it is over', () => {
    assert.deepEqual(readWanted(encodeCbor([DIGEST, 512, 0])), { digest: DIGEST, offset: 512, code: 'ok' })
    assert.equal(readWanted(encodeCbor([DIGEST, 0, 347]))?.code, 'image-digest')
  })

  for (const [what, note] of [
    ['a digest of 7 bytes', [DIGEST.subarray(1), 0, 0]],
    ['a digest of 9 bytes', [new Uint8Array(9), 0, 0]],
    ['a digest as text', ['01234567', 0, 0]],
    ['a place before the beginning', [DIGEST, -1, 0]],
    ['a place beyond any image', [DIGEST, 4_194_305, 0]],
    ['a place as bytes', [DIGEST, DIGEST, 0]],
    ['a code that there is not', [DIGEST, 0, 99_999]],
    ['a code below 0', [DIGEST, 0, -347]],
    ['two members', [DIGEST, 0]],
    ['four members', [DIGEST, 0, 0, 0]],
    ['a chunk, which only hubs send', [1, 0, DIGEST]],
  ] as [string, Cbor[]][])
    it(`is not ${what}`, () => {
      assert.equal(readWanted(encodeCbor(note)), undefined)
      assert.equal(readGot(encodeCbor(note)), undefined)
    })

  it('is nothing with bytes behind it', () => {
    assert.equal(readWanted(Uint8Array.of(...encodeCbor([DIGEST, 0, 0]), 0)), undefined)
  })
})
