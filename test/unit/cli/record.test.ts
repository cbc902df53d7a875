// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordAnew } from '../../../daemon/cli/record.ts'

const BEFORE = {
  ...{
    name: 'porch',
    key: new Uint8Array(32).fill(1),
    permit: new Uint8Array(8).fill(2),
    groups: ['lights'],
  },
  ...{ release: new Uint8Array(32).fill(3), hub: new Uint8Array(32).fill(4) },
}

for (const [what, change] of [
  ['another name', { name: 'hall' }],
  ['other groups', { groups: ['doors', 'lights'] }],
  ['another release key', { release: new Uint8Array(32).fill(5) }],
  ['another daemon', { hub: new Uint8Array(32).fill(6) }],
] as const)
  test(`a record that is sealed anew for ${what} keeps all else [SPEC 4.4]`, () => {
    assert.deepEqual(recordAnew(BEFORE, change), { type: 'enrolment', ...BEFORE, ...change })
  })

for (const member of ['groups', 'release', 'hub'] as const)
  test(`a record without ${member} says nothing of it`, () => {
    const { [member]: _, ...rest } = BEFORE
    assert.deepEqual(recordAnew(BEFORE, { [member]: undefined }), { type: 'enrolment', ...rest })
  })

test('a device that is in no group any more has none in its record', () => {
  const { groups: _, ...rest } = BEFORE
  assert.deepEqual(recordAnew(BEFORE, { groups: [] }), { type: 'enrolment', ...rest })
})
