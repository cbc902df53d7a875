// SPDX-License-Identifier: GPL-3.0-or-later
import type { Clock } from '../../base/clock.ts'

/** So many at once, so many back each second. */
export class Allowance {
  readonly #clock: Clock
  readonly #burst: number
  readonly #perS: number
  #left: number
  #at: number

  constructor(clock: Clock, burst: number, perS: number) {
    this.#clock = clock
    this.#burst = burst
    this.#perS = perS
    this.#left = burst
    this.#at = clock.monotonic()
  }

  draw(): boolean {
    const now = this.#clock.monotonic()
    this.#left = Math.min(this.#burst, this.#left + ((now - this.#at) / 1000) * this.#perS)
    this.#at = now
    if (this.#left < 1) return false
    this.#left -= 1
    return true
  }

  giveBack(): void {
    this.#left = Math.min(this.#burst, this.#left + 1)
  }
}
