// SPDX-License-Identifier: GPL-3.0-or-later
import type { Code } from '../../../schemas/gen/ts/codes.ts'
import { WIRE_VERSION } from '../../../schemas/gen/ts/wire.ts'
import type { Manifest } from '../envelope/index.ts'

/** What an image is held against: the device as it is compiled and as it stands. */
export interface Recipient {
  readonly vendor: string
  /** Board, a slash, app. */
  readonly imageClass: string
  /** Of the image that runs. */
  readonly running: number
  /** The highest sequence that ever ran or was tried. */
  readonly floor: number
  /** That one slot holds; 0: there is no second one. */
  readonly slotBytes: number
}

/** What a device says to a manifest of the release key that it believes, before it writes anything (SPEC 15.3). */
export function judgeOffer(manifest: Manifest, device: Recipient): Code {
  const { vendor, imageClass, imageSequence, wire = 0, from = 0, size } = manifest
  if (device.slotBytes === 0) return 'no-slot'
  if (vendor !== device.vendor) return 'wrong-vendor'
  if (imageClass !== device.imageClass) return 'wrong-class'
  if (imageSequence < device.floor) return 'downgrade'
  if (imageSequence === device.floor) return 'replayed'
  if (wire > WIRE_VERSION || from > device.running) return 'update-condition'
  return size > device.slotBytes ? 'image-too-large' : 'ok'
}
