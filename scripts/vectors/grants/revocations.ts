// SPDX-License-Identifier: GPL-3.0-or-later
/** What is taken back stays so, whatever arrives in which order (SPEC 12.5). */
import type { Signer } from '../../../daemon/core/envelope/index.ts'
import {
  DEVICE,
  friend,
  guest,
  hub,
  NOW,
  owner,
  root,
  secondOwner,
  sitter,
  sitterTablet,
  stranger,
} from '../parties.ts'
import type { Case } from '../text.ts'
import { CHILD, GRANDCHILD, ID, type Scene, scene, step } from './scene.ts'

const passedOn = (s: Scene) => s.grant({ id: CHILD, key: guest.key, parent: ID }, sitter)
const shared = (s: Scene, by?: Signer) => s.grant({ share: 1 }, by)

function entryCases(): Case[] {
  return [
    scene('revoked', '12.5', 'a grant that is held, by its id', (s) => [
      step(s.grant(), 'ok'),
      step(s.command(), 'ok'),
      step(s.revocation([ID]), 'ok'),
      step(s.command(), 'grant-revoked'),
    ]),
    scene('revoked-before', '12.5', 'the list is there before the grant', (s) => [
      step(s.revocation([ID]), 'ok'),
      step(s.grant(), 'grant-revoked'),
      step(s.command(), 'grant-revoked'),
    ]),
    scene('revoked-again', '12.5', 'the same grant sent once more', (s) => {
      const grant = s.grant()
      return [step(grant, 'ok'), step(s.revocation([ID]), 'ok'), step(grant, 'grant-revoked')]
    }),
    scene('revoked-copies', '12.5', 'the id takes all copies back', (s) => [
      step(s.grant(), 'ok'),
      step(s.grant({ key: sitterTablet.key }), 'ok'),
      step(s.revocation([ID]), 'ok'),
      step(s.command(), 'grant-revoked'),
      step(s.command({}, sitterTablet), 'grant-revoked'),
    ]),
    scene('revoked-key', '12.5', 'a lost phone: its key, not the tablet’s', (s) => [
      step(s.grant(), 'ok'),
      step(s.grant({ key: sitterTablet.key }), 'ok'),
      step(s.revocation([sitter.key]), 'ok'),
      step(s.command(), 'grant-revoked'),
      step(s.command({}, sitterTablet), 'ok'),
      step(s.grant({ id: CHILD }), 'grant-revoked'),
    ]),
    scene('revoked-key-before', '12.5', 'the lost phone’s key is listed before its grant comes', (s) => [
      step(s.revocation([sitter.key]), 'ok'),
      step(s.grant(), 'grant-revoked'),
      step(s.command(), 'grant-revoked'),
      step(s.command({ grant: GRANDCHILD }), 'grant-revoked'),
    ]),
    scene('revoked-sealer', '12.5', 'what the sitter passed on goes with the sitter’s key', (s) => {
      const [parent, child] = [shared(s), passedOn(s)]
      return [
        step(parent, 'ok'),
        step(child, 'ok'),
        step(s.command({ grant: CHILD }, guest), 'ok'),
        step(s.revocation([sitter.key]), 'ok'),
        step(s.command({ grant: CHILD }, guest), 'unknown-grant'),
        step(parent, 'grant-revoked'),
        step(child, 'grant-chain'),
      ]
    }),
    scene('revoked-sealer-before', '12.5', 'the same, the list first', (s) => [
      step(s.revocation([sitter.key]), 'ok'),
      step(shared(s), 'grant-revoked'),
      step(passedOn(s), 'grant-chain'),
      step(s.command({ grant: CHILD }, guest), 'unknown-grant'),
    ]),
    scene('revoked-parent', '12.5', 'what hangs from a grant goes with it, to the last link', (s) => [
      step(s.grant({ share: 2 }), 'ok'),
      step(s.grant({ id: CHILD, key: guest.key, parent: ID, share: 1 }, sitter), 'ok'),
      step(s.grant({ id: GRANDCHILD, key: friend.key, parent: CHILD }, guest), 'ok'),
      step(s.revocation([ID]), 'ok'),
      step(s.command({ grant: CHILD }, guest), 'unknown-grant'),
      step(s.command({ grant: GRANDCHILD }, friend), 'unknown-grant'),
    ]),
    scene('revoked-child', '12.5', 'the parent stays when its child is taken back', (s) => [
      step(shared(s), 'ok'),
      step(passedOn(s), 'ok'),
      step(s.revocation([CHILD]), 'ok'),
      step(s.command({ grant: CHILD }, guest), 'grant-revoked'),
      step(s.command(), 'ok'),
    ]),
    scene('revoked-restart', '12.5', 'a list outlives a restart', (s) => {
      const grant = s.grant()
      return [
        step(grant, 'ok'),
        step(s.revocation([ID]), 'ok'),
        step(s.owner(), 'ok', s.restart()),
        step(grant, 'grant-revoked'),
        step(s.command(), 'grant-revoked'),
      ]
    }),
    scene('floor', '12.5', 'everything that this owner sealed before', (s) => [
      step(s.grant({ sealedAt: NOW - 11 }), 'ok'),
      step(s.grant({ id: CHILD, key: guest.key, sealedAt: NOW - 10 }), 'ok'),
      step(s.revocation([], owner, { floor: NOW - 10 }), 'ok'),
      step(s.command(), 'unknown-grant'),
      step(s.command({ grant: CHILD }, guest), 'ok'),
    ]),
    scene('floor-before', '12.5', 'the floor is there before the grants', (s) => [
      step(s.revocation([], owner, { floor: NOW - 10 }), 'ok'),
      step(s.grant({ sealedAt: NOW - 11 }), 'grant-revoked'),
      step(s.grant({ id: CHILD, sealedAt: NOW - 10 }), 'ok'),
    ]),
    scene('floor-of-another', '12.5', 'an owner’s floor is for that owner’s grants', (s) => [
      step(s.owner(secondOwner), 'ok'),
      step(s.revocation([], secondOwner, { floor: NOW + 1 }), 'ok'),
      step(s.grant(), 'ok'),
      step(s.grant({ id: CHILD }, secondOwner), 'grant-revoked'),
      step(s.command(), 'ok'),
    ]),
    scene('floor-and-chain', '12.5', 'what hangs from below the floor, however new', (s) => [
      step(s.grant({ sealedAt: NOW - 11, share: 1 }), 'ok'),
      step(passedOn(s), 'ok'),
      step(s.revocation([], owner, { floor: NOW - 10 }), 'ok'),
      step(s.command({ grant: CHILD }, guest), 'unknown-grant'),
    ]),
  ]
}

