// SPDX-License-Identifier: GPL-3.0-or-later

/** Chance from a seed (mulberry32): the same throws on every machine. */
export class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** 0 to below `sides`, whole. */
  roll(sides: number): number {
    return this.#next() % sides
  }

  /** One of `chances` throws. */
  happens(chances: number): boolean {
    return this.roll(chances) === 0
  }

  /** So often as `of` says, 0 to 1. */
  chance(of: number): boolean {
    return this.#next() < of * 2 ** 32
  }

  pick<T>(items: readonly T[]): T {
    return items[this.roll(items.length)]!
  }

  shuffled<T>(items: readonly T[]): T[] {
    const left = [...items]
    return items.map(() => left.splice(this.roll(left.length), 1)[0]!)
  }

  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
}
