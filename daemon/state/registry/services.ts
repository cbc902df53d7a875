// SPDX-License-Identifier: GPL-3.0-or-later
import type { ServiceBook, ServiceRecord } from '../../core/ports.ts'
import type { KeptService, ServiceTable, Store } from '../store/index.ts'

export class KeptServices implements ServiceBook {
  readonly #store: Store
  readonly #table: ServiceTable
  readonly #services: Map<string, KeptService>

  constructor(store: Store, table: ServiceTable) {
    this.#store = store
    this.#table = table
    this.#services = new Map(table.all().map((kept) => [kept.service, kept]))
  }

  /** Ascending by age. */
  list(): readonly ServiceRecord[] {
    return [...this.#services.values()].filter((kept) => !kept.removed).map(recordOf)
  }

  get(service: string): ServiceRecord | undefined {
    const kept = this.#services.get(service)
    return kept && !kept.removed ? recordOf(kept) : undefined
  }

  nextEpoch(service: string): number {
    const kept = this.#services.get(service)
    return kept ? kept.epoch + 1 : 0
  }

  async put(record: ServiceRecord): Promise<void> {
    await this.#store.write(
      () => this.#table.put(record),
      () => this.#services.set(record.service, { ...record, removed: false }),
    )
  }

  remove(service: string): Promise<boolean> {
    return this.#store.write(
      () => this.#table.remove(service),
      (removed) => {
        const kept = this.#services.get(service)
        if (removed && kept) this.#services.set(service, { ...kept, removed: true })
      },
    )
  }
}

function recordOf({ service, epoch, authorised, createdAt }: KeptService): ServiceRecord {
  return { service, epoch, authorised, createdAt }
}
