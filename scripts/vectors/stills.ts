// SPDX-License-Identifier: GPL-3.0-or-later
/** Pictures (SPEC 19): what a device seals of one, and what it makes of the notes by which a hub says how much of it is there. */
import { createHash } from 'node:crypto'
import {
  type BodyOf,
  type Cbor,
  encodeCbor,
  type Signer,
  sealEnvelope,
} from '../../daemon/core/envelope/index.ts'
import { CODES, type Code } from '../../schemas/gen/ts/codes.ts'
import {
  atHome,
  DEVICE,
  device,
  HOME,
  hub,
  NONCE,
  NOW,
  otherDevice,
  owner,
  root,
  stranger,
} from './parties.ts'
import type { Case, Context, Step } from './text.ts'

type StillBody = BodyOf<'still'>

const SIZE = 6000
/** As firmware/check/vectors.c makes it, too. */
const PICTURE = Uint8Array.from({ length: SIZE }, (_, at) => at * 5)
const DIGEST = Uint8Array.from(createHash('sha256').update(PICTURE).digest())
const NAME = DIGEST.subarray(0, 8)

function still(changes: Partial<StillBody> = {}, by: Signer = device): Uint8Array {
  const body: StillBody = {
    ...{ type: 'still', audience: HOME, sealedAt: NOW, epoch: NONCE, sequence: 7 },
    ...{ affordance: 30, command: new Uint8Array(32).fill(0xc1), digest: DIGEST, size: SIZE, at: NOW * 1000 },
    ...changes,
  }
  return sealEnvelope(body, by)
}

/** Shapes of a still, and who may seal one. */
export function stillShapes(): Case[] {
  const shape = (name: string, comment: string, frame: Uint8Array, expect: Code): Case => ({
    ...{ name: `still-${name}`, section: '19.2', comment, context: atHome },
    steps: [{ frame, expect }],
  })
  const bad = (name: string, comment: string, changes: object): Case =>
    shape(name, comment, still(changes as Partial<StillBody>), 'bad-claims')
  const bent = still()
  bent[bent.length - 5]! ^= 1
  return [
    shape('sound', 'a picture of its device', still(), 'ok'),
    shape('no-time', 'a device that does not know the time', still({ sealedAt: 0, at: 0 }), 'ok'),
    shape(
      'huge',
      'more than a hub takes: what it is called is sound, and the hub says no',
      still({ size: 2 ** 40 }),
      'ok',
    ),
    shape('again', 'sealed before: a still is no command', still({ sequence: 0 }), 'ok'),
    shape('by-owner', 'sealed by an owner', still({}, owner), 'unknown-signer'),
    shape('by-hub', 'sealed by the hub', still({}, hub), 'unknown-signer'),
    shape('by-root', 'sealed by the root', still({}, root), 'unknown-signer'),
    shape(
      'by-other',
      'sealed by a device that is not of this home',
      still({}, otherDevice),
      'unknown-signer',
    ),
    shape('by-stranger', 'sealed by anybody', still({}, stranger), 'unknown-signer'),
    shape('for-device', 'sealed for the device', still({ audience: DEVICE }), 'wrong-audience'),
    shape('signature', 'one bit of the signature is another', bent, 'bad-signature'),
    shape('truncated', 'it ends early', still().subarray(0, -1), 'cbor-truncated'),
    bad('size-zero', 'a picture of no bytes', { size: 0 }),
    bad('size-negative', 'fewer than none', { size: -1 }),
    bad('size-text', 'a size as text', { size: '6000' }),
    bad('digest-short', 'a digest of 31 bytes', { digest: DIGEST.subarray(1) }),
    bad('digest-long', 'a digest of 33 bytes', { digest: new Uint8Array(33) }),
    bad('command-short', 'a command’s digest of 8 bytes', { command: new Uint8Array(8) }),
    bad('affordance-beyond', 'an affordance that there cannot be', { affordance: 65_536 }),
    bad('at-negative', 'before 1970', { at: -1 }),
    bad('at-bool', 'a time that is none', { at: true }),
  ]
}

/** A camera that has said that it has the picture. */
const atCamera: Context = {
  ...{ home: HOME, audience: DEVICE, now: NOW, nonce: NONCE, limit: 1024 },
  ...{ root: root.key, hub: hub.key, device: [device.key], picture: SIZE },
}

