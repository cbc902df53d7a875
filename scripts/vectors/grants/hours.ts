// SPDX-License-Identifier: GPL-3.0-or-later
/** At which hours of the week, in the home's zone (SPEC 12.3, 12.6). */
import type { Zone } from '../../../daemon/core/envelope/index.ts'
import type { Code } from '../../../schemas/gen/ts/codes.ts'
import { NOW } from '../parties.ts'
import type { Case } from '../text.ts'
import { type Scene, scene, step } from './scene.ts'

const DAY = 86_400
/** Wednesday, 25 November 2026, 00:00 UTC. */
const WEDNESDAY = NOW - (NOW % DAY)
const at = (dayFromWednesday: number, hour: number, minute = 0, second = 0): number =>
  WEDNESDAY + dayFromWednesday * DAY + hour * 3600 + minute * 60 + second
const [MONDAY, TUESDAY, WEDNESDAYS, SUNDAY] = [1, 2, 4, 64] as const
const span = (days: number, from: number, to: number) => ({ days, from: from * 60, to: to * 60 })

/** The steps of commands at the given moments by a grant of these hours. */
function hoursCase(
  name: string,
  comment: string,
  hours: { days: number; from: number; to: number }[],
  moments: readonly (readonly [now: number, expect: Code])[],
  zone?: Zone,
): Case {
  const steps = (s: Scene) => [
    step(s.grant({ hours }), 'ok'),
    ...moments.map(([now, expect]) =>
      step(s.command({ sealedAt: now, expiresAt: now + 60 }), expect, { now }),
    ),
  ]
  return scene(name, '12.6', comment, steps, zone && { zone })
}

export function hoursCases(): Case[] {
  return [
    hoursCase(
      'hours',
      'to the second at both ends, in UTC',
      [span(WEDNESDAYS, 8, 18)],
      [
        [at(0, 7, 59, 59), 'outside-hours'],
        [at(0, 8), 'ok'],
        [at(0, 17, 59, 59), 'ok'],
        [at(0, 18), 'outside-hours'],
        [at(1, 12), 'outside-hours'],
        [at(7, 12), 'ok'],
      ],
    ),
    hoursCase(
      'hours-midnight',
      'a day from its first to its last minute',
      [span(WEDNESDAYS, 0, 24)],
      [
        [at(-1, 23, 59, 59), 'outside-hours'],
        [at(0, 0), 'ok'],
        [at(0, 23, 59, 59), 'ok'],
        [at(1, 0), 'outside-hours'],
      ],
    ),
    hoursCase(
      'hours-spans',
      'two spans of one day, and the hole between them',
      [span(WEDNESDAYS, 8, 12), span(WEDNESDAYS, 14, 18)],
      [
        [at(0, 11, 59, 59), 'ok'],
        [at(0, 12), 'outside-hours'],
        [at(0, 14), 'ok'],
      ],
    ),
    hoursCase(
      'hours-zone-east',
      'nine hours east it is Wednesday while it is Tuesday here',
      [span(WEDNESDAYS, 8, 9)],
      [
        [at(0, 8), 'outside-hours'],
        [at(-1, 22, 59, 59), 'outside-hours'],
        [at(-1, 23), 'ok'],
        [at(0, 0), 'outside-hours'],
      ],
      { offset: 540, changesAt: 0, thereafter: 0 },
    ),
    hoursCase(
      'hours-zone-west',
      'three and a half hours west Sunday night is Monday morning here',
      [span(SUNDAY, 22, 24)],
      [
        [at(5, 1, 30), 'ok'],
        [at(5, 3, 29, 59), 'ok'],
        [at(5, 3, 30), 'outside-hours'],
        [at(4, 22), 'outside-hours'],
      ],
      { offset: -210, changesAt: 0, thereafter: -210 },
    ),
    hoursCase(
      'hours-week-end',
      'Sunday’s last minute and Monday’s first',
      [span(SUNDAY, 23, 24), span(MONDAY, 0, 1)],
      [
        [at(4, 22, 59, 59), 'outside-hours'],
        [at(4, 23, 59, 59), 'ok'],
        [at(5, 0), 'ok'],
        [at(5, 1), 'outside-hours'],
      ],
    ),
    hoursCase(
      'hours-zone-change',
      'the clocks go an hour back at one, so eight comes an hour later',
      [span(127, 8, 18)],
      [
        [at(0, 5, 59, 59), 'outside-hours'],
        [at(0, 6), 'ok'],
        [at(0, 15, 59, 59), 'ok'],
        [at(1, 6), 'outside-hours'],
        [at(1, 6, 59, 59), 'outside-hours'],
        [at(1, 7), 'ok'],
        [at(1, 16, 59, 59), 'ok'],
        [at(1, 17), 'outside-hours'],
      ],
      { offset: 120, changesAt: at(1, 1), thereafter: 60 },
    ),
    hoursCase(
      'hours-zone-change-now',
      'the very second in which the zone changes',
      [span(127, 2, 3)],
      [
        [at(0, 0, 59, 59), 'outside-hours'],
        [at(0, 1), 'outside-hours'],
        [at(-1, 1), 'ok'],
        [at(1, 0), 'ok'],
      ],
      { offset: 60, changesAt: at(0, 1), thereafter: 120 },
    ),
    scene('hours-zone-told-later', '12.6', 'the zone comes with the welcome: till then UTC', (s) => [
      step(s.grant({ hours: [span(WEDNESDAYS | TUESDAY, 8, 18)] }), 'ok'),
      step(s.command(), 'ok'),
      step(s.command(), 'outside-hours', { zone: { offset: 600, changesAt: 0, thereafter: 0 } }),
    ]),
  ]
}
