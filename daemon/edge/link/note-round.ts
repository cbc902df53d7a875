// SPDX-License-Identifier: GPL-3.0-or-later
import type { Clock } from '../../base/clock.ts'
import { ignore } from '../../base/error.ts'

/** After one note, the next of the same session waits this long, unless much has been stored. */
export const NOTE_MS = 100

/** This much stored is noted without waiting: less than the smallest device keeps. */
export const NOTE_AFTER = 8

export interface Noting {
  sayStored(): void
}

/** Sessions whose `stored` note waits for company: a record and a system call for each reading would cost half a verification. */
export class NoteRound {
  readonly #clock: Clock
  readonly #signal: AbortSignal
  #waiting = new Set<Noting>()

  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock
    this.#signal = signal
  }

  join(session: Noting): void {
    if (this.#waiting.size === 0) this.#announce()
    this.#waiting.add(session)
  }

  #announce(): void {
    this.#clock.sleep(NOTE_MS, this.#signal).then(
      () => this.#say(),
      (error) => ignore(error, 'the link has closed, and what was not noted is sent again'),
    )
  }

  #say(): void {
    const due = this.#waiting
    this.#waiting = new Set()
    for (const session of due) session.sayStored()
  }
}
