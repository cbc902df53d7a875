// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { multiaddr } from '@multiformats/multiaddr'
import { utf8 } from '../../../../daemon/base/bytes.ts'
import { systemClock } from '../../../../daemon/base/clock.ts'
import { Secret } from '../../../../daemon/base/secret.ts'
import type { PartyId } from '../../../../daemon/core/model/index.ts'
import { peerIdOf } from '../../../../daemon/edge/mesh/addresses.ts'
import { Doors } from '../../../../daemon/edge/mesh/doors.ts'
import { openNode } from '../../../../daemon/edge/mesh/node.ts'
import { MESH_FRAME_BYTES_MAX } from '../../../../schemas/gen/ts/wire.ts'
import { ManualClock, settled } from '../../../support/manual-clock.ts'
import { idNumber, Onions, openRoom, type TestRoom } from '../../../support/mesh-room.ts'
import { until } from '../../../support/until.ts'

/** Two numbers whose keys are in this order: the first one calls. */
const [LOW, HIGH] = [1, 2].sort((a, b) => (idNumber(a) < idNumber(b) ? -1 : 1)) as [number, number]

async function pair(t: TestContext, hear: Parameters<typeof openRoom>[3] = {}) {
  const onions = new Onions()
  const low = await openRoom(t, onions, LOW)
  const high = await openRoom(t, onions, HIGH, hear)
  const { address, path } = onions.offer('high for low')
  await high.door(`mesh:${low.id}`, path)
  return { onions, low, high, address, path }
}

/** Counts noise's messages by their two bytes of length; each leaves in a write of its own. */
class NoiseCount {
  frames = 0
  #left = 0
  #length: number | undefined

  take(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#left > 0) {
        const here = Math.min(this.#left, bytes.length - at)
        this.#left -= here
        at += here
      } else if (this.#length === undefined) this.#length = bytes[at++]!
      else {
        this.#left = this.#length * 256 + bytes[at++]!
        this.#length = undefined
        this.frames++
      }
    }
  }
}

/** From now on; the connection must be between two messages. */
function countReads(socket: Socket): NoiseCount {
  const count = new NoiseCount()
  socket.prependListener('data', (bytes: Buffer) => count.take(bytes))
  return count
}

/** What was counted once all that connecting takes has passed. */
async function whenQuiet(...counts: readonly [NoiseCount, NoiseCount]): Promise<[number, number]> {
  for (let round = 0; round < 100; round++) {
    const [out, back] = [counts[0].frames, counts[1].frames]
    await new Promise((resolve) => setTimeout(resolve, 100))
    if (counts[0].frames === out && counts[1].frames === back) return [out, back]
  }
  assert.fail('the connection is never quiet')
}

function countWrites(socket: Socket): NoiseCount {
  const count = new NoiseCount()
  const write = socket.write.bind(socket) as (bytes: Uint8Array) => boolean
  socket.write = ((bytes: Uint8Array) => {
    count.take(bytes)
    return write(bytes)
  }) as Socket['write']
  return count
}

