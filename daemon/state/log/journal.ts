// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { equal } from '../../base/bytes.ts'
import { decodeEntry, encodeEntry, entryHash, genesisHash } from '../../core/chain.ts'
import { keyOf, type PartyId } from '../../core/model/index.ts'
import type { Entry, Journal, JournalReport, NewEntry } from '../../core/ports.ts'
import { StateError } from '../error.ts'
import type { EntryRow, JournalTable, Store } from '../store/index.ts'

const READ_LIMIT_MAX = 10_000
/** As many entries as are checked before others get their turn: some milliseconds. */
const VERIFY_STEP = 500

/** Where a chain stands: the last position and its hash. */
interface Head {
  readonly position: number
  readonly hash: Uint8Array
}

/** This hub's own chain. */
export class ChainedJournal implements Journal {
  readonly #store: Store
  readonly #table: JournalTable
  readonly #chain: number
  readonly #author: PartyId

  constructor(store: Store, table: JournalTable, author: PartyId, chain: number) {
    this.#store = store
    this.#table = table
    this.#author = author
    this.#chain = chain
  }

  append(entry: NewEntry): Promise<Entry> {
    return this.#store.write(() => this.link(entry))
  }

  /** The same inside a transaction that is under way, for what must be kept together with its entry. */
  link(entry: NewEntry): Entry {
    const last = this.#table.last(this.#chain) ?? this.#start()
    const index = last.position + 1
    const body = encodeEntry(index, entry)
    const hash = entryHash(last.hash, body)
    const device = entry.device ? keyOf(entry.device) : null
    this.#table.insert(this.#chain, { position: index, hash, body, device })
    return { ...entry, index, hash }
  }

  read(options: Parameters<Journal['read']>[0]): readonly Entry[] {
    const { before = Number.MAX_SAFE_INTEGER, limit, device } = options
    assert(limit >= 1 && limit <= READ_LIMIT_MAX, `limit ${limit}`)
    const rows = this.#table.before(this.#chain, before, limit, device && keyOf(device))
    return rows.toReversed().map(entryOf)
  }

  async verify(): Promise<JournalReport> {
    const end = this.#table.last(this.#chain)?.position ?? 0
    const start = this.#start()
    let head = start
    while (head.position < end) {
      const rows = this.#table.after(this.#chain, head.position, VERIFY_STEP)
      assert(rows.length > 0, 'the log shrank while it was read')
      for (const row of rows) {
        const why = faultOf(row, head)
        if (why) return report(start, head, why)
        head = row
      }
      await turn()
    }
    return report(start, head)
  }

  /** What the first kept entry follows from: the author, or the last entry that was pruned. */
  #start(): Head {
    const chain = this.#table.chain(keyOf(this.#author))
    if (!chain) throw new StateError('corrupt', 'the chain of this hub is gone from the log')
    return { position: chain.prunedTo, hash: chain.prunedHash ?? genesisHash(this.#author) }
  }
}

/** Why `row` does not follow from `head`, or undefined. */
function faultOf(row: EntryRow, head: Head): string | undefined {
  if (row.position !== head.position + 1) return 'missing'
  const entry = decodeEntry(row.body)
  if (!entry || !equal(row.hash, entryHash(head.hash, row.body))) return 'changed'
  if (entry.position !== row.position) return 'misplaced'
  const device = entry.device ? keyOf(entry.device) : new Uint8Array()
  return equal(device, row.device ?? new Uint8Array()) ? undefined : 'misfiled'
}

function report(start: Head, head: Head, why?: string): JournalReport {
  return {
    entries: head.position - start.position,
    pruned: start.position,
    head: head.hash,
    broken: why ? { index: head.position + 1, why } : undefined,
  }
}

function entryOf(row: EntryRow): Entry {
  const entry = decodeEntry(row.body)
  if (!entry) throw new StateError('corrupt', `entry ${row.position} of the log cannot be read`)
  const { position, ...rest } = entry
  return { ...rest, index: position, hash: row.hash }
}

/** The journal of one author, begun when it has none yet. */
export async function openJournal(
  store: Store,
  table: JournalTable,
  author: PartyId,
): Promise<ChainedJournal> {
  const key = keyOf(author)
  const chain = await store.write(() => {
    if (!table.chain(key)) table.addChain(key)
    return table.chain(key)!
  })
  return new ChainedJournal(store, table, author, chain.number)
}
