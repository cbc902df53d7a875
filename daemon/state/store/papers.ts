// SPDX-License-Identifier: GPL-3.0-or-later
import type { StatementSync } from 'node:sqlite'
import type { Instant } from '../../base/clock.ts'
import type { Paper, PaperKind } from '../../core/ports-people.ts'
import type { Store } from './store.ts'

interface PaperRow {
  readonly key: Uint8Array
  readonly frame: Uint8Array
  readonly at: number
  readonly gone_at: number | null
}

/** The table `paper`. */
export class PaperTable {
  readonly #sql: ReturnType<typeof prepareAll>

  constructor(store: Store) {
    this.#sql = prepareAll(store)
  }

  all(kind: PaperKind): readonly Paper[] {
    return (this.#sql.all.all(kind) as unknown as PaperRow[]).map(({ key, frame, at, gone_at }) => ({
      key,
      frame,
      at,
      goneAt: gone_at ?? undefined,
    }))
  }

  put(kind: PaperKind, { key, frame, at }: Paper): void {
    this.#sql.put.run(kind, key, frame, at)
  }

  /** @returns false when there is none, or none any more */
  remove(kind: PaperKind, key: Uint8Array, at: Instant): boolean {
    return this.#sql.remove.run(at, kind, key).changes === 1
  }

  /** It counts again. */
  restore(kind: PaperKind, key: Uint8Array): void {
    this.#sql.restore.run(kind, key)
  }

  forget(kind: PaperKind, key: Uint8Array): void {
    this.#sql.forget.run(kind, key)
  }
}

function prepareAll(store: Store) {
  return {
    all: store.prepare('SELECT key, frame, at, gone_at FROM paper WHERE kind = ? ORDER BY number'),
    put: store.prepare(
      `INSERT INTO paper (kind, key, frame, at) VALUES (?, ?, ?, ?)
       ON CONFLICT (kind, key) DO UPDATE SET frame = excluded.frame, at = excluded.at, gone_at = NULL`,
    ),
    restore: store.prepare('UPDATE paper SET gone_at = NULL WHERE kind = ? AND key = ?'),
    forget: store.prepare('DELETE FROM paper WHERE kind = ? AND key = ?'),
    remove: store.prepare('UPDATE paper SET gone_at = ? WHERE kind = ? AND key = ? AND gone_at IS NULL'),
  } satisfies Record<string, StatementSync>
}
