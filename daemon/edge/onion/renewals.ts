// SPDX-License-Identifier: GPL-3.0-or-later
import type { Clock } from '../../base/clock.ts'

/**
 * Tor asks each directory for one address once in a quarter of an hour, and there are six of them: two are left to tor itself,
 * which needs one when the introduction points that it knows refuse.
 */
const WINDOW_MS = 900_000
const ASKED_MAX = 4
export const RENEWAL_EVERY_MS = 60_000
const ADDRESSES_MAX = 256

/**
 * Has descriptors fetched anew while calls hang. Tor keeps one for hours, and asks for another only when introduction points refuse;
 * those that a service lost by a relay that hangs still take every call, and pass none on.
 */
export class Renewals {
  readonly #clock: Clock
  readonly #fetch: (address: string) => void
  readonly #asked = new Map<string, readonly number[]>()

  constructor(clock: Clock, fetch: (address: string) => void) {
    this.#clock = clock
    this.#fetch = fetch
  }

  ask(address: string): void {
    const now = this.#clock.monotonic()
    const lately = (this.#asked.get(address) ?? []).filter((at) => now - at < WINDOW_MS)
    if (lately.length >= ASKED_MAX || now - (lately.at(-1) ?? -RENEWAL_EVERY_MS) < RENEWAL_EVERY_MS) return
    this.#asked.delete(address)
    this.#asked.set(address, [...lately, now])
    const [oldest] = this.#asked.keys()
    if (this.#asked.size > ADDRESSES_MAX) this.#asked.delete(oldest!)
    this.#fetch(address)
  }
}
