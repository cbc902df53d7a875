// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onlyMoves } from '../../daemon/publish.ts'

test('of a service that six directories take, watchers hear once that it is published', () => {
  const heard: string[] = []
  const tell = onlyMoves((service, state) => heard.push(`${service} ${state}`))
  for (const state of ['queued', 'queued', 'publishing', 'published', 'published', 'published'] as const) {
    tell({ name: 'anna', state })
  }
  tell({ name: 'ben', state: 'published' })
  tell({ name: 'anna', state: 'reachable' })
  tell({ name: 'anna', state: 'queued' })
  assert.deepEqual(heard, [
    'anna queued',
    'anna publishing',
    'anna published',
    'ben published',
    'anna reachable',
    'anna queued',
  ])
})
