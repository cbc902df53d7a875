// SPDX-License-Identifier: GPL-3.0-or-later
import type { Instant } from '../../base/clock.ts'
import type { Sample } from '../envelope/message.ts'
import type { PartyId } from './ids.ts'

/** A device of this home as the hub knows it. Names are unique within a home. */
export interface Device {
  readonly id: PartyId
  readonly name: string
  /** The name of another home of the owner, when it is there and not here. */
  readonly home?: string | undefined
  readonly board: string
  readonly firmware: string
  /** In the device's order (SPEC 4.13). */
  readonly affordances: readonly number[]
  readonly enrolledAt: Instant
  /** The owner's sealed record of it (SPEC 4.4); absent until an owner has confirmed the device. */
  readonly record?: Uint8Array | undefined
  readonly presence: Presence
  /** Samples the device says it lost for want of room, in all. */
  readonly lost: number
}

export interface Presence {
  readonly connected: boolean
  readonly since: Instant
  /** Of a device in another home, while there is no way there: when that home was last heard. */
  readonly heardAt?: Instant | undefined
  /** The boot nonce of its last hello: what a command must carry (SPEC 3.2). Absent before the first hello. */
  readonly nonce?: Uint8Array | undefined
  /** The sealed hello itself, so that a remote client can check the nonce. */
  readonly hello?: Uint8Array | undefined
}

/** What was last asked of a property, and by which command. */
export interface Desired {
  readonly affordance: number
  readonly value: number | boolean
  readonly command: Uint8Array
  readonly at: Instant
}

export interface Twin {
  readonly reported: readonly Sample[]
  readonly desired: readonly Desired[]
}
