// SPDX-License-Identifier: GPL-3.0-or-later
import type { StatementSync } from 'node:sqlite'
import { PIECE_BYTES_MAX, PIECE_ENTRIES_MAX } from '../../../schemas/gen/ts/wire.ts'
import type { Store } from './store.ts'

interface Signed {
  readonly position: number
  readonly bytes: number
  readonly entries: number
}

/** The table `mesh_signed`. Of places close to each other only the later is kept, so that a piece up to it still fits. */
export class SignedTable {
  readonly #sql: ReturnType<typeof prepareAll>

  constructor(store: Store) {
    this.#sql = prepareAll(store)
  }

  insert(chain: number, place: Signed, beacon: Uint8Array): void {
    const last = this.#sql.last.get(chain) as unknown as Signed | undefined
    const joined = last && { bytes: last.bytes + place.bytes, entries: last.entries + place.entries }
    const fits = joined && joined.bytes <= PIECE_BYTES_MAX && joined.entries <= PIECE_ENTRIES_MAX
    if (last && fits) this.#sql.drop.run(chain, last.position)
    const { bytes, entries } = fits ? joined : place
    this.#sql.insert.run(chain, place.position, bytes, entries, beacon)
  }

  /** The first place at or beyond `from`. */
  from(chain: number, from: number): { readonly position: number; readonly beacon: Uint8Array } | undefined {
    return this.#sql.from.get(chain, from) as
      | { readonly position: number; readonly beacon: Uint8Array }
      | undefined
  }
}

function prepareAll(store: Store) {
  return {
    last: store.prepare(
      'SELECT position, bytes, entries FROM mesh_signed WHERE chain = ? ORDER BY position DESC LIMIT 1',
    ),
    drop: store.prepare('DELETE FROM mesh_signed WHERE chain = ? AND position = ?'),
    insert: store.prepare(
      'INSERT INTO mesh_signed (chain, position, bytes, entries, beacon) VALUES (?, ?, ?, ?, ?)',
    ),
    from: store.prepare(
      'SELECT position, beacon FROM mesh_signed WHERE chain = ? AND position >= ? ORDER BY position LIMIT 1',
    ),
  } satisfies Record<string, StatementSync>
}
