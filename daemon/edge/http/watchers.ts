// SPDX-License-Identifier: GPL-3.0-or-later
import type { HttpLimits } from './limits.ts'

/** Who watches, by origin: a place must be had before a stream of events is opened. */
export class Watchers {
  readonly #limits: HttpLimits
  readonly #byOrigin = new Map<string, number>()
  #all = 0

  constructor(limits: HttpLimits) {
    this.#limits = limits
  }

  /** @returns undefined when there is no place left */
  take(origin: string): Disposable | undefined {
    const held = this.#byOrigin.get(origin) ?? 0
    if (this.#all >= this.#limits.watchersMax || held >= this.#limits.watchersPerOriginMax) return undefined
    this.#all++
    this.#byOrigin.set(origin, held + 1)
    let taken = true
    return {
      [Symbol.dispose]: () => {
        if (!taken) return
        taken = false
        this.#leave(origin)
      },
    }
  }

  #leave(origin: string): void {
    this.#all--
    const left = this.#byOrigin.get(origin)! - 1
    if (left > 0) this.#byOrigin.set(origin, left)
    else this.#byOrigin.delete(origin)
  }
}
