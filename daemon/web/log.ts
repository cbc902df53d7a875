// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The log as a page holds it (SPEC 9.7): what it is to show enters, who did what leaves as happenings of state.ts.
 *
 * Always true: one question at a time; what was asked for under another filter is not shown under this one; nothing that was
 * shown goes because something newer came, unless the two no longer join.
 */
import type { Clock } from '../base/clock.ts'
import { actsOf, type Entry, readEntries } from './acts.ts'
import type { Asker } from './ask.ts'
import { failureOf } from './error.ts'
import type { Believed } from './proof.ts'
import type { Happening, LogFilter } from './state.ts'

export interface LogDeps {
  readonly clock: Clock
  readonly asker: Asker
  readonly believed: () => Believed | undefined
  readonly tell: (happening: Happening) => void
}

/** Entries of one question. */
const PAGE = 50
/** What comes together, a command and its receipt, is asked for once. */
const GATHER_MS = 300

export class Log {
  readonly #deps: LogDeps
  readonly #signal: AbortSignal
  /** Oldest first. */
  #entries: readonly Entry[] = []
  #filter: LogFilter = {}
  #isComplete = false
  #turn: Promise<void> = Promise.resolve()
  #isGathering = false

  constructor(deps: LogDeps, signal: AbortSignal) {
    this.#deps = deps
    this.#signal = signal
  }

  /** From the newest on, with this filter. */
  show(filter: LogFilter): Promise<void> {
    this.#filter = filter
    this.#entries = []
    this.#isComplete = false
    this.#deps.tell({ it: 'log', log: { filter, acts: [], complete: false } })
    return this.#ask(() => this.#page(undefined))
  }

  /** A page further back. */
  older(): Promise<void> {
    return this.#ask(() => this.#page(this.#entries[0]?.index))
  }

  /** What came meanwhile. */
  async newer(): Promise<void> {
    if (this.#isGathering) return
    this.#isGathering = true
    await this.#deps.clock.sleep(GATHER_MS, this.#signal).catch(() => {})
    this.#isGathering = false
    await this.#ask(() => this.#page(undefined), { shows: false })
  }

  /** @param shows  that one waits for it */
  #ask(question: () => Promise<void>, { shows } = { shows: true }): Promise<void> {
    const { tell } = this.#deps
    const filter = this.#filter
    this.#turn = this.#turn.then(async () => {
      if (filter !== this.#filter || this.#signal.aborted) return
      if (shows) tell({ it: 'log', log: { loading: true, failed: undefined } })
      try {
        await question()
        if (filter === this.#filter) {
          const acts = actsOf(this.#entries)
          tell({ it: 'log', log: { acts, complete: this.#isComplete, failed: undefined } })
        }
      } catch (error) {
        if (filter === this.#filter) tell({ it: 'log', log: { failed: failureOf(error).code } })
      }
      if (shows) tell({ it: 'log', log: { loading: false } })
    })
    return this.#turn
  }

  async #page(before: number | undefined): Promise<void> {
    const { asker, believed } = this.#deps
    const filter = this.#filter
    const { who, device } = filter
    const query = new URLSearchParams({
      limit: `${PAGE}`,
      ...(who !== undefined && { who }),
      ...(device !== undefined && { device }),
      ...(before !== undefined && { before: `${before}` }),
    })
    const answer = await asker.json({ method: 'GET', path: `/log?${query}` }, this.#signal)
    if (filter !== this.#filter) return
    const held = new Map(this.#entries.map((entry) => [entry.index, entry]))
    const page = readEntries(answer, believed(), held)
    const isWhole = page.length < PAGE
    if (before !== undefined) {
      this.#entries = [...page.filter(({ index }) => !held.has(index)), ...this.#entries]
      this.#isComplete = isWhole
      return
    }
    const joins = isWhole || page.some(({ index }) => held.has(index))
    const fresh = page.filter(({ index }) => !held.has(index))
    if (held.size === 0 || !joins) this.#isComplete = isWhole
    this.#entries = joins ? [...this.#entries, ...fresh] : fresh
  }
}
