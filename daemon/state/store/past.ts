// SPDX-License-Identifier: GPL-3.0-or-later
import type { StatementSync } from 'node:sqlite'
import type { Store } from './store.ts'

/** The table `past`. */
export class PastTable {
  readonly #sql: ReturnType<typeof prepareAll>

  constructor(store: Store) {
    this.#sql = prepareAll(store)
  }

  /** Seconds since the epoch; 0 before anything was kept. */
  sealedAt(): number {
    return (this.#sql.get.get()?.sealedAt as number | undefined) ?? 0
  }

  /** Never to an earlier time. */
  put(sealedAt: number): void {
    this.#sql.put.run(sealedAt)
  }
}

function prepareAll(store: Store) {
  return {
    get: store.prepare('SELECT sealed_at AS sealedAt FROM past'),
    put: store.prepare(
      `INSERT INTO past (number, sealed_at) VALUES (1, ?)
       ON CONFLICT (number) DO UPDATE SET sealed_at = max(sealed_at, excluded.sealed_at)`,
    ),
  } satisfies Record<string, StatementSync>
}
