// SPDX-License-Identifier: GPL-3.0-or-later

/** Runs `dispose` exactly once, however often it is asked; the shape every room's handle takes. */
export function once(dispose: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  return () => {
    running ??= dispose()
    return running
  }
}

/** A value that many may wait for and one settles. */
export class Latch<T> {
  readonly promise: Promise<T>
  readonly #settle: { resolve: (value: T) => void; reject: (reason: unknown) => void }

  constructor() {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    // A latch may be rejected before anybody waits; that alone must not bring the process down.
    promise.catch(() => {})
    this.promise = promise
    this.#settle = { resolve, reject }
  }

  open(value: T): void {
    this.#settle.resolve(value)
  }

  fail(reason: unknown): void {
    this.#settle.reject(reason)
  }
}

/** Waits for `promise` unless the signal aborts first; the promise itself goes on. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

/** One after another, in the order asked. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve()

  take<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(task)
    this.#last = turn.catch(() => {})
    return turn
  }
}
