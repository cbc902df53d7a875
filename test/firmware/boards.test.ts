// SPDX-License-Identifier: GPL-3.0-or-later
/** The boards' own headers cannot be had here: these ports are compiled, for every app, and run by nobody. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { buildBoards } from '../../scripts/firmware.ts'
import { startFirmware } from '../support/firmware.ts'

/** What is compiled for it; without an app the same pins and the same core as another. */
type Board = { own: string[]; app?: string }
const BOARDS = {
  esp8266: { own: ['esp8266/esp8266'], app: 'front-door' },
  'esp8266-slots': {
    own: ['esp8266', 'slots', 'chooser', 'program', 'words', 'mapped'].map((file) => `esp8266/${file}`),
  },
  esp32: { own: ['esp32/esp32', 'esp32/slots'], app: 'front-door' },
  esp32c3: { own: ['esp32/esp32', 'esp32/slots'], app: 'front-door' },
  esp32cam: { own: ['esp32/esp32', 'esp32/slots', 'esp32cam/capture'], app: 'camera' },
}

describe('the board ports, against declarations of their cores', () => {
  it('compile without a warning, and leave no call of port.h out', () => {
    const out = buildBoards()
    for (const [board, { own, app }] of Object.entries<Board>(BOARDS))
      for (const file of app ? [...own, 'arduino/arduino', `${app}/arduino/pins`] : own)
        assert.ok(existsSync(join(out, board, `${file}.o`)), `${board} ${file}`)
  })
})

describe('what the board ports know of Wiegand', () => {
  for (const port of ['sanitize', 'qemu', 'rv32'] as const)
    it(`holds on ${port}`, async () => {
      await using check = await startFirmware({ port, program: 'wiegand-check' })
      await check.line(/^end$/)
      assert.equal(await check.exited, 0, check.lines.join('\n'))
      assert.equal(check.lines.filter((line) => line.startsWith('ok ')).length, 11)
    })
})

describe('the camera of an ESP32-CAM, over a twin of Espressif’s driver [SPEC 19.1]', () => {
  for (const port of ['host', 'sanitize'] as const)
    it(`holds on ${port}`, async () => {
      await using check = await startFirmware({ port, program: 'camera-check' })
      await check.line(/^end$/)
      assert.equal(await check.exited, 0, check.lines.join('\n'))
      assert.equal(check.lines.filter((line) => line.startsWith('ok ')).length, 25)
    })
})
