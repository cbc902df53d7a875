// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Bootstrap, parseBootstrap } from '../../../../daemon/edge/onion/bootstrap.ts'
import { settled } from '../../../support/manual-clock.ts'

const at = (percent: number, more = '') =>
  `NOTICE BOOTSTRAP PROGRESS=${percent} TAG=t SUMMARY="S ${percent}"${more}`

test('parseBootstrap() reads the answer and the event', () => {
  assert.deepEqual(parseBootstrap(at(75)), { percent: 75, summary: 'S 75', ready: false })
  assert.deepEqual(parseBootstrap(`STATUS_CLIENT ${at(100)}`), {
    percent: 100,
    summary: 'S 100',
    ready: true,
  })
})

test('parseBootstrap() passes on what tor warns of', () => {
  assert.equal(
    parseBootstrap(at(5, ' WARNING="No route to host" REASON=NOROUTE'))?.summary,
    'S 5: No route to host',
  )
})

test('parseBootstrap() knows no state in anything else', () => {
  for (const text of [
    '',
    'NOTICE CIRCUIT_ESTABLISHED',
    'NOTICE BOOTSTRAP',
    'NOTICE BOOTSTRAP PROGRESS=',
    'NOTICE BOOTSTRAP PROGRESS=-1',
    'NOTICE BOOTSTRAP PROGRESS=101',
    'NOTICE BOOTSTRAP PROGRESS=5.5',
    'NOTICE BOOTSTRAP PROGRESS=x',
  ]) {
    assert.equal(parseBootstrap(text), undefined, text)
  }
})

test('Bootstrap tells each change once and opens when ready', async () => {
  const told: number[] = []
  const bootstrap = new Bootstrap(({ percent }) => told.push(percent))
  let ready = false
  bootstrap.ready.then(() => {
    ready = true
  })
  for (const percent of [5, 5, 50, 100, 100]) bootstrap.hear(at(percent))
  await settled()
  assert.deepEqual(told, [5, 50, 100])
  assert.equal(ready, true)
})

test('Bootstrap is not ready again until a lost tor is replaced', async () => {
  const bootstrap = new Bootstrap(() => {})
  bootstrap.hear(at(100))
  bootstrap.lost('tor ended')
  let ready = false
  bootstrap.ready.then(() => {
    ready = true
  })
  await settled()
  assert.deepEqual([ready, bootstrap.state], [false, { percent: 0, summary: 'tor ended', ready: false }])
  bootstrap.hear(at(100))
  await settled()
  assert.equal(ready, true)
})
