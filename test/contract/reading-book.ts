// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Sample } from '../../daemon/core/envelope/index.ts'
import type { StateError } from '../../daemon/state/index.ts'
import { type Home, NOON, newDevice, type OpenHome, partyOf, reading, receipt } from '../support/state.ts'

const A = partyOf(1)
const B = partyOf(2)
const OTHER_BOOT = new Uint8Array(8).fill(2)

function level(at: number, value: number): Sample {
  return { affordance: 2, at, value }
}

/** What every ReadingBook does. */
export function readingBookContract(where: string, open: OpenHome): void {
  const openWithDevices: OpenHome = async (t): Promise<Home> => {
    const home = await open(t)
    await Promise.all([1, 2].map((number) => home.devices.enrol(newDevice(number), NOON)))
    return home
  }

  describe(`ReadingBook ${where}: append()`, () => {
    it('keeps a message once', async (t) => {
      const { readings } = await openWithDevices(t)
      const sealed = reading(1, 1, [level(NOON, 50)])
      assert.equal(await readings.append(A, sealed, NOON), 'new')
      assert.equal(await readings.append(A, sealed, NOON + 9), 'known')
      assert.deepEqual(readings.history(A, 2, 0, 10), [level(NOON, 50)])
    })

    it('keeps a message once that arrives twice in one turn', async (t) => {
      const { readings } = await openWithDevices(t)
      const sealed = reading(1, 1, [level(NOON, 50)])
      const answers = await Promise.all([readings.append(A, sealed, NOON), readings.append(A, sealed, NOON)])
      assert.deepEqual(answers, ['new', 'known'])
    })

    it('tells devices, boots and sequences apart', async (t) => {
      const { readings } = await openWithDevices(t)
      const values = [level(NOON, 50)]
      const answers = [
        await readings.append(A, reading(1, 1, values), NOON),
        await readings.append(B, reading(2, 1, values), NOON),
        await readings.append(A, reading(1, 2, values), NOON),
        await readings.append(A, reading(1, 1, values, OTHER_BOOT), NOON),
      ]
      assert.deepEqual(answers, ['new', 'new', 'new', 'new'])
    })

    it('refuses a device that never was and one that is forgotten, and keeps its neighbours', async (t) => {
      const { devices, readings } = await openWithDevices(t)
      await devices.forget(B, NOON)
      const isUnknown = (error: StateError) => error.code === 'unknown-device'
      const values = [level(NOON, 50)]
      const kept = readings.append(A, reading(1, 1, values), NOON)
      const refused = [3, 2].map((number) =>
        assert.rejects(readings.append(partyOf(number), reading(number, 1, values), NOON), isUnknown),
      )
      await Promise.all(refused)
      assert.equal(await kept, 'new')
    })

    it('keeps its journal entry with it, once, and none for a message it refuses', async (t) => {
      const { journal, readings } = await openWithDevices(t)
      const sealed = receipt(1, 1, [])
      const entry = { kind: 'receipt', at: NOON, device: A, frame: sealed.frame } as const
      await readings.append(A, sealed, NOON, entry)
      await readings.append(A, sealed, NOON + 5, entry)
      await assert.rejects(readings.append(partyOf(3), receipt(3, 1, []), NOON, entry))
      const kept = journal.read({ limit: 10 })
      assert.equal(kept.length, 1)
      assert.deepEqual(kept[0]?.frame, sealed.frame)
      assert.equal((await journal.verify()).broken, undefined)
    })

    it('keeps a message without samples', async (t) => {
      const { readings } = await openWithDevices(t)
      assert.equal(await readings.append(A, receipt(1, 1, []), NOON), 'new')
      assert.equal(await readings.append(A, receipt(1, 1, []), NOON), 'known')
    })

    it('gives a sample without a time, or from the future, that of its arrival', async (t) => {
      const { readings } = await openWithDevices(t)
      const skewed = level(NOON + 300_000, 3)
      await readings.append(A, reading(1, 1, [level(0, 1), level(NOON + 300_001, 2), skewed]), NOON)
      assert.deepEqual(readings.history(A, 2, 0, 10), [level(NOON, 1), level(NOON, 2), skewed])
    })
  })

  describe(`ReadingBook ${where}: the reported twin`, () => {
    it('is what the newest reading or receipt says', async (t) => {
      const { devices, readings } = await openWithDevices(t)
      await readings.append(A, reading(1, 1, [level(NOON, 50), level(NOON + 1, 60)]), NOON + 1)
      assert.deepEqual(devices.twin(A).reported, [level(NOON + 1, 60)])
      await readings.append(A, receipt(1, 2, [level(NOON + 2, 70)]), NOON + 2)
      assert.deepEqual(devices.twin(A).reported, [level(NOON + 2, 70)])
    })

    it('follows the sequence within a boot, whatever the clocks say', async (t) => {
      const { devices, readings } = await openWithDevices(t)
      await readings.append(A, reading(1, 5, [level(NOON, 50)]), NOON)
      await readings.append(A, reading(1, 4, [level(NOON + 100, 40)]), NOON + 100)
      assert.deepEqual(devices.twin(A).reported, [level(NOON, 50)])
      await readings.append(A, reading(1, 6, [level(NOON - 1, 60)]), NOON)
      assert.deepEqual(devices.twin(A).reported, [level(NOON - 1, 60)])
    })

    it('follows a new boot at once', async (t) => {
      const { devices, readings } = await openWithDevices(t)
      await readings.append(A, reading(1, 500, [level(NOON, 50)]), NOON)
      await readings.append(A, reading(1, 1, [level(NOON, 10)], OTHER_BOOT), NOON)
      assert.deepEqual(devices.twin(A).reported, [level(NOON, 10)])
    })

    it('is not changed by a message that was known', async (t) => {
      const { devices, readings } = await openWithDevices(t)
      const old = receipt(1, 1, [level(NOON, 50)])
      await readings.append(A, old, NOON)
      await readings.append(A, reading(1, 2, [level(NOON, 60)]), NOON)
      await readings.append(A, old, NOON + 5)
      assert.deepEqual(devices.twin(A).reported, [level(NOON, 60)])
    })
  })

  describe(`ReadingBook ${where}: history()`, () => {
    it('ascends by time, however the samples came', async (t) => {
      const { readings } = await openWithDevices(t)
      await readings.append(A, reading(1, 1, [level(NOON - 10, 1), level(NOON - 30, 2)]), NOON)
      await readings.append(A, reading(1, 2, [level(NOON - 20, 3)]), NOON)
      assert.deepEqual(
        readings.history(A, 2, 0, 10).map((sample) => sample.value),
        [2, 3, 1],
      )
    })

    it('begins at `since` and gives the newest when there are more than `limit`', async (t) => {
      const { readings } = await openWithDevices(t)
      const samples = Array.from({ length: 10 }, (_, i) => level(NOON - 10 + i, i))
      await readings.append(A, reading(1, 1, samples), NOON)
      const values = (since: number, limit: number) =>
        readings.history(A, 2, since, limit).map((sample) => sample.value)
      assert.deepEqual(values(NOON - 3, 10), [7, 8, 9])
      assert.deepEqual(values(0, 2), [8, 9])
      assert.deepEqual(values(NOON, 2), [])
    })

    it('holds one device and one affordance, and booleans as booleans', async (t) => {
      const { readings } = await openWithDevices(t)
      await readings.append(
        A,
        reading(1, 1, [{ affordance: 1, at: NOON, value: true }, level(NOON, 1)]),
        NOON,
      )
      await readings.append(B, reading(2, 1, [level(NOON, 2)]), NOON)
      assert.deepEqual(readings.history(A, 1, 0, 10), [{ affordance: 1, at: NOON, value: true }])
      assert.deepEqual(readings.history(B, 2, 0, 10), [level(NOON, 2)])
      assert.deepEqual(readings.history(partyOf(3), 2, 0, 10), [])
    })

    it('is whole and in order when thousands of samples have moved on', async (t) => {
      const { readings } = await openWithDevices(t)
      const appended: Promise<string>[] = []
      for (let sequence = 1; sequence <= 600; sequence++) {
        const samples = Array.from({ length: 16 }, (_, i) => level(NOON - sequence * 16 + i, sequence))
        appended.push(readings.append(A, reading(1, sequence, samples), NOON))
      }
      await Promise.all(appended)
      const times = readings.history(A, 2, 0, 10_000).map((sample) => sample.at)
      assert.deepEqual(
        times,
        Array.from({ length: 9600 }, (_, i) => NOON - 9600 + i),
      )
    })

    it('refuses a limit outside 1 to 10,000', async (t) => {
      const { readings } = await openWithDevices(t)
      for (const limit of [0, -1, 10_001, Number.NaN]) assert.throws(() => readings.history(A, 2, 0, limit))
    })
  })
}