const note = (item: Cbor, expect: Code, more: Partial<Step> = {}): Step => ({
  frame: encodeCbor(item),
  expect,
  ...more,
})
const here = (offset: number, expect: Code = 'ok', code: Code = 'ok'): Step =>
  note([NAME, offset, CODES[code]], expect)

function scene(name: string, comment: string, steps: readonly Step[], context: Context = {}): Case {
  return { name, section: '19.3', comment, context: { ...atCamera, ...context }, steps }
}

export function stillCases(): Case[] {
  const far = 8 * 512
  const bad = (name: string, comment: string, item: Cbor): Case =>
    scene(name, comment, [note(item, 'bad-note')])
  return [
    scene('from-the-beginning', 'nothing of it is there', [here(0)]),
    scene(
      'piece-by-piece',
      'after each piece',
      [0, 512, 1024, 1536].map((at) => here(at)),
    ),
    scene('several-at-once', 'after eight of them', [here(0), here(far), here(SIZE)]),
    scene('goes-on', 'some was there from before the link was cut', [
      here(2048),
      here(2560),
      here(SIZE - (SIZE % 512)),
    ]),
    scene('there-already', 'all of it was', [here(SIZE), here(0)]),
    scene('the-same-again', 'the same word twice', [here(0), here(512), here(512)]),
    scene('backwards', 'less than it said before', [here(0), here(1024), here(512, 'bad-note')]),
    scene('backwards-to-nothing', 'nothing any more', [here(0), here(512), here(0, 'bad-note')]),
    scene('beyond-what-was-sent', 'more than went out', [here(0), here(far + 512, 'bad-note')]),
    scene('all-before-it-was-sent', 'the whole, of which half went out', [here(0), here(SIZE, 'bad-note')]),
    scene('within-a-piece', 'a place where no piece ends', [here(100, 'bad-note')]),
    scene('one-short', 'all but a byte', [here(SIZE - 1, 'bad-note')]),
    scene('beyond-the-picture', 'more than there is', [here(6144, 'bad-note')]),
    scene('of-another', 'of a picture that it has not', [note([new Uint8Array(8), 0, 0], 'ok'), here(0)]),
    scene('of-another-beyond', 'the same, of more than this one has', [
      note([new Uint8Array(8), 65_536, 0], 'ok'),
    ]),
    scene('stored-twice', 'said again when it has let go', [
      here(0),
      here(far),
      here(SIZE),
      here(SIZE),
      here(0),
    ]),
    scene('refused', 'it is not taken: it lets go, and what is said then means nothing', [
      here(0, 'ok', 'still-digest'),
      here(6144),
    ]),
    scene('refused-with-any-place', 'where it stopped is not held against a refusal', [
      here(100, 'ok', 'still-late'),
    ]),
    scene('busy', 'no room: it says nothing for five seconds, and what is said to it means nothing', [
      here(0, 'ok', 'busy'),
      here(100),
      { ...here(100), now: NOW + 4 },
      { ...here(100, 'bad-note'), now: NOW + 5 },
    ]),
    scene('no-camera', 'to a device that takes no pictures', [here(0, 'bad-note')], { picture: 0 }),
    bad('digest-short', 'seven bytes of the digest', [NAME.subarray(1), 0, 0]),
    bad('digest-whole', 'all of it', [DIGEST, 0, 0]),
    bad('digest-text', 'text in its place', ['12345678', 0, 0]),
    bad('offset-negative', 'before the beginning', [NAME, -512, 0]),
    bad('offset-far', 'beyond any picture', [NAME, 65_537, 0]),
    bad('offset-text', 'a place as text', [NAME, '0', 0]),
    bad('code-negative', 'a code below 0', [NAME, 0, -1]),
    bad('code-large', 'a code beyond all', [NAME, 0, 1000]),
    bad('code-bytes', 'bytes in its place', [NAME, 0, new Uint8Array(1)]),
    bad('four', 'an array of four', [NAME, 0, 0, 0]),
    bad('nested', 'an array in its place', [NAME, [0], 0]),
    bad('piece', 'a note that only devices send', [2, 0, PICTURE.subarray(0, 512)]),
  ]
}
