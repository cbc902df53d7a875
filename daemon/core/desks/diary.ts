// SPDX-License-Identifier: GPL-3.0-or-later
import { CODES, type Code } from '../../../schemas/gen/ts/codes.ts'
import type { Clock } from '../../base/clock.ts'
import { no } from '../../base/error.ts'
import type { Caller } from '../callers.ts'
import type { Frame } from '../envelope/index.ts'
import type { PartyId } from '../model/index.ts'
import type { Journal, NewEntry } from '../ports.ts'

/** Entries that strangers may cause in a minute, all of them together: enough to be seen, too few to fill the log. */
const STRANGERS_PER_MINUTE_MAX = 30
const MINUTE_MS = 60_000

/** What the desks write into the log of acts. */
export class Diary {
  readonly #clock: Clock
  readonly #journal: Journal
  readonly #onFailure: (error: unknown) => void
  #minute = Number.NEGATIVE_INFINITY
  #written = 0
  #unwritten = 0

  constructor(clock: Clock, journal: Journal, onFailure: (error: unknown) => void) {
    this.#clock = clock
    this.#journal = journal
    this.#onFailure = onFailure
  }

  /** An entry about what a caller did, now. */
  by(caller: Caller, entry: Omit<NewEntry, 'at' | 'origin'>): NewEntry {
    return {
      at: this.#clock.now(),
      signer: caller.id,
      person: caller.person,
      origin: caller.origin,
      ...entry,
    }
  }

  /** Something that a proved caller handed in is refused: written, then answered. */
  async refuse<Why extends Code>(
    frame: Frame | undefined,
    caller: Caller,
    device: PartyId | undefined,
    why: Why,
    detail?: string,
  ) {
    await this.#journal.append(
      this.by(caller, { kind: 'refused', device, frame, code: CODES[why], note: detail }),
    )
    return no(why, detail)
  }

  /** Something that nobody proved is refused: written while there is room, else counted and told with the next. */
  stranger<Why extends Code>(why: Why, about: Pick<NewEntry, 'origin' | 'signer' | 'person' | 'note'>) {
    const now = this.#clock.monotonic()
    if (now - this.#minute >= MINUTE_MS) {
      this.#minute = now
      this.#written = 0
    }
    if (this.#written >= STRANGERS_PER_MINUTE_MAX) {
      this.#unwritten++
      return no(why)
    }
    this.#written++
    const more = this.#unwritten > 0 ? ` (and ${this.#unwritten} tries that were not written)` : ''
    this.#unwritten = 0
    const entry = { kind: 'refused', at: this.#clock.now(), code: CODES[why], ...about } as const
    this.#journal.append({ ...entry, note: `${about.note ?? why}${more}` }).catch(this.#onFailure)
    return no(why)
  }
}
