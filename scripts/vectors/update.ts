// SPDX-License-Identifier: GPL-3.0-or-later
/** What a device that can be updated makes of manifests and chunks (SPEC 15). Each case begins with its owner, and with the record that names its release key. */
import { createHash } from 'node:crypto'
import {
  type BodyOf,
  type Cbor,
  encodeCbor,
  type Signer,
  sealEnvelope,
} from '../../daemon/core/envelope/index.ts'
import { idOf } from '../../daemon/core/model/index.ts'
import type { Code } from '../../schemas/gen/ts/codes.ts'
import * as wire from '../../schemas/gen/ts/wire.ts'
import {
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
  secondOwner,
  sitter,
  stranger,
} from './parties.ts'
import { sealRaw } from './raw.ts'
import type { Case, Context, Step } from './text.ts'

type ManifestBody = BodyOf<'manifest'>

const release = sitter
const IMAGE = Uint8Array.from({ length: 1300 }, (_, i) => i * 5)
const ID = new Uint8Array(8).fill(0xc1)
const sha256 = (bytes: Uint8Array) => Uint8Array.from(createHash('sha256').update(bytes).digest())

/** A porch light that runs sequence 5, with a slot of 4 KiB. */
const atLight: Context = {
  home: HOME,
  audience: DEVICE,
  now: NOW,
  nonce: NONCE,
  limit: 1024,
  root: root.key,
  hub: hub.key,
  device: [device.key],
  image: ['shallot', 'host/porch-light', 5],
  slot: 4096,
}

let sequence = 0
const said = (audience: string) => ({ audience, sealedAt: NOW, epoch: EPOCH, sequence: ++sequence })

function manifest(changes: Partial<ManifestBody> = {}, by: Signer = release): Uint8Array {
  const body: ManifestBody = {
    type: 'manifest',
    ...said(idOf(by.key)),
    imageSequence: 6,
    vendor: 'shallot',
    imageClass: 'host/porch-light',
    digest: sha256(IMAGE),
    size: IMAGE.length,
    firmware: 'porch-light 0.6.0',
    ...changes,
  }
  return sealEnvelope(body, by)
}

const step = (frame: Uint8Array, expect: Code): Step => ({ frame, expect })

function record(key: Uint8Array | undefined, by: Signer = owner): Uint8Array {
  const body = { name: 'porch', key: device.key, permit: ID, ...(key && { release: key }) }
  return sealEnvelope({ type: 'enrolment', ...said(HOME), ...body }, by)
}

const chunk = (at: number, image: Uint8Array = IMAGE, size = 512): Uint8Array =>
  encodeCbor([1, at, image.subarray(at, at + size)])

const chunks = (image: Uint8Array = IMAGE): Step[] => [0, 512, 1024].map((at) => step(chunk(at, image), 'ok'))

/** One case whose steps follow on the owner and the record. */
function scene(
  name: string,
  section: string,
  comment: string,
  steps: () => readonly Step[],
  context: Context = {},
  key: Uint8Array | null = release.key,
): Case {
  sequence = 0
  const begun = [
    step(sealEnvelope({ type: 'owner', ...said(HOME), name: 'ada', key: owner.key }, root), 'ok'),
    step(record(key ?? undefined), 'ok'),
  ]
  return { name, section, comment, context: { ...atLight, ...context }, steps: [...begun, ...steps()] }
}

/** One manifest, and what is said to it. */
const offer = (
  name: string,
  comment: string,
  expect: Code,
  changes: Partial<ManifestBody> = {},
  context: Context = {},
): Case => scene(name, '15.3', comment, () => [step(manifest(changes), expect)], context)

export function updateCases(): Case[] {
  return [...keyCases(), ...offerCases(), ...chunkCases()]
}

/** A hello that says this of its image, in CBOR as it is. */
function helloOf(image: Cbor): Uint8Array {
  const body = new Map<number, Cbor>([
    [wire.HELLO_BOARD, 'host'],
    [wire.HELLO_FIRMWARE, 'light 1'],
    [wire.HELLO_AFFORDANCES, [1]],
    [wire.HELLO_LOST, 0],
    [wire.HELLO_IMAGE, image],
  ])
  return sealRaw(wire.TYPE_HELLO, NONCE, body, device)
}

