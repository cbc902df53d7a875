// SPDX-License-Identifier: GPL-3.0-or-later
import type { Instant } from '../../base/clock.ts'
import { isCode, sentenceOf } from '../../base/error.ts'

/** How long nothing is asked for that would have to be kept, after the disk refused. */
const REST_MS = 5000

/** Whether what others say can be kept here: a full disk is nobody's fault among them, and must not cost a connection. */
export class Keeping {
  #refused: { readonly why: string; readonly at: Instant } | undefined

  /**
   * For a task that writes.
   * @returns false when the disk did not take it: nothing of it is kept, and nothing may be acknowledged
   */
  async keep(task: () => Promise<unknown>, now: Instant): Promise<boolean> {
    const isKept = await this.survive(task, now)
    if (isKept) this.#refused = undefined
    return isKept
  }

  /** For a task that may write. */
  async survive(task: () => Promise<unknown>, now: Instant): Promise<boolean> {
    try {
      await task()
      return true
    } catch (error) {
      if (!isCode(error, 'disk-full') && !isCode(error, 'io')) throw error
      this.#refused = { why: sentenceOf(error), at: now }
      return false
    }
  }

  /** Whether it is too early to try again. */
  rests(now: Instant): boolean {
    return this.#refused !== undefined && now - this.#refused.at < REST_MS
  }

  /** Whether it was refused, and may be tried again. */
  isDue(now: Instant): boolean {
    return this.#refused !== undefined && !this.rests(now)
  }

  /** Why the disk did not take what came last. */
  get trouble(): string | undefined {
    return this.#refused?.why
  }
}
