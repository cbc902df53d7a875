// SPDX-License-Identifier: GPL-3.0-or-later
/** Shapes of what grants, people and phones seal (SPEC 12, 13): whole ones, and each way in which one is not. */
import {
  type Body,
  type BodyOf,
  type Cbor,
  type Signer,
  sealEnvelope,
} from '../../daemon/core/envelope/index.ts'
import type { Code } from '../../schemas/gen/ts/codes.ts'
import * as wire from '../../schemas/gen/ts/wire.ts'
import {
  atDevice,
  atHome,
  DEVICE,
  device,
  EPOCH,
  HOME,
  hub,
  NOW,
  otherDevice,
  owner,
  root,
  stranger,
} from './parties.ts'
import { sealRaw } from './raw.ts'
import type { Case, Context } from './text.ts'

const ID = Uint8Array.fromHex('c0c1c2c3c4c5c6c7')
const PARENT = Uint8Array.fromHex('d0d1d2d3d4d5d6d7')
const PROOF = new Uint8Array(32).fill(0x5a)
const said = { audience: HOME, sealedAt: NOW, epoch: EPOCH, sequence: 1 }

type GrantBody = BodyOf<'grant'>
const { key: _key, ...unheld } = {
  type: 'grant',
  ...said,
  name: 'sitter',
  key: stranger.key,
  id: ID,
  devices: [device.key],
  what: [{ affordance: 9, methods: wire.METHOD_POST }],
  leaseS: 86_400,
} satisfies GrantBody
const grant: GrantBody = { ...unheld, key: stranger.key }
const PIN = { salt: new Uint8Array(16).fill(1), rounds: 2000, key: new Uint8Array(32).fill(2) }

function one(
  name: string,
  section: string,
  comment: string,
  body: Body,
  signer: Signer,
  expect: Code,
  context: Context = atHome,
): Case {
  return { name, section, comment, context, steps: [{ frame: sealEnvelope(body, signer), expect }] }
}

/** A grant that differs from a sound one in what is said. */
const spoiled = (name: string, comment: string, changes: object): Case =>
  one(`grant-${name}`, '12.1', comment, { ...grant, ...changes } as GrantBody, owner, 'bad-claims')

const lease = (changes: Partial<BodyOf<'lease'>> = {}): BodyOf<'lease'> => ({
  type: 'lease',
  ...said,
  audience: DEVICE,
  expiresAt: NOW + 3600,
  grants: [ID],
  ...changes,
})
const revocation = (entries: Uint8Array[], floor?: number): BodyOf<'revocation'> => ({
  type: 'revocation',
  ...said,
  entries,
  ...(floor !== undefined && { floor }),
})
const act = (changes: Partial<BodyOf<'act'>> = {}): BodyOf<'act'> => ({
  type: 'act',
  ...said,
  source: 'keypad',
  affordance: 9,
  at: NOW * 1000,
  code: 0,
  values: [{ affordance: 7, at: NOW * 1000, value: false }],
  grant: ID,
  ...changes,
})
/** An act whose source is this number. */
const actFrom = (source: number): Uint8Array =>
  sealRaw(
    wire.TYPE_ACT,
    EPOCH,
    new Map<number, Cbor>([
      [wire.ACT_SOURCE, source],
      [wire.ACT_AFFORDANCE, 9],
      [wire.ACT_AT, NOW * 1000],
      [wire.ACT_CODE, 0],
      [wire.ACT_VALUES, []],
    ]),
    device,
  )
const pairing = (changes: Partial<BodyOf<'pairing'>> = {}): BodyOf<'pairing'> => ({
  type: 'pairing',
  ...said,
  name: 'sitter’s phone',
  expiresAt: NOW + 900,
  pairing: ID,
  person: PARENT,
  kind: 'phone',
  ...changes,
})
const hours = (from: number, to: number, days = 31) => ({ hours: [{ days, from, to }] })

