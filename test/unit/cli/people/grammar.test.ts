// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { CliError } from '../../../../daemon/cli/error.ts'
import { parseHours, sayHours } from '../../../../daemon/cli/people/hours.ts'
import { parseMoment, sayMoment } from '../../../../daemon/cli/people/moment.ts'
import { parseWhat, sayWhat } from '../../../../daemon/cli/people/what.ts'
import { CAPABILITIES } from '../../../../schemas/gen/ts/capabilities.ts'

const WEEKDAYS = 31

suite('parseHours() reads weekly hours as people write them [SPEC 12.1]', () => {
  const good: [string, object[], string?][] = [
    ['Mon-Fri 08:00-18:00', [{ days: WEEKDAYS, from: 480, to: 1080 }], 'Mon–Fri 08:00–18:00'],
    [
      'Mon-Fri 08:00-18:00, Sat 10:00-12:00',
      [
        { days: WEEKDAYS, from: 480, to: 1080 },
        { days: 32, from: 600, to: 720 },
      ],
      'Mon–Fri 08:00–18:00, Sat 10:00–12:00',
    ],
    ['mon, wed, fri 9-17', [{ days: 21, from: 540, to: 1020 }], 'Mon Wed Fri 09:00–17:00'],
    ['monday tuesday 9:30-10', [{ days: 3, from: 570, to: 600 }], 'Mon Tue 09:30–10:00'],
    ['daily 0:00-24:00', [{ days: 127, from: 0, to: 1440 }], 'daily 00:00–24:00'],
    ['7-9', [{ days: 127, from: 420, to: 540 }]],
    ['Sat-Mon 10-11', [{ days: 97, from: 600, to: 660 }]],
    ['Mon 08:00–09:00; Tue 08:00–09:00', [{ days: 3, from: 480, to: 540 }]],
  ]
  for (const [text, spans, says] of good) {
    test(`"${text}"`, () => {
      assert.deepEqual(parseHours(text), spans)
      if (says !== undefined) assert.equal(sayHours(parseHours(text)), says)
    })
  }

  test('over midnight becomes the evening and the next morning', () => {
    assert.deepEqual(parseHours('Fri 22:00-06:00'), [
      { days: 16, from: 1320, to: 1440 },
      { days: 32, from: 0, to: 360 },
    ])
    assert.deepEqual(parseHours('Sun 22:00-06:00')[1], { days: 1, from: 0, to: 360 })
    assert.deepEqual(parseHours('Fri 22:00-00:00'), [{ days: 16, from: 1320, to: 1440 }])
  })

  const bad = [
    '',
    'Mon',
    'Mon-Fri',
    '08:00',
    'Mon 08:00',
    'Mon 08:00-',
    'Mon 08:00-08:00',
    'Mon 08:00-25:00',
    'Mon 08:60-09:00',
    'Mon 24:01-24:30',
    'Moon 08:00-09:00',
    'M 08:00-09:00',
    'Mon-Fri-Sun 08:00-09:00',
    'Mon 08:00-09:00 Tue',
    'Mon 8am-9am',
    'Mon 1-2, Tue 2-3, Wed 3-4, Thu 4-5, Fri 5-6',
    'Mon 22-6, Tue 21-5, Wed 20-4',
  ]
  for (const text of bad) {
    test(`refuses "${text}", and says how to say it`, () => {
      assert.throws(() => parseHours(text), { code: 'usage', next: /Mon-Fri 08:00-18:00/ })
    })
  }
})

const BERLIN = 'Europe/Berlin'
/** 2026-11-25 15:04 in Berlin. */
const NOW = Date.UTC(2026, 10, 25, 14, 4)
const at = (...parts: [number, number, number, number?, number?]) => Date.UTC(...parts) / 1000

