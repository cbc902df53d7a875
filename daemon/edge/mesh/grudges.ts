// SPDX-License-Identifier: GPL-3.0-or-later
import type { Clock } from '../../base/clock.ts'
import type { PartyId } from '../../core/model/index.ts'
import type { WayTrouble } from './index.ts'

const FIRST_MS = 2000
const MS_MAX = 600_000
/** Who was well behaved for so long begins anew. */
const FORGIVEN_MS = 1_800_000

interface Grudge {
  readonly trouble: WayTrouble
  readonly at: number
  readonly waitMs: number
}

/**
 * Peers whose connection we had to end. Each is left alone for a while, and for twice as long the next time: a daemon that sends
 * garbage, or takes nothing in, costs us a handshake every ten minutes and not one after the other.
 */
export class Grudges {
  readonly #clock: Clock
  /** Only of members: nobody else gets so far as to offend. */
  readonly #held = new Map<PartyId, Grudge>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  bear(peer: PartyId, trouble: WayTrouble): void {
    const before = this.#held.get(peer)
    const at = this.#clock.monotonic()
    const isAgain = before && at - before.at < before.waitMs + FORGIVEN_MS
    this.#held.set(peer, { trouble, at, waitMs: isAgain ? Math.min(before.waitMs * 2, MS_MAX) : FIRST_MS })
  }

  /** Whether it is too early for another connection. */
  bars(peer: PartyId): boolean {
    const grudge = this.#held.get(peer)
    return grudge !== undefined && this.#clock.monotonic() - grudge.at < grudge.waitMs
  }

  /** What it did, until it was well behaved for a while. */
  trouble(peer: PartyId): WayTrouble | undefined {
    const grudge = this.#held.get(peer)
    const isFresh = grudge && this.#clock.monotonic() - grudge.at < grudge.waitMs + FORGIVEN_MS
    return isFresh ? grudge.trouble : undefined
  }

  forget(peer: PartyId): void {
    this.#held.delete(peer)
  }
}