function wholeOnes(): Case[] {
  const full: GrantBody = {
    ...grant,
    devices: [device.key, otherDevice.key, 'doors'],
    what: [
      { affordance: 9, methods: 2 },
      { affordance: 11, methods: 5 },
    ],
    notBefore: NOW,
    expiresAt: NOW + 86_400,
    parent: PARENT,
    share: 2,
    uses: 1,
    ...hours(480, 1080),
  }
  return [
    one(
      'ok-person',
      '13.1',
      'somebody of this home',
      { type: 'person', ...said, name: 'sitter', person: ID },
      owner,
      'ok',
    ),
    one(
      'ok-holder',
      '13.2',
      'a phone in somebody’s hands',
      { type: 'holder', ...said, name: 'phone', key: stranger.key, person: ID, kind: 'phone' },
      owner,
      'ok',
    ),
    one('ok-grant', '12.1', 'may unlock one door', grant, owner, 'ok'),
    one('ok-grant-full', '12.1', 'every member there is', full, owner, 'ok'),
    one(
      'ok-grant-everywhere',
      '12.1',
      'no device named: all of the home',
      { ...grant, devices: [] },
      owner,
      'ok',
    ),
    one(
      'ok-grant-all',
      '12.1',
      'as much of as many devices as one grant holds',
      {
        ...grant,
        devices: Array.from({ length: 8 }, (_, at) => new Uint8Array(32).fill(at + 1)),
        what: Array.from({ length: 32 }, (_, at) => ({ affordance: 256 * at + 0xfe, methods: 5 })),
      },
      owner,
      'ok',
    ),
    one('ok-grant-pin', '12.7', 'for who knows a code', { ...unheld, pin: PIN }, owner, 'ok'),
    one(
      'ok-grant-later',
      '12.1',
      'a grant may begin tomorrow',
      { ...grant, notBefore: NOW + 86_400 },
      owner,
      'ok',
    ),
    one('ok-lease', '12.4', 'the hub says it still holds', lease(), hub, 'ok', atDevice),
    one('ok-lease-none', '12.4', 'of nothing', lease({ grants: [] }), hub, 'ok', atDevice),
    one('ok-revocation', '12.5', 'a grant and a key', revocation([ID, stranger.key]), owner, 'ok'),
    one('ok-revocation-floor', '12.5', 'everything older', revocation([], NOW), owner, 'ok'),
    one('ok-act', '12.8', 'somebody typed a code', act(), device, 'ok'),
    one(
      'ok-act-direct',
      '18.5',
      'somebody asked the device itself',
      act({ source: 'direct', signer: stranger.key, command: PROOF }),
      device,
      'ok',
    ),
    one('ok-pairing', '13.3', 'an owner allows a phone', pairing(), owner, 'ok'),
    one(
      'ok-pair',
      '13.4',
      'a phone asks',
      { type: 'pair', ...said, pairing: ID, proofForHub: PROOF, proofForOwner: PROOF },
      stranger,
      'ok',
    ),
    one(
      'ok-enrolment-groups',
      '12.3',
      'a device of two groups',
      {
        type: 'enrolment',
        ...said,
        name: 'front-door',
        key: device.key,
        permit: ID,
        groups: ['doors', 'ground floor'],
      },
      owner,
      'ok',
    ),
    one(
      'ok-enrolment-hub',
      '14.7',
      'a device of which one daemon has charge',
      { type: 'enrolment', ...said, name: 'front-door', key: device.key, permit: ID, hub: hub.key },
      owner,
      'ok',
    ),
    one(
      'ok-welcome-zone',
      '12.6',
      'the hub brings the zone',
      {
        type: 'welcome',
        ...said,
        audience: DEVICE,
        nonce: atDevice.nonce as Uint8Array,
        timeMs: NOW * 1000,
        wantsRecord: false,
        zone: { offset: -210, changesAt: NOW + 9000, thereafter: -150 },
      },
      hub,
      'ok',
      atDevice,
    ),
  ]
}

