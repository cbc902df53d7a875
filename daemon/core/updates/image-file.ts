// SPDX-License-Identifier: GPL-3.0-or-later
/** An image as an owner has it: a program with what it says of itself inside, and the file in which its manifest travels with it. */
import { createHash } from 'node:crypto'
import { CLASS_BYTES_MAX, IMAGE_BYTES_MAX, VENDOR_BYTES_MAX } from '../../../schemas/gen/ts/wire.ts'
import { equal } from '../../base/bytes.ts'
import { no, type Verdict, yes } from '../../base/error.ts'
import {
  decodeCbor,
  type Ed25519,
  encodeCbor,
  type Frame,
  type Manifest,
  type Message,
  openEnvelope,
} from '../envelope/index.ts'
import { idOf } from '../model/index.ts'

/** What a program says of itself (firmware/core/image.h). */
export interface ImageSelf {
  readonly sequence: number
  readonly vendor: string
  readonly imageClass: string
  readonly version: string
}

const MAGIC = 'shallot-image/1\0'
const VERSION_BYTES = 16
const MANIFEST_BYTES_MAX = 1024
/** Array, two heads, the manifest and the image. */
export const IMAGE_FILE_BYTES_MAX = IMAGE_BYTES_MAX + MANIFEST_BYTES_MAX + 16

/** @returns undefined when there is none, or more than one, or text that is none */
export function readImageSelf(image: Uint8Array): ImageSelf | undefined {
  const bytes = Buffer.from(image.buffer, image.byteOffset, image.byteLength)
  const at = bytes.indexOf(MAGIC, 0, 'latin1')
  if (at < 0 || bytes.indexOf(MAGIC, at + 1, 'latin1') >= 0) return undefined
  const text = (from: number, size: number): string => {
    const [until] = bytes.toString('latin1', from, from + size).split('\0')
    return until!
  }
  const vendorAt = at + MAGIC.length + 4
  const classAt = vendorAt + VENDOR_BYTES_MAX
  const versionAt = classAt + CLASS_BYTES_MAX
  if (bytes.length < versionAt + VERSION_BYTES) return undefined
  const sequence = bytes.readUInt32LE(at + MAGIC.length)
  const vendor = text(vendorAt, VENDOR_BYTES_MAX)
  const imageClass = text(classAt, CLASS_BYTES_MAX)
  const version = text(versionAt, VERSION_BYTES)
  const sound = sequence > 0 && [vendor, imageClass, version].every((each) => /^[!-~]+$/.test(each))
  return sound ? { sequence, vendor, imageClass, version } : undefined
}

const SLOT_END = 'shallot1'
const SLOT_END_BYTES = 16

/**
 * Whether a board can have this in a slot, as far as that can be seen in it: an ESP8266 boots what firmware/boot/trailer.py has ended, and not
 * the file for its serial line, which begins with a boot loader.
 */
export function isForSlot(image: Uint8Array, { imageClass }: ImageSelf): boolean {
  if (!imageClass.startsWith('esp8266/')) return true
  const bytes = Buffer.from(image.buffer, image.byteOffset, image.byteLength)
  const at = bytes.length - SLOT_END_BYTES
  return (
    at >= 0 && bytes.indexOf(SLOT_END, at, 'latin1') === at && bytes.readUInt32LE(at + SLOT_END.length) === at
  )
}

/** `[manifest, image]`, two byte strings (SPEC 15.7). */
export function writeImageFile(manifest: Frame, image: Uint8Array): Uint8Array {
  return encodeCbor([manifest, image])
}

export interface ImageFile {
  readonly manifest: Message<Manifest>
  readonly image: Uint8Array
}

/**
 * The file, whose manifest is sealed by the key that it names and is for this image. Whose key that is, the device asks.
 * @returns code of the envelope, `bad-request` for another shape, `image-size`, `image-digest`
 */
export function readImageFile(
  file: Uint8Array,
  ed25519: Ed25519,
): Verdict<ImageFile, Extract<ReturnType<typeof openManifest>, { ok: false }>['why'] | FileCode> {
  if (file.length > IMAGE_FILE_BYTES_MAX) return no('payload-too-large')
  const item = decodeCbor(file)
  if (!item.ok || !Array.isArray(item.value) || item.value.length !== 2) return no('bad-request')
  const [frame, image] = item.value
  if (!(frame instanceof Uint8Array) || !(image instanceof Uint8Array)) return no('bad-request')
  const manifest = openManifest(frame, ed25519)
  if (!manifest.ok) return manifest
  const { size, digest } = manifest.value.body
  if (image.length !== size) return no('image-size')
  if (!equal(digest, createHash('sha256').update(image).digest())) return no('image-digest')
  return yes({ manifest: manifest.value, image: Uint8Array.from(image) })
}

type FileCode = 'payload-too-large' | 'bad-request' | 'image-size' | 'image-digest'

/** A manifest sealed by whomever it names. */
export function openManifest(frame: Frame, ed25519: Ed25519) {
  let signedBy: Uint8Array | undefined
  const opened = openEnvelope(
    Uint8Array.from(frame),
    {
      sizeMax: MANIFEST_BYTES_MAX,
      accepts(body, signer) {
        signedBy = signer
        return body.type === 'manifest'
      },
      isAudience: (body) => signedBy !== undefined && body.audience === idOf(signedBy),
    },
    ed25519,
  )
  return opened.ok ? yes(opened.value as Message<Manifest>) : opened
}
