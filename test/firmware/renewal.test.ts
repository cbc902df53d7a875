// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { type Clock, systemClock } from '../../daemon/base/clock.ts'
import { systemRandom } from '../../daemon/base/random.ts'
import { deviceLeaf } from '../../daemon/core/identity/certificates.ts'
import type { Port } from '../../scripts/firmware.ts'
import { type Firmware, startFirmware } from '../support/firmware.ts'
import {
  codeName,
  command,
  type FirmwareHome,
  openFirmwareHome,
  signer,
  until,
} from '../support/firmware-home.ts'

const DAY = 86_400_000
/** Of a certificate, which is dated back by a day. */
const LIFE = 365 * DAY
const ON = 1
const TRIES_MAX = 60

/** The system's clock, set to some other date. */
class SetClock implements Clock {
  #ahead = 0
  now = () => systemClock.now() + this.#ahead
  monotonic = () => systemClock.monotonic()
  sleep: Clock['sleep'] = (ms, signal) => systemClock.sleep(ms, signal)
  every: Clock['every'] = (ms, call) => systemClock.every(ms, call)

  set(at: number): void {
    this.#ahead = at - systemClock.now()
  }

  pass(ms: number): void {
    this.#ahead += ms
  }
}

/** A port that a hub can have again and again. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return port
}

async function enrolled(home: FirmwareHome, port: Port): Promise<Firmware> {
  const firmware = await startFirmware({ port, program: 'porch-light' })
  firmware.say(home.code('porch'))
  await firmware.line(/^connected$/)
  return firmware
}

/** The device obeys in its latest session, by the home's own clock. */
async function obeys(home: FirmwareHome, clock: Clock, count: number): Promise<void> {
  const { id, hello } = await home.device('porch', count)
  const said: (string | undefined)[] = []
  // A clock that jumped is told within a second or two (SPEC 6.4), and until then the device has the time before.
  for (let tries = 0; tries < TRIES_MAX && said.at(-1) !== 'ok'; tries++) {
    const now = Math.floor(clock.now() / 1000)
    const time = { sealedAt: now, expiresAt: now + 30 }
    const order = command(hello, home.owner, { operation: 'write', affordance: ON, value: true }, time)
    said.push(codeName((await home.send(id, order)).body.code))
    if (said.at(-1) !== 'ok') await systemClock.sleep(250)
  }
  assert.equal(said.at(-1), 'ok', said.join(' '))
}

const identity = (firmware: Firmware): string =>
  readFileSync(join(firmware.directory, 'identity')).toString('hex')

describe('a certificate over its life', () => {
  for (const port of ['sanitize', 'qemu'] as const)
    it(`at 70 % it is renewed in the session, and the next connection shows the new one, ${port}`, async () => {
      const clock = new SetClock()
      await using home = await openFirmwareHome({ clock })
      await using firmware = await enrolled(home, port)
      const before = identity(firmware)
      clock.pass(0.7 * LIFE)
      await firmware.line(/^certificate renewed 0$/)
      assert.notEqual(identity(firmware), before)
      await obeys(home, clock, 1)
      clock.pass(0.2 * LIFE)
      home.home.link.drop((await home.device('porch')).id, 'superseded')
      assert.equal(await firmware.line(/^connected/), 'connected', 'the ticket spoke for the old one')
      await obeys(home, clock, 2)
      const renewals = firmware.lines.filter((line) => line.startsWith('certificate renewed'))
      assert.equal(renewals.length, 1, 'at 90 % of the old one, the new one is young')
    })

  for (const port of ['sanitize', 'qemu'] as const)
    for (const percent of [100, 130, 1000])
      it(`at ${percent} % a device that slept is rescued, ${port}`, async () => {
        const clock = new SetClock()
        await using home = await openFirmwareHome({ clock })
        const sleeper = await enrolled(home, port)
        await using _ = sleeper
        await sleeper.kill()
        clock.pass((percent / 100) * LIFE)
        const { directory } = sleeper
        await using firmware = await startFirmware({ port, program: 'porch-light', directory })
        await firmware.line(/^certificate renewed 0$/)
        await firmware.line(/^link ended -320$/)
        await firmware.line(/^connected$/)
        await obeys(home, clock, 2)
      })

  it('a device that slept past its end and was forgotten is not rescued', async () => {
    const clock = new SetClock()
    await using home = await openFirmwareHome({ clock })
    await using sleeper = await enrolled(home, 'sanitize')
    const { id } = await home.device('porch')
    await sleeper.kill()
    home.home.desk.forgotten.add(id)
    clock.pass(2 * LIFE)
    const { directory } = sleeper
    await using firmware = await startFirmware({ port: 'sanitize', program: 'porch-light', directory })
    await firmware.line(/^link ended -209$/)
    assert.ok(!firmware.lines.some((line) => line.startsWith('certificate renewed')))
  })

  for (const [what, at] of [
    ['1970', 86_400_000],
    ['2039', Date.UTC(2039, 0, 1)],
    ['2051', Date.UTC(2051, 5, 1)],
    ['2107', Date.UTC(2107, 0, 1)],
  ] as const)
    for (const port of ['sanitize', 'qemu'] as const)
      it(`a hub that thinks it is ${what} keeps its devices, and so does the time after, ${port}`, async () => {
        const clock = new SetClock()
        await using home = await openFirmwareHome({ clock })
        await using firmware = await enrolled(home, port)
        clock.set(at)
        home.home.link.drop((await home.device('porch')).id, 'superseded')
        await firmware.line(/^connected/)
        await until('a hello in that time', () => (home.home.desk.hellos.length >= 2 ? true : undefined))
        home.home.desk.letters = [home.ownerLetter(home.owner.key)]
        clock.set(systemClock.now())
        home.home.link.drop((await home.device('porch')).id, 'superseded')
        await firmware.line(/^connected/)
        await obeys(home, clock, home.home.desk.hellos.length)
      })
})

