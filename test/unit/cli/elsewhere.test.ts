// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { pathThere, seenFrom } from '../../../daemon/cli/elsewhere.ts'
import { partyOf } from '../../support/state.ts'

const there = { by: 'cabin', of: 'town' }
const id = partyOf(1)

describe('a device that is named at a home which is reached by another one', () => {
  for (const [asked, path] of [
    ['/things/door', '/things/town%2Fdoor'],
    ['/things/the%20door/properties', '/things/town%2Fthe%20door/properties'],
    ['/things/cabin%2Fdoor/history?property=on', '/things/door/history?property=on'],
    ['/things/shed%2Fdoor', '/things/shed%2Fdoor'],
    [`/things/${id}/properties`, `/things/${id}/properties`],
    ['/things', '/things'],
    ['/home', '/home'],
    ['/log?device=door', '/log?device=door'],
  ] as const) {
    it(`${asked} is ${path} there`, () => {
      assert.equal(pathThere(asked, there), path)
      assert.equal(pathThere(asked, {}), asked)
    })
  }

  it('is told as it would be at home', () => {
    const things = [{ id: 1 }, { id: 2, home: 'town' }, { id: 3, home: 'shed' }]
    const seen = [{ id: 1, home: 'cabin' }, { id: 2 }, { id: 3, home: 'shed' }]
    assert.deepEqual(seenFrom({ me: 1, things }, '/home', there), { me: 1, things: seen })
    const described = things.map(({ id: number, home }) => ({
      id: number,
      ...(home && { 'shallot:home': home }),
    }))
    assert.deepEqual(seenFrom(described, '/things', there), [
      { id: 1, 'shallot:home': 'cabin' },
      { id: 2 },
      { id: 3, 'shallot:home': 'shed' },
    ])
    assert.deepEqual(seenFrom(things[0], '/things/x/properties', there), seen[0])
    assert.deepEqual(seenFrom({}, '/things/x', there), { 'shallot:home': 'cabin' })
  })

  it('and what is no answer about devices stays as it is', () => {
    for (const answer of [undefined, null, 7, 'x', [], { things: 7 }, [null]]) {
      for (const path of ['/home', '/things', '/status'])
        assert.deepEqual(seenFrom(answer, path, there), answer)
    }
    assert.deepEqual(seenFrom({ things: [{ id: 1 }] }, '/home', {}), { things: [{ id: 1 }] })
  })
})
