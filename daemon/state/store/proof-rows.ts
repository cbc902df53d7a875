// SPDX-License-Identifier: GPL-3.0-or-later
import type { StatementSync } from 'node:sqlite'
import type { Instant } from '../../base/clock.ts'
import type { Store } from './store.ts'

/** What lets one key in, by its id, and holds a proof key until it is used or over: the tables `permit` and `pairing`. */
export class ProofRows {
  readonly #sql: Readonly<Record<'wipeStale' | 'forgetUnused', StatementSync>>

  /** @param unused  which rows let nobody in, in SQL */
  constructor(store: Store, table: 'permit' | 'pairing', unused: string) {
    this.#sql = {
      wipeStale: store.prepare(
        `UPDATE ${table} SET proof_key = NULL WHERE proof_key IS NOT NULL AND expires_at <= ?`,
      ),
      forgetUnused: store.prepare(`DELETE FROM ${table} WHERE expires_at < ? AND ${unused}`),
    }
  }

  wipeStale(now: Instant): void {
    this.#sql.wipeStale.run(now)
  }

  /** Those that were over before then and let nobody in. */
  forgetUnused(before: Instant): void {
    this.#sql.forgetUnused.run(before)
  }
}