function listCases(): Case[] {
  return [
    scene('list-old', '12.5', 'an old list does not bring anything back', (s) => {
      const [old, present] = [s.revocation([]), s.revocation([ID])]
      return [step(old, 'ok'), step(present, 'ok'), step(old, 'replayed'), step(s.grant(), 'grant-revoked')]
    }),
    scene('list-old-first-seen', '12.5', 'also when it was never seen before', (s) => {
      const [old, present] = [s.revocation([GRANDCHILD]), s.revocation([ID])]
      return [
        step(present, 'ok'),
        step(old, 'replayed'),
        step(s.command({ grant: GRANDCHILD }), 'unknown-grant'),
        step(s.command(), 'grant-revoked'),
      ]
    }),
    scene('list-same-sequence', '12.5', 'another list under the sequence of the one held', (s) => [
      step(s.revocation([ID], owner, { sequence: 5000 }), 'ok'),
      step(s.revocation([], owner, { sequence: 5000 }), 'replayed'),
      step(s.grant(), 'grant-revoked'),
    ]),
    scene('list-again', '12.5', 'the list that is held, once more', (s) => {
      const list = s.revocation([ID])
      return [step(list, 'ok'), step(list, 'ok'), step(s.grant(), 'grant-revoked')]
    }),
    scene('list-old-after-restart', '12.5', 'a restart does not make an old list new', (s) => {
      const [old, present] = [s.revocation([]), s.revocation([ID])]
      return [
        step(present, 'ok'),
        step(s.owner(), 'ok', s.restart()),
        step(old, 'replayed'),
        step(s.grant(), 'grant-revoked'),
      ]
    }),
    scene('list-per-signer', '12.5', 'an owner’s newer list leaves another owner’s alone', (s) => [
      step(s.owner(secondOwner), 'ok'),
      step(s.revocation([ID]), 'ok'),
      step(s.revocation([], secondOwner), 'ok'),
      step(s.grant(), 'grant-revoked'),
    ]),
    scene('list-of-another-owner', '12.5', 'any owner takes back what any owner gave', (s) => [
      step(s.owner(secondOwner), 'ok'),
      step(s.grant(), 'ok'),
      step(s.revocation([ID], secondOwner), 'ok'),
      step(s.command(), 'grant-revoked'),
    ]),
    scene('list-left-out', '12.5', 'what the newest list does not name may be given again', (s) => {
      const grant = s.grant()
      return [
        step(s.revocation([ID]), 'ok'),
        step(grant, 'grant-revoked'),
        step(s.revocation([]), 'ok'),
        step(grant, 'ok'),
        step(s.command(), 'ok'),
      ]
    }),
    scene('list-by-others', '12.5', 'nobody else takes anything back', (s) => [
      step(s.grant(), 'ok'),
      ...[hub, sitter, stranger, secondOwner].map((by) => step(s.revocation([ID], by), 'unknown-signer')),
      step(s.command(), 'ok'),
    ]),
    scene('list-refused', '2.5', 'a list for a device, from the future, longer than a device reads', (s) => [
      step(s.grant(), 'ok'),
      step(s.revocation([ID], owner, { audience: DEVICE }), 'wrong-audience'),
      step(s.revocation([ID], owner, { sealedAt: NOW + 301 }), 'not-yet'),
      step(s.revocation(Array(40).fill(sitter.key)), 'too-large'),
      step(s.command(), 'ok'),
    ]),
  ]
}

