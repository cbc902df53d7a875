// SPDX-License-Identifier: GPL-3.0-or-later
/** The root's word on hub CAs, and the places that a welcome tells (SPEC 16): whole ones, and each way in which one is not. */
import { type Body, type BodyOf, type Signer, sealEnvelope } from '../../daemon/core/envelope/index.ts'
import type { Code } from '../../schemas/gen/ts/codes.ts'
import { PLACES_MAX } from '../../schemas/gen/ts/wire.ts'
import {
  atDevice,
  atHome,
  DEVICE,
  device,
  EPOCH,
  HOME,
  hub,
  NONCE,
  NOW,
  owner,
  root,
  stranger,
} from './parties.ts'
import type { Case, Context } from './text.ts'

const said = { audience: HOME, sealedAt: NOW, epoch: EPOCH, sequence: 1 }
const KEYS = [new Uint8Array(32).fill(0x21), new Uint8Array(32).fill(0x22)] as const

function one(
  name: string,
  comment: string,
  body: Body,
  signer: Signer,
  expect: Code,
  context: Context,
): Case {
  const section = body.type === 'pins' ? '16.1' : '16.5'
  return { name, section, comment, context, steps: [{ frame: sealEnvelope(body, signer), expect }] }
}

const pins = (
  name: string,
  comment: string,
  changes: Partial<BodyOf<'pins'>>,
  signer: Signer = root,
  expect: Code = 'bad-claims',
): Case => {
  const body: BodyOf<'pins'> = { type: 'pins', ...said, generation: 1, hubCas: KEYS, ...changes }
  return one(`pins-${name}`, comment, body, signer, expect, atHome)
}

const welcome = (
  name: string,
  comment: string,
  places: BodyOf<'welcome'>['places'],
  expect: Code = 'bad-claims',
) => {
  const time = { nonce: NONCE, timeMs: NOW * 1000, wantsRecord: false }
  const body: Body = { type: 'welcome', ...said, audience: DEVICE, ...time, ...(places && { places }) }
  return one(`welcome-${name}`, comment, body, hub, expect, atDevice)
}

const FOUR = { host: '192.168.1.20', port: 8883 }
const SIX = { host: 'fd00:1111:2222:3333:4444:5555:6666:7777', port: 65_535 }

export function pinsCases(): Case[] {
  return [
    pins('ok', 'the next generation', {}, root, 'ok'),
    pins('first', 'the first generation', { generation: 0 }, root, 'ok'),
    pins('last', 'the last number there is', { generation: 65_535 }, root, 'ok'),
    pins('from-the-future', 'no clock is held against it', { sealedAt: NOW + 10_000 }, root, 'ok'),
    pins('beyond', 'a number beyond the last', { generation: 65_536 }),
    pins('negative', 'a negative number', { generation: -1 }),
    pins('one-key', 'no next key', { hubCas: KEYS.slice(0, 1) }),
    pins('three-keys', 'a key too many', { hubCas: [...KEYS, KEYS[0]] }),
    pins('no-key', 'no key', { hubCas: [] }),
    pins('short-key', 'a key of 31 bytes', { hubCas: [KEYS[0], KEYS[1].subarray(1)] }),
    pins('by-owner', 'sealed by an owner', {}, owner, 'unknown-signer'),
    pins('by-hub', 'sealed by the hub itself', {}, hub, 'unknown-signer'),
    pins('by-device', 'sealed by a device', {}, device, 'unknown-signer'),
    pins('by-stranger', 'sealed by a stranger', {}, stranger, 'unknown-signer'),
    pins('elsewhere', 'for another home', { audience: DEVICE }, root, 'wrong-audience'),
    welcome('ok-places', 'two places', [FOUR, SIX], 'ok'),
    welcome('ok-places-most', 'as many as may be', Array(PLACES_MAX).fill(FOUR), 'ok'),
    welcome('places-none', 'an empty list', []),
    welcome('places-five', 'one too many', Array(PLACES_MAX + 1).fill(FOUR)),
    welcome('places-no-address', 'an address of no characters', [{ host: '', port: 1 }]),
    welcome('places-long-address', 'an address of 46 characters', [{ host: '1'.repeat(46), port: 1 }]),
    welcome('places-port-zero', 'port 0', [{ ...FOUR, port: 0 }]),
    welcome('places-port-beyond', 'port 65,536', [{ ...FOUR, port: 65_536 }]),
  ]
}