/** Shapes of manifests, and of what an enrolment and a hello may say of images: whole ones, and each way in which one is not. */
export function updateShapes(): Case[] {
  const shape = (name: string, comment: string, frame: Uint8Array, expect: Code, section = '15.2'): Case => ({
    name,
    section,
    comment,
    context: atHome,
    steps: [step(frame, expect)],
  })
  const bad = (name: string, comment: string, changes: object): Case =>
    shape(`manifest-${name}`, comment, manifest(changes as Partial<ManifestBody>), 'bad-claims')
  const text = 'ü'.repeat(33)
  return [
    shape('manifest', 'a sound one; nobody named a release key', manifest(), 'no-release-key'),
    shape('manifest-whole', 'with both conditions', manifest({ wire: 255, from: 1 }), 'no-release-key'),
    shape(
      'manifest-largest',
      'every member as long as may be',
      manifest({
        imageSequence: 2 ** 53 - 1,
        vendor: 'v'.repeat(32),
        imageClass: 'c'.repeat(64),
        size: 4_194_304,
        firmware: 'f'.repeat(32),
        wire: 255,
        from: 2 ** 53 - 1,
      }),
      'no-release-key',
    ),
    bad('sequence-zero', 'sequence 0', { imageSequence: 0 }),
    bad('sequence-negative', 'a sequence below 0', { imageSequence: -1 }),
    bad('vendor-empty', 'no vendor', { vendor: '' }),
    bad('vendor-long', 'a vendor of 33 bytes', { vendor: 'v'.repeat(33) }),
    bad('class-empty', 'no class', { imageClass: '' }),
    bad('class-long', 'a class of 66 bytes', { imageClass: text }),
    bad('digest-short', 'a digest of 31 bytes', { digest: new Uint8Array(31) }),
    bad('digest-long', 'a digest of 33 bytes', { digest: new Uint8Array(33) }),
    bad('size-zero', 'an image of no bytes', { size: 0 }),
    bad('size-huge', 'one byte more than an image may have', { size: 4_194_305 }),
    bad('firmware-long', 'a name of 33 bytes', { firmware: 'f'.repeat(33) }),
    bad('wire-zero', 'wire version 0', { wire: 0 }),
    bad('wire-huge', 'wire version 256', { wire: 256 }),
    bad('from-zero', 'from sequence 0', { from: 0 }),
    bad('size-text', 'a size as text', { size: '1300' }),
    bad('class-bytes', 'a class as bytes', { imageClass: new Uint8Array(9) }),
    shape('hello-image', 'a hello with its standing', helloOf([3, 1, 3]), 'ok', '15.6'),
    shape('hello-image-word', 'a standing that there is not', helloOf([3, 3, 3]), 'bad-claims', '15.6'),
    shape('hello-image-two', 'a standing of two', helloOf([3, 0]), 'bad-claims', '15.6'),
    shape('hello-image-four', 'a standing of four', helloOf([3, 0, 3, 3]), 'bad-claims', '15.6'),
    shape('hello-image-negative', 'a sequence below 0', helloOf([-1, 0, 3]), 'bad-claims', '15.6'),
    shape('hello-image-number', 'a number in its place', helloOf(3), 'bad-claims', '15.6'),
    shape('enrolment-release', 'an enrolment that names a release key', record(release.key), 'ok', '15.1'),
    shape(
      'enrolment-release-short',
      'one of 31 bytes',
      record(release.key.subarray(1)),
      'bad-claims',
      '15.1',
    ),
    shape('enrolment-release-long', 'one of 33 bytes', record(new Uint8Array(33)), 'bad-claims', '15.1'),
  ]
}

