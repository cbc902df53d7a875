// SPDX-License-Identifier: GPL-3.0-or-later
import type { Clock } from '../../base/clock.ts'

export interface PaceOptions {
  /** What may be taken at once, in whatever is counted. */
  readonly burst: number
  readonly perS: number
}

/** A bucket that fills with time: who takes more than it holds waits until it is full again up to nothing. */
export class Pace {
  readonly #clock: Clock
  readonly #options: PaceOptions
  #left: number
  #at: number

  constructor(clock: Clock, options: PaceOptions) {
    this.#clock = clock
    this.#options = options
    this.#left = options.burst
    this.#at = clock.monotonic()
  }

  /** Whether there is nothing left, so that what comes has to wait. */
  get isSpent(): boolean {
    this.#fill()
    return this.#left <= 0
  }

  /** @returns what to wait for, or undefined when there was enough */
  take(count: number): Promise<void> | undefined {
    this.#fill()
    this.#left -= count
    return this.#left < 0 ? this.#clock.sleep((-this.#left / this.#options.perS) * 1000) : undefined
  }

  #fill(): void {
    const now = this.#clock.monotonic()
    const { burst, perS } = this.#options
    this.#left = Math.min(burst, this.#left + ((now - this.#at) / 1000) * perS)
    this.#at = now
  }
}
