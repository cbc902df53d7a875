// SPDX-License-Identifier: GPL-3.0-or-later
/** From when, until when, at which hours, how long without the hub, how often (SPEC 12.3, 12.4, 12.6). */
import type { Zone } from '../../../daemon/core/envelope/index.ts'
import type { Code } from '../../../schemas/gen/ts/codes.ts'
import { guest, HOME, NOW, OTHER_DEVICE, owner, sitter, sitterTablet, stranger } from '../parties.ts'
import type { Case } from '../text.ts'
import { CHILD, ID, may, type Scene, scene, step, UNLOCK } from './scene.ts'

const DAY = 86_400
/** Wednesday, 25 November 2026, 00:00 UTC. */
const WEDNESDAY = NOW - (NOW % DAY)
const at = (dayFromWednesday: number, hour: number, minute = 0, second = 0): number =>
  WEDNESDAY + dayFromWednesday * DAY + hour * 3600 + minute * 60 + second
const LONG = 30 * DAY
const [MONDAY, TUESDAY, WEDNESDAYS, SUNDAY] = [1, 2, 4, 64] as const
const span = (days: number, from: number, to: number) => ({ days, from: from * 60, to: to * 60 })

function spanCases(): Case[] {
  return [
    scene('not-yet', '12.3', 'a second before it begins, and when it begins', (s) => [
      step(s.grant({ notBefore: NOW + 60 }), 'ok'),
      step(s.command(), 'grant-not-yet', { now: NOW + 59 }),
      step(s.command(), 'ok', { now: NOW + 60 }),
    ]),
    scene('ended', '12.3', 'a second before it ends, and when it ends', (s) => [
      step(s.grant({ expiresAt: NOW + 60 }), 'ok'),
      step(s.command(), 'ok', { now: NOW + 59 }),
      step(s.command(), 'grant-expired', { now: NOW + 60 }),
    ]),
    scene('ended-before-it-came', '3.4', 'a grant that is over is not taken', (s) => [
      step(s.grant({ expiresAt: NOW }), 'expired'),
      step(s.command(), 'unknown-grant'),
    ]),
    scene('no-clock-grant', '3.4', 'an end, and a device that does not know the time', (s) => [
      step(s.grant({ expiresAt: NOW + 60 }), 'no-clock', { now: 0 }),
      step(s.grant({ id: CHILD }), 'ok'),
    ]),
  ]
}

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

