// SPDX-License-Identifier: GPL-3.0-or-later
/** A device's own server: what its hello says of it, what the hub gives it, and a read (SPEC 18): whole ones, and each way in which one is not. */
import { type Body, type BodyOf, type Signer, sealEnvelope } from '../../daemon/core/envelope/index.ts'
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
  NONCE,
  NOW,
  owner,
  root,
  stranger,
} from './parties.ts'
import type { Case, Context } from './text.ts'

const said = { audience: HOME, sealedAt: NOW, epoch: EPOCH, sequence: 1 }
const POINT = new Uint8Array(wire.DIRECT_KEY_BYTES).fill(0x04)
const ORIGIN = 'https://192.168.1.20:8443'

function one(
  name: string,
  section: string,
  comment: string,
  body: Body,
  signer: Signer,
  expect: Code,
  context: Context,
): Case {
  return { name, section, comment, context, steps: [{ frame: sealEnvelope(body, signer), expect }] }
}

const hello = (name: string, comment: string, direct: object, expect: Code = 'bad-claims'): Case => {
  const body = {
    type: 'hello',
    ...said,
    board: 'host',
    firmware: 'light 1',
    affordances: [1],
    lost: 0,
  } as const
  const server = { port: 443, key: POINT, ...direct }
  return one(`hello-direct${name}`, '18.1', comment, { ...body, direct: server }, device, expect, atHome)
}

const direct = (
  name: string,
  comment: string,
  changes: Partial<BodyOf<'direct'>>,
  expect: Code = 'bad-claims',
  signer: Signer = hub,
): Case => {
  const given = { nonce: NONCE, certificate: new Uint8Array(440).fill(0x30), origins: [ORIGIN] }
  const body: Body = { type: 'direct', ...said, audience: DEVICE, ...given, ...changes }
  return one(`direct-${name}`, '18.2', comment, body, signer, expect, atDevice)
}

/** An owner asks the device how it stands. */
const read = (name: string, comment: string, affordance: number, expect: Code = 'ok'): Case => {
  const life = { expiresAt: NOW + 60, nonce: NONCE }
  const body: Body = { type: 'command', ...said, audience: DEVICE, ...life, operation: 'read', affordance }
  return one(`read-${name}`, '4.10', comment, body, owner, expect, atDevice)
}

export function directCases(): Case[] {
  return [
    hello('', 'a hello with its server', {}, 'ok'),
    hello('-port-last', 'the last port', { port: 65_535 }, 'ok'),
    hello('-port-zero', 'port 0', { port: 0 }),
    hello('-port-beyond', 'port 65,536', { port: 65_536 }),
    hello('-port-text', 'a port as text', { port: '443' }),
    hello('-key-compressed', 'a compressed point', { key: POINT.subarray(0, 33) }),
    hello('-key-short', 'a point of 64 bytes', { key: POINT.subarray(1) }),
    hello('-key-long', 'a point of 66 bytes', { key: new Uint8Array(66) }),
    hello('-key-text', 'a key as text', { key: 'k'.repeat(65) }),
    direct('ok', 'a leaf, and one origin', {}, 'ok'),
    direct('ok-no-origin', 'nobody’s pages may ask', { origins: [] }, 'ok'),
    direct(
      'ok-largest',
      'every member as long as may be',
      { certificate: new Uint8Array(512), origins: Array(4).fill('o'.repeat(64)) },
      'ok',
    ),
    direct('certificate-none', 'a certificate of no bytes', { certificate: new Uint8Array() }),
    direct('certificate-long', 'one of 513 bytes', { certificate: new Uint8Array(513) }),
    direct('origins-five', 'an origin too many', { origins: Array(5).fill(ORIGIN) }),
    direct('origin-empty', 'an origin of no characters', { origins: [''] }),
    direct('origin-long', 'an origin of 65 bytes', { origins: ['o'.repeat(65)] }),
    direct('origin-bytes', 'an origin as bytes', { origins: [new Uint8Array(9)] as never }),
    direct('another-life', 'for an earlier hello', { nonce: EPOCH }, 'stale-nonce'),
    direct('for-another', 'for another', { audience: HOME }, 'wrong-audience'),
    direct('by-owner', 'sealed by an owner', {}, 'unknown-signer', owner),
    direct('by-root', 'sealed by the root', {}, 'unknown-signer', root),
    direct('by-device', 'sealed by the device itself', {}, 'unknown-signer', device),
    direct('by-stranger', 'sealed by a stranger', {}, 'unknown-signer', stranger),
    read('one', 'one property', 1),
    read('all', 'all of them', wire.AFFORDANCE_ALL),
    read('beyond', 'an affordance beyond the last', 65_536, 'bad-claims'),
    read('negative', 'a negative one', -1, 'bad-claims'),
  ]
}