describe('the mesh room', () => {
  it('connects two daemons whose peer ids are their keys, and carries messages both ways', async (t) => {
    const { low, high, address } = await pair(t)
    low.reach(high.id, address)
    await until('both are connected', () => low.up.length === 1 && high.up.length === 1)
    assert.deepEqual([low.up, high.up], [[high.id], [low.id]])
    low.send(high.id, 'talk', utf8('hello'))
    high.send(low.id, 'log', new Uint8Array(200_000).fill(97))
    await until('both have heard', () => high.heard.length === 1 && low.heard.length === 1)
    assert.deepEqual(high.heard, [`${low.id.slice(0, 4)} talk hello`])
    assert.match(low.heard[0]!, / log aaaa/)
  })

  it('counts what was said on the connection there is, and nothing to whom there is none', async (t) => {
    const { low, high, address } = await pair(t)
    low.send(high.id, 'log', utf8('too early'))
    assert.equal(low.said(high.id), undefined)
    low.reach(high.id, address)
    await until('both are connected', () => low.up.length === 1 && high.up.length === 1)
    for (const stream of ['talk', 'log', 'log'] as const) low.send(high.id, stream, utf8('said'))
    assert.deepEqual([low.said(high.id), high.said(low.id)], [3, 0])
  })

  it('loses nothing that the other says at once when it is connected', async (t) => {
    for (let round = 0; round < 20; round++) {
      const onions = new Onions()
      const first = (peer: PartyId) => {
        for (const stream of ['talk', 'log'] as const) low.send(peer, stream, utf8('first'))
      }
      const low: TestRoom = await openRoom(t, onions, LOW, { connected: first })
      const order: string[] = []
      const high = await openRoom(t, onions, HIGH, {
        connected: () => void order.push('connected'),
        heard: async (_peer, stream) => {
          order.push(stream)
          return true
        },
      })
      const { address, path } = onions.offer('high for low')
      await high.door(`mesh:${low.id}`, path)
      low.reach(high.id, address)
      await until('all is heard', () => order.length === 3)
      assert.equal(order[0], 'connected')
    }
  })

  it('hears everything in its order, however long each takes to be heard', async (t) => {
    const heard: number[] = []
    const { low, high, address } = await pair(t, {
      heard: async (_peer, _stream, message) => {
        if (message[0]! % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 2))
        else if (message[0]! % 3 === 1) await new Promise((resolve) => setImmediate(resolve))
        heard.push(message[0]!)
        return true
      },
    })
    low.reach(high.id, address)
    await until('they are connected', () => high.up.length === 1 && low.up.length === 1)
    const all = Array.from({ length: 200 }, (_, at) => at)
    for (const at of all) {
      low.send(high.id, 'log', new Uint8Array(at % 7 === 0 ? 5000 : 5).fill(at))
      if (at % 5 === 0) await new Promise((resolve) => setTimeout(resolve, at % 4))
    }
    await until('all is heard', () => heard.length === all.length)
    assert.deepEqual(heard, all)
  })

  it('says what is said in one turn in one write, and nothing for having heard it', async (t) => {
    const { low, high, address, onions } = await pair(t)
    low.reach(high.id, address)
    await until('they are connected', () => high.up.length === 1 && low.up.length === 1)
    const [socket] = [...onions.open]
    const [out, back] = [countWrites(socket!), countReads(socket!)]
    const [outBefore, backBefore] = await whenQuiet(out, back)
    for (let turn = 1; turn <= 20; turn++) {
      for (const word of ['one', 'two', 'three']) low.send(high.id, 'talk', utf8(word))
      await until('all three are heard', () => high.heard.length === 3 * turn)
    }
    assert.deepEqual([out.frames - outBefore, back.frames - backBefore], [20, 0])
  })

  it('goes on granting room to who sends far more than a window holds', async (t) => {
    const { low, high, address } = await pair(t)
    low.reach(high.id, address)
    await until('they are connected', () => high.up.length === 1 && low.up.length === 1)
    const [piece, small] = [new Uint8Array(MESH_FRAME_BYTES_MAX), new Uint8Array(100)]
    for (let at = 0; at < 120; at++) {
      low.send(high.id, 'log', at % 3 === 0 ? piece : small)
      low.send(high.id, 'talk', small)
      await until('it is heard', () => high.heard.length === 2 * (at + 1))
    }
    for (let at = 0; at < 20; at++) low.send(high.id, 'log', piece)
    await until('all is heard', () => high.heard.length === 260)
    assert.deepEqual(high.down, [])
  })

  it('tells of a connection that stands and falls silent, and not of one that ends', async (t) => {
    const onions = new Onions()
    const clock = new ManualClock()
    const stalled: PartyId[] = []
    const hung: Socket[] = []
    const dial = async (address: string) => {
      const socket = await onions.dial(address)
      hung.push(socket)
      return socket
    }
    const deaf = { clock, dial, stalled: (peer: PartyId) => void stalled.push(peer) }
    const low = await openRoom(t, onions, LOW, {}, deaf)
    const high = await openRoom(t, onions, HIGH)
    const { address, path } = onions.offer('high for low')
    await high.door(`mesh:${low.id}`, path)
    low.reach(high.id, address)
    await until('they are connected', () => low.up.length === 1 && high.up.length === 1)
    hung[0]!.destroy()
    await until('it has ended', () => low.down.length === 1)
    while (low.up.length < 2) {
      await clock.pass(500)
      await settled()
    }
    assert.deepEqual(stalled, [])
    // Nothing that comes is handed on, and nothing closes.
    hung.at(-1)!.removeAllListeners('data')
    for (let s = 0; s < 30 && stalled.length === 0; s++) await clock.pass(1000)
    assert.deepEqual([stalled, low.down.length], [[high.id], 2])
  })

  it('keeps one connection when the other side called in the middle of a call', async (t) => {
    const onions = new Onions()
    const low = await openRoom(t, onions, LOW)
    const late = async (address: string) => {
      const socket = await onions.dial(address)
      await until('the other has called', () => low.up.length === 1)
      return socket
    }
    const high = await openRoom(t, onions, HIGH, {}, { dial: late })
    const [forLow, forHigh] = [onions.offer('high for low'), onions.offer('low for high')]
    await high.door(`mesh:${low.id}`, forLow.path)
    await low.door(`mesh:${high.id}`, forHigh.path)
    high.reach(low.id, forHigh.address, false)
    await until('it calls', () => onions.dialled.length === 1)
    low.reach(high.id, forLow.address)
    await until('they are connected', () => low.up.length === 1 && high.up.length === 1)
    await until('one is left', () => onions.dialled.length === 2 && onions.open.size === 1)
    low.send(high.id, 'talk', utf8('still here'))
    await until('it is heard', () => high.heard.length === 1)
    assert.deepEqual([low.down, high.down], [[], []])
  })

  it('refuses who may not enter by this door, and tells nobody of them', async (t) => {
    const asked: (string | undefined)[] = []
    const { low, high, address } = await pair(t, {
      mayEnter: (_peer, door) => {
        asked.push(door)
        return false
      },
    })
    low.reach(high.id, address)
    await until('it is refused', () => low.trouble(high.id) !== undefined)
    assert.deepEqual([high.up, low.up], [[], []])
    assert.equal(asked[0], `mesh:${low.id}`)
  })

  it('does not take one daemon for another at the same address', async (t) => {
    const { low, address } = await pair(t)
    const other = [3, 4, 5, 6, 7, 8, 9].map(idNumber).find((id) => id > low.id)!
    low.reach(other, address)
    await until('it is not the other', () => low.trouble(other) !== undefined)
    assert.deepEqual(low.up, [])
  })

  it('dials nothing that is no onion address, and looks up no name', async (t) => {
    const onions = new Onions()
    const node = await openNode(
      { dial: onions.dial, mayEnter: () => true },
      { seed: new Secret(new Uint8Array(32).fill(1)) },
      new Doors(systemClock),
    )
    t.after(() => node.stop())
    const lookups: unknown[] = []
    const asked = (message: unknown) => void lookups.push(message)
    subscribe('net.client.socket', asked)
    t.after(() => unsubscribe('net.client.socket', asked))
    for (const address of ['/dnsaddr/example.org', '/ip4/127.0.0.1/tcp/9', '/dns4/example.org/tcp/443/wss']) {
      await assert.rejects(node.dial(multiaddr(`${address}/p2p/${peerIdOf(idNumber(2))}`)))
    }
    assert.deepEqual([onions.dialled, lookups, node.getMultiaddrs()], [[], [], []])
  })

  it('answers the one question of who was invited', async (t) => {
    const { low, high, address } = await pair(t, { asked: async (_peer, asked) => asked.toReversed() })
    const answer = await low.ask(high.id, address, utf8('abc'), AbortSignal.timeout(10_000))
    assert.equal(new TextDecoder().decode(answer), 'cba')
    assert.deepEqual([high.up, low.up], [[], []])
  })

  it('measures round trips on the connection there is, and on no other', async (t) => {
    const { low, high, address } = await pair(t)
    await assert.rejects(low.ping(high.id, 1, AbortSignal.timeout(1000)), { code: 'unreachable' })
    low.reach(high.id, address)
    await until('they are connected', () => high.up.length === 1 && low.up.length === 1)
    const trips: number[] = []
    for (let round = 0; round < 20; round++) {
      trips.push(...(await low.ping(high.id, 3, AbortSignal.timeout(10_000))))
    }
    assert.equal(trips.length, 60)
    assert(trips.every((ms) => ms > 0 && ms < 10_000))
  })

  it('connects again when the way is cut', async (t) => {
    const { low, high, address, onions } = await pair(t)
    low.reach(high.id, address)
    await until('they are connected', () => high.up.length === 1 && low.up.length === 1)
    for (const socket of onions.open) socket.destroy()
    await until('they are connected again', () => high.up.length === 2 && low.up.length === 2)
    assert.deepEqual([high.down.length, low.down.length], [1, 1])
  })

  it('ends with a peer that is left, and does not call it again', async (t) => {
    const { low, high, address } = await pair(t)
    low.reach(high.id, address)
    await until('they are connected', () => high.up.length === 1 && low.up.length === 1)
    low.send(high.id, 'talk', utf8('last words'))
    low.leave(high.id, 'removed')
    await until('it is gone', () => high.down.length === 1)
    assert.match(high.heard[0]!, /last words/)
    assert.deepEqual(low.down, [high.id])
  })

  it('drops a peer that sends what is too large, or what no daemon says', async (t) => {
    const { low, high, address } = await pair(t, { heard: async () => false })
    low.reach(high.id, address)
    await until('they are connected', () => high.up.length === 1 && low.up.length === 1)
    low.send(high.id, 'talk', new Uint8Array(MESH_FRAME_BYTES_MAX + 1))
    await until('it is gone', () => high.down.length === 1)
    await until('they are connected again', () => high.up.length === 2)
    low.send(high.id, 'talk', utf8('nonsense'))
    await until('it is gone again', () => high.down.length === 2)
    const why = high.log.filter(({ event }) => event === 'mesh-peer-failed').map((line) => line.fields.why)
    assert.deepEqual(why, ['frame-too-large', 'bad-note'])
  })

  it('drops a peer that never reads, with a bounded amount waiting for it', async (t) => {
    const { low, high, address } = await pair(t, { heard: () => new Promise(() => {}) })
    low.reach(high.id, address)
    await until('both are connected', () => low.up.length === 1 && high.up.length === 1)
    for (let sent = 0; sent < 200 && low.down.length === 0; sent++) {
      low.send(high.id, 'log', new Uint8Array(250_000))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await until('it is dropped', () => low.down.length === 1)
    assert.equal(low.log.find(({ event }) => event === 'mesh-peer-failed')?.fields.why, 'too-slow')
  })

  it("answers its own daemon's probe, and no other HTTP", async (t) => {
    const { onions, path } = await pair(t)
    const socket = await onions.dial([...onions.paths].find(([, each]) => each === path)![0])
    socket.write('GET /.well-known/shallot HTTP/1.1\r\n\r\n')
    const answers = socket[Symbol.asyncIterator]()
    assert.match(String((await answers.next()).value), /^HTTP\/1\.1 404 /)
    socket.destroy()
  })
})
