// SPDX-License-Identifier: GPL-3.0-or-later
import { readFile } from 'node:fs/promises'
import { EPOCH_BYTES, IMAGE_BYTES_MAX } from '../../../schemas/gen/ts/wire.ts'
import type { Clock } from '../../base/clock.ts'
import { sentenceOf } from '../../base/error.ts'
import type { Random } from '../../base/random.ts'
import { type Manifest, nativeEd25519, type Signer, sealEnvelope } from '../../core/envelope/index.ts'
import { idOf } from '../../core/model/index.ts'
import {
  type ImageFile,
  isForSlot,
  readImageFile,
  readImageSelf,
  writeImageFile,
} from '../../core/updates/index.ts'
import { CliError } from '../error.ts'
import { sha256 } from '../person.ts'

/** What a manifest says beside what the image says of itself. */
export interface Conditions {
  /** Higher than the one that is compiled in: to offer the same image once more. */
  readonly sequence?: number | undefined
  readonly from?: number | undefined
  readonly wire?: number | undefined
}

export interface SealedImage {
  readonly file: Uint8Array
  readonly manifest: Manifest
  /** SHA-256 of the sealed manifest. */
  readonly digest: Uint8Array
}

/**
 * @param keyFor  asked when the program is judged: what is refused makes no key
 * @throws CliError usage for a program that is no image of ours or for no slot of its board, or a sequence lower than its own
 */
export function sealImage(
  { clock, random }: { readonly clock: Clock; readonly random: Random },
  program: Uint8Array,
  keyFor: () => Signer,
  { sequence, from, wire }: Conditions,
): SealedImage {
  const self = readImageSelf(program)
  if (!self || program.length > IMAGE_BYTES_MAX) {
    throw new CliError('usage', 'this is not an image of Shallot firmware', {
      next: 'build one: node scripts/firmware.ts build --app <app> --port <board> --image-version <v> --sequence <n>',
    })
  }
  if (!isForSlot(program, self)) {
    throw new CliError('usage', `${self.imageClass} cannot boot this from a slot`, {
      next: 'build it for two slots, pio run -d firmware -e esp8266-slots-<app>, and seal the firmware-slot.bin of that build',
    })
  }
  if (sequence !== undefined && sequence < self.sequence) {
    throw new CliError('usage', `the image itself says ${self.sequence}, and --sequence ${sequence} is lower`)
  }
  const key = keyFor()
  const [, app = self.imageClass] = self.imageClass.split('/')
  const now = clock.now()
  const manifest: Manifest = {
    type: 'manifest',
    audience: idOf(key.key),
    sealedAt: Math.floor(now / 1000),
    epoch: random.bytes(EPOCH_BYTES),
    sequence: now,
    imageSequence: sequence ?? self.sequence,
    vendor: self.vendor,
    imageClass: self.imageClass,
    digest: sha256(program),
    size: program.length,
    firmware: `${app} ${self.version}`,
    ...(wire !== undefined && { wire }),
    ...(from !== undefined && { from }),
  }
  const frame = sealEnvelope(manifest, key)
  return { file: writeImageFile(frame, program), manifest, digest: sha256(frame) }
}

/** @throws CliError missing, or the code of what is wrong with the file */
export async function readImage(path: string): Promise<ImageFile & { readonly file: Uint8Array }> {
  let file: Uint8Array
  try {
    file = Uint8Array.from(await readFile(path))
  } catch (cause) {
    throw new CliError('missing', `${path} cannot be read: ${sentenceOf(cause)}`, { cause })
  }
  const read = readImageFile(file, nativeEd25519())
  if (read.ok) return { ...read.value, file }
  throw new CliError(read.why, `${path} is not an image file as it was sealed`, {
    next: 'make one with `shallot firmware seal <program>`',
  })
}