function ownerCases(): Case[] {
  return [
    scene('owner-removed', '12.5', 'the root takes an owner back, and all that this owner gave', (s) => [
      step(s.owner(secondOwner), 'ok'),
      step(s.grant({}, owner), 'ok'),
      step(s.grant({ id: CHILD, key: guest.key }, secondOwner), 'ok'),
      step(s.revocation([owner.key], root), 'ok'),
      step(s.bare(owner), 'unknown-signer'),
      step(s.command(), 'unknown-grant'),
      step(s.command({ grant: CHILD }, guest), 'ok'),
      step(s.bare(secondOwner), 'ok'),
    ]),
    scene('owner-removed-before', '12.5', 'the root’s list is there before the owner', (s) => [
      step(s.revocation([secondOwner.key], root), 'ok'),
      step(s.owner(secondOwner), 'grant-revoked'),
      step(s.bare(secondOwner), 'unknown-signer'),
      step(s.grant({}, secondOwner), 'unknown-signer'),
    ]),
    scene('owner-removed-again', '12.5', 'the owner’s envelope sent once more makes no owner', (s) => {
      const made = s.owner(secondOwner)
      return [
        step(made, 'ok'),
        step(s.revocation([secondOwner.key], root), 'ok'),
        step(made, 'grant-revoked'),
        step(s.bare(secondOwner), 'unknown-signer'),
      ]
    }),
    scene('owner-removed-list', '12.5', 'a removed owner’s list is out, and makes no new one', (s) => [
      step(s.owner(secondOwner), 'ok'),
      step(s.revocation([ID], secondOwner), 'ok'),
      step(s.grant(), 'grant-revoked'),
      step(s.revocation([secondOwner.key], root), 'ok'),
      step(s.revocation([ID, CHILD], secondOwner), 'unknown-signer'),
      step(s.grant(), 'ok'),
      step(s.command(), 'ok'),
    ]),
    scene('owner-removed-chain', '12.5', 'what was passed on from a removed owner’s grant', (s) => [
      step(s.owner(secondOwner), 'ok'),
      step(shared(s, secondOwner), 'ok'),
      step(passedOn(s), 'ok'),
      step(s.revocation([secondOwner.key], root), 'ok'),
      step(s.command({ grant: CHILD }, guest), 'unknown-grant'),
    ]),
    scene('owner-back', '12.5', 'the root’s newest list holds, also when it is kinder', (s) => {
      const [made, old] = [s.owner(secondOwner), s.revocation([secondOwner.key], root)]
      return [
        step(made, 'ok'),
        step(old, 'ok'),
        step(s.revocation([], root), 'ok'),
        step(made, 'ok'),
        step(s.bare(secondOwner), 'ok'),
        step(old, 'replayed'),
        step(s.bare(secondOwner), 'ok'),
      ]
    }),
    scene('owner-by-owner', '12.5', 'an owner cannot unmake another', (s) => [
      step(s.owner(secondOwner), 'ok'),
      step(s.revocation([owner.key], secondOwner), 'ok'),
      step(s.bare(owner), 'ok'),
      step(s.grant({}, owner), 'ok'),
    ]),
    scene('owner-by-others', '2.6', 'nobody but the root makes an owner', (s) => [
      step(s.ownerBy(owner, secondOwner), 'unknown-signer'),
      step(s.ownerBy(hub, secondOwner), 'unknown-signer'),
      step(s.ownerBy(secondOwner, secondOwner), 'unknown-signer'),
      step(s.bare(secondOwner), 'unknown-signer'),
    ]),
    scene(
      'hub-removed',
      '12.5',
      'the root takes a hub back, and an owner cannot: it leases nothing more',
      (s) => [
        step(s.grant({ leaseS: 600 }), 'ok'),
        step(s.revocation([hub.key], owner), 'ok'),
        step(s.lease({ grants: [CHILD] }), 'ok'),
        step(s.revocation([hub.key], root), 'ok'),
        step(s.lease(), 'unknown-signer'),
        step(s.command(), 'lease-lapsed'),
      ],
    ),
    scene('root-list', '12.5', 'the root takes back a grant and a phone', (s) => [
      step(s.grant(), 'ok'),
      step(s.grant({ id: CHILD, key: guest.key }), 'ok'),
      step(s.revocation([ID, guest.key], root), 'ok'),
      step(s.command(), 'grant-revoked'),
      step(s.command({ grant: CHILD }, guest), 'grant-revoked'),
    ]),
  ]
}

export function revocationCases(): Case[] {
  return [...entryCases(), ...listCases(), ...ownerCases()]
}