suite("parseMoment() reads times in the home's zone", () => {
  const until: [string, number][] = [
    ['3h', at(2026, 10, 25, 17, 4)],
    ['2d', at(2026, 10, 27, 14, 4)],
    ['1w', at(2026, 11, 2, 14, 4)],
    ['18:00', at(2026, 10, 25, 17, 0)],
    ['15:00', at(2026, 10, 26, 14, 0)],
    ['9:30', at(2026, 10, 26, 8, 30)],
    ['today', at(2026, 10, 25, 23, 0)],
    ['tomorrow', at(2026, 10, 26, 23, 0)],
    ['2026-12-24', at(2026, 11, 24, 23, 0)],
    ['2026-12-24 18:00', at(2026, 11, 24, 17, 0)],
    ['2026-12-24T18:00', at(2026, 11, 24, 17, 0)],
    ['2026-12-24T18:00:00Z', at(2026, 11, 24, 18, 0)],
    ['2027-07-01 12:00', at(2027, 6, 1, 10, 0)],
  ]
  for (const [text, seconds] of until) {
    test(`--until ${text}`, () => assert.equal(parseMoment(text, '--until', NOW, BERLIN), seconds))
  }

  for (const [now, next] of [
    ['00:15', '00:30'],
    ['00:45', '01:30'],
    ['01:15', '01:30'],
  ] as const)
    test(`02:30 of the night in which it comes twice, at ${now} UTC, is the next one`, () => {
      const time = (text: string) => Date.parse(`2026-10-25T${text}:00Z`)
      assert.equal(parseMoment('02:30', '--until', time(now), BERLIN), time(next) / 1000)
    })

  test('a day is its beginning for --from and its end for --until', () => {
    assert.equal(parseMoment('2026-12-24', '--from', NOW, BERLIN), at(2026, 11, 23, 23, 0))
    assert.equal(parseMoment('today', '--from', NOW, BERLIN), at(2026, 10, 24, 23, 0))
  })

  test('a day on which the clocks change is as long as it is', () => {
    const [from, to] = (['--from', '--until'] as const).map((flag) =>
      parseMoment('2027-03-28', flag, NOW, BERLIN),
    )
    assert.equal(to! - from!, 23 * 3600)
  })

  test('sayMoment() says the time of the home', () => {
    assert.equal(sayMoment(at(2026, 11, 24, 17, 0), BERLIN), '2026-12-24 18:00')
    assert.equal(sayMoment(at(2026, 11, 24, 17, 0), '+05:30'), '2026-12-24 22:30')
  })

  for (const text of [
    '',
    'soon',
    '2026-13-01',
    '2026-02-30',
    '25:00',
    '12:60',
    '3y',
    '-3h',
    '2026-12-24 18',
    '0x10',
  ]) {
    test(`refuses "${text}"`, () => {
      assert.throws(() => parseMoment(text, '--until', NOW, BERLIN), { code: 'usage' })
    })
  }

  test('refuses an end that has passed, and tells the time at the home', () => {
    assert.throws(() => parseMoment('2026-11-24', '--until', NOW, BERLIN), { code: 'usage', next: /15:04/ })
  })

  test('refuses what is more than ten years ahead', () => {
    assert.throws(() => parseMoment('2040-01-01', '--until', NOW, BERLIN), {
      code: 'usage',
      next: /without an end/,
    })
  })
})

const LOCK = { words: 'front-door', affordances: [7, 8, 9, 10, 11] }
const LIGHT = { words: 'porch-light', affordances: [1, 2, 5, 257] }

