// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { equal } from '../../base/bytes.ts'
import type { Instant } from '../../base/clock.ts'
import { decodeEntry, encodeEntry, entryHash, genesisHash } from '../../core/chain.ts'
import { keyOf, type PartyId } from '../../core/model/index.ts'
import type { Entry, Journal, JournalReport, JournalSearch, NewEntry } from '../../core/ports.ts'
import { StateError } from '../error.ts'
import type { EntryRow, JournalTable, Store } from '../store/index.ts'

const READ_LIMIT_MAX = 10_000
/** As many entries as are checked before others get their turn: some milliseconds. */
const VERIFY_STEP = 500
const SEARCH_STEP = 500
/** Entries are in the order of time unless somebody set the clock: so far back a search looks beyond what it was asked for. */
const CLOCK_SET_BACK_MS = 86_400_000

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

  async search(options: JournalSearch): Promise<readonly Entry[]> {
    const found: Entry[] = []
    let before = options.before ?? Number.MAX_SAFE_INTEGER
    for (;;) {
      const rows = this.#table.before(this.#chain, before, SEARCH_STEP)
      for (const row of rows) {
        const entry = entryOf(row)
        before = row.position
        if (entry.at < options.since - CLOCK_SET_BACK_MS) return found.toReversed()
        if (entry.at < options.since || entry.at >= options.until || !options.matches(entry)) continue
        if (found.push(entry) === options.limit) return found.toReversed()
      }
      if (rows.length < SEARCH_STEP) return found.toReversed()
      await turn()
    }
  }

  prune(before: Instant, at: Instant): Promise<number> {
    return this.#store.write(() => {
      const last = this.#lastOlder(before)
      if (!last) return 0
      const start = this.#start()
      this.#table.prune(this.#chain, last.position, last.hash)
      this.link({ kind: 'pruned', at, command: last.hash, note: String(last.position) })
      return last.position - start.position
    })
  }

  /** The last of the entries from the beginning that are older; what comes after a younger one stays. */
  #lastOlder(before: Instant): Head | undefined {
    let last: Head = this.#start()
    let found: Head | undefined
    for (;;) {
      const rows = this.#table.after(this.#chain, last.position, VERIFY_STEP)
      for (const row of rows) {
        if (entryOf(row).at >= before) return found
        found = { position: row.position, hash: row.hash }
      }
      if (rows.length < VERIFY_STEP) return found
      last = found!
    }
  }

  async verify(): Promise<JournalReport> {
    const end = this.#table.last(this.#chain)?.position ?? 0
    const start = this.#start()
    let head = start
    let cut: Cut | undefined
    while (head.position < end) {
      const rows = this.#table.after(this.#chain, head.position, VERIFY_STEP)
      assert(rows.length > 0, 'the log shrank while it was read')
      for (const row of rows) {
        const why = faultOf(row, head)
        if (why) return report(start, head, why)
        head = row
        cut = cutOf(row) ?? cut
      }
      await turn()
    }
    return isProved(start, cut) ? report(start, head) : report(start, start, 'missing')
  }

  /** What the first kept entry follows from: the author, or the last entry that was pruned. */
  #start(): Head {
    const chain = this.#table.chain(keyOf(this.#author))
    if (!chain) throw new StateError('corrupt', 'the chain of this hub is gone from the log')
    return { position: chain.prunedTo, hash: chain.prunedHash ?? genesisHash(this.#author) }
  }
}

/** What an entry of kind `pruned` says went: everything up to a position, and the hash of the last. */
type Cut = Head

function cutOf(row: EntryRow): Cut | undefined {
  const entry = decodeEntry(row.body)
  return entry?.kind === 'pruned' && entry.command
    ? { position: Number(entry.note), hash: entry.command }
    : undefined
}

/** Whether the log itself says that what is gone from its beginning was pruned. */
function isProved(start: Head, cut: Cut | undefined): boolean {
  if (start.position === 0) return true
  return cut !== undefined && cut.position === start.position && equal(cut.hash, start.hash)
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
