// SPDX-License-Identifier: GPL-3.0-or-later
import type { StatementSync } from 'node:sqlite'
import { idOf, type PartyId } from '../../core/model/index.ts'
import type { Store } from './store.ts'

export interface ChainRow {
  readonly number: number
  readonly prunedTo: number
  readonly prunedHash: Uint8Array | null
}

export interface EntryRow {
  readonly position: number
  readonly hash: Uint8Array
  readonly body: Uint8Array
  readonly device: Uint8Array | null
}

/** The tables `chain` and `entry`: bytes in order; what they mean is the log's. */
export class JournalTable {
  readonly #sql: ReturnType<typeof prepareAll>

  constructor(store: Store) {
    this.#sql = prepareAll(store)
  }

  chain(author: Uint8Array): ChainRow | undefined {
    return this.#sql.chain.get(author) as unknown as ChainRow | undefined
  }

  chains(): ReadonlyArray<ChainRow & { readonly author: PartyId }> {
    return (this.#sql.chains.all() as unknown as Array<ChainRow & { author: Uint8Array }>).map((row) => ({
      ...row,
      author: idOf(row.author),
    }))
  }

  addChain(author: Uint8Array): void {
    this.#sql.addChain.run(author)
  }

  last(chain: number): EntryRow | undefined {
    return this.#sql.last.get(chain) as unknown as EntryRow | undefined
  }

  insert(chain: number, row: EntryRow): void {
    this.#sql.insert.run(chain, row.position, row.hash, row.body, row.device)
  }

  /** The `limit` entries before `before`, descending. */
  before(chain: number, before: number, limit: number, device?: Uint8Array): readonly EntryRow[] {
    const rows = device
      ? this.#sql.beforeOf.all(chain, device, before, limit)
      : this.#sql.before.all(chain, before, limit)
    return rows as unknown as EntryRow[]
  }

  /** Removes what is up to `position` and keeps the hash of the last, from which the rest follows. */
  prune(chain: number, position: number, hash: Uint8Array): void {
    this.#sql.cut.run(chain, position)
    this.#sql.mark.run(position, hash, chain)
  }

  /** The first `limit` entries after `after`, ascending. */
  after(chain: number, after: number, limit: number): readonly EntryRow[] {
    return this.#sql.after.all(chain, after, limit) as unknown as EntryRow[]
  }

  /** The same, one by one: whoever has enough stops, and the rest is not read. */
  each(chain: number, after: number, limit: number): Iterable<EntryRow> {
    return this.#sql.each.iterate(chain, after, limit) as Iterable<unknown> as Iterable<EntryRow>
  }
}

const COLUMNS = 'position, hash, body, device'
const AFTER = `SELECT ${COLUMNS} FROM entry WHERE chain = ? AND position > ? ORDER BY position LIMIT ?`

function prepareAll(store: Store) {
  return {
    chain: store.prepare(
      'SELECT number, pruned_to AS prunedTo, pruned_hash AS prunedHash FROM chain WHERE author = ?',
    ),
    chains: store.prepare(
      'SELECT number, author, pruned_to AS prunedTo, pruned_hash AS prunedHash FROM chain ORDER BY number',
    ),
    addChain: store.prepare('INSERT INTO chain (author) VALUES (?)'),
    cut: store.prepare('DELETE FROM entry WHERE chain = ? AND position <= ?'),
    mark: store.prepare('UPDATE chain SET pruned_to = ?, pruned_hash = ? WHERE number = ?'),
    last: store.prepare(`SELECT ${COLUMNS} FROM entry WHERE chain = ? ORDER BY position DESC LIMIT 1`),
    insert: store.prepare('INSERT INTO entry (chain, position, hash, body, device) VALUES (?, ?, ?, ?, ?)'),
    before: store.prepare(
      `SELECT ${COLUMNS} FROM entry WHERE chain = ? AND position < ? ORDER BY position DESC LIMIT ?`,
    ),
    beforeOf: store.prepare(
      `SELECT ${COLUMNS} FROM entry WHERE chain = ? AND device = ? AND position < ?
       ORDER BY position DESC LIMIT ?`,
    ),
    after: store.prepare(AFTER),
    each: store.prepare(AFTER),
  } satisfies Record<string, StatementSync>
}
