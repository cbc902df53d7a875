// SPDX-License-Identifier: GPL-3.0-or-later
/** Who may have what done where, by which grant (SPEC 12.3). */
import * as wire from '../../../schemas/gen/ts/wire.ts'
import {
  device,
  guest,
  hub,
  NONCE,
  NOW,
  OTHER_DEVICE,
  otherDevice,
  owner,
  sitter,
  sitterTablet,
} from '../parties.ts'
import type { Case } from '../text.ts'
import { CHILD, FAIL_SAFE, GRANDCHILD, ID, LOCK, LOCKED, may, scene, step, UNLOCK } from './scene.ts'

const PIN = { salt: new Uint8Array(16).fill(1), rounds: 2000, key: new Uint8Array(32).fill(2) }

function whoCases(): Case[] {
  return [
    scene('ok', '12.3', 'the sitter unlocks, once and again', (s) => [
      step(s.grant(), 'ok'),
      step(s.command(), 'ok'),
      step(s.command(), 'ok'),
    ]),
    scene('ok-owner', '12.3', 'an owner needs no grant', (s) => [step(s.bare(owner), 'ok')]),
    scene('no-grant-named', '2.6', 'who holds a grant and does not name it is nobody', (s) => [
      step(s.grant(), 'ok'),
      step(s.bare(sitter), 'unknown-signer'),
      step(s.command(), 'ok'),
    ]),
    scene('no-grant-at-all', '2.6', 'somebody who was given nothing', (s) => [
      step(s.bare(guest), 'unknown-signer'),
      step(s.command({}, guest), 'unknown-grant'),
    ]),
    scene('grant-not-held', '12.3', 'the grant comes after the command, and then the command again', (s) => {
      const command = s.command()
      return [step(command, 'unknown-grant'), step(s.grant(), 'ok'), step(command, 'ok')]
    }),
    scene('grant-of-another', '12.3', 'somebody names what another holds', (s) => [
      step(s.grant(), 'ok'),
      step(s.command({}, guest), 'unknown-signer'),
      step(s.command({ grant: ID }, hub), 'unknown-signer'),
      step(s.command({ grant: ID }, owner), 'unknown-signer'),
    ]),
    scene('grant-of-another-id', '12.3', 'the holder of one grant names another one', (s) => [
      step(s.grant(), 'ok'),
      step(s.grant({ id: CHILD, key: guest.key, what: [may(LOCK)] }), 'ok'),
      step(s.command({ grant: CHILD }), 'unknown-signer'),
      step(s.command({ grant: ID }, guest), 'unknown-signer'),
    ]),
    scene('grant-pin-named', '12.7', 'a command cannot name a code', (s) => [
      step(s.grant({ pin: PIN }), 'ok'),
      step(s.command(), 'unknown-signer'),
    ]),
    scene('ok-copies', '12.1', 'two keys of one person', (s) => [
      step(s.grant(), 'ok'),
      step(s.grant({ key: sitterTablet.key }), 'ok'),
      step(s.command(), 'ok'),
      step(s.command({}, sitterTablet), 'ok'),
      step(s.command({}, guest), 'unknown-signer'),
    ]),
  ]
}

function whereCases(): Case[] {
  const where = (
    name: string,
    comment: string,
    devices: (Uint8Array | string)[],
    expect: 'ok' | 'grant-elsewhere',
  ) => scene(name, '12.3', comment, (s) => [step(s.grant({ devices }), 'ok'), step(s.command(), expect)])
  return [
    where('ok-everywhere', 'no device named: every one', [], 'ok'),
    where('ok-group', 'a group of this device', ['doors'], 'ok'),
    where('ok-second-device', 'this device among others', [otherDevice.key, 'windows', device.key], 'ok'),
    where('elsewhere', 'another device', [otherDevice.key], 'grant-elsewhere'),
    where('elsewhere-group', 'another group', ['windows'], 'grant-elsewhere'),
    where('elsewhere-group-longer', 'a group that begins like ours', ['doors-of-mine'], 'grant-elsewhere'),
    where('elsewhere-group-shorter', 'a group that ours begins with', ['door'], 'grant-elsewhere'),
    scene('elsewhere-group-left', '12.3', 'the device was put in another group', (s) => [
      step(s.grant({ devices: ['doors'] }), 'ok'),
      step(s.enrolment(['gates', 'garden']), 'ok'),
      step(s.command(), 'grant-elsewhere'),
      step(s.grant({ id: CHILD, devices: ['garden'] }), 'ok'),
      step(s.command({ grant: CHILD }), 'ok'),
    ]),
    scene('elsewhere-old-enrolment', '12.3', 'an old enrolment does not bring the old groups back', (s) => {
      const [old, present] = [s.enrolment(['doors', 'gates']), s.enrolment(['garden'])]
      return [
        step(present, 'ok'),
        step(old, 'replayed'),
        step(present, 'ok'),
        step(s.grant({ devices: ['gates'] }), 'ok'),
        step(s.command(), 'grant-elsewhere'),
      ]
    }),
    scene('elsewhere-by-stranger', '12.3', 'only an owner puts a device in a group', (s) => [
      step(s.grant({ devices: ['gates'] }), 'ok'),
      step(s.enrolment(['gates'], {}, sitter), 'unknown-signer'),
      step(s.command(), 'grant-elsewhere'),
    ]),
  ]
}

