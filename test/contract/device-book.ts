// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hello, NOON, newDevice, type OpenHome, partyOf, reading } from '../support/state.ts'

const A = partyOf(1)
const B = partyOf(2)
const RECORD = new Uint8Array(100).fill(7)
const COMMAND = new Uint8Array(32).fill(3)

/** What every DeviceBook does. */
export function deviceBookContract(where: string, open: OpenHome): void {
  describe(`DeviceBook ${where}: names and ids`, () => {
    it('enrol() adds a device that is away and unconfirmed', async (t) => {
      const { devices } = await open(t)
      const added = await devices.enrol(newDevice(1, { name: 'porch' }), NOON)
      assert(added.ok)
      assert.deepEqual(added.value.presence, {
        connected: false,
        since: NOON,
        nonce: undefined,
        hello: undefined,
      })
      assert.equal(added.value.record, undefined)
      assert.deepEqual(devices.get(A), added.value)
      assert.deepEqual(devices.named('porch'), added.value)
      assert.deepEqual(devices.list(), [added.value])
    })

    it('enrol() of a known id answers with the device as it is', async (t) => {
      const { devices } = await open(t)
      const first = await devices.enrol(newDevice(1, { name: 'porch' }), NOON)
      const again = await devices.enrol(newDevice(1, { name: 'garden' }), NOON + 1)
      assert.deepEqual(again, first)
      assert.equal(devices.named('garden'), undefined)
    })

    it('enrol() refuses a name that another device has', async (t) => {
      const { devices } = await open(t)
      await devices.enrol(newDevice(1, { name: 'porch' }), NOON)
      const refused = await devices.enrol(newDevice(2, { name: 'porch' }), NOON)
      assert.equal(!refused.ok && refused.why, 'name-taken')
      assert.equal(devices.get(B), undefined)
    })

    it('enrol() gives a name to one of two devices that ask in the same turn', async (t) => {
      const { devices } = await open(t)
      const both = [1, 2].map((number) => devices.enrol(newDevice(number, { name: 'porch' }), NOON))
      const [first, second] = await Promise.all(both)
      assert(first?.ok)
      assert.equal(!second!.ok && second?.why, 'name-taken')
      assert.equal(devices.named('porch')?.id, A)
    })

    it('rename() frees the old name', async (t) => {
      const { devices } = await open(t)
      await devices.enrol(newDevice(1, { name: 'porch' }), NOON)
      const renamed = await devices.rename(A, 'garden')
      assert.equal(renamed.ok && renamed.value.name, 'garden')
      assert.equal(devices.named('porch'), undefined)
      assert((await devices.enrol(newDevice(2, { name: 'porch' }), NOON)).ok)
    })

    it('rename() to its own name changes nothing', async (t) => {
      const { devices } = await open(t)
      await devices.enrol(newDevice(1, { name: 'porch' }), NOON)
      assert((await devices.rename(A, 'porch')).ok)
      assert.equal(devices.named('porch')?.id, A)
    })

    it('rename() and confirm() refuse a taken name and an unknown device', async (t) => {
      const { devices } = await open(t)
      await devices.enrol(newDevice(1, { name: 'porch' }), NOON)
      await devices.enrol(newDevice(2, { name: 'garden' }), NOON)
      const answers = await Promise.all([
        devices.rename(A, 'garden'),
        devices.confirm(A, 'garden', RECORD),
        devices.rename(partyOf(3), 'attic'),
        devices.confirm(partyOf(3), 'attic', RECORD),
      ])
      const whys = answers.map((answer) => !answer.ok && answer.why)
      assert.deepEqual(whys, ['name-taken', 'name-taken', 'not-found', 'not-found'])
      assert.equal(devices.get(A)?.record, undefined)
    })

    it('confirm() keeps the record and takes its name', async (t) => {
      const { devices } = await open(t)
      await devices.enrol(newDevice(1, { name: 'porch' }), NOON)
      const confirmed = await devices.confirm(A, 'front door', RECORD)
      assert(confirmed.ok)
      assert.deepEqual(confirmed.value.record, RECORD)
      assert.equal(devices.named('front door')?.id, A)
      assert.equal(devices.named('porch'), undefined)
    })
  })

  describe(`DeviceBook ${where}: forgetting`, () => {
    it('forget() is for ever for the id and frees the name', async (t) => {
      const { devices } = await open(t)
      await devices.enrol(newDevice(1, { name: 'porch' }), NOON)
      assert((await devices.forget(A, NOON)).ok)
      assert.equal(devices.get(A), undefined)
      assert.equal(devices.isForgotten(A), true)
      assert.deepEqual(devices.list(), [])
      const back = await devices.enrol(newDevice(1, { name: 'porch' }), NOON)
      assert.equal(!back.ok && back.why, 'forgotten')
      assert((await devices.enrol(newDevice(2, { name: 'porch' }), NOON)).ok)
    })

    it('forget() refuses a device that never was, and one that is gone', async (t) => {
      const { devices } = await open(t)
      await devices.enrol(newDevice(1), NOON)
      await devices.forget(A, NOON)
      for (const id of [A, B]) {
        const refused = await devices.forget(id, NOON)
        assert.equal(!refused.ok && refused.why, 'not-found')
      }
      assert.equal(devices.isForgotten(B), false)
    })

    it('a forgotten device keeps no twin and gets none by what arrives late', async (t) => {
      const { devices, readings } = await open(t)
      const on = (sequence: number) => reading(1, sequence, [{ affordance: 1, at: NOON, value: true }])
      await devices.enrol(newDevice(1), NOON)
      await devices.desire(A, 1, true, COMMAND, NOON)
      await readings.append(A, on(1), NOON)
      await devices.forget(A, NOON)
      await devices.desire(A, 1, true, COMMAND, NOON)
      await assert.rejects(readings.append(A, on(2), NOON), { code: 'unknown-device' })
      await devices.sessionOpened(A, hello(1, 0), NOON)
      assert.deepEqual(devices.twin(A), { reported: [], desired: [] })
      assert.equal(devices.get(A), undefined)
    })
  })

  describe(`DeviceBook ${where}: sessions`, () => {
    it('sessionOpened() takes over what the hello says, and its nonce', async (t) => {
      const { devices } = await open(t)
      await devices.enrol(newDevice(1), NOON)
      const said = hello(1, 0, { board: 'esp8266', firmware: '0.2.0', affordances: [1, 257], lost: 4 })
      await devices.sessionOpened(A, said, NOON + 5)
      const device = devices.get(A)!
      assert.deepEqual(device.presence, {
        connected: true,
        since: NOON + 5,
        nonce: said.body.epoch,
        hello: said.frame,
      })
      assert.deepEqual(
        [device.board, device.firmware, device.affordances, device.lost],
        ['esp8266', '0.2.0', [1, 257], 4],
      )
    })

    it('losses add up over hellos, and the same hello counts once', async (t) => {
      const { devices } = await open(t)
      await devices.enrol(newDevice(1), NOON)
      const first = hello(1, 0, { lost: 4 })
      for (const said of [first, first, hello(1, 1, { lost: 3 })]) await devices.sessionOpened(A, said, NOON)
      assert.equal(devices.get(A)?.lost, 7)
    })

    it('a session that closes before its hello is on disk leaves the device away', async (t) => {
      const { devices } = await open(t)
      await devices.enrol(newDevice(1), NOON)
      const opened = devices.sessionOpened(A, hello(1, 0), NOON + 5)
      devices.sessionClosed(A, NOON + 6)
      await opened
      assert.equal(devices.get(A)?.presence.connected, false)
      assert.equal(devices.get(A)?.presence.since, NOON + 6)
    })

    it('sessionClosed() does not move the time of a device that is away already', async (t) => {
      const { devices } = await open(t)
      await devices.enrol(newDevice(1), NOON)
      devices.sessionClosed(A, NOON + 9)
      assert.equal(devices.get(A)?.presence.since, NOON)
    })

    it('renaming a connected device leaves it connected', async (t) => {
      const { devices } = await open(t)
      await devices.enrol(newDevice(1), NOON)
      await devices.sessionOpened(A, hello(1, 0), NOON + 5)
      const renamed = await devices.rename(A, 'garden')
      assert.equal(renamed.ok && renamed.value.presence.connected, true)
    })
  })

  describe(`DeviceBook ${where}: twin`, () => {
    it('desire() keeps the last wish for each affordance, in their order', async (t) => {
      const { devices } = await open(t)
      await devices.enrol(newDevice(1), NOON)
      await devices.desire(A, 2, 80, COMMAND, NOON)
      await devices.desire(A, 1, true, COMMAND, NOON)
      await devices.desire(A, 2, 10, COMMAND, NOON + 1)
      assert.deepEqual(devices.twin(A).desired, [
        { affordance: 1, value: true, command: COMMAND, at: NOON },
        { affordance: 2, value: 10, command: COMMAND, at: NOON + 1 },
      ])
    })

    it('a twin keeps true and 1 apart', async (t) => {
      const { devices, readings } = await open(t)
      await devices.enrol(newDevice(1), NOON)
      const values = [
        { affordance: 1, at: NOON, value: true },
        { affordance: 2, at: NOON, value: 1 },
        { affordance: 3, at: NOON, value: false },
      ]
      await readings.append(A, reading(1, 1, values), NOON)
      assert.deepEqual(
        devices.twin(A).reported.map((sample) => sample.value),
        [true, 1, false],
      )
    })
  })
}