function keyCases(): Case[] {
  return [
    scene(
      'key-none',
      '15.1',
      'the record names no release key',
      () => [step(manifest(), 'no-release-key')],
      {},
      null,
    ),
    scene('key-another', '15.1', 'sealed by a key that nobody named', () => [
      step(manifest({}, stranger), 'unknown-signer'),
    ]),
    ...(
      [
        ['owner', owner],
        ['root', root],
        ['hub', hub],
        ['device', device],
        ['second-owner', secondOwner],
      ] as const
    ).map(([who, by]) =>
      scene(`key-${who}`, '15.1', `sealed by the ${who}, who is no release key`, () => [
        step(manifest({}, by), 'unknown-signer'),
      ]),
    ),
    scene('key-owner-named', '15.1', 'an owner’s own key, when the record names it', () => [
      step(record(owner.key), 'ok'),
      step(manifest({}, owner), 'ok'),
      step(manifest(), 'unknown-signer'),
    ]),
    scene(
      'key-changed',
      '15.1',
      'another key is named: the one before counts no more, also for what is under way',
      () => {
        const first = manifest()
        return [
          step(first, 'ok'),
          step(record(stranger.key), 'ok'),
          step(first, 'unknown-signer'),
          step(manifest({}, stranger), 'ok'),
        ]
      },
    ),
    scene('key-dropped', '15.1', 'a newer record names none', () => [
      step(manifest(), 'ok'),
      step(record(undefined), 'ok'),
      step(manifest(), 'no-release-key'),
    ]),
    scene('key-by-stranger', '15.1', 'a record that names a key, by somebody who is no owner', () => [
      step(record(stranger.key, stranger), 'unknown-signer'),
      step(manifest({}, stranger), 'unknown-signer'),
      step(manifest(), 'ok'),
    ]),
    scene('audience-home', '15.2', 'sealed for the home', () => [
      step(manifest({ audience: HOME }), 'wrong-audience'),
    ]),
    scene('audience-device', '15.2', 'sealed for the device', () => [
      step(manifest({ audience: DEVICE }), 'wrong-audience'),
    ]),
    scene('signature', '2.4', 'one bit of the signature is another', () => {
      const frame = manifest()
      frame[frame.length - 3]! ^= 4
      return [step(frame, 'bad-signature'), step(manifest(), 'ok')]
    }),
    scene('truncated', '1.1', 'a manifest that ends early', () => [
      step(manifest().subarray(0, -1), 'cbor-truncated'),
    ]),
    scene('future', '3.4', 'sealed tomorrow', () => [step(manifest({ sealedAt: NOW + 86_400 }), 'not-yet')]),
    scene(
      'no-clock',
      '3.4',
      'the device does not know the time: it needs none',
      () => [step(manifest({ sealedAt: NOW + 86_400 }), 'ok')],
      { now: 0 },
    ),
  ]
}

function offerCases(): Case[] {
  return [
    offer('sound', 'a sound one', 'ok'),
    offer('conditions', 'conditions that hold', 'ok', { wire: 1, from: 5 }),
    offer('slot-full', 'as large as the slot', 'ok', { size: 4096 }),
    offer('far-ahead', 'a far higher sequence', 'ok', { imageSequence: 2 ** 53 - 1 }),
    offer('no-slot', 'a board without a second slot', 'no-slot', {}, { slot: 0 }),
    offer('vendor', 'another vendor', 'wrong-vendor', { vendor: 'acme' }),
    offer('vendor-longer', 'a vendor that begins like ours', 'wrong-vendor', { vendor: 'shallots' }),
    offer('vendor-shorter', 'the beginning of our vendor', 'wrong-vendor', { vendor: 'shall' }),
    offer('board', 'the same app for another board', 'wrong-class', { imageClass: 'esp32/porch-light' }),
    offer('app', 'another app for this board', 'wrong-class', { imageClass: 'host/front-door' }),
    offer('class-prefix', 'the beginning of our class', 'wrong-class', { imageClass: 'host/porch' }),
    offer('class-case', 'our class in capitals', 'wrong-class', { imageClass: 'HOST/porch-light' }),
    offer('class-longest', 'a class of 64 bytes', 'wrong-class', { imageClass: 'x'.repeat(64) }),
    offer('older', 'an older one', 'downgrade', { imageSequence: 4 }),
    offer('oldest', 'the oldest there can be', 'downgrade', { imageSequence: 1 }),
    offer('same', 'the sequence that runs', 'replayed', { imageSequence: 5 }),
    offer('tried-before', 'one that was tried and came back', 'replayed', { imageSequence: 9 }, { floor: 9 }),
    offer(
      'below-tried',
      'newer than what runs, older than what was tried',
      'downgrade',
      { imageSequence: 8 },
      { floor: 9 },
    ),
    offer('above-tried', 'newer than what was tried', 'ok', { imageSequence: 10 }, { floor: 9 }),
    offer('wire', 'for devices that speak a later wire', 'update-condition', { wire: 2 }),
    offer('from', 'for devices that run a later one', 'update-condition', { from: 6 }),
    offer('too-large', 'one byte more than the slot holds', 'image-too-large', { size: 4097 }),
    offer('vendor-before-class', 'another vendor and another class', 'wrong-vendor', {
      vendor: 'acme',
      imageClass: 'a/b',
    }),
    offer('class-before-sequence', 'another class and an old sequence', 'wrong-class', {
      imageClass: 'a/b',
      imageSequence: 1,
    }),
    offer('sequence-before-condition', 'an old sequence and a condition that fails', 'downgrade', {
      imageSequence: 2,
      wire: 9,
    }),
    offer(
      'condition-before-size',
      'a condition that fails and a size that does not fit',
      'update-condition',
      { from: 9, size: 9000 },
    ),
    scene('again', '15.3', 'the same manifest again, and again', () => {
      const frame = manifest()
      return [step(frame, 'ok'), step(frame, 'ok'), step(frame, 'ok')]
    }),
    scene(
      'another-takes-its-place',
      '15.3',
      'a newer one while one is under way, then the older again',
      () => [step(manifest(), 'ok'), step(manifest({ imageSequence: 7 }), 'ok'), step(manifest(), 'ok')],
    ),
  ]
}

