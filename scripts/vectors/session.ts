// SPDX-License-Identifier: GPL-3.0-or-later
import { concat } from '../../daemon/base/bytes.ts'
import { encodeCbor, sealEnvelope } from '../../daemon/core/envelope/index.ts'
import type { Code } from '../../schemas/gen/ts/codes.ts'
import { atDevice, DEVICE, device, EPOCH, HOME, hub, NONCE, NOW, owner, stranger } from './parties.ts'
import type { Case, Step } from './text.ts'

/** What a device makes of the bytes a hub sends it, after TLS (SPEC 6.3). */
function one(name: string, comment: string, bytes: Uint8Array, expect: Code): Case {
  return several(name, comment, [{ bytes, expect }])
}

function several(name: string, comment: string, steps: Step[]): Case {
  return { name, section: '6.3', comment, context: atDevice, steps }
}

function framed(content: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(content.length >> 8, content.length & 255), content)
}

const welcome = sealEnvelope(
  {
    type: 'welcome',
    audience: DEVICE,
    sealedAt: NOW,
    epoch: EPOCH,
    sequence: 1,
    nonce: NONCE,
    timeMs: NOW * 1000,
    wantsRecord: false,
  },
  hub,
)
const hello = sealEnvelope(
  {
    type: 'hello',
    audience: HOME,
    sealedAt: NOW,
    epoch: NONCE,
    sequence: 0,
    board: 'host',
    firmware: '0.1.0',
    affordances: [1],
    lost: 0,
  },
  device,
)

/** What a device is given when its certificate is due (SPEC 6.7). */
const papers = (change: { audience?: string; nonce?: Uint8Array } = {}, by = hub) =>
  framed(
    sealEnvelope(
      {
        type: 'enrolled',
        audience: DEVICE,
        sealedAt: NOW,
        epoch: EPOCH,
        sequence: 2,
        nonce: NONCE,
        certificate: new Uint8Array(300).fill(0x30),
        name: 'porch',
        ...change,
      },
      by,
    ),
  )

export function sessionCases(): Case[] {
  const stored = encodeCbor([NONCE, 3])
  const cut = framed(stored)
  return [
    one('keepalive', 'a frame of no bytes', Uint8Array.of(0, 0), 'ok'),
    one('keepalives', 'a hundred of them', new Uint8Array(200), 'ok'),
    one('welcome', 'the welcome', framed(welcome), 'ok'),
    several('welcome-in-pieces', 'the welcome, a few bytes at a time', [
      { bytes: framed(welcome).subarray(0, 1), expect: 'ok' },
      { bytes: framed(welcome).subarray(1, 40), expect: 'ok' },
      { bytes: framed(welcome).subarray(40), expect: 'ok' },
    ]),
    several('welcome-again', 'the welcome said again in the session: the time and the zone', [
      { bytes: framed(welcome), expect: 'ok' },
      { bytes: framed(welcome), expect: 'ok' },
      { bytes: framed(stored), expect: 'ok' },
    ]),
    one('stored', 'everything up to 3 is on disk', framed(stored), 'ok'),
    several('stored-in-pieces', 'cut inside the length', [
      { bytes: cut.subarray(0, 1), expect: 'ok' },
      { bytes: cut.subarray(1), expect: 'ok' },
    ]),
    one('stored-then-keepalive', 'two frames in one piece', concat(cut, Uint8Array.of(0, 0)), 'ok'),
    one('too-large', 'a length of 1,025', Uint8Array.of(0x04, 0x01), 'frame-too-large'),
    one('far-too-large', 'a length of 65,535', Uint8Array.of(0xff, 0xff), 'frame-too-large'),
    one('note-empty-array', 'an empty array', framed(encodeCbor([])), 'bad-note'),
    one('note-three', 'an array of three', framed(encodeCbor([NONCE, 3, 0])), 'bad-note'),
    one('note-epoch-short', 'an epoch of 7 bytes', framed(encodeCbor([NONCE.subarray(1), 3])), 'bad-note'),
    one('note-sequence-text', 'a sequence as text', framed(encodeCbor([NONCE, 'x'])), 'bad-note'),
    one('note-sequence-negative', 'a negative sequence', framed(encodeCbor([NONCE, -1])), 'bad-note'),
    one('note-refusal-of-nothing', 'a refusal with code 0', framed(encodeCbor([0, 0])), 'bad-note'),
    one('note-first-one', 'a first element that is neither', framed(encodeCbor([1, 5])), 'bad-note'),
    one(
      'note-not-canonical',
      'a sequence in two bytes',
      framed(Uint8Array.fromHex('8248a0a1a2a3a4a5a6a71803')),
      'bad-note',
    ),
    one('note-trailing', 'a byte after the note', framed(concat(stored, Uint8Array.of(0))), 'bad-note'),
    one('note-truncated', 'a note that ends early', framed(stored.subarray(0, -1)), 'bad-note'),
    one('map', 'a map', framed(encodeCbor(new Map([[1, 2]]))), 'bad-note'),
    one('text', 'HTTP', framed(new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n')), 'bad-note'),
    one('got-from-hub', 'a note that only devices send', framed(encodeCbor([NONCE])), 'bad-note'),
    one('papers-for-a-welcome', 'the next certificate, in place of the welcome', papers(), 'ok'),
    several('papers-in-session', 'the next certificate, after the welcome', [
      { bytes: framed(welcome), expect: 'ok' },
      { bytes: papers(), expect: 'ok' },
    ]),
    one('papers-of-another-life', 'for an earlier hello', papers({ nonce: EPOCH }), 'stale-nonce'),
    one(
      'papers-by-stranger',
      'sealed by another key than TLS showed',
      papers({}, stranger),
      'unknown-signer',
    ),
    one('papers-by-owner', 'sealed by an owner', papers({}, owner), 'unknown-signer'),
    one('papers-for-another', 'for another device', papers({ audience: HOME }), 'wrong-audience'),
    one('hello-from-hub', 'a message that only devices send', framed(hello), 'unexpected-message'),
  ]
}
