// SPDX-License-Identifier: GPL-3.0-or-later
import type { StatementSync } from 'node:sqlite'
import type { ServiceRecord } from '../../core/ports.ts'
import type { Store } from './store.ts'

export interface KeptService extends ServiceRecord {
  readonly removed: boolean
}

interface ServiceRow {
  readonly service: string
  readonly epoch: number
  readonly authorised: number
  readonly created_at: number
  readonly removed: number
}

/** The table `service`; removed services are in it too. */
export class ServiceTable {
  readonly #sql: ReturnType<typeof prepareAll>

  constructor(store: Store) {
    this.#sql = prepareAll(store)
  }

  all(): readonly KeptService[] {
    return (this.#sql.all.all() as unknown as ServiceRow[]).map((row) => ({
      service: row.service,
      epoch: row.epoch,
      authorised: row.authorised === 1,
      createdAt: row.created_at,
      removed: row.removed === 1,
    }))
  }

  put({ service, epoch, authorised, createdAt }: ServiceRecord): void {
    this.#sql.put.run(service, epoch, Number(authorised), createdAt)
  }

  /** @returns false when there is none */
  remove(service: string): boolean {
    return this.#sql.remove.run(service).changes === 1
  }
}

function prepareAll(store: Store) {
  return {
    all: store.prepare(
      'SELECT service, epoch, authorised, created_at, removed FROM service ORDER BY created_at, service',
    ),
    put: store.prepare(
      `INSERT INTO service (service, epoch, authorised, created_at) VALUES (?, ?, ?, ?)
       ON CONFLICT (service) DO UPDATE
       SET epoch = excluded.epoch, authorised = excluded.authorised, created_at = excluded.created_at, removed = 0`,
    ),
    remove: store.prepare('UPDATE service SET removed = 1 WHERE service = ? AND removed = 0'),
  } satisfies Record<string, StatementSync>
}
