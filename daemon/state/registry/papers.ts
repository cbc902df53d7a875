// SPDX-License-Identifier: GPL-3.0-or-later
import type { Instant } from '../../base/clock.ts'
import type { NewEntry } from '../../core/ports.ts'
import type { Paper, PaperBook, PaperKind } from '../../core/ports-people.ts'
import type { PaperTable, Store } from '../store/index.ts'
import type { LinkEntry } from './readings.ts'

export class KeptPapers implements PaperBook {
  readonly #store: Store
  readonly #table: PaperTable
  readonly #linkEntry: LinkEntry

  constructor(store: Store, table: PaperTable, linkEntry: LinkEntry) {
    this.#store = store
    this.#table = table
    this.#linkEntry = linkEntry
  }

  all(kind: PaperKind): readonly Paper[] {
    return this.#table.all(kind)
  }

  async put(kind: PaperKind, paper: Paper, entry: NewEntry): Promise<void> {
    await this.#store.write(() => {
      this.#table.put(kind, paper)
      this.#linkEntry(entry)
    })
  }

  remove(kind: PaperKind, key: Uint8Array, at: Instant, entry: NewEntry): Promise<boolean> {
    return this.#store.write(() => {
      const removed = this.#table.remove(kind, key, at)
      if (removed) this.#linkEntry(entry)
      return removed
    })
  }
}
