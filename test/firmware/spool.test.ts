// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { describe, it } from 'node:test'
import { type Firmware, startFirmware } from '../support/firmware.ts'
import { type FirmwareHome, openFirmwareHome, until } from '../support/firmware-home.ts'

const TEMPERATURE = 3

const spooled = (firmware: Firmware): number =>
  readdirSync(firmware.directory).filter((name) => /^spool-\d\d$/.test(name)).length

/** Temperatures in the order in which they arrived, with their times. */
const temperatures = (home: FirmwareHome) =>
  home.home.desk.readings.flatMap(({ body }) =>
    body.values.filter(({ affordance }) => affordance === TEMPERATURE),
  )

/** A port that the hub can have again after it was away. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return port
}

describe('readings taken without a hub', { concurrency: 2 }, () => {
  for (const port of ['sanitize', 'qemu'] as const) {
    it(`survive power cuts at every write, ${port}`, async () => {
      await using check = await startFirmware({ port, program: 'spool-check' })
      await check.line(/^end$/)
      assert.deepEqual(
        check.lines.filter((line) => line.startsWith('FAILED')),
        [],
      )
      assert.equal(check.lines.filter((line) => line.startsWith('ok ')).length, 19)
    })

    it(`outlive the device's own power cut, and arrive in order with their true times, ${port}`, async () => {
      await using home = await openFirmwareHome({ port: await freePort() })
      const weather = (value: number) => `sht3x temperature=${value} humidity=45`
      const world = { 'i2c-44': weather(10) }
      await using firmware = await startFirmware({ port, program: 'weather', world })
      firmware.say(home.code('garden'))
      await until('a first reading', () => temperatures(home).at(-1))
      const cutOffAt = Date.now()
      await home.home.link[Symbol.asyncDispose]()
      await firmware.line(/^link ended/)
      let value = 10
      while (spooled(firmware) < 2) {
        value += 1
        firmware.connect('i2c-44', weather(value))
        await new Promise((resolve) => setTimeout(resolve, 1200))
        assert.ok(value < 60, 'it keeps what it measures')
      }
      await firmware.kill()
      const backAt = Date.now()
      const { directory } = firmware
      await using _again = await home.home.restart()
      await using again = await startFirmware({ port, program: 'weather', directory })
      await again.line(/^connected/)
      await until('the spool to be empty', () => (spooled(again) === 0 ? true : undefined))
      const kept = temperatures(home).filter(({ at }) => at > cutOffAt + 2000 && at < backAt)
      assert.ok(kept.length >= 12, `${kept.length} are there`)
      assert.deepEqual(
        kept.map((sample) => sample.at),
        kept.map((sample) => sample.at).toSorted((a, b) => a - b),
        'in order',
      )
      assert.equal(new Set(kept.map((sample) => sample.value)).size, kept.length, 'each once')
    })
  }

  it('of another home are not taken along', async () => {
    await using home = await openFirmwareHome()
    const world = { 'i2c-44': 'sht3x temperature=10 humidity=45' }
    await using firmware = await startFirmware({ port: 'sanitize', program: 'weather', world })
    firmware.say(home.code('garden'))
    await firmware.line(/^connected/)
    await firmware.kill()
    await using other = await openFirmwareHome()
    const blobs = { 'spool-00': Buffer.alloc(300, 1), 'spool-63': Buffer.alloc(10) }
    const { directory } = firmware
    await using again = await startFirmware({ port: 'sanitize', program: 'weather', directory, blobs, world })
    await again.line(/^connected/)
    assert.equal(spooled(again), 0, 'noise is thrown away')
    await home.home.link[Symbol.asyncDispose]()
    await again.line(/^link ended/)
    again.say(other.code('garden'))
    await until('a reading in the new home', () => temperatures(other).at(-1))
  })
})
