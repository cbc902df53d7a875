// SPDX-License-Identifier: GPL-3.0-or-later
import type { Clock } from '../../base/clock.ts'

/** How long who was sent to another daemon is not told where this one is. */
const AWAY_MS = 20_000
const ADDRESSES_MAX = 1024

/**
 * Addresses of devices that another daemon has charge of (SPEC 14.7). One of them that asks its LAN right afterwards means the other:
 * it takes the first answer that it gets, and ours would lead it here again.
 */
export class TurnedAway {
  readonly #clock: Clock
  readonly #since = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  note(address: string): void {
    this.#since.delete(address)
    if (this.#since.size >= ADDRESSES_MAX) this.#since.delete(this.#since.keys().next().value!)
    this.#since.set(address, this.#clock.monotonic())
  }

  has(address: string): boolean {
    const since = this.#since.get(address)
    return since !== undefined && this.#clock.monotonic() - since < AWAY_MS
  }
}
