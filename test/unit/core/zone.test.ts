// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { zoneNamed } from '../../../daemon/core/zone.ts'

const seconds = (text: string) => Date.parse(text) / 1000

describe('zoneNamed() [SPEC 12.6]', () => {
  const cases: [string, string, number, string | 0, number][] = [
    ['Europe/Berlin', '2026-11-25T12:00Z', 60, '2027-03-28T01:00Z', 120],
    ['Europe/Berlin', '2026-07-01T12:00Z', 120, '2026-10-25T01:00Z', 60],
    ['America/St_Johns', '2026-11-25T12:00Z', -210, '2027-03-14T05:30Z', -150],
    ['Australia/Lord_Howe', '2026-11-25T12:00Z', 660, '2027-04-03T15:00Z', 630],
    ['Asia/Kolkata', '2026-11-25T12:00Z', 330, 0, 330],
    ['UTC', '2026-11-25T12:00Z', 0, 0, 0],
  ]
  for (const [name, now, offset, changes, thereafter] of cases) {
    it(`${name} at ${now}`, () => {
      const zone = zoneNamed(name)!(seconds(now))
      assert.deepEqual(zone, { offset, changesAt: changes === 0 ? 0 : seconds(changes), thereafter })
    })
  }

  it('says the new time in the second in which it begins, and not before', () => {
    const berlin = zoneNamed('Europe/Berlin')!
    const change = seconds('2027-03-28T01:00Z')
    assert.equal(berlin(change - 1).offset, 60)
    assert.equal(berlin(change).offset, 120)
  })

  it('follows a clock that is set back', () => {
    const berlin = zoneNamed('Europe/Berlin')!
    berlin(seconds('2026-11-25T12:00Z'))
    assert.equal(berlin(seconds('2026-07-01T12:00Z')).offset, 120)
  })

  for (const name of ['', 'Europe/Atlantis', '../etc/passwd', 'Berlin']) {
    it(`knows no ${JSON.stringify(name)}`, () => assert.equal(zoneNamed(name), undefined))
  }
})
