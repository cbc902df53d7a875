// SPDX-License-Identifier: GPL-3.0-or-later
import type { Clock } from './clock.ts'

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

/** An allowance for each of many who have a name, such as an address; the one not seen for longest is forgotten first. */
export class Allowances {
  readonly #clock: Clock
  readonly #burst: number
  readonly #perS: number
  readonly #namesMax: number
  readonly #byName = new Map<string, Allowance>()

  constructor(
    clock: Clock,
    limits: { readonly burst: number; readonly perS: number; readonly namesMax: number },
  ) {
    this.#clock = clock
    this.#burst = limits.burst
    this.#perS = limits.perS
    this.#namesMax = limits.namesMax
  }

  of(name: string): Allowance {
    const allowance = this.#byName.get(name) ?? new Allowance(this.#clock, this.#burst, this.#perS)
    this.#byName.delete(name)
    if (this.#byName.size >= this.#namesMax) this.#byName.delete(this.#byName.keys().next().value!)
    this.#byName.set(name, allowance)
    return allowance
  }
}
