// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, it } from 'node:test'
import { systemClock } from '../../daemon/base/clock.ts'
import { Log } from '../../daemon/base/log.ts'
import { answerTo } from '../../daemon/edge/discovery/answer.ts'
import { openDiscovery } from '../../daemon/edge/discovery/index.ts'
import type { Port } from '../../scripts/firmware.ts'
import { type Firmware, startFirmware } from '../support/firmware.ts'
import { type FirmwareHome, openFirmwareHome, until } from '../support/firmware-home.ts'

const deps = { clock: systemClock, log: new Log(systemClock, () => {}) }

/** Somebody who answers every question with these bytes. */
async function startLiar(answers: (question: Buffer) => Buffer): Promise<{ port: number } & AsyncDisposable> {
  const socket: Socket = createSocket('udp4')
  socket.on('message', (question, from) => socket.send(answers(question), from.port, from.address))
  await new Promise<void>((bound) => socket.bind(0, '127.0.0.1', bound))
  return {
    port: socket.address().port,
    [Symbol.asyncDispose]: () => new Promise<void>((closed) => socket.close(closed)),
  }
}

/** A port that a hub can have, now or later. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return port
}

async function enrolled(home: FirmwareHome, port: Port, asks: number): Promise<Firmware> {
  process.env.SHALLOT_MDNS = `127.0.0.1:${asks}`
  const firmware = await startFirmware({ port, program: 'porch-light' })
  firmware.say(home.code('porch'))
  await firmware.line(/^connected/)
  return firmware
}

describe('a device whose hub is somewhere else now [SPEC 6.8]', () => {
  for (const port of ['sanitize', 'qemu'] as const)
    it(`asks the LAN, finds it, and knows its new place from then on, ${port}`, async () => {
      const place = { port: await freePort() }
      const home = await openFirmwareHome(place)
      const newPort = await freePort()
      const options = {
        root: home.home.root.key,
        port: newPort,
        addresses: () => ['127.0.0.1'],
        listen: { host: '127.0.0.1', port: 0 },
      }
      await using discovery = await openDiscovery(deps, options, new AbortController().signal)
      await using firmware = await enrolled(home, port, discovery.port)
      place.port = newPort
      await using again = await home.home.restart()
      await firmware.line(/^hub found elsewhere$/)
      await firmware.line(/^connected/)
      await firmware.line(/^hub moved$/)
      await until('its hello at the new place', () => (again.desk.hellos.length >= 2 ? true : undefined))
      await firmware.kill()
      await discovery[Symbol.asyncDispose]()
      const { directory } = firmware
      await using reborn = await startFirmware({ port, program: 'porch-light', directory })
      await reborn.line(/^connected/)
      assert.ok(!reborn.lines.includes('hub found elsewhere'), 'it was written down')
    })

  it('does not take another home’s hub, and comes back to the known place', async () => {
    await using stranger = await openFirmwareHome()
    const { port: wrong } = stranger.home.link
    await using liar = await startLiar(
      (question) => answerTo(question, labelIn(question), '127.0.0.1', wrong)!,
    )
    const place = { port: await freePort() }
    const home = await openFirmwareHome(place)
    await using firmware = await enrolled(home, 'sanitize', liar.port)
    await home.home.link[Symbol.asyncDispose]()
    await firmware.line(/^hub found elsewhere$/)
    await firmware.line(/^link ended -221$/)
    assert.equal(stranger.home.desk.hellos.length, 0)
    await using again = await home.home.restart()
    await firmware.line(/^connected/)
    await until('its hello at the known place', () => (again.desk.hellos.length >= 2 ? true : undefined))
  })

  for (const [what, say] of [
    ['the question itself', (question) => question],
    ['a name that points to itself', (question) => answered(question, 'c00c'.repeat(3))],
    ['a name that points forwards', (question) => answered(question, 'c0ff0021000100000000000affff')],
    ['a record longer than its datagram', (question) => answered(question, 'c00c00210001000000000400ff')],
    ['a port and no address', (question) => answered(question, 'c00c002100010000000000080000000022b30000')],
    ['65,535 records', (question) => Buffer.concat([question.fill(0xff, 2, 12), Buffer.alloc(400)])],
    ['noise', () => Buffer.alloc(500, 0xc0)],
  ] as [string, (question: Buffer) => Buffer][])
    it(`makes nothing of ${what}`, async () => {
      await using liar = await startLiar(say)
      const home = await openFirmwareHome()
      await using firmware = await enrolled(home, 'sanitize', liar.port)
      await home.home.link[Symbol.asyncDispose]()
      await firmware.line(/^link ended -303$/)
      await firmware.line(/^link ended -303$/)
      assert.ok(!firmware.lines.includes('hub found elsewhere'))
    })
})

/** The label that a question asks for. */
function labelIn(question: Buffer): string {
  return question.toString('latin1', 13, 13 + question[12]!)
}

/** The question as an answer with one record of these bytes. */
function answered(question: Buffer, record: string): Buffer {
  question[2] = 0x84
  question[7] = 1
  return Buffer.concat([question, Buffer.from(record, 'hex')])
}
