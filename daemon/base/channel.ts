// SPDX-License-Identifier: GPL-3.0-or-later

/**
 * A bounded queue from one pusher to one reader. A reader that falls behind loses the oldest, and is told how many.
 * Ends when closed, after what is queued has been read.
 */
export class Channel<T> implements AsyncIterable<T> {
  readonly #queue: T[] = []
  readonly #max: number
  readonly #onClose: () => void
  #wake: (() => void) | undefined
  #closed = false
  /** How many were dropped because the reader was slow. */
  lost = 0

  constructor(max: number, onClose: () => void = () => {}) {
    this.#max = max
    this.#onClose = onClose
  }

  push(value: T): void {
    if (this.#closed) return
    if (this.#queue.length >= this.#max) {
      this.#queue.shift()
      this.lost++
    }
    this.#queue.push(value)
    this.#wake?.()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#onClose()
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    try {
      for (;;) {
        while (this.#queue.length > 0) yield this.#queue.shift()!
        if (this.#closed) return
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
        this.#wake = undefined
      }
    } finally {
      this.close()
    }
  }
}
