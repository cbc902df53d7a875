// SPDX-License-Identifier: GPL-3.0-or-later
import { readFile, rename, writeFile } from 'node:fs/promises'
import type { Clock } from '../base/clock.ts'
import { isCode } from '../base/error.ts'
import { underLock } from './file-lock.ts'

/**
 * The sequence numbers of one person on this machine (SPEC 3.1): the time in milliseconds, or one more than the last, whichever
 * is larger. Rises across processes that run at once, and when the machine's clock is set back.
 */
export class Sequence {
  readonly #clock: Clock
  readonly #path: string

  constructor(clock: Clock, path: string) {
    this.#clock = clock
    this.#path = path
  }

  next(): Promise<number> {
    return underLock(this.#clock, `${this.#path}.lock`, async () => {
      const number = Math.max(this.#clock.now(), (await this.#last()) + 1)
      const draft = `${this.#path}.new`
      await writeFile(draft, `${number}\n`, { mode: 0o600 })
      await rename(draft, this.#path)
      return number
    })
  }

  async #last(): Promise<number> {
    try {
      const number = Number(await readFile(this.#path, 'utf8'))
      return Number.isSafeInteger(number) && number >= 0 && number < Number.MAX_SAFE_INTEGER ? number : 0
    } catch (error) {
      if (!isCode(error, 'ENOENT')) throw error
      return 0
    }
  }
}
