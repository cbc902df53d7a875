// SPDX-License-Identifier: GPL-3.0-or-later
/** The boards' own headers cannot be had here: these ports are compiled, for every app, and run by nobody. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { buildBoards } from '../../scripts/firmware.ts'

const BOARDS = { esp8266: 'esp8266/esp8266', esp32: 'esp32/esp32', esp32c3: 'esp32/esp32' } as const

describe('the board ports, against declarations of their cores', () => {
  it('compile without a warning, and leave no call of port.h out', () => {
    const out = buildBoards()
    for (const [board, own] of Object.entries(BOARDS))
      for (const file of [own, 'arduino/arduino', 'arduino/pins'])
        assert.ok(existsSync(join(out, board, 'front-door', `${file}.o`)), `${board} ${file}`)
  })
})
