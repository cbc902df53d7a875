// SPDX-License-Identifier: GPL-3.0-or-later
/** Asking a device how it stands (SPEC 4.10, 12.3, 18): the right is GET, and nothing is used up. */
import * as wire from '../../../schemas/gen/ts/wire.ts'
import { guest, NONCE, NOW, otherDevice, owner, sitter, stranger } from '../parties.ts'
import type { Case } from '../text.ts'
import {
  CHILD,
  type CommandBody,
  FAIL_SAFE,
  ID,
  LOCKED,
  may,
  type Scene,
  scene,
  step,
  UNLOCK,
} from './scene.ts'

const { METHOD_GET: GET, METHOD_POST: POST, METHOD_PUT: PUT, AFFORDANCE_ALL: ALL } = wire
const CLOSED = 8

/** The sitter reads, by the sitter's grant, unless `changes` says otherwise. */
const read = (s: Scene, affordance: number, changes: Partial<CommandBody> = {}, by = sitter) =>
  s.command({ operation: 'read', affordance, ...changes }, by)

/** An owner reads, naming no grant. */
const bare = (s: Scene, affordance: number, by = owner, value?: number) =>
  s.bare(by, { operation: 'read', affordance, ...(value !== undefined && { value }) })

export function readingCases(): Case[] {
  return [
    scene('ok-read', '12.3', 'one property that was given, and all of them', (s) => [
      step(s.grant({ what: [may(LOCKED, GET), may(UNLOCK)] }), 'ok'),
      step(read(s, LOCKED), 'ok'),
      step(read(s, ALL), 'ok'),
      step(s.command(), 'ok'),
    ]),
    scene('ok-read-owner', '4.10', 'an owner reads everything', (s) => [
      step(bare(s, ALL), 'ok'),
      step(bare(s, FAIL_SAFE), 'ok'),
    ]),
    scene('ok-read-spent', '12.3', 'reading uses nothing up, and what is used up can be read', (s) => [
      step(s.grant({ what: [may(LOCKED, GET), may(UNLOCK)], uses: 1, expiresAt: NOW + 3600 }), 'ok'),
      step(read(s, LOCKED), 'ok'),
      step(read(s, ALL), 'ok'),
      step(s.command(), 'ok'),
      step(s.command(), 'uses-spent'),
      step(read(s, LOCKED), 'ok'),
      step(read(s, ALL), 'ok'),
    ]),
    scene('read-not-granted', '12.3', 'commanding is not reading, nor is another property', (s) => [
      step(s.grant({ what: [may(FAIL_SAFE, PUT | POST), may(UNLOCK)] }), 'ok'),
      step(read(s, FAIL_SAFE), 'not-granted'),
      step(read(s, LOCKED), 'not-granted'),
      step(read(s, ALL), 'not-granted'),
      step(s.command(), 'ok'),
    ]),
    scene('read-not-writing', '12.3', 'reading is not commanding', (s) => [
      step(s.grant({ what: [may(FAIL_SAFE, GET), may(UNLOCK, GET)] }), 'ok'),
      step(s.command({ operation: 'write', affordance: FAIL_SAFE, value: true }), 'not-granted'),
      step(s.command(), 'not-granted'),
      step(read(s, FAIL_SAFE), 'ok'),
    ]),
    scene('read-all-of-nothing', '12.3', 'what was given is not there to be read', (s) => [
      step(s.grant({ what: [may(UNLOCK, GET), may(1, GET), may(256 + LOCKED, GET)] }), 'ok'),
      step(read(s, ALL), 'not-granted'),
      step(read(s, UNLOCK), 'no-such-affordance'),
      step(read(s, 1), 'no-such-affordance'),
    ]),
    scene('read-all-of-two-links', '12.3', 'each link gives a property, and both together none', (s) => [
      step(s.grant({ what: [may(LOCKED, GET), may(CLOSED, POST)], share: 1 }), 'ok'),
      step(s.grant({ id: CHILD, key: guest.key, parent: ID, what: [may(CLOSED, GET)] }, sitter), 'ok'),
      step(read(s, ALL, { grant: CHILD }, guest), 'not-granted'),
      step(read(s, CLOSED, { grant: CHILD }, guest), 'not-granted'),
      step(read(s, ALL), 'ok'),
    ]),
    scene('read-all-elsewhere', '12.3', 'where it holds comes before what', (s) => [
      step(s.grant({ devices: [otherDevice.key], what: [may(UNLOCK)] }), 'ok'),
      step(read(s, ALL), 'grant-elsewhere'),
    ]),
    scene(
      'read-no-property',
      '4.14',
      'an action is nothing to read, and a number that is not there neither',
      (s) => [
        step(bare(s, UNLOCK), 'no-such-affordance'),
        step(bare(s, 1), 'no-such-affordance'),
        step(bare(s, 256 + LOCKED), 'no-such-affordance'),
      ],
    ),
    scene('read-value', '4.14', 'a read that brings a value', (s) => [
      step(bare(s, LOCKED, owner, 1), 'bad-value'),
      step(bare(s, ALL, owner, 0), 'bad-value'),
    ]),
    scene('read-nothing-else', '4.14', 'only a read may ask for all', (s) => [
      step(s.grant({ what: [may(ALL, 7)] }), 'ok'),
      step(s.command({ affordance: ALL, value: 1 }), 'no-such-affordance'),
      step(s.command({ operation: 'write', affordance: ALL, value: true }), 'no-such-affordance'),
      step(read(s, ALL), 'not-granted'),
    ]),
    scene('read-by-stranger', '2.6', 'who was given nothing', (s) => [
      step(bare(s, ALL, stranger), 'unknown-signer'),
      step(read(s, ALL, {}, guest), 'unknown-grant'),
      step(s.grant({ what: [may(LOCKED, GET)] }), 'ok'),
      step(read(s, ALL, {}, guest), 'unknown-signer'),
      step(bare(s, ALL, sitter), 'unknown-signer'),
    ]),
    scene('read-replayed', '3.3', 'a read is fresh, too', (s) => {
      const [again, stale] = [
        bare(s, ALL),
        s.bare(owner, { operation: 'read', affordance: ALL, nonce: NONCE.toReversed() }),
      ]
      return [step(again, 'ok'), step(again, 'replayed'), step(stale, 'stale-nonce')]
    }),
    scene('read-revoked', '12.5', 'what was taken back', (s) => [
      step(s.grant({ what: [may(LOCKED, GET)] }), 'ok'),
      step(read(s, ALL), 'ok'),
      step(s.revocation([ID]), 'ok'),
      step(read(s, ALL), 'grant-revoked'),
    ]),
    scene('read-hours', '12.6', 'outside the hours, and when nobody leases', (s) => [
      step(s.grant({ what: [may(LOCKED, GET)], hours: [{ days: 4, from: 0, to: 1 }] }), 'ok'),
      step(read(s, LOCKED), 'outside-hours'),
      step(read(s, ALL), 'outside-hours'),
      step(s.grant({ id: CHILD, what: [may(LOCKED, GET)], leaseS: 60 }), 'ok'),
      step(read(s, ALL, { grant: CHILD }), 'lease-lapsed'),
      step(s.lease({ grants: [CHILD] }), 'ok'),
      step(read(s, ALL, { grant: CHILD }), 'ok'),
    ]),
  ]
}
