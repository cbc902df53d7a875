// SPDX-License-Identifier: GPL-3.0-or-later
/** From when, until when, how long without the hub, how often (SPEC 12.3, 12.4). */
import { guest, HOME, NOW, OTHER_DEVICE, owner, sitter, sitterTablet, stranger } from '../parties.ts'
import type { Case } from '../text.ts'
import { CHILD, GRANDCHILD, ID, idOf, may, scene, step, UNLOCK } from './scene.ts'

const DAY = 86_400
const LONG = 30 * DAY
const WHOLE_DAYS = [{ days: 127, from: 0, to: 1440 }]

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
    scene('ended-clock-back', '12.3', 'what has ended stays ended when the clock is set back', (s) => [
      step(s.grant({ expiresAt: NOW + 60 }), 'ok'),
      step(s.command(), 'ok', { now: NOW + 59 }),
      step(s.command(), 'grant-expired', { now: NOW + 61 }),
      step(s.command(), 'grant-expired', { now: NOW + 30 }),
    ]),
    scene(
      'ended-clock-back-restart',
      '12.3',
      'over a restart by the counts and by the lists that are kept',
      (s) => {
        const grants = [
          s.grant({ uses: 2, expiresAt: NOW + 60, sealedAt: NOW - 7200 }),
          s.grant({ id: CHILD, key: guest.key, uses: 9, expiresAt: NOW + 100, sealedAt: NOW - 7200 }),
          s.grant({ id: GRANDCHILD, expiresAt: NOW + 30, sealedAt: NOW - 7200 }),
        ]
        const back = s.owner()
        return [
          ...grants.map((grant) => step(grant, 'ok')),
          step(s.command(), 'ok'),
          step(s.command({ grant: CHILD }, guest), 'ok', { now: NOW + 61 }),
          step(back, 'ok', s.restart(NOW + 10)),
          ...grants.map((grant) => step(grant, 'ok')),
          step(s.command(), 'grant-expired'),
          step(s.command({ grant: GRANDCHILD }), 'grant-expired'),
          step(s.command({ grant: CHILD }, guest), 'ok'),
          step(s.revocation([idOf(7)], owner, { sealedAt: NOW + 120 }), 'ok'),
          step(back, 'ok', s.restart(NOW + 20)),
          ...grants.map((grant) => step(grant, 'ok')),
          step(s.command({ grant: CHILD }, guest), 'grant-expired'),
        ]
      },
    ),
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
      return [
        step(s.grant({ ...once, hours: WHOLE_DAYS, what: [may(UNLOCK), may(1)] }), 'ok'),
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
  return [...spanCases(), ...leaseCases(), ...useCases()]
}