function chunkCases(): Case[] {
  const other = Uint8Array.from(IMAGE)
  other[700] = 1
  const begun = (...steps: Step[]) => [step(manifest(), 'ok'), ...steps]
  const bad = (name: string, comment: string, frame: Uint8Array, expect: Code = 'bad-note'): Case =>
    scene(`chunk-${name}`, '15.4', comment, () => begun(step(frame, expect)))
  return [
    scene('chunks', '15.4', 'the whole image', () => begun(...chunks())),
    scene('chunks-then-more', '15.4', 'one more than there are', () =>
      begun(...chunks(), step(chunk(0), 'unexpected-message')),
    ),
    scene('chunks-of-another', '15.4', 'an image with one other byte', () =>
      begun(...chunks(other).slice(0, 2), step(chunk(1024, other), 'image-digest')),
    ),
    scene('chunks-right-after-wrong', '15.4', 'the right image after another one', () => [
      ...begun(...chunks(other).slice(0, 2), step(chunk(1024, other), 'image-digest')),
      step(manifest(), 'ok'),
      ...chunks(),
    ]),
    scene('chunks-resumed', '15.4', 'the manifest again in the middle: it goes on where it was', () => {
      const frame = manifest()
      const [first, second, third] = chunks()
      return [step(frame, 'ok'), first!, step(frame, 'ok'), second!, third!]
    }),
    scene('chunks-begun-anew', '15.4', 'another manifest in the middle: it begins anew', () => {
      const [first, second] = chunks()
      return [...begun(first!, second!), step(manifest({ imageSequence: 7 }), 'ok'), ...chunks()]
    }),
    scene('chunk-unasked', '15.4', 'without a manifest', () => [step(chunk(0), 'unexpected-message')]),
    bad('late', 'the second one first', chunk(512)),
    bad('short', 'one byte short', chunk(0, IMAGE, 511)),
    bad('long', 'one byte long', encodeCbor([1, 0, new Uint8Array(513)])),
    bad('empty', 'no bytes', encodeCbor([1, 0, new Uint8Array(0)])),
    bad('text', 'text instead of bytes', encodeCbor([1, 0, 'x'.repeat(512)])),
    bad('offset-negative', 'before the beginning', encodeCbor([1, -512, IMAGE.subarray(0, 512)])),
    bad('offset-far', 'beyond any image', encodeCbor([1, 4_194_305, IMAGE.subarray(0, 512)])),
    bad('offset-text', 'an offset as text', encodeCbor([1, '0', IMAGE.subarray(0, 512)])),
    bad('other-word', 'a first element that is no chunk’s', encodeCbor([2, 0, IMAGE.subarray(0, 512)])),
    bad('wanted', 'a note that only devices send', encodeCbor([ID, 0, 0])),
    bad('four', 'an array of four', encodeCbor([1, 0, IMAGE.subarray(0, 512), 0])),
    bad('nested', 'an array in its place', encodeCbor([1, [0], IMAGE.subarray(0, 512)])),
    scene('chunk-twice', '15.4', 'the first one twice', () =>
      begun(step(chunk(0), 'ok'), step(chunk(0), 'bad-note')),
    ),
    scene('chunk-after-refusal', '15.4', 'after a manifest that was refused', () => [
      step(manifest({ imageSequence: 1 }), 'downgrade'),
      step(chunk(0), 'unexpected-message'),
    ]),
  ]
}
