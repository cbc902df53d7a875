// SPDX-License-Identifier: GPL-3.0-or-later
import { type Body, encodeCbor, sealEnvelope } from '../../daemon/core/envelope/index.ts'
import { CODES, type Code } from '../../schemas/gen/ts/codes.ts'
import { atDevice, DEVICE, EPOCH, HOME, hub, NONCE, NOW, owner, stranger } from './parties.ts'
import type { Case } from './text.ts'

type EnrolledBody = Extract<Body, { type: 'enrolled' }>

const enrolled = (changes: Partial<EnrolledBody> = {}): EnrolledBody => ({
  type: 'enrolled',
  audience: DEVICE,
  sealedAt: NOW,
  epoch: EPOCH,
  sequence: 1,
  nonce: NONCE,
  certificate: new Uint8Array(300).fill(0x30),
  name: 'porch-light',
  ...changes,
})

function one(name: string, comment: string, frame: Uint8Array, expect: Code): Case {
  return { name, section: '7.2', comment, context: atDevice, steps: [{ frame, expect }] }
}

const good = sealEnvelope(enrolled(), hub)
const REFUSALS = [
  'permit-unknown',
  'permit-used',
  'permit-expired',
  'bad-proof',
  'bad-csr',
  'too-many-tries',
  'name-taken',
] as const

export function enrolmentCases(): Case[] {
  return [
    one('ok', 'the certificate arrives', good, 'ok'),
    one(
      'ok-time-far-away',
      'enrolled brings the time',
      sealEnvelope(enrolled({ sealedAt: 4_000_000_000 }), hub),
      'ok',
    ),
    ...REFUSALS.map((why) => one(`refused-${why}`, `the hub says ${why}`, encodeCbor([0, CODES[why]]), why)),
    one(
      'by-owner',
      'sealed by an owner, not by the hub of this connection',
      sealEnvelope(enrolled(), owner),
      'unknown-signer',
    ),
    one('by-stranger', 'sealed by somebody else', sealEnvelope(enrolled(), stranger), 'unknown-signer'),
    one('for-home', 'not for this device', sealEnvelope(enrolled({ audience: HOME }), hub), 'wrong-audience'),
    one(
      'recorded',
      'the answer to an earlier request',
      sealEnvelope(enrolled({ nonce: EPOCH }), hub),
      'stale-nonce',
    ),
    one(
      'no-certificate',
      'an empty certificate',
      sealEnvelope(enrolled({ certificate: new Uint8Array() }), hub),
      'bad-claims',
    ),
    one(
      'large-certificate',
      'a certificate of 513 bytes',
      sealEnvelope(enrolled({ certificate: new Uint8Array(513) }), hub),
      'bad-claims',
    ),
    one('tampered', 'one bit of the certificate', flipped(good, 300), 'bad-signature'),
    one('cut', 'the end is missing', good.subarray(0, -9), 'cbor-truncated'),
  ]
}

function flipped(frame: Uint8Array, at: number): Uint8Array {
  const changed = Uint8Array.from(frame)
  changed[at]! ^= 1
  return changed
}
