// SPDX-License-Identifier: GPL-3.0-or-later
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { ignore, isCode } from '../base/error.ts'
import { CliError } from './error.ts'

const WAIT_MS = 15
const WAITS_MAX = 200
/** Taking a number lasts a millisecond or two: a lock this old has lost its owner. */
const LOCK_MS_MAX = 2000

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

  async next(): Promise<number> {
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 })
    const lock = `${this.#path}.lock`
    await this.#lock(lock)
    try {
      const number = Math.max(this.#clock.now(), (await this.#last()) + 1)
      const draft = `${this.#path}.new`
      await writeFile(draft, `${number}\n`, { mode: 0o600 })
      await rename(draft, this.#path)
      return number
    } finally {
      await rm(lock, { force: true })
    }
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

  async #lock(path: string): Promise<void> {
    for (let tries = 0; tries < WAITS_MAX; tries++) {
      try {
        await (await open(path, 'wx', 0o600)).close()
        return
      } catch (error) {
        if (!isCode(error, 'EEXIST')) throw error
      }
      if (await this.#isAbandoned(path)) await rm(path, { force: true })
      else await this.#clock.sleep(WAIT_MS)
    }
    throw new CliError('busy', `${path} is held by another shallot`, {
      next: 'try again; if no other shallot runs, delete that file',
    })
  }

  async #isAbandoned(path: string): Promise<boolean> {
    try {
      return this.#clock.now() - (await stat(path)).mtimeMs > LOCK_MS_MAX
    } catch (error) {
      ignore(error, 'it was given back just now')
      return false
    }
  }
}
