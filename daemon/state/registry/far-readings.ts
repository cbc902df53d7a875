// SPDX-License-Identifier: GPL-3.0-or-later
import type { Instant } from '../../base/clock.ts'
import type { Sample } from '../../core/envelope/message.ts'
import type { FarReadingBook, PastPage, PastSource, PastStep } from '../../core/mesh/index.ts'
import type { PartyId } from '../../core/model/index.ts'
import type { FarReadingTable, Store } from '../store/index.ts'
import { sealedOf } from './readings.ts'

/** What devices of other homes measured, and devices of this one before they were here. */
export class KeptFarReadings implements FarReadingBook {
  readonly #store: Store
  readonly #table: FarReadingTable

  constructor(store: Store, table: FarReadingTable) {
    this.#store = store
    this.#table = table
  }

  page(device: PartyId, source: PastSource, after: number, limit: number): PastPage {
    return this.#table.page(device, source, after, limit)
  }

  cursor(member: PartyId, device: PartyId, source: PastSource): number {
    return this.#table.cursor(member, device, source)
  }

  keep({ member, device, source, last, messages }: PastStep): Promise<void> {
    return this.#store.write(() => {
      for (const { message, receivedAt } of messages) {
        this.#table.insert(device, sealedOf(message, receivedAt))
      }
      if (messages.length > 0) this.#table.trim(device)
      this.#table.moveCursor(member, device, source, last)
    })
  }

  history(device: PartyId, affordance: number, since: Instant, limit: number): readonly Sample[] {
    return this.#table.newest(device, affordance, since, limit).toReversed()
  }
}
