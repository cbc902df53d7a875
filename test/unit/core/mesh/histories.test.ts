// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { systemClock } from '../../../../daemon/base/clock.ts'
import { Log, silent } from '../../../../daemon/base/log.ts'
import { nativeEd25519, type Sample } from '../../../../daemon/core/envelope/index.ts'
import {
  decodeTalk,
  encodeTalk,
  type FarThing,
  Histories,
  type TalkWord,
  withHistories,
} from '../../../../daemon/core/mesh/index.ts'
import type { PartyId } from '../../../../daemon/core/model/index.ts'
import { IN_MEMORY } from '../../../../daemon/state/index.ts'
import { FarReadingTable, openStore } from '../../../../daemon/state/store/index.ts'
import { ManualClock } from '../../../support/manual-clock.ts'
import { type Home, NOON, newDevice, openHome, partyOf, reading } from '../../../support/state.ts'

const LAMP = 11
const lamp = partyOf(LAMP)
const [TOWN, CABIN] = [partyOf(21), partyOf(22)]
const SECOND = 1000
const at = (seconds: number, value = seconds, affordance = 1): Sample => ({
  affordance,
  at: NOON + seconds * SECOND,
  value,
})

type Said = TalkWord & { readonly word: 'past' | 'passed' }

/** One daemon: its books, and what it said to whom, not delivered yet. */
interface Daemon {
  readonly id: PartyId
  readonly home: Home
  readonly past: Histories
  readonly said: Said[]
  readonly clock: ManualClock
  history(limit?: number): readonly number[]
}

async function openDaemon(t: TestContext, id: PartyId, everyS = 0, holder?: PartyId): Promise<Daemon> {
  const home = await openHome(IN_MEMORY)
  t.after(() => home[Symbol.asyncDispose]())
  const said: Said[] = []
  const clock = new ManualClock()
  const far = { get: () => (holder ? ({ member: holder } as FarThing) : undefined) }
  const past = new Histories({
    ...{ clock, ed25519: nativeEd25519(), home: reading(LAMP, 1, [at(0)]).body.audience as PartyId },
    ...{ book: home.farReadings, devices: home.devices, far: far as never, everyS },
    say: (_peer, word) => void said.push(word as Said),
  })
  const readings = withHistories(home.readings, home.farReadings)
  return {
    ...{ id, home, past, said, clock },
    history: (limit = 10_000) => readings.history(lamp, 1, 0, limit).map(({ value }) => Number(value)),
  }
}

/** Carries what was said, as bytes, until nobody has anything to say. */
async function carry(a: Daemon, b: Daemon): Promise<number> {
  let words = 0
  for (;;) {
    const [from, to] = a.said.length > 0 ? [a, b] : [b, a]
    const word = from.said.shift()
    if (!word) return words
    words++
    assert.ok(words < 500, 'they never come to an end')
    const heard = decodeTalk(encodeTalk(word)) as Said
    if (heard.word === 'past') to.past.answer(from.id, heard)
    else await to.past.heard(from.id, heard)
  }
}

async function measure(daemon: Daemon, count: number, first = 1, everySeconds = 1): Promise<void> {
  await daemon.home.devices.enrol(newDevice(LAMP, { name: 'lamp' }), NOON)
  for (let sequence = first; sequence < first + count; sequence++) {
    const message = reading(LAMP, sequence, [at(sequence * everySeconds, sequence)])
    await daemon.home.readings.append(lamp, message, NOON + sequence * everySeconds * SECOND)
  }
}

const upTo = (count: number, from = 1) => Array.from({ length: count }, (_, i) => from + i)

