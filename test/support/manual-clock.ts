// SPDX-License-Identifier: GPL-3.0-or-later
import type { Clock, Instant } from '../../daemon/base/clock.ts'

interface Timer {
  at: number
  readonly every?: number
  readonly fire: () => void
}

/**
 * A clock that moves when told to. `advance`: everything due by then happens, in order, before it returns; `pass`: and what
 * each of these woke has run before the next one happens.
 */
export class ManualClock implements Clock {
  readonly #timers = new Set<Timer>()
  #monotonic = 1
  #wall: Instant

  constructor(wall: Instant = 1_795_000_000_000) {
    this.#wall = wall
  }

  /** Whole, however long somebody slept. */
  now(): Instant {
    return Math.floor(this.#wall)
  }

  monotonic(): number {
    return this.#monotonic
  }

  /** Somebody sets the clock: `now` jumps, `monotonic` does not. */
  setWall(wall: Instant): void {
    this.#wall = wall
  }

  advance(ms: number): void {
    const until = this.#monotonic + ms
    for (let next = this.#nextBy(until); next; next = this.#nextBy(until)) {
      this.#moveTo(next.at)
      if (next.every === undefined) this.#timers.delete(next)
      else next.at += next.every
      next.fire()
    }
    this.#moveTo(until)
  }

  async pass(ms: number): Promise<void> {
    const until = this.#monotonic + ms
    await settled()
    for (let next = this.#nextBy(until); next; next = this.#nextBy(until)) {
      this.advance(Math.max(next.at - this.#monotonic, 0))
      await settled()
    }
    this.#moveTo(until)
  }

  /** How many sleeps and repetitions are outstanding: none may be left when a room has closed. */
  get waiting(): number {
    return this.#timers.size
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const onAbort = () => {
        this.#timers.delete(timer)
        reject(signal?.reason)
      }
      const fire = () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }
      const timer: Timer = { at: this.#monotonic + ms, fire }
      this.#timers.add(timer)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  every(ms: number, tick: () => void): Disposable {
    const timer: Timer = { at: this.#monotonic + ms, every: ms, fire: tick }
    this.#timers.add(timer)
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) }
  }

  #nextBy(until: number): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.#timers) if (timer.at <= until && (!first || timer.at < first.at)) first = timer
    return first
  }

  #moveTo(monotonic: number): void {
    this.#wall += monotonic - this.#monotonic
    this.#monotonic = monotonic
  }
}

/** Every promise that can settle without time or input has settled. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
