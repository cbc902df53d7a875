// SPDX-License-Identifier: GPL-3.0-or-later
/** What hangs from what, and that nothing widens on the way (SPEC 12.2). */
import * as wire from '../../../schemas/gen/ts/wire.ts'
import {
  DEVICE,
  device,
  friend,
  guest,
  hub,
  NOW,
  otherDevice,
  owner,
  root,
  secondOwner,
  sitter,
  sitterTablet,
  stranger,
} from '../parties.ts'
import type { Case } from '../text.ts'
import {
  CHILD,
  FAIL_SAFE,
  GRANDCHILD,
  type GrantBody,
  ID,
  idOf,
  may,
  type Scene,
  scene,
  step,
  UNLOCK,
} from './scene.ts'

const passedOn = (s: Scene, changes: Partial<GrantBody> = {}) =>
  s.grant({ id: CHILD, key: guest.key, parent: ID, ...changes }, sitter)
const passedTwice = (s: Scene, changes: Partial<GrantBody> = {}) =>
  s.grant({ id: GRANDCHILD, key: friend.key, parent: CHILD, ...changes }, guest)

function depthCases(): Case[] {
  return [
    scene('chain-two', '12.2', 'the sitter passes it on', (s) => [
      step(s.grant({ share: 1 }), 'ok'),
      step(passedOn(s), 'ok'),
      step(s.command({ grant: CHILD }, guest), 'ok'),
      step(s.command(), 'ok'),
    ]),
    scene('chain-three', '12.2', 'and the guest once more', (s) => [
      step(s.grant({ share: 2 }), 'ok'),
      step(passedOn(s, { share: 1 }), 'ok'),
      step(passedTwice(s), 'ok'),
      step(s.command({ grant: GRANDCHILD }, friend), 'ok'),
    ]),
    scene('chain-four', '12.2', 'not a third time', (s) => [
      step(s.grant({ share: 2 }), 'ok'),
      step(passedOn(s, { share: 1 }), 'ok'),
      step(passedTwice(s), 'ok'),
      step(s.grant({ id: idOf(4), key: stranger.key, parent: GRANDCHILD }, friend), 'grant-chain'),
      step(s.command({ grant: idOf(4) }, stranger), 'unknown-grant'),
    ]),
    scene('chain-not-shared', '12.2', 'what may not be passed on', (s) => [
      step(s.grant(), 'ok'),
      step(passedOn(s), 'grant-chain'),
      step(s.command({ grant: CHILD }, guest), 'unknown-grant'),
    ]),
    scene('chain-share-same', '12.2', 'the next may not share as often as the one before', (s) => [
      step(s.grant({ share: 1 }), 'ok'),
      step(passedOn(s, { share: 1 }), 'grant-chain'),
      step(passedOn(s, { share: 2 }), 'grant-chain'),
    ]),
    scene('chain-seen', '12.2', 'a chain that was seen is fine again', (s) => {
      const [first, second] = [s.grant({ share: 1 }), passedOn(s)]
      return [step(first, 'ok'), step(second, 'ok'), step(first, 'ok'), step(second, 'ok')]
    }),
    scene('chain-seen-over', '3.4', 'a grant that is held and has ended since', (s) => {
      const grant = s.grant({ expiresAt: NOW + 60 })
      return [step(grant, 'ok'), step(grant, 'expired', { now: NOW + 60 })]
    }),
    scene('chain-order', '12.2', 'a parent that comes after its child', (s) => {
      const child = passedOn(s)
      return [step(child, 'grant-chain'), step(s.grant({ share: 1 }), 'ok'), step(child, 'ok')]
    }),
  ]
}

