// SPDX-License-Identifier: GPL-3.0-or-later
/** A picture's whole way: a real camera's firmware, a real daemon, the command line that writes the file. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { type LiveDevice, type LiveHome, openLiveHome } from '../support/home.ts'

let home: LiveHome
let camera: LiveDevice
before(async () => {
  home = await openLiveHome({ linkPort: 25590 })
  camera = await home.enrol('gate', 'camera')
})
after(async () => {
  await camera?.[Symbol.asyncDispose]()
  await home?.[Symbol.asyncDispose]()
})

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('base64url')

suite('a picture of a device that is there', () => {
  test('is taken, verified and written by the command line', async () => {
    const said = await home.done(['look', 'gate', '--out', 'one.jpg'])
    const { file, size, digest } = said.picture as Record<string, unknown>
    const jpeg = readFileSync(join(home.place, String(file)))
    assert.deepEqual([jpeg.length, sha256(jpeg)], [size, digest])
    assert.deepEqual(
      [jpeg.subarray(0, 2).toString('hex'), jpeg.subarray(-2).toString('hex')],
      ['ffd8', 'ffd9'],
    )
  })
})
