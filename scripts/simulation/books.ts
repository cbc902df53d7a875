// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { encodeEntry, entryHash, genesisHash } from '../../daemon/core/chain.ts'
import { decodeCbor, type Frame } from '../../daemon/core/envelope/index.ts'
import type {
  LogHead,
  LogShelf,
  MeshPaper,
  MeshPaperBook,
  Revocations,
  Run,
} from '../../daemon/core/mesh/index.ts'
import { idOf, type PartyId } from '../../daemon/core/model/index.ts'

export class SimRevocations implements Revocations {
  #version = 0
  #frame: Frame | undefined
  #keys = new Set<PartyId>()

  isRevoked(key: Uint8Array): boolean {
    return this.#keys.has(idOf(key))
  }
  frames(): readonly Frame[] {
    return this.#frame ? [this.#frame] : []
  }
  async take(frame: Frame): Promise<'new' | 'known' | 'refused'> {
    const item = decodeCbor(frame)
    assert(item.ok && Array.isArray(item.value))
    const [version, keys] = item.value as [number, Uint8Array[]]
    if (version <= this.#version) return 'known'
    this.#version = version
    this.#frame = frame
    this.#keys = new Set(keys.map(idOf))
    return 'new'
  }
}

export class SimPapers implements MeshPaperBook {
  readonly #kept = new Map<string, MeshPaper>()
  papers(): readonly MeshPaper[] {
    return [...this.#kept.values()]
  }
  async keep(paper: MeshPaper): Promise<void> {
    this.#kept.set(`${paper.kind} ${paper.subject} ${paper.sealer}`, paper)
  }
}

interface Chain {
  readonly entries: Uint8Array[]
  readonly hashes: Uint8Array[]
  readonly signed: Map<number, Frame>
}

/** Small pieces, so that short histories have many. */
const PIECE_ENTRIES = 3

export class SimShelf implements LogShelf {
  readonly #own: PartyId
  readonly #chains = new Map<PartyId, Chain>()

  constructor(own: PartyId) {
    this.#own = own
    this.#chain(own)
  }

  write(note: string, at: number): void {
    const chain = this.#chain(this.#own)
    const body = encodeEntry(chain.entries.length + 1, { kind: 'renamed', at, note })
    chain.hashes.push(entryHash(this.head(this.#own).hash, body))
    chain.entries.push(body)
  }
  authors(): readonly PartyId[] {
    return [...this.#chains.keys()]
  }
  head(author: PartyId): LogHead {
    const hashes = this.#chains.get(author)?.hashes ?? []
    return { position: hashes.length, hash: hashes.at(-1) ?? genesisHash(author) }
  }
  own(from: number): ReturnType<LogShelf['own']> {
    const { entries, hashes } = this.#chain(this.#own)
    const some = entries.slice(from - 1, from - 1 + PIECE_ENTRIES)
    const position = from - 1 + some.length
    const before = hashes[from - 2] ?? genesisHash(this.#own)
    const last = { position, hash: hashes[position - 1]! }
    return some.length > 0 ? { from, before, entries: some, last } : undefined
  }
  others(author: PartyId, from: number): Run | undefined {
    const chain = this.#chains.get(author)
    const to = [...(chain?.signed.keys() ?? [])].filter((at) => at >= from).sort((a, b) => a - b)[0]
    return chain && to !== undefined
      ? {
          ...{ from, before: chain.hashes[from - 2] ?? genesisHash(author) },
          ...{ entries: chain.entries.slice(from - 1, to), beacon: chain.signed.get(to)! },
        }
      : undefined
  }
  read(): readonly [] {
    return []
  }
  async append(author: PartyId, run: Run, hashes: readonly Uint8Array[]): Promise<void> {
    const chain = this.#chain(author)
    assert.equal(run.from, chain.entries.length + 1, 'a run that does not follow was kept')
    chain.entries.push(...run.entries)
    chain.hashes.push(...hashes)
    chain.signed.set(chain.entries.length, run.beacon)
  }
  #chain(author: PartyId): Chain {
    const chain = this.#chains.get(author) ?? { entries: [], hashes: [], signed: new Map() }
    this.#chains.set(author, chain)
    return chain
  }
}
