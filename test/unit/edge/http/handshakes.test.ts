// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent } from 'node:https'
import { connect, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import { connect as connectTls } from 'node:tls'
import type { Face } from '../../../../daemon/edge/http/index.ts'
import { LIMITS } from '../../../../daemon/edge/http/index.ts'
import { openTestHome, type TestHome } from '../../../support/http-home.ts'
import { askLan, lanFace } from '../../../support/lan-face.ts'
import { until } from '../../../support/until.ts'

const portOf = ({ address }: Face) => (address as { port: number }).port

/** Connections that never begin their handshake. */
async function silent(port: number, localAddress: string, count: number): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () =>
    connect({ port, host: '127.0.0.1', localAddress }).on('error', () => {}),
  )
  await Promise.all(sockets.map((socket) => once(socket, 'connect')))
  return sockets
}

/** A home with a LAN face, and what idles there, until the claim is made. */
async function besieged(
  claim: (siege: {
    readonly face: Face
    readonly flood: (from: string, count: number) => Promise<Socket[]>
    readonly served: (more?: object) => Promise<number>
  }) => Promise<void>,
  limits: Parameters<typeof openTestHome>[0] = {},
): Promise<void> {
  await using home: TestHome = await openTestHome(limits)
  const options = await lanFace()
  const face = await home.http.face(options)
  const all: Socket[] = []
  try {
    await claim({
      face,
      async flood(from, count) {
        const sockets = await silent(portOf(face), from, count)
        all.push(...sockets)
        return sockets
      },
      served: async (more) => (await askLan(home, options, portOf(face), '/things/weather', more)).status,
    })
  } finally {
    for (const socket of all) socket.destroy()
  }
}

describe('handshakes on the LAN face', () => {
  it('1,000 idle connections from one address keep nobody else out, and whoever proved itself keeps its connection', () =>
    besieged(async ({ face, flood, served }) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      assert.equal(await served({ agent }), 200)
      const [kept] = Object.values(agent.freeSockets)[0] ?? []
      for (let hundreds = 0; hundreds < 10; hundreds++) {
        await flood('127.0.0.2', 100)
        assert.equal(await served(), 200)
        assert.equal(await served({ agent }), 200)
      }
      assert.ok(face.handshakes <= LIMITS.handshakesPerAddressMax, `${face.handshakes} handshakes`)
      assert.equal(kept && !kept.destroyed, true)
      agent.destroy()
    }))

  it('1,000 idle connections from many addresses hold no more places than the limit, and others come in', () =>
    besieged(async ({ face, flood, served }) => {
      for (let address = 2; address < 52; address++) {
        await flood(`127.0.0.${address}`, 20)
        if (address % 5 === 0) assert.equal(await served(), 200)
      }
      assert.ok(face.handshakes <= LIMITS.handshakesMax, `${face.handshakes} handshakes`)
      assert.equal(await served(), 200)
    }))

  it('the oldest of an address make way for it, and no other address’s do', () =>
    besieged(async ({ flood, face }) => {
      const [other] = await flood('127.0.0.3', 1)
      const [first] = await flood('127.0.0.2', 1)
      await flood('127.0.0.2', LIMITS.handshakesPerAddressMax)
      await until('the first of it is closed', () => first!.destroyed)
      assert.equal(other!.destroyed, false)
      assert.equal(face.handshakes, LIMITS.handshakesPerAddressMax + 1)
    }))

  it('where most are is made room, so that one of few is not the one that goes', () =>
    besieged(
      async ({ flood }) => {
        const [lonely] = await flood('127.0.0.3', 1)
        const crowd = await flood('127.0.0.2', 5)
        await flood('127.0.0.4', 1)
        await until('one of the crowd is closed', () => crowd[0]!.destroyed)
        assert.equal(lonely!.destroyed, false)
      },
      { handshakesMax: 6 },
    ))

  it('a place is free again when the handshake is done, or was nonsense', () =>
    besieged(async ({ face, flood }) => {
      const socket = connectTls({ port: portOf(face), host: '127.0.0.1', rejectUnauthorized: false })
      await once(socket, 'secureConnect')
      const [nonsense] = await flood('127.0.0.1', 1)
      nonsense!.write('GET / HTTP/1.1\r\n\r\n')
      await until('no handshake is left', () => face.handshakes === 0)
      assert.equal(socket.destroyed, false)
      socket.destroy()
    }))

  it('one that is not done within its time is closed', () =>
    besieged(
      async ({ flood }) => {
        const [slow] = await flood('127.0.0.2', 1)
        await until('it is closed', () => slow!.destroyed)
      },
      { handshakeMsMax: 200 },
    ))

  it('an address that proves nothing begins so many at once and no more, and a proof gives them back', () =>
    besieged(
      async ({ flood, served }) => {
        for (let proofs = 0; proofs < 12; proofs++) assert.equal(await served(), 200)
        const three = await flood('127.0.0.2', 3)
        await until('the third is refused', () => three[2]!.destroyed)
        assert.equal(three[0]!.destroyed, false)
        assert.equal(await served(), 200)
      },
      { unprovenHandshakesBurst: 2, unprovenHandshakesPerS: 0.001 },
    ))
})
