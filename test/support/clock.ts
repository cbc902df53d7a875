// SPDX-License-Identifier: GPL-3.0-or-later
import type { Clock, Instant } from '../../daemon/base/clock.ts'

interface Timer {
  at: number
  fire(): void
}

/** Time that stands still until a test moves it. */
export class ManualClock implements Clock {
  #elapsed = 0
  readonly #began: Instant
  readonly #timers = new Set<Timer>()

  constructor(began: Instant = Date.UTC(2027, 0, 1)) {
    this.#began = began
  }

  now(): Instant {
    return this.#began + Math.floor(this.#elapsed)
  }

  monotonic(): number {
    return this.#elapsed
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const end = () => {
        this.#timers.delete(timer)
        signal?.removeEventListener('abort', onAbort)
      }
      const onAbort = () => {
        end()
        reject(signal?.reason)
      }
      const fire = () => {
        end()
        resolve()
      }
      const timer: Timer = { at: this.#elapsed + ms, fire }
      this.#timers.add(timer)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  every(ms: number, tick: () => void): Disposable {
    const fire = () => {
      timer.at += ms
      tick()
    }
    const timer: Timer = { at: this.#elapsed + ms, fire }
    this.#timers.add(timer)
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) }
  }

  /** Lets `ms` pass: every timer fires at its time, and what it woke has run before the next one does. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms
    await settled()
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#elapsed = Math.max(this.#elapsed, next.at)
      next.fire()
      await settled()
    }
    this.#elapsed = end
  }

  /** How many sleeps and repetitions are outstanding: none may be left when a room has closed. */
  get waiting(): number {
    return this.#timers.size
  }

  #next(end: number): Timer | undefined {
    let next: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.at <= end && (next === undefined || timer.at < next.at)) next = timer
    }
    return next
  }
}

/** Every promise that can settle without time or input has settled. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