function sealerCases(): Case[] {
  return [
    scene('chain-by-others', '12.2', 'whoever does not hold the parent cannot pass it on', (s) => {
      const child = { id: CHILD, key: guest.key, parent: ID }
      return [
        step(s.grant({ share: 1 }), 'ok'),
        step(s.grant(child, guest), 'grant-chain'),
        step(s.grant(child, hub), 'grant-chain'),
        step(s.grant(child, owner), 'grant-chain'),
        step(s.grant(child, root), 'grant-chain'),
      ]
    }),
    scene('chain-of-nobody', '12.2', 'who is no owner gives nothing by themselves', (s) => [
      step(s.grant({}, sitter), 'unknown-signer'),
      step(s.grant({}, hub), 'unknown-signer'),
      step(s.grant({}, root), 'unknown-signer'),
      step(s.grant({}, secondOwner), 'unknown-signer'),
      step(s.command(), 'unknown-grant'),
    ]),
    scene('chain-of-itself', '12.2', 'a grant cannot be its own parent', (s) => [
      step(s.grant({ parent: ID, share: 1 }, sitter), 'grant-chain'),
      step(s.grant({ share: 2 }), 'ok'),
      step(s.grant({ parent: ID, share: 1 }, sitter), 'conflict'),
    ]),
    scene('chain-of-copy', '12.2', 'each copy is passed on by its own key', (s) => [
      step(s.grant({ share: 1 }), 'ok'),
      step(s.grant({ key: guest.key }), 'ok'),
      step(s.grant({ id: CHILD, key: friend.key, parent: ID }, guest), 'grant-chain'),
      step(s.grant({ id: CHILD, key: friend.key, parent: ID }, sitter), 'ok'),
    ]),
    scene('chain-tampered', '2.5', 'one bit of a grant, and of one without a parent', (s) => {
      const [grant, child] = [flipped(s.grant()), flipped(passedOn(s))]
      return [step(grant, 'bad-signature'), step(child, 'grant-chain'), step(s.command(), 'unknown-grant')]
    }),
    scene('chain-for-device', '2.5', 'sealed for the device, not for the home', (s) => [
      step(s.grant({ audience: DEVICE }), 'wrong-audience'),
    ]),
    scene('chain-from-future', '3.4', 'sealed 301 seconds ahead', (s) => [
      step(s.grant({ sealedAt: NOW + 301 }), 'not-yet'),
      step(s.grant({ sealedAt: NOW + 300 }), 'ok'),
    ]),
  ]
}

function widerCases(): Case[] {
  const wider = (
    name: string,
    comment: string,
    parent: Partial<GrantBody>,
    child: Partial<GrantBody>,
    expect:
      | 'grant-elsewhere'
      | 'not-granted'
      | 'grant-not-yet'
      | 'grant-expired'
      | 'outside-hours'
      | 'lease-lapsed',
    now = NOW,
  ) =>
    scene(`wider-${name}`, '12.2', comment, (s) => [
      step(s.grant({ share: 1, ...parent }), 'ok'),
      step(passedOn(s, child), 'ok'),
      step(s.command({ grant: CHILD }, guest), expect, { now }),
    ])
  const everyHour = [{ days: 127, from: 0, to: 1440 }]
  return [
    wider(
      'device',
      'here, from elsewhere',
      { devices: [otherDevice.key] },
      { devices: [device.key] },
      'grant-elsewhere',
    ),
    wider(
      'everywhere',
      'everywhere, from elsewhere',
      { devices: [otherDevice.key] },
      { devices: [] },
      'grant-elsewhere',
    ),
    wider(
      'group',
      'our group, from elsewhere',
      { devices: [otherDevice.key] },
      { devices: ['doors'] },
      'grant-elsewhere',
    ),
    wider(
      'what',
      'unlocking, from writing',
      { what: [may(FAIL_SAFE, 7)] },
      { what: [may(UNLOCK, 7)] },
      'not-granted',
    ),
    wider(
      'method',
      'unlocking, from reading',
      { what: [may(UNLOCK, wire.METHOD_GET)] },
      { what: [may(UNLOCK, 7)] },
      'not-granted',
    ),
    wider('from', 'now, from tomorrow', { notBefore: NOW + 86_400 }, {}, 'grant-not-yet'),
    wider(
      'until',
      'for longer',
      { expiresAt: NOW + 60 },
      { expiresAt: NOW + 3600 },
      'grant-expired',
      NOW + 60,
    ),
    wider('for-ever', 'for ever', { expiresAt: NOW + 60 }, {}, 'grant-expired', NOW + 60),
    wider(
      'hours',
      'at every hour',
      { hours: [{ days: 1, from: 0, to: 1440 }] },
      { hours: everyHour },
      'outside-hours',
    ),
    wider('hours-none', 'without hours', { hours: [{ days: 4, from: 0, to: 1 }] }, {}, 'outside-hours'),
    wider('lease', 'without a lease', { leaseS: 60 }, { leaseS: 0 }, 'lease-lapsed'),
    scene('wider-uses', '12.2', 'more often than there are uses', (s) => [
      step(s.grant({ share: 1, uses: 1, expiresAt: NOW + 3600 }), 'ok'),
      step(passedOn(s, { uses: 255, expiresAt: NOW + 3600 }), 'ok'),
      step(s.command({ grant: CHILD }, guest), 'ok'),
      step(s.command({ grant: CHILD }, guest), 'uses-spent'),
    ]),
    scene('wider-order', '12.3', 'the owner’s link is held against it first', (s) => [
      step(s.grant({ share: 1, expiresAt: NOW + 60 }), 'ok'),
      step(passedOn(s, { devices: [otherDevice.key] }), 'ok'),
      step(s.command({ grant: CHILD }, guest), 'grant-elsewhere'),
      step(s.command({ grant: CHILD }, guest), 'grant-expired', { now: NOW + 60 }),
    ]),
  ]
}

