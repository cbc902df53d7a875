// SPDX-License-Identifier: GPL-3.0-or-later
/** What updates ask of the room that remembers, and what they speak of. */
import type { Code } from '../../../schemas/gen/ts/codes.ts'
import type { Instant } from '../../base/clock.ts'
import type { Frame } from '../envelope/message.ts'
import type { PartyId } from '../model/index.ts'
import type { NewEntry } from '../ports.ts'

/** An image with its manifest, as an owner handed them in. */
export interface KeptImage {
  /** SHA-256 of the manifest: its name everywhere. */
  readonly manifestDigest: Uint8Array
  readonly manifest: Frame
  readonly image: Uint8Array
}

/**
 * How far a device is in a roll-out. `waiting`: its stage has not begun, or it is away; `offered`: the manifest went out;
 * `receiving`; `restarting`: all has arrived, and it boots the new image on trial; `done`: it said hello with it, and keeps it; `failed`.
 */
export type UpdateState = 'waiting' | 'offered' | 'receiving' | 'restarting' | 'done' | 'failed'

export interface RolloutDevice {
  readonly device: PartyId
  /** From 0. */
  readonly stage: number
  readonly state: UpdateState
  /** Why it failed. */
  readonly code?: Code | undefined
  /** Of the latest state. */
  readonly at: Instant
}

export type RolloutState = 'running' | 'done' | 'halted' | 'stopped'

export interface Rollout {
  /** From 1. */
  readonly id: number
  readonly manifestDigest: Uint8Array
  readonly firmware: string
  readonly sequence: number
  readonly size: number
  /** The device or group as the owner named it. */
  readonly target: string
  readonly by: PartyId
  readonly at: Instant
  readonly state: RolloutState
  readonly devices: readonly RolloutDevice[]
}

/** Images and roll-outs. Reads of roll-outs answer from memory, images come from the disk. */
export interface UpdateBook {
  image(manifestDigest: Uint8Array): KeptImage | undefined
  holdsImage(manifestDigest: Uint8Array): boolean
  /** Keeps it; images that no roll-out names go, but for the newest few. */
  putImage(image: KeptImage, at: Instant): Promise<void>
  /** Ascending by id; all that run, and the latest others. */
  rollouts(): readonly Rollout[]
  /** A new one, or another state of one that is there, with its entry of the log if it has one. */
  putRollout(rollout: Rollout, entry?: NewEntry): Promise<void>
  nextId(): number
}

/** What a device says of an image on its way (SPEC 15.4). */
export interface WantedImage {
  /** The first 8 bytes of the manifest's SHA-256. */
  readonly digest: Uint8Array
  /** Bytes that it has. */
  readonly offset: number
  /** `ok`, or why it is over. */
  readonly code: Code
}
