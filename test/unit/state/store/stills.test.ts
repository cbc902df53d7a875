// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { systemClock } from '../../../../daemon/base/clock.ts'
import { Log, silent } from '../../../../daemon/base/log.ts'
import type { PartyId } from '../../../../daemon/core/model/index.ts'
import { KeptStills, type StillLimits } from '../../../../daemon/state/registry/index.ts'
import { IN_MEMORY, openStore, StillTable } from '../../../../daemon/state/store/index.ts'
import { sha256 } from '../../../support/request.ts'
import { newDevice, openHome, partyOf, temporaryFolder } from '../../../support/state.ts'

const [GATE, YARD, HALL] = [1, 2, 3].map(partyOf) as [PartyId, PartyId, PartyId]
const COMMAND = new Uint8Array(32).fill(7)
const frame = new Uint8Array(300).fill(1)

function picture(n: number, size = 100) {
  const bytes = new Uint8Array(size).fill(n)
  const still = (device: PartyId) => ({
    ...{ device, affordance: 30, command: COMMAND, digest: sha256(bytes), size, at: n, receivedAt: n, frame },
  })
  return { bytes, still }
}

async function book(t: TestContext, limits: StillLimits) {
  const store = await openStore(
    { log: new Log(systemClock, silent) },
    { path: IN_MEMORY },
    new AbortController().signal,
  )
  t.after(() => store[Symbol.asyncDispose]())
  const stills = new KeptStills(store, new StillTable(store), limits)
  const put = async (device: PartyId, n: number, size?: number) => {
    const { bytes, still } = picture(n, size)
    await stills.put(still(device), bytes)
  }
  const ages = (device: PartyId) => stills.list(device, 99).map(({ at }) => at)
  return { stills, put, ages }
}

it('a picture is the same after the database was closed, and goes with its device', async (t) => {
  const path = join(temporaryFolder(t), 'home.sqlite')
  const { bytes, still } = picture(4, 9000)
  {
    await using state = await openHome(path)
    await state.devices.enrol({ ...newDevice(1), affordances: [30, 31] }, 1)
    await state.stills.put(still(GATE), bytes)
    await state.stills.put(still(GATE), bytes)
    await state.stills.put(still(YARD), bytes)
  }
  await using state = await openHome(path)
  assert.deepEqual(state.stills.list(GATE, 9), [still(GATE)])
  assert.deepEqual(state.stills.list(GATE, 9, { command: COMMAND }), [still(GATE)])
  assert.deepEqual(state.stills.list(GATE, 9, { command: new Uint8Array(32) }), [])
  assert.deepEqual(state.stills.get(GATE, still(GATE).digest), still(GATE))
  const { digest } = still(GATE)
  assert.deepEqual(state.stills.read(GATE, digest, 8190, 5), bytes.slice(0, 5))
  assert.deepEqual(state.stills.read(GATE, digest, 8999, 5), bytes.slice(0, 1))
  assert.equal(state.stills.read(HALL, digest, 0, 5), undefined)
  await state.devices.forget(GATE, 2)
  assert.deepEqual(state.stills.list(GATE, 9), [])
  assert.equal(state.stills.list(YARD, 9).length, 1)
})

it('pictures are told page by page: those that came before one, of one command or of all', async (t) => {
  const { put, stills } = await book(t, { ofDevice: 99, bytesOfDevice: 1e9, bytesOfAll: 1e9 })
  for (let n = 1; n <= 5; n++) await put(GATE, n)
  await put(YARD, 9)
  const ages = (limit: number, before: Uint8Array, command?: Uint8Array) =>
    stills.list(GATE, limit, { before, command }).map(({ at }) => at)
  const { digest } = picture(4).still(GATE)
  assert.deepEqual(
    [ages(2, digest), ages(9, digest, COMMAND)],
    [
      [3, 2],
      [3, 2, 1],
    ],
  )
  assert.deepEqual(ages(9, digest, new Uint8Array(32)), [])
  // Of what another device has, or nobody: none.
  assert.deepEqual([ages(9, picture(9).still(YARD).digest), ages(9, new Uint8Array(32))], [[], []])
})

it('of one device so many are kept, and so many bytes: the oldest go, and no other’s', async (t) => {
  const { put, ages } = await book(t, { ofDevice: 3, bytesOfDevice: 1000, bytesOfAll: 1e9 })
  await put(YARD, 1)
  for (let n = 1; n <= 5; n++) await put(GATE, n)
  assert.deepEqual(ages(GATE), [5, 4, 3])
  await put(GATE, 6, 900)
  assert.deepEqual(ages(GATE), [6, 5])
  await put(GATE, 7, 1000)
  assert.deepEqual(ages(GATE), [7])
  assert.deepEqual(ages(YARD), [1])
})

it('of all together so many bytes: the oldest goes of the device that has most', async (t) => {
  const { put, ages } = await book(t, { ofDevice: 99, bytesOfDevice: 1e9, bytesOfAll: 600 })
  await put(YARD, 1)
  for (let n = 2; n <= 7; n++) await put(GATE, n)
  assert.deepEqual([ages(YARD), ages(GATE)], [[1], [7, 6, 5, 4, 3]])
  await put(HALL, 8, 250)
  assert.deepEqual([ages(YARD), ages(GATE), ages(HALL)], [[1], [7, 6], [8]])
})
