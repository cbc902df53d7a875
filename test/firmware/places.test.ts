// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { systemClock } from '../../daemon/base/clock.ts'
import { Log } from '../../daemon/base/log.ts'
import { openDiscovery } from '../../daemon/edge/discovery/index.ts'
import type { Port } from '../../scripts/firmware.ts'
import { type Firmware, type FirmwareOptions, startFirmware } from '../support/firmware.ts'
import { type FirmwareHome, openFirmwareHome, until } from '../support/firmware-home.ts'

const HOST = '127.0.0.1'

/** A port that a hub can have, now or later. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST)
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return port
}

/** Where questions to the LAN go and nobody answers. */
async function openSilence(): Promise<{ readonly asked: () => number } & AsyncDisposable> {
  const socket = createSocket('udp4')
  let asked = 0
  socket.on('message', () => {
    asked++
  })
  await new Promise<void>((bound) => socket.bind(0, HOST, bound))
  process.env.SHALLOT_MDNS = `${HOST}:${socket.address().port}`
  return {
    asked: () => asked,
    [Symbol.asyncDispose]: () => new Promise<void>((closed) => socket.close(closed)),
  }
}

interface Told {
  port: number
  places: { host: string; port: number }[]
}

const open = (port: Port, more: Partial<FirmwareOptions> = {}): Promise<Firmware> =>
  startFirmware({ port, program: 'porch-light', ...more })

async function enrolled(home: FirmwareHome, port: Port): Promise<Firmware> {
  const firmware = await open(port)
  firmware.say(home.code('porch'))
  await firmware.line(/^connected$/)
  await until('the list on flash', () => (existsSync(join(firmware.directory, 'places')) ? true : undefined))
  return firmware
}

const hellos = (home: FirmwareHome, count: number) =>
  until(`hello number ${count}`, () => (home.home.desk.hellos.length >= count ? true : undefined))

describe('a device whose hub is where the hub said that it may be [SPEC 16.5]', () => {
  for (const port of ['sanitize', 'qemu'] as const)
    it(`looks there when nobody on the LAN answers, and knows it from then on, ${port}`, async () => {
      await using silence = await openSilence()
      const [first, later, closed] = [await freePort(), await freePort(), await freePort()]
      const told: Told = {
        port: first,
        places: [
          { host: HOST, port: closed },
          { host: HOST, port: later },
        ],
      }
      const home = await openFirmwareHome(told)
      await using firmware = await enrolled(home, port)
      told.port = later
      await using _again = await home.home.restart()
      await firmware.line(/^hub tried elsewhere$/)
      await firmware.line(/^connected/)
      await firmware.line(/^hub moved$/)
      assert.ok(silence.asked() > 0, 'the LAN was asked first')
      await hellos(home, 2)
      await firmware.kill()
      await using reborn = await open(port, { directory: firmware.directory })
      await reborn.line(/^connected/)
      assert.ok(!reborn.lines.includes('hub tried elsewhere'), 'it was written down')
    })

  it('asks the LAN before it looks there', async () => {
    const [first, later, closed] = [await freePort(), await freePort(), await freePort()]
    const told: Told = { port: first, places: [{ host: HOST, port: closed }] }
    const home = await openFirmwareHome(told)
    await using discovery = await openDiscovery(
      { clock: systemClock, log: new Log(systemClock, () => {}) },
      {
        root: home.home.root.key,
        port: later,
        addresses: () => [HOST],
        listen: { host: HOST, port: 0 },
      },
      new AbortController().signal,
    )
    process.env.SHALLOT_MDNS = `${HOST}:${discovery.port}`
    await using firmware = await enrolled(home, 'sanitize')
    told.port = later
    await using _again = await home.home.restart()
    await firmware.line(/^hub moved$/)
    assert.ok(!firmware.lines.includes('hub tried elsewhere'))
  })

  it('takes no other home’s hub there, and comes back to where the hub was', async () => {
    await using _silence = await openSilence()
    await using stranger = await openFirmwareHome()
    const told: Told = { port: await freePort(), places: [{ host: HOST, port: stranger.home.link.port }] }
    const home = await openFirmwareHome(told)
    await using firmware = await enrolled(home, 'sanitize')
    await home.home.link[Symbol.asyncDispose]()
    await firmware.line(/^hub tried elsewhere$/)
    await firmware.line(/^link ended -221$/)
    assert.equal(stranger.home.desk.hellos.length, 0)
    await using _again = await home.home.restart()
    await firmware.line(/^connected/)
    await hellos(home, 2)
  })

  it('resolves no names, and goes on to the next place', async () => {
    await using _silence = await openSilence()
    const [first, later] = [await freePort(), await freePort()]
    const names = ['localhost', 'hub.local'].map((host) => ({ host, port: later }))
    const told: Told = { port: first, places: [...names, { host: HOST, port: later }] }
    const home = await openFirmwareHome(told)
    await using firmware = await enrolled(home, 'sanitize')
    told.port = later
    await using _again = await home.home.restart()
    await firmware.line(/^hub moved$/)
    const tries = firmware.lines.filter((line) => line === 'hub tried elsewhere')
    assert.equal(tries.length, 3, 'both names were tried in vain')
  })

  it('forgets the list of before when it hears another, and writes no list twice', async () => {
    const told: Told = { port: await freePort(), places: [{ host: HOST, port: 1 }] }
    const home = await openFirmwareHome(told)
    await using firmware = await enrolled(home, 'sanitize')
    const path = join(firmware.directory, 'places')
    const before = statSync(path).mtimeMs
    await using again = await home.home.restart()
    await hellos(home, 2)
    await firmware.line(/^connected/)
    assert.equal(statSync(path).mtimeMs, before)
    told.places = [{ host: '192.0.2.7', port: 65_535 }]
    await using _third = await again.restart()
    await until('the new list', () => (readFileSync(path).includes('192.0.2.7') ? true : undefined))
  })

  const spoiled: readonly (readonly [string, (list: Buffer) => Buffer])[] = [
    ['cut', (list) => list.subarray(0, -1)],
    ['flipped in its address', (list) => flipped(list, 9)],
    ['noise', () => Buffer.alloc(600, 0x5a)],
  ]
  for (const [what, spoil] of spoiled)
    it(`makes nothing of a list that is ${what}, and has a whole one again after the next welcome`, async () => {
      await using _silence = await openSilence()
      const [first, later] = [await freePort(), await freePort()]
      const told: Told = { port: first, places: [{ host: HOST, port: later }] }
      const home = await openFirmwareHome(told)
      await using firmware = await enrolled(home, 'sanitize')
      await firmware.kill()
      const path = join(firmware.directory, 'places')
      const whole = readFileSync(path)
      writeFileSync(path, spoil(whole))
      await home.home.link[Symbol.asyncDispose]()
      await using reborn = await open('sanitize', { directory: firmware.directory })
      await reborn.line(/^link ended -303$/)
      await reborn.line(/^link ended -303$/)
      assert.ok(!reborn.lines.includes('hub tried elsewhere'))
      await using _again = await home.home.restart()
      await reborn.line(/^connected/)
      await until('a whole list', () => (readFileSync(path).equals(whole) ? true : undefined))
    })
})

function flipped(list: Buffer, at: number): Buffer {
  const spoiled = Buffer.from(list)
  spoiled[at]! ^= 1
  return spoiled
}
