// SPDX-License-Identifier: GPL-3.0-or-later
import { type Clock, deadline } from '../../base/clock.ts'
import { ignore } from '../../base/error.ts'

/** How often it is looked. */
export const LOOK_MS = 2500
/** Who has said nothing for so long is asked. */
const QUIET_MS = 10_000
/** Who has said nothing for so long, asked or not, is given up: a circuit that stalls stays open and silent for ever. */
const SILENT_MS_MAX = 25_000
/** The round trip is measured so often even if there is never silence. */
const MEASURE_MS = 60_000

/** One connection's silence. */
export class Watch {
  readonly #clock: Clock
  readonly #ping: (signal: AbortSignal) => Promise<number>
  #heardAt: number
  #askedAt: number
  #asking = false
  /** The last measured round trip, ms. */
  rttMs: number | undefined

  /** @param ping  one round trip, ms */
  constructor(clock: Clock, ping: (signal: AbortSignal) => Promise<number>) {
    this.#clock = clock
    this.#ping = ping
    this.#heardAt = clock.monotonic()
    this.#askedAt = this.#heardAt - MEASURE_MS
  }

  /** Something came. */
  heard(): void {
    this.#heardAt = this.#clock.monotonic()
  }

  /** @returns false when it is to be given up */
  look(): boolean {
    const now = this.#clock.monotonic()
    const quietMs = now - this.#heardAt
    if (quietMs >= SILENT_MS_MAX) return false
    if (!this.#asking && (quietMs >= QUIET_MS || now - this.#askedAt >= MEASURE_MS)) this.#ask(now)
    return true
  }

  #ask(now: number): void {
    this.#asking = true
    this.#askedAt = now
    const limit = deadline(this.#clock, SILENT_MS_MAX)
    this.#ping(limit.signal)
      .then(
        (ms) => {
          this.rttMs = Math.round(ms)
          this.heard()
        },
        (error) => ignore(error, 'silence tells'),
      )
      .finally(() => {
        this.#asking = false
        limit[Symbol.dispose]()
      })
  }
}
