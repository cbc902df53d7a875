// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Firmware on the owner's side (SPEC 15): a built program enters, an image file leaves; a roll-out is watched in words.
 *
 * Always true: a release key is sent nowhere; what a manifest says of an image is read from the image.
 */
export { releaseKey } from './release-key.ts'
export { type Rollout, type RolloutDevice, rolloutIn, sayDevice, sayRollout } from './rollout.ts'
export { readImage, sealImage } from './seal.ts'
export { devicesNamed, nameRelease, requireTrust } from './trust.ts'
export { upload } from './upload.ts'
