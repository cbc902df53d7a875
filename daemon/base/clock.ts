// SPDX-License-Identifier: GPL-3.0-or-later

/** Milliseconds since 1970-01-01T00:00Z, whole. */
export type Instant = number

/** Time as it is handed to every room. `now` may jump (somebody sets the clock); `monotonic` never goes back. */
export interface Clock {
  now(): Instant
  /** Milliseconds since an unnamed start, fractional, never decreasing. */
  monotonic(): number
  /** Resolves after `ms`; rejects with the signal's reason when it aborts first. Does not keep the process alive. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Calls `tick` every `ms` until disposed. Does not keep the process alive. */
  every(ms: number, tick: () => void): Disposable
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep(ms, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const onAbort = () => {
        clearTimeout(timer)
        reject(signal?.reason)
      }
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }, ms)
      keepNothingAlive(timer)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  },
  every(ms, tick) {
    const timer = setInterval(tick, ms)
    keepNothingAlive(timer)
    return { [Symbol.dispose]: () => clearInterval(timer) }
  },
}

/** In Node a timer is an object that would hold the process; in a page it is a number. */
function keepNothingAlive(timer: unknown): void {
  ;(timer as { readonly unref?: () => void }).unref?.()
}

/** A signal that aborts after `ms` or with `signal`, whichever is first; dispose it to drop the timer. */
export function deadline(
  clock: Clock,
  ms: number,
  signal?: AbortSignal,
): { signal: AbortSignal } & Disposable {
  const done = new AbortController()
  const own = new AbortController()
  const onAbort = () => own.abort(signal?.reason)
  if (signal?.aborted) onAbort()
  signal?.addEventListener('abort', onAbort, { once: true })
  clock.sleep(ms, done.signal).then(
    () => own.abort(new DOMException(`no answer within ${ms} ms`, 'TimeoutError')),
    () => {},
  )
  return {
    signal: own.signal,
    [Symbol.dispose]() {
      signal?.removeEventListener('abort', onAbort)
      done.abort()
    },
  }
}
