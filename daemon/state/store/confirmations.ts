// SPDX-License-Identifier: GPL-3.0-or-later
import type { StatementSync } from 'node:sqlite'
import { idOf, keyOf } from '../../core/model/index.ts'
import type { Confirmation } from '../../core/ports-generations.ts'
import type { Store } from './store.ts'

/** The table `confirmation`. */
export class ConfirmationTable {
  readonly #sql: ReturnType<typeof prepareAll>

  constructor(store: Store) {
    this.#sql = prepareAll(store)
  }

  all(): readonly Confirmation[] {
    return this.#sql.all.all().map((row) => ({
      device: idOf(row.device as Uint8Array),
      inForce: row.in_force as number,
      announced: row.announced as number,
      code: row.code as number,
      at: row.at as number,
    }))
  }

  put({ device, inForce, announced, code, at }: Confirmation): void {
    this.#sql.put.run(keyOf(device), inForce, announced, code, at)
  }
}

function prepareAll(store: Store) {
  return {
    all: store.prepare('SELECT device, in_force, announced, code, at FROM confirmation'),
    put: store.prepare(
      'INSERT OR REPLACE INTO confirmation (device, in_force, announced, code, at) VALUES (?, ?, ?, ?, ?)',
    ),
  } satisfies Record<string, StatementSync>
}
