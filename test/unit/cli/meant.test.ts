// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CliError } from '../../../daemon/cli/error.ts'
import { fullName, meantBy } from '../../../daemon/cli/meant.ts'

const here = { id: 'id-1', name: 'door' }
const cabin = { id: 'id-2', name: 'door', home: 'cabin' }
const attic = { id: 'id-3', name: 'door', home: 'attic' }
const shed = { id: 'id-4', name: 'lamp', home: 'cabin' }

describe('which device is meant, when homes call several the same', () => {
  for (const [named, things, meant] of [
    ['door', [cabin, here, attic], here],
    ['cabin/door', [here, cabin, attic], cabin],
    ['id-3', [here, cabin, attic], attic],
    ['lamp', [here, shed], shed],
    ['cabin/lamp', [shed], shed],
  ] as const)
    it(`${named}, of ${things.map(fullName).join(', ')}`, () => assert.equal(meantBy(things, named), meant))

  for (const named of ['attic/lamp', 'doo', '', 'cabin/', '/door', 'cabin'])
    it(`nothing by ${JSON.stringify(named)}`, () =>
      assert.equal(meantBy([here, cabin, attic, shed], named), undefined))

  it('none is guessed of several elsewhere, and the answer says how each is called', () => {
    assert.throws(
      () => meantBy([cabin, attic], 'door'),
      (error) =>
        error instanceof CliError &&
        error.code === 'conflict' &&
        error.next === 'say which: cabin/door, attic/door',
    )
  })
})
