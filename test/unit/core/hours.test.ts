// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { zoneAt } from '../../../daemon/base/zone.ts'
import { isWithin, sayHours, UTC } from '../../../daemon/core/policy/index.ts'

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/St_Johns',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Pacific/Kiritimati',
]
const seconds = (text: string): number => Temporal.Instant.from(text).epochMilliseconds / 1000

describe('isWithin() [SPEC 12.6]', () => {
  it('agrees with Temporal at any second of forty years in any zone', () => {
    const moment = fc.integer({ min: 1_600_000_000, max: 2_860_000_000 })
    const span = fc
      .record({
        days: fc.integer({ min: 1, max: 127 }),
        from: fc.integer({ min: 0, max: 1439 }),
        to: fc.integer({ min: 1, max: 1440 }),
      })
      .filter(({ from, to }) => from < to)
    fc.assert(
      fc.property(fc.constantFrom(...ZONES), moment, span, (name, now, hours) => {
        const local = Temporal.Instant.fromEpochMilliseconds(now * 1000).toZonedDateTimeISO(name)
        const minute = local.hour * 60 + local.minute
        const isDay = (hours.days & (1 << (local.dayOfWeek - 1))) !== 0
        const expected = isDay && minute >= hours.from && minute < hours.to
        assert.equal(isWithin([hours], now, zoneAt(name, now * 1000)), expected)
      }),
      { numRuns: 500 },
    )
  })

  it('agrees with it also by a zone that was told up to its next change, before and after that', () => {
    const moment = fc.integer({ min: 1_700_000_000, max: 2_000_000_000 })
    const later = fc.integer({ min: 0, max: 90 * 86_400 })
    fc.assert(
      fc.property(fc.constantFrom(...ZONES), moment, later, (name, told, after) => {
        const zone = zoneAt(name, told * 1000)
        const now = told + after
        const next = zone.changesAt === 0 ? undefined : zoneAt(name, zone.changesAt * 1000)
        fc.pre(!next || next.changesAt === 0 || now < next.changesAt)
        const local = Temporal.Instant.fromEpochMilliseconds(now * 1000).toZonedDateTimeISO(name)
        const minute = local.hour * 60 + local.minute
        const days = 1 << (local.dayOfWeek - 1)
        assert.ok(isWithin([{ days, from: minute, to: minute + 1 }], now, zone))
        assert.equal(isWithin([{ days: 127 - days || 1, from: minute, to: minute + 1 }], now, zone), false)
      }),
      { numRuns: 300 },
    )
  })

  it('begins at the first second of a minute and ends before the first second of the last', () => {
    const hours = [{ days: 4, from: 480, to: 481 }]
    const moments = ['07:59:59', '08:00:00', '08:00:59', '08:01:00'].map((time) =>
      isWithin(hours, seconds(`2026-11-25T${time}Z`), UTC),
    )
    assert.deepEqual(moments, [false, true, true, false])
  })

  it('holds in the hour that comes twice, and not in the hour that does not come', () => {
    const zone = zoneAt('Europe/Berlin', seconds('2026-08-01T00:00Z') * 1000)
    const night = [{ days: 64, from: 150, to: 180 }]
    const twice = ['2026-10-25T00:30Z', '2026-10-25T01:30Z', '2026-10-25T02:00Z']
    assert.deepEqual(
      twice.map((time) => isWithin(night, seconds(time), zone)),
      [true, true, false],
    )
    const winter = zoneAt('Europe/Berlin', seconds('2027-01-01T00:00Z') * 1000)
    const never = Array.from({ length: 240 }, (_, minute) => seconds('2027-03-28T00:00Z') + minute * 60)
    assert.ok(never.every((now) => !isWithin(night, now, winter)))
  })
})

describe('sayHours()', () => {
  const cases: [string, { days: number; from: number; to: number }[]][] = [
    ['Mon–Fri 08:00–18:00', [{ days: 31, from: 480, to: 1080 }]],
    ['Sat, Sun 00:00–24:00', [{ days: 96, from: 0, to: 1440 }]],
    ['Mon, Wed, Fri–Sun 07:05–07:06', [{ days: 117, from: 425, to: 426 }]],
    [
      'Tue 09:00–12:00, Thu 14:00–16:30',
      [
        { days: 2, from: 540, to: 720 },
        { days: 8, from: 840, to: 990 },
      ],
    ],
  ]
  for (const [said, hours] of cases) it(`says ${said}`, () => assert.equal(sayHours(hours), said))
})
