// SPDX-License-Identifier: GPL-3.0-or-later
import type { Code } from '../../schemas/gen/ts/codes.ts'
import { Channel } from '../base/channel.ts'
import type { Instant } from '../base/clock.ts'
import type { ActSource, Frame, Sample } from './envelope/message.ts'
import type { PartyId } from './model/index.ts'

/** What somebody who watches is told as it happens (SPEC 9.3, `GET /events`). */
export type HomeEvent =
  | {
      readonly event: 'reading'
      readonly device: PartyId
      readonly at: Instant
      readonly values: readonly Sample[]
      /** As the device sealed it; absent for what another home's daemon passed on. */
      readonly frame?: Frame
    }
  | {
      readonly event: 'presence'
      readonly device: PartyId
      readonly at: Instant
      readonly connected: boolean
      readonly why: string
    }
  | {
      readonly event: 'receipt'
      readonly device: PartyId
      readonly at: Instant
      readonly code: number
      readonly command: Uint8Array
      /** Who sealed it, if that is known. */
      readonly by?: PartyId | undefined
    }
  | {
      readonly event: 'act'
      readonly device: PartyId
      readonly at: Instant
      readonly source: ActSource
      readonly affordance: number
      readonly code: number
      readonly grant?: Uint8Array | undefined
      readonly person?: Uint8Array | undefined
      /** Of what came directly (SPEC 18.5): the command's SHA-256, and who sealed it. */
      readonly command?: Uint8Array | undefined
      readonly by?: PartyId | undefined
    }
  /** Devices, their names, grants, people, groups or lists changed: who sees what may be another. */
  | { readonly event: 'rights'; readonly at: Instant }
  | {
      readonly event: 'pairing'
      readonly at: Instant
      readonly pairing: Uint8Array
      /** Who opened it. */
      readonly by: PartyId
    }
  | {
      readonly event: 'enrolment'
      readonly device: PartyId
      readonly at: Instant
      readonly permit: Uint8Array
    }
  /** A picture is coming: `got` bytes of `size` are here, all when it is kept; with a code it is not. */
  | {
      readonly event: 'still'
      readonly device: PartyId
      readonly at: Instant
      readonly affordance: number
      /** SHA-256 of the command that it was taken for, and of the picture. */
      readonly command: Uint8Array
      readonly digest: Uint8Array
      readonly size: number
      readonly got: number
      readonly code?: Code
    }
  /** A roll-out of firmware, or a device in one, got further. */
  | { readonly event: 'rollout'; readonly at: Instant; readonly rollout: number }
  /** Addresses at other homes, or the way to one of these, may be others (SPEC 14.9). */
  | { readonly event: 'others'; readonly at: Instant }
  | { readonly event: 'onion'; readonly at: Instant; readonly service: string; readonly status: string }

/** Events that a watcher may be behind before the oldest are dropped. */
const BEHIND_MAX = 256

/** Tells every watcher what happens; a slow watcher loses events of its own, never anybody else's. */
export class Feed {
  readonly #watchers = new Set<Channel<HomeEvent>>()
  readonly #taps = new Set<(event: HomeEvent) => void>()

  publish(event: HomeEvent): void {
    for (const listener of this.#taps) listener(event)
    for (const watcher of this.#watchers) watcher.push(event)
  }

  /** Calls `listener` with every event, before any watcher has it. */
  tap(listener: (event: HomeEvent) => void): void {
    this.#taps.add(listener)
  }

  watch(): Channel<HomeEvent> {
    const watcher: Channel<HomeEvent> = new Channel(BEHIND_MAX, () => this.#watchers.delete(watcher))
    this.#watchers.add(watcher)
    return watcher
  }

  get watchers(): number {
    return this.#watchers.size
  }
}