suite('parseWhat() turns names into the AIF table [SPEC 12.1]', () => {
  const good: [string, object, [number, number][], string][] = [
    ['unlock', LOCK, [[9, 2]], 'unlock'],
    ['locked', LOCK, [[7, 1]], 'locked'],
    ['locked:read', LOCK, [[7, 1]], 'locked'],
    ['on', LIGHT, [[1, 5]], 'on'],
    ['on2', LIGHT, [[257, 5]], 'on2'],
    ['level:read', LIGHT, [[2, 1]], 'level:read'],
    ['level:write', LIGHT, [[2, 4]], 'level:write'],
    ['level:read level:write', LIGHT, [[2, 5]], 'level'],
    [
      'toggle on',
      LIGHT,
      [
        [1, 5],
        [5, 2],
      ],
      'on toggle',
    ],
    [
      'all',
      LOCK,
      [
        [7, 1],
        [8, 1],
        [9, 2],
        [10, 2],
        [11, 5],
      ],
      'locked closed unlock lock fail-safe',
    ],
    [
      'all:read',
      LOCK,
      [
        [7, 1],
        [8, 1],
        [11, 1],
      ],
      'locked closed fail-safe:read',
    ],
    [
      'all:read unlock',
      LOCK,
      [
        [7, 1],
        [8, 1],
        [9, 2],
        [11, 1],
      ],
      'locked closed unlock fail-safe:read',
    ],
  ]
  for (const [words, scope, table, says] of good) {
    test(words, () => {
      const what = parseWhat(words.split(' '), scope as typeof LOCK)
      assert.deepEqual(
        what.map(({ affordance, methods }) => [affordance, methods]),
        table,
      )
      assert.equal(sayWhat(what), says)
    })
  }

  const bad: [string, string][] = [
    ['on', 'no-such-affordance'],
    ['fly', 'no-such-affordance'],
    ['Unlock', 'no-such-affordance'],
    ['__proto__', 'no-such-affordance'],
    ['unlock:read', 'usage'],
    ['unlock:invoke', 'usage'],
    ['locked:write', 'read-only'],
    ['locked:read:write', 'usage'],
    ['locked:constructor', 'usage'],
    [':read', 'no-such-affordance'],
  ]
  for (const [words, code] of bad) {
    test(`refuses ${words} of a lock: ${code}`, () => assert.throws(() => parseWhat([words], LOCK), { code }))
  }

  test('a refusal tells what there is', () => {
    assert.throws(() => parseWhat(['on'], LOCK), { next: /front-door can: locked closed unlock/ })
  })

  test('all of everything fits into one grant, whatever devices there are', () => {
    const affordances = CAPABILITIES.map(({ number }) => number)
    assert.equal(parseWhat(['all'], { words: 'everything', affordances }).length, affordances.length)
  })

  test('refuses more than one grant holds', () => {
    const affordances = Array.from({ length: 33 }, (_, instance) => instance * 256 + 1)
    assert.throws(() => parseWhat(['all'], { words: 'everything', affordances }), {
      code: 'usage',
      next: /fewer/,
    })
  })
})

suite('whatever is typed', () => {
  const span = fc
    .record({
      days: fc.integer({ min: 1, max: 127 }),
      from: fc.integer({ min: 0, max: 1439 }),
      length: fc.integer({ min: 1, max: 1440 }),
    })
    .map(({ days, from, length }) => ({ days, from, to: Math.min(1440, from + length) }))
  const times = ({ from, to }: { from: number; to: number }) => `${from} ${to}`

  test('hours that were said are read as they were meant', () => {
    fc.assert(
      fc.property(fc.uniqueArray(span, { minLength: 1, maxLength: 4, selector: times }), (spans) => {
        assert.deepEqual(parseHours(sayHours(spans)), spans)
      }),
    )
  })

  test('is read, or refused with a code of ours', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .array(
          fc.constantFrom(
            'Mon',
            '-',
            '–',
            ' ',
            ',',
            '8',
            '08:00',
            '24:00',
            ':',
            'read',
            'on',
            'T',
            'd',
            '2026-12-24',
          ),
        )
        .map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(text, (typed) => {
        for (const read of [
          () => parseHours(typed),
          () => parseMoment(typed, '--until', NOW, BERLIN),
          () => parseMoment(typed, '--from', NOW, BERLIN),
          () => parseWhat([typed], LIGHT),
        ]) {
          try {
            read()
          } catch (error) {
            assert(error instanceof CliError, String(error))
          }
        }
      }),
      { numRuns: 1000 },
    )
  })
})
