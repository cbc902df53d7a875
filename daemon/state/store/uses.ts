// SPDX-License-Identifier: GPL-3.0-or-later
import type { StatementSync } from 'node:sqlite'
import type { Store } from './store.ts'

/** The table `use_count`. */
export class UseTable {
  readonly #sql: ReturnType<typeof prepareAll>

  constructor(store: Store) {
    this.#sql = prepareAll(store)
  }

  all(): readonly { readonly grant: Uint8Array; readonly count: number }[] {
    return this.#sql.all.all().map((row) => ({
      grant: row.grant_id as Uint8Array,
      count: row.count as number,
    }))
  }

  spend(grant: Uint8Array): void {
    this.#sql.spend.run(grant)
  }

  giveBack(grant: Uint8Array): void {
    this.#sql.giveBack.run(grant)
  }

  drop(grant: Uint8Array): void {
    this.#sql.drop.run(grant)
  }
}

function prepareAll(store: Store) {
  return {
    all: store.prepare('SELECT grant_id, count FROM use_count'),
    spend: store.prepare(
      `INSERT INTO use_count (grant_id, count) VALUES (?, 1)
       ON CONFLICT (grant_id) DO UPDATE SET count = count + 1`,
    ),
    drop: store.prepare('DELETE FROM use_count WHERE grant_id = ?'),
    giveBack: store.prepare('UPDATE use_count SET count = count - 1 WHERE grant_id = ? AND count > 0'),
  } satisfies Record<string, StatementSync>
}
