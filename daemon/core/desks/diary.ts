// SPDX-License-Identifier: GPL-3.0-or-later
import { CODES, type Code } from '../../../schemas/gen/ts/codes.ts'
import type { Clock } from '../../base/clock.ts'
import { no } from '../../base/error.ts'
import type { Caller } from '../callers.ts'
import type { Frame } from '../envelope/index.ts'
import type { PartyId } from '../model/index.ts'
import type { Journal, NewEntry } from '../ports.ts'

/** Refusals written in a minute of strangers, all of them together, and of each caller that is no owner (SPEC 9.7). */
const STRANGERS_PER_MINUTE_MAX = 30
const CALLER_PER_MINUTE_MAX = 60
/** Callers whose count is remembered; the one that was refused longest ago goes first. */
const CALLERS_MAX = 1024
const MINUTE_MS = 60_000

/** What the desks write into the log of acts. Nobody but owners can fill it with what is refused. */
export class Diary {
  readonly #clock: Clock
  readonly #journal: Journal
  readonly #onFailure: (error: unknown) => void
  readonly #strangers = new Room(STRANGERS_PER_MINUTE_MAX)
  readonly #callers = new Map<PartyId, Room>()

  constructor(clock: Clock, journal: Journal, onFailure: (error: unknown) => void) {
    this.#clock = clock
    this.#journal = journal
    this.#onFailure = onFailure
  }

  /** An entry about what a caller did, now. */
  by(caller: Caller, entry: Omit<NewEntry, 'at' | 'origin'>): NewEntry {
    const { id, person, origin, via } = caller
    const note = via === undefined ? undefined : `came by ${via}`
    return { at: this.#clock.now(), signer: id, person, origin, note, ...entry }
  }

  /** An entry about what became of an update of a device, now. */
  update(what: { device: PartyId; signer: PartyId; code: Code; note: string }): NewEntry {
    const { device, signer, code, note } = what
    return { kind: 'updated', at: this.#clock.now(), device, signer, origin: 'link', code: CODES[code], note }
  }

  /** Something that a proved caller handed in is refused: written, then answered. */
  async refuse<Why extends Code>(
    frame: Frame | undefined,
    caller: Caller,
    device: PartyId | undefined,
    why: Why,
    detail?: string,
  ) {
    const more = caller.kind === 'owner' ? '' : this.#roomOf(caller.id).draw(this.#clock.monotonic())
    if (more !== undefined) {
      const note = detail === undefined && more === '' ? undefined : `${detail ?? why}${more}`
      await this.#journal.append(
        this.by(caller, { kind: 'refused', device, frame, code: CODES[why], ...(note && { note }) }),
      )
    }
    return no(why, detail)
  }

  /** Something that nobody proved, or that nobody waits for, is refused. */
  stranger<Why extends Code>(why: Why, about: Pick<NewEntry, 'origin' | 'signer' | 'person' | 'note'>) {
    const more = this.#strangers.draw(this.#clock.monotonic())
    if (more === undefined) return no(why)
    const entry = { kind: 'refused', at: this.#clock.now(), code: CODES[why], ...about } as const
    this.#journal.append({ ...entry, note: `${about.note ?? why}${more}` }).catch(this.#onFailure)
    return no(why)
  }

  #roomOf(caller: PartyId): Room {
    const room = this.#callers.get(caller) ?? new Room(CALLER_PER_MINUTE_MAX)
    this.#callers.delete(caller)
    if (this.#callers.size >= CALLERS_MAX) this.#callers.delete(this.#callers.keys().next().value!)
    this.#callers.set(caller, room)
    return room
  }
}

/** So many entries a minute; what is left out is counted, and told with the next. */
class Room {
  readonly #most: number
  #since = Number.NEGATIVE_INFINITY
  #written = 0
  #unwritten = 0

  constructor(most: number) {
    this.#most = most
  }

  /** @returns what to add to the entry's note; undefined: it is not written */
  draw(now: number): string | undefined {
    if (now - this.#since >= MINUTE_MS) {
      this.#since = now
      this.#written = 0
    }
    if (this.#written >= this.#most) {
      this.#unwritten++
      return undefined
    }
    this.#written++
    const more = this.#unwritten > 0 ? ` (and ${this.#unwritten} tries that were not written)` : ''
    this.#unwritten = 0
    return more
  }
}