describe('a device with no time yet', () => {
  for (const [what, at] of [
    ['in 1970', 86_400_000],
    ['in the second after 2^31', 2 ** 31 * 1000],
    ['in the second after 2^32', 2 ** 32 * 1000],
    ['in 2500', Date.UTC(2500, 0, 1)],
  ] as const)
    it(`connects to a hub that thinks it is ${what}, and tells its readings with that time`, async () => {
      const clock = new SetClock()
      await using home = await openFirmwareHome({ clock })
      await using first = await enrolled(home, 'sanitize')
      await first.kill()
      clock.set(at)
      const { directory } = first
      await using reborn = await startFirmware({ port: 'sanitize', program: 'porch-light', directory })
      await reborn.line(/^connected/)
      const told = await until('a reading of its new life', () =>
        home.home.desk.readings
          .flatMap(({ body }) => body.values)
          .find((sample) => Math.abs(sample.at - at) < DAY),
      )
      assert.ok(told)
    })

  for (const port of ['sanitize', 'qemu'] as const)
    it(`is enrolled, obeys, is renewed and is rescued after 2^32 seconds as before, ${port}`, async () => {
      const clock = new SetClock()
      clock.set(2 ** 32 * 1000 - DAY)
      await using home = await openFirmwareHome({ clock })
      await using first = await enrolled(home, port)
      await obeys(home, clock, 1)
      clock.pass(0.7 * LIFE)
      await first.line(/^certificate renewed 0$/)
      home.home.link.drop((await home.device('porch')).id, 'superseded')
      await first.line(/^connected/)
      await obeys(home, clock, 2)
      await first.kill()
      clock.pass(1.3 * LIFE)
      const { directory } = first
      await using reborn = await startFirmware({ port, program: 'porch-light', directory })
      await reborn.line(/^certificate renewed 0$/)
      await reborn.line(/^connected$/)
      await obeys(home, clock, 3)
    })

  for (const port of ['sanitize', 'qemu'] as const)
    it(`that takes no ticket stays with a hub whose clock jumps, from 1970 to 2107 and back, ${port}`, async () => {
      const clock = new SetClock()
      await using home = await openFirmwareHome({ clock, port: await freePort() })
      await using firmware = await enrolled(home, port)
      let hub = home.home
      for (const at of [DAY, Date.UTC(2039, 0, 1), Date.UTC(2107, 0, 1), DAY, systemClock.now()]) {
        clock.set(at)
        hub = await hub.restart()
        await firmware.line(/^connected$/)
      }
      await using again = hub
      again.desk.letters = [home.ownerLetter(home.owner.key)]
      await firmware.kill()
      const { directory } = firmware
      await using reborn = await startFirmware({ port, program: 'porch-light', directory })
      await reborn.line(/^connected/)
      await until('its hello', () => (again.desk.hellos.length >= 7 ? true : undefined))
      const { id, hello } = await home.device('porch', 7)
      const order = command(hello, home.owner, { operation: 'write', affordance: ON, value: true })
      assert.equal(again.link.send(id, order), 'sent')
      await until('its receipt', () => again.desk.receipts.find(({ body }) => body.code === 0))
    })
})

