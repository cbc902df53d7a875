// SPDX-License-Identifier: GPL-3.0-or-later
import type { NewEntry } from '../../core/ports.ts'
import type { KeptToken, TokenBook } from '../../core/ports-people.ts'
import type { Store, TokenTable } from '../store/index.ts'
import type { LinkEntry } from './readings.ts'

/** Answers from memory: every request with a token is held against all of them. */
export class KeptTokens implements TokenBook {
  readonly #store: Store
  readonly #table: TokenTable
  readonly #linkEntry: LinkEntry
  #tokens: readonly KeptToken[]

  constructor(store: Store, table: TokenTable, linkEntry: LinkEntry) {
    this.#store = store
    this.#table = table
    this.#linkEntry = linkEntry
    this.#tokens = table.all()
  }

  list(): readonly KeptToken[] {
    return this.#tokens
  }

  async put(token: KeptToken, entry: NewEntry): Promise<void> {
    await this.#store.write(
      () => {
        this.#table.put(token)
        this.#linkEntry(entry)
        return this.#table.all()
      },
      (all) => {
        this.#tokens = all
      },
    )
  }

  async remove(name: string, entry: NewEntry): Promise<boolean> {
    let removed = false
    await this.#store.write(
      () => {
        removed = this.#table.remove(name)
        if (removed) this.#linkEntry(entry)
        return this.#table.all()
      },
      (all) => {
        this.#tokens = all
      },
    )
    return removed
  }
}
