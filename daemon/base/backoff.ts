// SPDX-License-Identifier: GPL-3.0-or-later
import type { Random } from './random.ts'

export interface BackoffOptions {
  readonly firstMs: number
  readonly msMax: number
}

/** Exponential waits with full jitter between half and all of the step; `reset` after a success. */
export class Backoff {
  #step: number
  readonly #options: BackoffOptions
  readonly #random: Random

  constructor(random: Random, options: BackoffOptions) {
    this.#random = random
    this.#options = options
    this.#step = options.firstMs
  }

  nextMs(): number {
    const step = this.#step
    this.#step = Math.min(step * 2, this.#options.msMax)
    return step / 2 + (step / 2) * this.#random.fraction()
  }

  reset(): void {
    this.#step = this.#options.firstMs
  }
}
