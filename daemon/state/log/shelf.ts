// SPDX-License-Identifier: GPL-3.0-or-later
import { PIECE_BYTES_MAX, PIECE_ENTRIES_MAX } from '../../../schemas/gen/ts/wire.ts'
import { decodeEntry, genesisHash } from '../../core/chain.ts'
import type { LogHead, LogShelf, Run } from '../../core/mesh/index.ts'
import { keyOf, type PartyId } from '../../core/model/index.ts'
import type { Entry } from '../../core/ports.ts'
import type { EntryRow, JournalTable, SignedTable, Store } from '../store/index.ts'

/** The logs of all daemons of the home, each in its chain. Heads are answered from memory once they are on disk. */
export class Shelf implements LogShelf {
  readonly #store: Store
  readonly #table: JournalTable
  readonly #signed: SignedTable
  readonly #own: PartyId
  readonly #chains = new Map<PartyId, { readonly number: number; head: LogHead }>()

  constructor(store: Store, table: JournalTable, signed: SignedTable, own: PartyId) {
    this.#store = store
    this.#table = table
    this.#signed = signed
    this.#own = own
    for (const { author, number, prunedTo, prunedHash } of table.chains()) {
      const last = table.last(number)
      const start = { position: prunedTo, hash: prunedHash ?? genesisHash(author) }
      this.#chains.set(author, { number, head: last ?? start })
    }
  }

  authors(): readonly PartyId[] {
    return [...this.#chains.keys()]
  }

  head(author: PartyId): LogHead {
    const chain = this.#chains.get(author)
    if (!chain) return { position: 0, hash: genesisHash(author) }
    // Our own grows without us: the journal writes it.
    return author === this.#own ? (this.#table.last(chain.number) ?? chain.head) : chain.head
  }

  own(from: number): ReturnType<LogShelf['own']> {
    const rows = this.#piece(this.#own, from)
    const [first, last] = [rows[0], rows.at(-1)]
    if (!first || !last) return undefined
    const before = this.#hashBefore(this.#own, first.position)
    return { from: first.position, before, entries: rows.map(({ body }) => body), last }
  }

  others(author: PartyId, from: number): Run | undefined {
    const chain = this.#chains.get(author)
    const place = chain && this.#signed.from(chain.number, from)
    if (!place) return undefined
    const rows = this.#table.after(chain.number, from - 1, place.position - from + 1)
    const [first] = rows
    if (!first) return undefined
    const before = this.#hashBefore(author, first.position)
    return { from: first.position, before, entries: rows.map(({ body }) => body), beacon: place.beacon }
  }

  async append(author: PartyId, run: Run, hashes: readonly Uint8Array[]): Promise<void> {
    const position = run.from + run.entries.length - 1
    await this.#store.write(
      () => {
        const number = this.#chainOf(author, run)
        const last = this.#table.last(number)?.position ?? 0
        if (last >= run.from) return undefined
        for (const [at, body] of run.entries.entries()) {
          const device = decodeEntry(body)?.device
          const key = device ? keyOf(device) : null
          this.#table.insert(number, { position: run.from + at, hash: hashes[at]!, body, device: key })
        }
        const bytes = run.entries.reduce((sum, body) => sum + body.length, 0)
        this.#signed.insert(number, { position, bytes, entries: run.entries.length }, run.beacon)
        return number
      },
      (number) => {
        if (number !== undefined)
          this.#chains.set(author, { number, head: { position, hash: hashes.at(-1)! } })
      },
    )
  }

  read(author: PartyId, before: number, limit: number): readonly Entry[] {
    const chain = this.#chains.get(author)
    const rows = chain ? this.#table.before(chain.number, before, limit) : []
    return rows.toReversed().flatMap((row) => {
      const entry = decodeEntry(row.body)
      return entry ? [{ ...entry, index: row.position, hash: row.hash }] : []
    })
  }

  /** Begins another's chain where it begins here. */
  #chainOf(author: PartyId, { from, before }: Run): number {
    const key = keyOf(author)
    const known = this.#table.chain(key)
    if (known) return known.number
    this.#table.addChain(key)
    const { number } = this.#table.chain(key)!
    if (from > 1) this.#table.prune(number, from - 1, before)
    return number
  }

  #hashBefore(author: PartyId, position: number): Uint8Array {
    const chain = this.#table.chain(keyOf(author))!
    if (position - 1 <= chain.prunedTo) return chain.prunedHash ?? genesisHash(author)
    return this.#table.before(chain.number, position, 1)[0]?.hash ?? genesisHash(author)
  }

  /** Rows from `from` on, as many as one piece may hold; a single one that is larger than that goes alone. */
  #piece(author: PartyId, from: number): readonly EntryRow[] {
    const chain = this.#chains.get(author)
    if (!chain) return []
    const rows: EntryRow[] = []
    let bytes = 0
    for (const row of this.#table.each(chain.number, from - 1, PIECE_ENTRIES_MAX)) {
      bytes += row.body.length
      if (rows.length > 0 && bytes > PIECE_BYTES_MAX) break
      rows.push(row)
    }
    return rows
  }
}