function spoiledGrants(): Case[] {
  const permission = (affordance: number, methods: number) => ({ what: [{ affordance, methods }] })
  return [
    one('grant-for-nobody', '12.1', 'neither key nor code', unheld, owner, 'bad-claims'),
    spoiled('for-two', 'a key and a code', { pin: PIN }),
    one(
      'grant-pin-shared',
      '12.1',
      'a code that may be passed on',
      { ...unheld, pin: PIN, share: 1 },
      owner,
      'bad-claims',
    ),
    spoiled('id-short', 'an id of seven bytes', { id: ID.subarray(1) }),
    spoiled('id-long', 'an id of nine bytes', { id: new Uint8Array(9) }),
    spoiled('devices-nine', 'nine devices', { devices: Array(9).fill(device.key) }),
    spoiled('device-short', 'a device of 31 bytes', { devices: [device.key.subarray(1)] }),
    spoiled('group-empty', 'a group without a name', { devices: [''] }),
    spoiled('group-long', 'a group of 17 bytes', { devices: ['seventeen-letters'] }),
    spoiled('what-nothing', 'nothing may be done', { what: [] }),
    spoiled('what-thirty-three', '33 permissions', {
      what: Array(33).fill({ affordance: 9, methods: 2 }),
    }),
    spoiled('methods-none', 'a permission for no method', permission(9, 0)),
    spoiled('methods-unknown', 'a method that is not ours', permission(9, 8)),
    spoiled('affordance-beyond', 'an affordance above 65,535', permission(65_536, 2)),
    spoiled('lease-long', 'a lease of more than a week', { leaseS: 604_801 }),
    spoiled('share-none', 'passed on zero times', { share: 0 }),
    spoiled('share-three', 'passed on three times', { share: 3 }),
    spoiled('uses-none', 'no use', { uses: 0, expiresAt: NOW + 60 }),
    spoiled('uses-many', '256 uses', { uses: 256, expiresAt: NOW + 60 }),
    spoiled('uses-for-ever', 'counted uses without an end', { uses: 1 }),
    spoiled('ends-before-it-begins', 'from is not before until', { notBefore: NOW, expiresAt: NOW }),
    spoiled('parent-short', 'a parent of seven bytes', { parent: PARENT.subarray(1) }),
    spoiled('hours-backwards', 'hours that end when they begin', hours(480, 480)),
    spoiled('hours-beyond', 'hours after midnight', hours(0, 1441)),
    spoiled('hours-no-day', 'hours on no day', hours(0, 1440, 0)),
    spoiled('hours-eighth-day', 'an eighth day', hours(0, 1440, 128)),
    spoiled('hours-five', 'five spans', { hours: Array(5).fill(hours(0, 60).hours[0]) }),
    spoiled('hours-none', 'no span', { hours: [] }),
    ...(
      [
        ['salt', { salt: PIN.salt.subarray(1) }],
        ['rounds-few', { rounds: 999 }],
        ['rounds-many', { rounds: 100_001 }],
        ['key', { key: PIN.key.subarray(1) }],
      ] as const
    ).map(([name, changes]) =>
      one(
        `grant-pin-${name}`,
        '12.7',
        `a code with a wrong ${name}`,
        { ...unheld, pin: { ...PIN, ...changes } },
        owner,
        'bad-claims',
      ),
    ),
    one(
      'grant-for-device',
      '12.1',
      'sealed for a device',
      { ...grant, audience: DEVICE },
      owner,
      'wrong-audience',
    ),
    one('grant-by-hub', '12.2', 'sealed by the hub', grant, hub, 'unknown-signer'),
    one('grant-over', '12.1', 'ended a second ago', { ...grant, expiresAt: NOW - 1 }, owner, 'expired'),
    one(
      'grant-from-future',
      '3.4',
      'sealed 301 seconds ahead',
      { ...grant, sealedAt: NOW + 301 },
      owner,
      'not-yet',
    ),
    one(
      'grant-no-clock',
      '3.4',
      'an end, and a receiver that does not know the time',
      { ...grant, expiresAt: NOW + 60 },
      owner,
      'no-clock',
      { ...atHome, now: 0 },
    ),
  ]
}

