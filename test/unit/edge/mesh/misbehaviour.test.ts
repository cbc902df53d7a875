// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { encodeTalk } from '../../../../daemon/core/mesh/index.ts'
import { Grudges } from '../../../../daemon/edge/mesh/grudges.ts'
import { Pace } from '../../../../daemon/edge/mesh/pace.ts'
import { LOOK_MS, Watch } from '../../../../daemon/edge/mesh/watch.ts'
import { ManualClock, settled } from '../../../support/manual-clock.ts'
import { idNumber, Onions, openRoom } from '../../../support/mesh-room.ts'
import { until } from '../../../support/until.ts'

const [PEER, OTHER] = [idNumber(1), idNumber(2)]
const GARBAGE = { code: 'bad-note', detail: 'it sent what no daemon says' }

describe('a peer whose connection had to be ended', () => {
  it('is left alone for two seconds, and for twice as long each time, at most ten minutes', () => {
    const clock = new ManualClock()
    const grudges = new Grudges(clock)
    const waits: number[] = []
    for (let time = 0; time < 12; time++) {
      grudges.bear(PEER, GARBAGE)
      const from = clock.monotonic()
      while (grudges.bars(PEER)) clock.advance(1000)
      waits.push((clock.monotonic() - from) / 1000)
    }
    assert.deepEqual(waits, [2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600])
    assert.equal(grudges.bars(OTHER), false)
  })

  it('is told of for half an hour, and begins anew after that', () => {
    const clock = new ManualClock()
    const grudges = new Grudges(clock)
    for (let time = 0; time < 3; time++) grudges.bear(PEER, GARBAGE)
    clock.advance(60_000)
    assert.deepEqual([grudges.bars(PEER), grudges.trouble(PEER)], [false, GARBAGE])
    clock.advance(1_800_000)
    assert.equal(grudges.trouble(PEER), undefined)
    grudges.bear(PEER, GARBAGE)
    clock.advance(2000)
    assert.equal(grudges.bars(PEER), false)
  })

  it('is nobody any more when it was left', () => {
    const grudges = new Grudges(new ManualClock())
    grudges.bear(PEER, GARBAGE)
    grudges.forget(PEER)
    assert.deepEqual([grudges.bars(PEER), grudges.trouble(PEER)], [false, undefined])
  })
})

describe('a peer that says too much', () => {
  it('waits as long as what is beyond the burst takes, and no longer', async () => {
    const clock = new ManualClock()
    const pace = new Pace(clock, { burst: 100, perS: 10 })
    assert.deepEqual([pace.take(100), pace.isSpent], [undefined, true])
    let isHeard = false
    pace.take(20)!.then(() => {
      isHeard = true
    })
    clock.advance(1999)
    await settled()
    assert.equal(isHeard, false)
    clock.advance(1)
    await settled()
    assert.deepEqual([isHeard, pace.isSpent], [true, true])
    clock.advance(60_000)
    assert.deepEqual([pace.isSpent, pace.take(100)], [false, undefined])
  })

  it('is named and stays connected, and others are heard at once', async (t) => {
    const onions = new Onions()
    const [low, high] = [1, 2].sort((a, b) => (idNumber(a) < idNumber(b) ? -1 : 1)) as [number, number]
    const flooding = await openRoom(t, onions, low)
    const flooded = await openRoom(t, onions, high)
    const { address, path } = onions.offer('for the one that floods')
    await flooded.door(`mesh:${flooding.id}`, path)
    flooding.reach(flooded.id, address)
    await until('they are connected', () => flooding.up.length === 1 && flooded.up.length === 1)
    const word = encodeTalk({ word: 'gone', device: OTHER })
    for (let sent = 0; sent < 12_000; sent += 500) {
      for (let at = 0; at < 500; at++) flooding.send(flooded.id, 'talk', word)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await until('it is named', () => flooded.trouble(flooding.id)?.code === 'too-much')
    assert.deepEqual([flooded.down, flooding.down], [[], []])
    assert(flooded.heard.length < 12_000)
    flooded.send(flooding.id, 'talk', word)
    await until('the other is heard', () => flooding.heard.length === 1)
  })
})

describe('a connection that falls silent', () => {
  const watchWith = (ping: () => Promise<number>) => {
    const clock = new ManualClock()
    const asked: number[] = []
    const watch = new Watch(clock, () => {
      asked.push(clock.monotonic())
      return ping()
    })
    const look = async (times: number): Promise<number> => {
      for (let time = 0; time < times; time++) {
        if (!watch.look()) return time
        await clock.pass(LOOK_MS)
      }
      return times
    }
    return { clock, asked, watch, look }
  }

  it('is given up after 25 s in which not even a ping was answered', async () => {
    const { look, asked } = watchWith(() => new Promise(() => {}))
    assert.equal(await look(1000), 25_000 / LOOK_MS)
    assert.equal(asked.length, 1)
  })

  it('stays while pings are answered, and tells how long they take', async () => {
    const { look, watch, asked } = watchWith(async () => 31.4)
    assert.equal(await look(100), 100)
    assert.equal(watch.rttMs, 31)
    assert(asked.length > 10)
  })

  it('stays while anything comes, though pings wait behind it', async () => {
    const { look, watch } = watchWith(() => new Promise(() => {}))
    for (let minute = 0; minute < 10; minute++) {
      assert.equal(await look(8), 8)
      watch.heard()
    }
  })
})