describe('the past of other homes [SPEC 14.8]', () => {
  it('comes page by page, each reading once, and goes on where it ended', async (t) => {
    const [town, cabin] = [await openDaemon(t, TOWN), await openDaemon(t, CABIN, 0, TOWN)]
    await measure(town, 1200)
    cabin.past.connected(TOWN)
    cabin.past.told(TOWN, lamp)
    assert.ok((await carry(cabin, town)) > 4)
    assert.deepEqual(cabin.history(), upTo(1200))
    assert.deepEqual(cabin.history(3), [1198, 1199, 1200])
    await measure(town, 3, 1201)
    cabin.past.told(TOWN, lamp)
    assert.equal(await carry(cabin, town), 2)
    assert.equal(cabin.history().length, 1203)
  })

  it('comes at the resolution that is asked for', async (t) => {
    const [town, cabin] = [await openDaemon(t, TOWN), await openDaemon(t, CABIN, 60, TOWN)]
    await measure(town, 300)
    cabin.past.connected(TOWN)
    cabin.past.told(TOWN, lamp)
    await carry(cabin, town)
    assert.deepEqual(cabin.history(), [1, 60, 120, 180, 240, 300])
  })

  it('keeps nothing that the device did not seal', async (t) => {
    const cabin = await openDaemon(t, CABIN, 0, TOWN)
    cabin.past.connected(TOWN)
    cabin.past.told(TOWN, lamp)
    const forged = reading(LAMP + 1, 1, [at(1)]).frame
    const bent = Uint8Array.from(reading(LAMP, 1, [at(1)]).frame)
    bent[bent.length - 1]! ^= 1
    const readings = [forged, bent, new Uint8Array([1, 2])].map((frame) => ({
      number: 1,
      receivedAt: NOON,
      frame,
    }))
    await cabin.past.heard(TOWN, {
      word: 'passed',
      device: lamp,
      source: 'own',
      last: 3,
      more: false,
      readings,
    })
    assert.deepEqual(cabin.history(), [])
  })

  it('takes no answer that it did not ask for, and does not ask for ever', async (t) => {
    const cabin = await openDaemon(t, CABIN, 0, TOWN)
    const frame = reading(LAMP, 1, [at(1)]).frame
    const answer = { word: 'passed', device: lamp, source: 'own', last: 0, more: true } as const
    const whole = { ...answer, readings: [{ number: 1, receivedAt: NOON, frame }] }
    await cabin.past.heard(TOWN, whole)
    cabin.past.connected(TOWN)
    await cabin.past.heard(TOWN, whole)
    cabin.past.told(TOWN, partyOf(99))
    cabin.past.told(TOWN, lamp)
    await cabin.past.heard(TOWN, { ...whole, device: lamp, source: 'kept' })
    assert.deepEqual(cabin.history(), [])
    const asked = cabin.said.length
    await cabin.past.heard(TOWN, whole)
    assert.equal(cabin.said.length, asked, 'a page that moves nowhere is the last')
  })

  it('does not ask a daemon for a device that another one has', async (t) => {
    const cabin = await openDaemon(t, CABIN, 0, partyOf(23))
    cabin.past.connected(TOWN)
    cabin.past.told(TOWN, lamp)
    assert.deepEqual(cabin.said, [])
  })

  it('a restored daemon has from another what it kept, older than the device is here', async (t) => {
    const [cabin, again] = [await openDaemon(t, CABIN, 0, TOWN), await openDaemon(t, TOWN)]
    const town = await openDaemon(t, TOWN)
    await measure(town, 20)
    cabin.past.connected(TOWN)
    cabin.past.told(TOWN, lamp)
    await carry(cabin, town)
    const now = NOON + 15 * SECOND
    again.past.connected(CABIN)
    await again.home.devices.enrol(newDevice(LAMP, { name: 'lamp' }), now)
    again.past.tick()
    await carry(again, cabin)
    assert.deepEqual(again.history(), upTo(14), 'what is newer it heard from the device itself')
    again.past.gone(CABIN)
    again.past.connected(CABIN)
    await carry(again, cabin)
    assert.equal(again.history().length, 14)
  })

  it('an answer that does not come is asked for again', async (t) => {
    const cabin = await openDaemon(t, CABIN, 0, TOWN)
    cabin.past.connected(TOWN)
    cabin.past.told(TOWN, lamp)
    cabin.clock.advance(100_000)
    cabin.past.tick()
    assert.equal(cabin.said.length, 1)
    cabin.clock.advance(30_000)
    cabin.past.tick()
    assert.deepEqual(cabin.said[1], cabin.said[0])
  })

  it('of one device a bounded number is kept, the first that came go first', async (t) => {
    const cabin = await openDaemon(t, CABIN, 0, TOWN)
    const messages = upTo(500).map((sequence) => ({
      message: reading(LAMP, sequence, [at(sequence, sequence)]),
      receivedAt: NOON,
    }))
    const { farReadings: past } = cabin.home
    for (let epoch = 0; epoch < 42; epoch++) {
      const renewed = messages.map(({ message, receivedAt }) => ({
        message: {
          ...message,
          body: { ...message.body, epoch: new Uint8Array(8).fill(epoch) },
        } as typeof message,
        receivedAt,
      }))
      await past.keep({ member: TOWN, device: lamp, source: 'own', last: epoch, messages: renewed })
    }
    assert.equal(past.page(lamp, 'kept', 0, 1).readings.length, 1)
    let [kept, after] = [0, 0]
    for (;;) {
      const page = past.page(lamp, 'kept', after, 512)
      kept += page.readings.length
      after = page.last
      if (!page.more) break
    }
    assert.equal(kept, 20_000)
  })

  it('and of all devices together', async (t) => {
    const log = new Log(systemClock, silent)
    const store = await openStore({ log }, { path: IN_MEMORY }, new AbortController().signal)
    t.after(() => store[Symbol.asyncDispose]())
    const table = new FarReadingTable(store, 80)
    const numbers = () =>
      [lamp, partyOf(12)].map((device) => table.page(device, 'kept', 0, 512).readings.length)
    for (const device of [lamp, partyOf(12)]) {
      await store.write(() => {
        for (const sequence of upTo(60)) {
          const { body, frame } = reading(LAMP, sequence, [at(sequence)])
          table.insert(device, { ...body, frame, receivedAt: NOON, samples: body.values })
          table.trim(device)
        }
      })
    }
    const [old, fresh] = numbers() as [number, number]
    assert.ok(old + fresh <= 80 && old < fresh, `${old} ${fresh}`)
    assert.equal(fresh, 60, 'the first that came went first')
    assert.equal(table.newest(lamp, 1, 0, 100).length, old, 'with their samples')
  })
})