function whatCases(): Case[] {
  const what = [
    may(LOCK),
    may(UNLOCK, wire.METHOD_GET),
    may(LOCKED, wire.METHOD_GET),
    may(FAIL_SAFE, wire.METHOD_POST),
  ]
  const write = { operation: 'write', affordance: FAIL_SAFE, value: true } as const
  return [
    scene('ok-write', '12.3', 'a property may be written', (s) => [
      step(s.grant({ what: [may(FAIL_SAFE, wire.METHOD_PUT)] }), 'ok'),
      step(s.command(write), 'ok'),
    ]),
    scene('ok-rows', '12.3', 'two rows of one affordance add up', (s) => [
      step(s.grant({ what: [may(UNLOCK, wire.METHOD_GET), may(UNLOCK)] }), 'ok'),
      step(s.command(), 'ok'),
    ]),
    scene('not-granted', '12.3', 'another action, reading alone, the wrong method', (s) => [
      step(s.grant({ what }), 'ok'),
      step(s.command(), 'not-granted'),
      step(s.command(write), 'not-granted'),
      step(s.command({ affordance: LOCK }), 'ok'),
    ]),
    scene('not-granted-instance', '4.13', 'the second lock of a device is not the first', (s) => [
      step(s.grant({ what: [may(256 + UNLOCK)] }), 'ok'),
      step(s.command(), 'not-granted'),
    ]),
    scene('granted-and-impossible', '4.14', 'a grant does not make a device able', (s) => [
      step(s.grant({ what: [may(UNLOCK, 7), may(LOCKED, 7), may(1, 7)] }), 'ok'),
      step(s.command({ operation: 'write', affordance: LOCKED, value: false }), 'read-only'),
      step(s.command({ operation: 'write', affordance: 1, value: true }), 'no-such-affordance'),
      step(s.command({ operation: 'write', affordance: UNLOCK, value: 5 }), 'no-such-affordance'),
      step(s.command({ value: 61 }), 'bad-value'),
    ]),
    scene('rights-first', '4.14', 'who may not is told so before what is not there', (s) => [
      step(s.grant(), 'ok'),
      step(s.command({ operation: 'write', affordance: 1, value: true }), 'not-granted'),
    ]),
  ]
}

function freshCases(): Case[] {
  return [
    scene('replayed', '3.3', 'the same unlock again', (s) => {
      const command = s.command()
      return [step(s.grant(), 'ok'), step(command, 'ok'), step(command, 'replayed')]
    }),
    scene('replayed-other-boot', '3.2', 'an unlock of the life before', (s) => {
      const command = s.command()
      return [
        step(s.grant(), 'ok'),
        step(command, 'ok'),
        step(s.owner(), 'ok', s.restart(NOW + 60)),
        step(s.grant({ id: CHILD }), 'ok'),
        step(s.command({ grant: CHILD, nonce: NONCE }), 'stale-nonce'),
        step(s.command({ grant: CHILD }), 'ok'),
        step(command, 'unknown-grant'),
      ]
    }),
    scene('replayed-other-device', '2.5', 'an unlock sealed for another lock', (s) => [
      step(s.grant({ devices: [] }), 'ok'),
      step(s.command({ audience: OTHER_DEVICE, nonce: NONCE }), 'wrong-audience'),
    ]),
    scene('late', '3.4', 'an unlock that comes too late, and one before the time is known', (s) => [
      step(s.grant(), 'ok'),
      step(s.command({ expiresAt: NOW + 30 }), 'expired', { now: NOW + 30 }),
      step(s.command({ expiresAt: NOW + 30 }), 'no-clock', { now: 0 }),
      step(s.command({ expiresAt: NOW + 30 }), 'ok', { now: NOW + 29 }),
    ]),
    scene('restart-forgets', '12.2', 'a device that starts holds no grants for keys', (s) => [
      step(s.grant(), 'ok'),
      step(s.owner(), 'ok', s.restart()),
      step(s.command({ grant: GRANDCHILD }), 'unknown-grant'),
      step(s.command(), 'unknown-grant'),
    ]),
  ]
}

export function judgingCases(): Case[] {
  return [...whoCases(), ...whereCases(), ...whatCases(), ...freshCases()]
}
