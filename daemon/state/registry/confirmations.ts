// SPDX-License-Identifier: GPL-3.0-or-later
import type { PartyId } from '../../core/model/index.ts'
import type { Confirmation, ConfirmationBook } from '../../core/ports-generations.ts'
import type { ConfirmationTable, Store } from '../store/index.ts'

/** Answers from memory what is on disk: a confirmation counts when it would survive a power cut. */
export class KeptConfirmations implements ConfirmationBook {
  readonly #store: Store
  readonly #table: ConfirmationTable
  readonly #held: Map<PartyId, Confirmation>

  constructor(store: Store, table: ConfirmationTable) {
    this.#store = store
    this.#table = table
    this.#held = new Map(table.all().map((each) => [each.device, each]))
  }

  get(device: PartyId): Confirmation | undefined {
    return this.#held.get(device)
  }

  async put(confirmation: Confirmation): Promise<void> {
    await this.#store.write(
      () => this.#table.put(confirmation),
      () => this.#held.set(confirmation.device, confirmation),
    )
  }
}