describe('the stored identity', () => {
  it('is still whole when any byte of it was flipped: the copy beside it is used', async () => {
    await using home = await openFirmwareHome()
    await using first = await enrolled(home, 'sanitize')
    await obeys(home, systemClock, 1)
    await first.kill()
    const { directory } = first
    const whole = readFileSync(join(directory, 'identity'))
    const id = first.lines.find((line) => line.endsWith(' enrolled'))
    for (let at = 0; at < whole.length; at += 7) {
      const spoiled = Buffer.from(whole)
      spoiled[at]! ^= 1 << (at % 8)
      writeFileSync(join(directory, 'identity'), spoiled)
      const firmware = await startFirmware({ port: 'sanitize', program: 'porch-light', directory })
      assert.equal(await firmware.line(/^device |^waiting/), id, `byte ${at}`)
      await firmware.end()
    }
  })

  it('goes back to the certificate before when no hub takes the present one', async () => {
    const clock = new SetClock()
    await using home = await openFirmwareHome({ clock })
    await using first = await enrolled(home, 'sanitize')
    await obeys(home, clock, 1)
    await first.kill()
    const { directory } = first
    const { hello } = await home.device('porch')
    const present = readFileSync(join(directory, 'identity'))
    const foreign = deviceLeaf(signer(), hello.signer, systemRandom.bytes(8), clock.now())
    writeFileSync(join(directory, 'identity'), withCertificate(present, Buffer.from(foreign)))
    rmSync(join(directory, 'ticket'))
    await using firmware = await startFirmware({ port: 'sanitize', program: 'porch-light', directory })
    await firmware.line(/^link ended -207$/)
    await firmware.line(/^connected$/)
    await obeys(home, clock, 2)
  })

  it('stays when no hub takes the present certificate, and the one before is damaged', async () => {
    const clock = new SetClock()
    await using home = await openFirmwareHome({ clock })
    await using first = await enrolled(home, 'sanitize')
    await obeys(home, clock, 1)
    await first.kill()
    const { directory } = first
    const { hello } = await home.device('porch')
    const foreign = deviceLeaf(signer(), hello.signer, systemRandom.bytes(8), clock.now())
    const present = readFileSync(join(directory, 'identity'))
    writeFileSync(join(directory, 'identity'), withCertificate(present, Buffer.from(foreign)))
    writeFileSync(join(directory, 'former'), flipped(present))
    rmSync(join(directory, 'ticket'))
    await using firmware = await startFirmware({ port: 'sanitize', program: 'porch-light', directory })
    await firmware.line(/^link ended -207$/)
    await firmware.line(/^link ended -207$/)
    assert.ok(!firmware.lines.includes('waiting for an enrolment code'))
  })

  it('leaves the whole copy alone when the other is damaged at a renewal', async () => {
    const clock = new SetClock()
    await using home = await openFirmwareHome({ clock })
    await using firmware = await enrolled(home, 'sanitize')
    const whole = readFileSync(join(firmware.directory, 'former'))
    writeFileSync(join(firmware.directory, 'identity'), flipped(whole))
    clock.pass(0.7 * LIFE)
    await firmware.line(/^certificate renewed 0$/)
    assert.deepEqual(readFileSync(join(firmware.directory, 'former')), whole)
  })

  it('is enrolled anew when both copies are noise', async () => {
    await using home = await openFirmwareHome()
    await using first = await enrolled(home, 'sanitize')
    await first.kill()
    const { directory } = first
    const noise = Buffer.alloc(500, 0x5a)
    const blobs = { identity: noise, former: noise }
    await using firmware = await startFirmware({ port: 'sanitize', program: 'porch-light', directory, blobs })
    await firmware.line(/^stored identity unreadable/)
    firmware.say(home.code('porch-again'))
    await firmware.line(/^connected$/)
  })
})

/** With another bit in the key. */
function flipped(identity: Buffer): Buffer {
  const spoiled = Buffer.from(identity)
  spoiled[20]! ^= 1
  return spoiled
}

/** The stored identity with another certificate in it, and a sum that is right. */
function withCertificate(identity: Buffer, certificate: Buffer): Buffer {
  const at = identity.lastIndexOf(Buffer.from('308201', 'hex')) - 3
  const end = at + 3 + identity.readUInt16BE(at + 1)
  const head = Buffer.of(0x59, certificate.length >> 8, certificate.length & 255)
  const body = Buffer.concat([identity.subarray(0, at), head, certificate, identity.subarray(end, -5)])
  const sum = createHash('sha256').update(body).digest().subarray(0, 4)
  return Buffer.concat([body, Buffer.of(0x44), sum])
}