function idCases(): Case[] {
  return [
    scene('id-changed', '12.2', 'the same id and key in other bytes: a grant never changes', (s) => [
      step(s.grant({ what: [may(FAIL_SAFE, 7)] }), 'ok'),
      step(s.grant(), 'conflict'),
      step(s.command(), 'not-granted'),
    ]),
    scene('id-taken', '12.2', 'somebody takes the id of what another was given', (s) => [
      step(s.grant({ id: CHILD, key: guest.key, share: 1 }), 'ok'),
      step(s.grant(), 'ok'),
      step(s.grant({ key: friend.key, parent: CHILD }, guest), 'conflict'),
      step(s.command({}, friend), 'unknown-signer'),
      step(s.command(), 'ok'),
    ]),
    scene('id-copied-by-owner', '12.2', 'an owner copies for a new phone what another owner gave', (s) => [
      step(s.owner(secondOwner), 'ok'),
      step(s.grant({ uses: 1, expiresAt: NOW + 3600 }), 'ok'),
      step(s.grant({ key: sitterTablet.key, uses: 1, expiresAt: NOW + 3600 }, secondOwner), 'ok'),
      step(s.command({}, sitterTablet), 'ok'),
      step(s.command(), 'uses-spent'),
      step(s.revocation([ID], owner), 'ok'),
      step(s.command({}, sitterTablet), 'grant-revoked'),
    ]),
    scene('id-copied-same-key', '12.2', 'for the same key that is another grant', (s) => [
      step(s.owner(secondOwner), 'ok'),
      step(s.grant(), 'ok'),
      step(s.grant({}, secondOwner), 'conflict'),
    ]),
    scene('id-taken-over-owner', '12.2', 'an owner takes the id of what a holder passed on', (s) => [
      step(s.grant({ share: 1 }), 'ok'),
      step(passedOn(s), 'ok'),
      step(s.grant({ id: CHILD, key: friend.key }), 'conflict'),
    ]),
    scene('id-other-parent', '12.2', 'one id under two parents', (s) => [
      step(s.grant({ share: 1 }), 'ok'),
      step(s.grant({ id: idOf(5), share: 1 }), 'ok'),
      step(passedOn(s), 'ok'),
      step(passedOn(s, { parent: idOf(5), key: friend.key }), 'conflict'),
      step(passedOn(s, { key: friend.key }), 'ok'),
    ]),
    scene(
      'full',
      '12.2',
      'no room for a third, until one has ended',
      (s) => [
        step(s.grant({ expiresAt: NOW + 60 }), 'ok'),
        step(s.grant({ id: CHILD, key: guest.key }), 'ok'),
        step(s.grant({ id: GRANDCHILD }), 'grants-full', { now: NOW + 59 }),
        step(s.command({ grant: CHILD }, guest), 'ok'),
        step(s.grant({ id: GRANDCHILD }), 'ok', { now: NOW + 60 }),
        step(s.command({ grant: GRANDCHILD }), 'ok'),
        step(s.command(), 'unknown-grant'),
      ],
      { slots: 2 },
    ),
  ]
}

function flipped(frame: Uint8Array): Uint8Array {
  const changed = Uint8Array.from(frame)
  changed[changed.length - 1]! ^= 1
  return changed
}

export function chainCases(): Case[] {
  return [...depthCases(), ...sealerCases(), ...widerCases(), ...idCases()]
}
