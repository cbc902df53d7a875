// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { systemClock } from '../../../../daemon/base/clock.ts'
import { Log, silent } from '../../../../daemon/base/log.ts'
import { idOf } from '../../../../daemon/core/model/index.ts'
import type { Rollout } from '../../../../daemon/core/updates/index.ts'
import { openState } from '../../../../daemon/state/index.ts'
import { signerOf } from '../../../support/state.ts'

const author = idOf(signerOf(7301).key)
const digest = (n: number) => new Uint8Array(32).fill(n)
const image = (n: number) => ({
  manifestDigest: digest(n),
  manifest: new Uint8Array(9),
  image: new Uint8Array(50).fill(n),
})

const rollout = (id: number, n: number, change: Partial<Rollout> = {}): Rollout => ({
  id,
  manifestDigest: digest(n),
  firmware: 'lamp 0.2.0',
  sequence: 2,
  size: 50,
  target: 'lights',
  by: author,
  at: 1000,
  state: 'running',
  devices: [
    { device: author, stage: 0, state: 'failed', code: 'wrong-class', at: 5 },
    { device: idOf(signerOf(7302).key), stage: 1, state: 'waiting', at: 6 },
  ],
  ...change,
})

function placeOf(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'shallot-updates-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const options = { path: join(directory, 'home.sqlite'), author }
  const open = () =>
    openState(
      { clock: systemClock, log: new Log(systemClock, silent) },
      options,
      new AbortController().signal,
    )
  return open
}

it('roll-outs and images are the same after the database was closed', async (t) => {
  const open = placeOf(t)
  {
    await using state = await open()
    await state.updates.putImage(image(1), 10)
    await state.updates.putRollout(rollout(1, 1))
    await state.updates.putRollout(rollout(2, 1, { state: 'done', devices: [] }))
    await state.updates.putRollout(rollout(1, 1, { state: 'halted' }))
  }
  await using state = await open()
  assert.deepEqual(state.updates.rollouts(), [
    rollout(1, 1, { state: 'halted' }),
    rollout(2, 1, { state: 'done', devices: [] }),
  ])
  assert.deepEqual(state.updates.image(digest(1)), image(1))
  assert.equal(state.updates.image(digest(2)), undefined)
  assert.equal(state.updates.nextId(), 3)
})

it('of images that nothing needs the newest four are kept, and those that a running roll-out needs', async (t) => {
  await using state = await placeOf(t)()
  await state.updates.putImage(image(1), 1)
  await state.updates.putRollout(rollout(1, 1))
  for (let n = 2; n <= 8; n++) await state.updates.putImage(image(n), n)
  const held = [1, 2, 3, 4, 5, 6, 7, 8].filter((n) => state.updates.holdsImage(digest(n)))
  assert.deepEqual(held, [1, 5, 6, 7, 8])
})

it('a roll-out and its entry in the log are kept together or not at all', async (t) => {
  await using state = await placeOf(t)()
  const wrong = rollout(1, 1, { state: 'sideways' as 'running' })
  await assert.rejects(state.updates.putRollout(wrong, { kind: 'rollout', at: 1 }))
  assert.deepEqual([state.updates.rollouts().length, state.journal.read({ limit: 9 }).length], [0, 0])
})