function hoursCases(): Case[] {
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

function leaseCases(): Case[] {
  const leased = { leaseS: 600 }
  return [
    scene('lease-none', '12.4', 'a grant that needs a lease, and no lease', (s) => [
      step(s.grant(leased), 'ok'),
      step(s.command(), 'lease-lapsed'),
      step(s.lease(), 'ok'),
      step(s.command(), 'ok'),
    ]),
    scene('lease-ends', '12.4', 'it lapses when the lease ends', (s) => [
      step(s.grant(leased), 'ok'),
      step(s.lease({ expiresAt: NOW + 300 }), 'ok'),
      step(s.command(), 'ok', { now: NOW + 299 }),
      step(s.command(), 'lease-lapsed', { now: NOW + 300 }),
    ]),
    scene('lease-long', '12.4', 'a lease of a week does not keep a grant of ten minutes for longer', (s) => [
      step(s.grant(leased), 'ok'),
      step(s.lease({ expiresAt: NOW + 7 * DAY }), 'ok'),
      step(s.command(), 'ok', { now: NOW + 599 }),
      step(s.command(), 'lease-lapsed', { now: NOW + 600 }),
    ]),
    scene('lease-again', '12.4', 'the next lease goes on, and an old one shortens nothing', (s) => {
      const old = s.lease()
      return [
        step(s.grant(leased), 'ok'),
        step(s.lease({ sealedAt: NOW + 500, expiresAt: NOW + 4000 }), 'ok', { now: NOW + 500 }),
        step(old, 'ok'),
        step(s.command(), 'ok', { now: NOW + 1099 }),
        step(s.command(), 'lease-lapsed', { now: NOW + 1100 }),
      ]
    }),
    scene('lease-of-another', '12.4', 'a lease of another grant', (s) => [
      step(s.grant(leased), 'ok'),
      step(s.lease({ grants: [CHILD] }), 'ok'),
      step(s.command(), 'lease-lapsed'),
    ]),
    scene('lease-too-early', '12.4', 'a lease counts for what is held when it comes', (s) => [
      step(s.lease(), 'ok'),
      step(s.grant(leased), 'ok'),
      step(s.command(), 'lease-lapsed'),
    ]),
    scene('lease-of-copies', '12.4', 'one lease is for all copies that are held', (s) => [
      step(s.grant(leased), 'ok'),
      step(s.grant({ ...leased, key: sitterTablet.key }), 'ok'),
      step(s.lease(), 'ok'),
      step(s.command(), 'ok'),
      step(s.command({}, sitterTablet), 'ok'),
    ]),
    scene('lease-by-others', '12.4', 'nobody but the hub leases', (s) => [
      step(s.grant(leased), 'ok'),
      step(s.lease({}, owner), 'unknown-signer'),
      step(s.lease({}, sitter), 'unknown-signer'),
      step(s.lease({}, stranger), 'unknown-signer'),
      step(s.command(), 'lease-lapsed'),
    ]),
    scene('lease-for-others', '12.4', 'a lease for another device, for the home, and one that ended', (s) => [
      step(s.grant(leased), 'ok'),
      step(s.lease({ audience: OTHER_DEVICE }), 'wrong-audience'),
      step(s.lease({ audience: HOME }), 'wrong-audience'),
      step(s.lease({ sealedAt: NOW - 60, expiresAt: NOW }), 'expired'),
      step(s.command(), 'lease-lapsed'),
    ]),
    scene('lease-of-nothing', '12.4', 'a hub invents nothing: a lease is no grant', (s) => [
      step(s.lease(), 'ok'),
      step(s.command(), 'unknown-grant'),
    ]),
    scene('lease-of-parent', '12.4', 'each link needs its own', (s) => [
      step(s.grant({ ...leased, share: 1 }), 'ok'),
      step(s.grant({ id: CHILD, key: guest.key, parent: ID, leaseS: 300 }, sitter), 'ok'),
      step(s.lease({ grants: [CHILD] }), 'ok'),
      step(s.command({ grant: CHILD }, guest), 'lease-lapsed'),
      step(s.lease({ grants: [ID, CHILD] }), 'ok'),
      step(s.command({ grant: CHILD }, guest), 'ok', { now: NOW + 299 }),
      step(s.command({ grant: CHILD }, guest), 'lease-lapsed', { now: NOW + 300 }),
      step(s.command(), 'ok'),
    ]),
    scene('lease-lost', '12.4', 'a device that restarted has none', (s) => {
      const grant = s.grant(leased)
      return [
        step(grant, 'ok'),
        step(s.lease(), 'ok'),
        step(s.command(), 'ok'),
        step(s.owner(), 'ok', s.restart()),
        step(grant, 'ok'),
        step(s.command(), 'lease-lapsed'),
      ]
    }),
  ]
}

function useCases(): Case[] {
  const once = { uses: 1, expiresAt: NOW + LONG }
  return [
    scene('uses', '12.3', 'a courier’s grant opens once', (s) => [
      step(s.grant(once), 'ok'),
      step(s.command(), 'ok'),
      step(s.command(), 'uses-spent'),
    ]),
    scene('uses-two', '12.3', 'two of two', (s) => [
      step(s.grant({ ...once, uses: 2 }), 'ok'),
      step(s.command(), 'ok'),
      step(s.command(), 'ok'),
      step(s.command(), 'uses-spent'),
    ]),
    scene('uses-by-copies', '12.1', 'two keys share one count', (s) => [
      step(s.grant(once), 'ok'),
      step(s.grant({ ...once, key: sitterTablet.key }), 'ok'),
      step(s.command({}, sitterTablet), 'ok'),
      step(s.command(), 'uses-spent'),
    ]),
    scene('uses-of-refused', '12.3', 'what is refused uses nothing up', (s) => {
      const hours = [span(127, 0, 24)]
      return [
        step(s.grant({ ...once, hours, what: [may(UNLOCK), may(1)] }), 'ok'),
        step(s.command({ value: 0 }), 'bad-value'),
        step(s.command({ affordance: 8 }), 'not-granted'),
        step(s.command({ operation: 'invoke', affordance: 1 }), 'no-such-affordance'),
        step(s.command({}, guest), 'unknown-signer'),
        step(s.command(), 'ok'),
        step(s.command(), 'uses-spent'),
      ]
    }),
    scene('uses-after-restart', '12.3', 'a restart gives nothing back', (s) => {
      const grant = s.grant(once)
      return [
        step(grant, 'ok'),
        step(s.command(), 'ok'),
        step(s.owner(), 'ok', s.restart(NOW + 60)),
        step(grant, 'ok'),
        step(s.command(), 'uses-spent'),
        step(s.grant({ ...once, key: sitterTablet.key }), 'ok'),
        step(s.command({}, sitterTablet), 'uses-spent'),
      ]
    }),
    scene('uses-clock-back', '12.3', 'a clock that is set back gives nothing back', (s) => {
      const grant = s.grant({ ...once, sealedAt: NOW - 7200, expiresAt: NOW + 600 })
      return [
        step(grant, 'ok'),
        step(s.command(), 'ok'),
        step(s.command({ sealedAt: NOW - 3600, expiresAt: NOW + 60 }), 'uses-spent', { now: NOW - 3000 }),
        step(grant, 'ok'),
        step(s.command({ sealedAt: NOW - 3600, expiresAt: NOW + 60 }), 'uses-spent'),
      ]
    }),
    scene('uses-of-parent', '12.3', 'what a guest uses is used up for whoever passed it on', (s) => [
      step(s.grant({ ...once, share: 1 }), 'ok'),
      step(s.grant({ id: CHILD, key: guest.key, parent: ID }, sitter), 'ok'),
      step(s.command({ grant: CHILD }, guest), 'ok'),
      step(s.command({ grant: CHILD }, guest), 'uses-spent'),
      step(s.command(), 'uses-spent'),
    ]),
    scene('uses-of-child', '12.3', 'what a guest was given for one use leaves the rest', (s) => [
      step(s.grant({ ...once, uses: 3, share: 1 }), 'ok'),
      step(s.grant({ ...once, id: CHILD, key: guest.key, parent: ID }, sitter), 'ok'),
      step(s.command({ grant: CHILD }, guest), 'ok'),
      step(s.command({ grant: CHILD }, guest), 'uses-spent'),
      step(s.command(), 'ok'),
      step(s.command(), 'ok'),
      step(s.command(), 'uses-spent'),
    ]),
  ]
}

export function lastingCases(): Case[] {
  return [...spanCases(), ...hoursCases(), ...leaseCases(), ...useCases()]
}
