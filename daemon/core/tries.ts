// SPDX-License-Identifier: GPL-3.0-or-later
import { ENROL_TRIES_MAX, ENROL_TRIES_WINDOW_S } from '../../schemas/gen/ts/wire.ts'

/** Addresses whose wrong tries are remembered; the one that tried longest ago is forgotten first. */
const ADDRESSES_MAX = 1024

/** Wrong tries at a secret, by address (SPEC 7.4, 9.6, 13.4): nobody can use up the tries of somebody else. */
export class Tries {
  /** Monotonic times, ascending; never more than the limit. */
  readonly #wrong = new Map<string, number[]>()

  exhausted(address: string, nowMs: number): boolean {
    return this.#recent(address, nowMs).length >= ENROL_TRIES_MAX
  }

  wrong(address: string, nowMs: number): void {
    const tries = [...this.#recent(address, nowMs), nowMs]
    this.#wrong.delete(address)
    if (this.#wrong.size >= ADDRESSES_MAX) this.#wrong.delete(this.#wrong.keys().next().value!)
    this.#wrong.set(address, tries)
  }

  #recent(address: string, nowMs: number): number[] {
    const tries = this.#wrong.get(address) ?? []
    return tries.filter((at) => nowMs - at < ENROL_TRIES_WINDOW_S * 1000)
  }
}
