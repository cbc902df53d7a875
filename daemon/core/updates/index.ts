// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Updates of devices (SPEC 15): image files and an owner's wish enter; offers and chunks leave, and what became of them.
 *
 * Always true: a device is offered an image only when its stage has come and it is there; beyond what it has, a bounded number
 * of chunks is under way; whether an image is for it, the device decides; one failure halts a roll-out. What it says of itself in
 * its hello counts, not what the hub sent. Roll-outs and images are on disk, progress is in memory: after a restart devices say
 * how far they are.
 * Absent on purpose: release keys (the device's owner's record names one), and images of other homes' devices.
 */
export {
  type DeviceView,
  openUpdates,
  type RolloutView,
  type UpdateDeps,
  type Updates,
} from './desk.ts'
export {
  IMAGE_FILE_BYTES_MAX,
  type ImageFile,
  type ImageSelf,
  isForSlot,
  openManifest,
  readImageFile,
  readImageSelf,
  writeImageFile,
} from './image-file.ts'
export { judgeOffer, type Recipient } from './judge.ts'
export { dueIn, moved, planStages, stageOf } from './plan.ts'
export type {
  KeptImage,
  Rollout,
  RolloutDevice,
  RolloutState,
  UpdateBook,
  UpdateState,
  WantedImage,
} from './ports.ts'
export { Stream } from './stream.ts'
