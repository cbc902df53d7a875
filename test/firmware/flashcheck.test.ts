// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OFFENCE_STATUS } from '../../scripts/emulator.ts'
import { startFirmware } from '../support/firmware.ts'

const OFFENCES = {
  byte: 'narrow load from flash: load of 1 bytes',
  half: 'narrow load from flash: load of 2 bytes',
  outside: 'outside of our memory: load of 4 bytes',
  store: 'not writable: store of 4 bytes',
}

describe('the flash check', () => {
  for (const [what, words] of Object.entries(OFFENCES))
    it(`ends the emulator at: ${words}`, async () => {
      await using firmware = await startFirmware({ port: 'qemu', program: 'offence' })
      firmware.say(what)
      assert.equal(await firmware.exited, OFFENCE_STATUS)
      assert.match(firmware.lines.join('\n'), new RegExp(`^flashcheck: ${words}`, 'm'))
      assert.ok(!firmware.lines.includes(`${what} ok`))
    })

  for (const what of ['outside', 'store'] as const)
    it(`ends the ESP32-C3’s emulator at: ${OFFENCES[what]}`, async () => {
      await using firmware = await startFirmware({ port: 'rv32', program: 'offence' })
      firmware.say(what)
      assert.equal(await firmware.exited, OFFENCE_STATUS)
      assert.match(firmware.lines.join('\n'), new RegExp(`^flashcheck: ${OFFENCES[what]}`, 'm'))
    })

  it('lets an ESP32-C3 read single bytes from flash', async () => {
    await using firmware = await startFirmware({ port: 'rv32', program: 'offence' })
    firmware.say('byte')
    await firmware.line(/^byte ok$/)
    assert.equal(await firmware.exited, 0)
  })

  it('lets a whole word be read from flash', async () => {
    await using firmware = await startFirmware({ port: 'qemu', program: 'offence' })
    firmware.say('word')
    await firmware.line(/^word ok$/)
    assert.equal(await firmware.exited, 0)
    assert.match(firmware.lines.join('\n'), /^flashcheck: ok /m)
  })
})

describe('the sanitize port', () => {
  it('ends at an unaligned load, which the emulator does silently', async () => {
    await using firmware = await startFirmware({ port: 'sanitize', program: 'offence' })
    firmware.say('unaligned')
    assert.notEqual(await firmware.exited, 0)
    assert.match(firmware.lines.join('\n'), /load of misaligned address/)
    assert.ok(!firmware.lines.includes('unaligned ok'))
  })
})