function spoiledOthers(): Case[] {
  const at = (name: string, section: string, comment: string, body: Body, signer: Signer, expect: Code) =>
    one(name, section, comment, body, signer, expect, atDevice)
  return [
    at('lease-by-owner', '12.4', 'sealed by an owner', lease(), owner, 'unknown-signer'),
    at('lease-for-home', '12.4', 'for the home', lease({ audience: HOME }), hub, 'wrong-audience'),
    at('lease-over', '12.4', 'ended', lease({ sealedAt: NOW - 60, expiresAt: NOW }), hub, 'expired'),
    at('lease-long', '12.4', 'of more than a week', lease({ expiresAt: NOW + 604_801 }), hub, 'bad-claims'),
    at('lease-many', '12.4', 'of 33 grants', lease({ grants: Array(33).fill(ID) }), hub, 'bad-claims'),
    at('lease-of-key', '12.4', 'of a key', lease({ grants: [stranger.key] }), hub, 'bad-claims'),
    one('revocation-by-hub', '12.5', 'sealed by the hub', revocation([ID]), hub, 'unknown-signer'),
    one('revocation-by-stranger', '12.5', 'sealed by anybody', revocation([ID]), stranger, 'unknown-signer'),
    one(
      'revocation-entry',
      '12.5',
      'an entry of nine bytes',
      revocation([new Uint8Array(9)]),
      owner,
      'bad-claims',
    ),
    one('revocation-many', '12.5', '81 entries', revocation(Array(81).fill(ID)), owner, 'bad-claims'),
    one('act-by-owner', '12.8', 'sealed by an owner', act(), owner, 'unknown-signer'),
    one(
      'act-many-values',
      '12.8',
      'seventeen values',
      act({ values: Array(17).fill({ affordance: 7, at: 0, value: true }) }),
      device,
      'bad-claims',
    ),
    {
      name: 'act-source',
      section: '12.8',
      comment: 'a source that there is not',
      context: atHome,
      steps: [{ frame: actFrom(wire.ACT_DIRECT + 1), expect: 'bad-claims' }],
    },
    one(
      'act-signer',
      '18.5',
      'a signer of 31 bytes',
      act({ source: 'direct', signer: stranger.key.subarray(1), command: PROOF }),
      device,
      'bad-claims',
    ),
    one(
      'act-command',
      '18.5',
      'a command of 33 bytes',
      act({ source: 'direct', signer: stranger.key, command: new Uint8Array(33) }),
      device,
      'bad-claims',
    ),
    one('pairing-by-hub', '13.3', 'sealed by the hub', pairing(), hub, 'unknown-signer'),
    one(
      'pairing-long',
      '13.3',
      'for more than 15 minutes',
      pairing({ expiresAt: NOW + 901 }),
      owner,
      'bad-claims',
    ),
    one(
      'holder-by-root',
      '13.2',
      'sealed by the root, which makes owners alone',
      { type: 'holder', ...said, name: 'phone', key: stranger.key, person: ID, kind: 'phone' },
      root,
      'unknown-signer',
    ),
    one(
      'enrolment-five-groups',
      '12.3',
      'a device of five groups',
      {
        type: 'enrolment',
        ...said,
        name: 'x',
        key: device.key,
        permit: ID,
        groups: ['a', 'b', 'c', 'd', 'e'],
      },
      owner,
      'bad-claims',
    ),
    one(
      'enrolment-hub-short',
      '14.7',
      'a daemon that is named by 31 bytes',
      { type: 'enrolment', ...said, name: 'x', key: device.key, permit: ID, hub: hub.key.subarray(1) },
      owner,
      'bad-claims',
    ),
    at(
      'welcome-zone-beyond',
      '12.6',
      'a zone more than a day off',
      {
        type: 'welcome',
        ...said,
        audience: DEVICE,
        nonce: atDevice.nonce as Uint8Array,
        timeMs: 1,
        wantsRecord: false,
        zone: { offset: 1441, changesAt: 0, thereafter: 0 },
      },
      hub,
      'bad-claims',
    ),
  ]
}

export function peopleCases(): Case[] {
  return [...wholeOnes(), ...spoiledGrants(), ...spoiledOthers()]
}
