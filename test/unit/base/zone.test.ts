// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isZone, systemZone, zoneAt } from '../../../daemon/base/zone.ts'

const at = (text: string): number => Temporal.Instant.from(text).epochMilliseconds
const seconds = (text: string): number => at(text) / 1000

describe('zoneAt()', () => {
  it('says in winter when summer begins', () => {
    assert.deepEqual(zoneAt('Europe/Berlin', at('2026-11-25T14:00Z')), {
      offset: 60,
      changesAt: seconds('2027-03-28T01:00Z'),
      thereafter: 120,
    })
  })

  it('says in summer when it ends, on the southern half too', () => {
    assert.deepEqual(zoneAt('Australia/Lord_Howe', at('2026-11-25T14:00Z')), {
      offset: 660,
      changesAt: seconds('2027-04-03T15:00Z'),
      thereafter: 630,
    })
  })

  it('has changed in the very second of the change', () => {
    const change = at('2027-03-28T01:00Z')
    assert.equal(zoneAt('Europe/Berlin', change - 1).offset, 60)
    const { offset, changesAt } = zoneAt('Europe/Berlin', change)
    assert.deepEqual([offset, changesAt], [120, seconds('2027-10-31T01:00Z')])
  })

  for (const [zone, offset] of [
    ['UTC', 0],
    ['Asia/Kolkata', 330],
    ['+01:00', 60],
    ['-03:30', -210],
  ] as const) {
    it(`knows of no change in ${zone}`, () => {
      assert.deepEqual(zoneAt(zone, at('2026-11-25T14:00Z')), { offset, changesAt: 0, thereafter: offset })
    })
  }
})

describe('isZone()', () => {
  for (const name of ['', 'Europe', 'Europe/Atlantis', 'MEZ?', '+25:00', '../etc/passwd', 'europe/berlin\n'])
    it(`does not know ${JSON.stringify(name)}`, () => assert.equal(isZone(name), false))
})

describe('systemZone()', () => {
  const LINKS: Record<string, string> = {
    '/etc/localtime': '/usr/share/zoneinfo/Europe/Berlin',
    '/usr/share/zoneinfo/Asia/Tokyo': '/usr/share/zoneinfo/Asia/Tokyo',
    '/usr/share/zoneinfo/right/Asia/Tokyo': '/usr/share/zoneinfo/right/Asia/Tokyo',
    '/data/localtime': '/data/localtime',
  }
  const realPath = (path: string): string => {
    assert.ok(path in LINKS, 'no such file')
    return LINKS[path]!
  }
  for (const [tz, name] of [
    ['Europe/Berlin', 'Europe/Berlin'],
    [':Europe/Berlin', 'Europe/Berlin'],
    ['', 'UTC'],
    [':', 'UTC'],
    [':/etc/localtime', 'Europe/Berlin'],
    ['/usr/share/zoneinfo/Asia/Tokyo', 'Asia/Tokyo'],
    [':/usr/share/zoneinfo/right/Asia/Tokyo', 'Asia/Tokyo'],
    ['/data/localtime', undefined],
    ['/gone', undefined],
    ['CET-1CEST', undefined],
    ['Europe/Atlantis', undefined],
  ] as const)
    it(`is ${name} with TZ=${tz}`, () => assert.equal(systemZone(tz, realPath), name))

  it('is one that is known, without TZ', () => assert.ok(isZone(systemZone(undefined, realPath)!)))
})
