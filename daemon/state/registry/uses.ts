// SPDX-License-Identifier: GPL-3.0-or-later
import { toHex } from '../../base/bytes.ts'
import type { KeptUseBook } from '../../core/ports-people.ts'
import type { Store, UseTable } from '../store/index.ts'

/** Counts in memory at once, so that two who ask in the same moment do not both get the last use. */
export class KeptUses implements KeptUseBook {
  readonly #store: Store
  readonly #table: UseTable
  readonly #counts: Map<string, number>

  constructor(store: Store, table: UseTable) {
    this.#store = store
    this.#table = table
    this.#counts = new Map(table.all().map(({ grant, count }) => [toHex(grant), count]))
  }

  count(grant: Uint8Array): number {
    return this.#counts.get(toHex(grant)) ?? 0
  }

  async spend(grants: readonly Uint8Array[]): Promise<void> {
    for (const grant of grants) this.#add(grant, 1)
    // A write that fails leaves the count too high in memory: nothing is given away by a full disk.
    await this.#store.write(() => {
      for (const grant of grants) this.#table.spend(grant)
    })
  }

  async giveBack(grants: readonly Uint8Array[]): Promise<void> {
    await this.#store.write(
      () => {
        for (const grant of grants) this.#table.giveBack(grant)
      },
      () => {
        for (const grant of grants) this.#add(grant, -1)
      },
    )
  }

  /** Inside a transaction that is under way: no count of it is kept. */
  drop(grant: Uint8Array): void {
    this.#table.drop(grant)
  }

  /** When that is on disk. @param ids in hex */
  forget(ids: readonly string[]): void {
    for (const id of ids) this.#counts.delete(id)
  }

  #add(grant: Uint8Array, change: 1 | -1): void {
    const key = toHex(grant)
    this.#counts.set(key, Math.max(0, (this.#counts.get(key) ?? 0) + change))
  }
}
