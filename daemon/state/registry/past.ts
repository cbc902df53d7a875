// SPDX-License-Identifier: GPL-3.0-or-later
import { toHex } from '../../base/bytes.ts'
import type { PastBook, Thinning } from '../../core/ports-people.ts'
import type { PairingTable, PaperTable, PastTable, PermitTable, Store } from '../store/index.ts'
import type { KeptUses } from './uses.ts'

export interface PastTables {
  readonly past: PastTable
  readonly papers: PaperTable
  readonly pairings: PairingTable
  readonly permits: PermitTable
}

export class KeptPast implements PastBook {
  readonly #store: Store
  readonly #tables: PastTables
  readonly #uses: KeptUses

  constructor(store: Store, tables: PastTables, uses: KeptUses) {
    this.#store = store
    this.#tables = tables
    this.#uses = uses
  }

  get sealedAt(): number {
    return this.#tables.past.sealedAt()
  }

  async thin({ at, sealedAt, over, back, forgotten, spent, unusedBefore }: Thinning): Promise<void> {
    const { past, papers, pairings, permits } = this.#tables
    await this.#store.write(
      () => {
        past.put(sealedAt)
        for (const key of over) papers.remove('grant', key, at)
        for (const key of back) papers.restore('grant', key)
        for (const key of forgotten) papers.forget('grant', key)
        for (const id of spent) this.#uses.drop(id)
        pairings.forgetUnused(unusedBefore)
        permits.forgetUnused(unusedBefore)
      },
      () => this.#uses.forget(spent.map(toHex)),
    )
  }
}
