// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { entryHash, genesisHash } from '../../../../daemon/core/chain.ts'
import type { LogHead } from '../../../../daemon/core/mesh/index.ts'
import { PIECE_BYTES_MAX } from '../../../../schemas/gen/ts/wire.ts'
import { type Home, NOON, openHome, partyOf, temporaryFolder } from '../../../support/state.ts'

const A = partyOf(1)
const B = partyOf(2)
const BEACON = new Uint8Array([1, 2, 3])

async function write(home: Home, count: number, bytes = 10): Promise<void> {
  const note = 'x'.repeat(bytes)
  await Promise.all(
    Array.from({ length: count }, (_, at) => home.journal.append({ kind: 'renamed', at: NOON + at, note })),
  )
}

function hashesOf(entries: readonly Uint8Array[], after: LogHead): Uint8Array[] {
  let previous = after.hash
  return entries.map((body) => {
    previous = entryHash(previous, body)
    return previous
  })
}

/** Brings what `to` lacks of `author`'s log, piece by piece; as the exchange does. */
async function bring(from: Home, to: Home, author = A): Promise<number> {
  for (let pieces = 0; ; pieces++) {
    const head = to.shelf.head(author)
    const own = from.shelf.own(head.position + 1)
    if (!own) return pieces
    const { last, ...piece } = own
    const run = { ...piece, beacon: BEACON }
    const hashes = hashesOf(own.entries, { ...last, hash: own.before })
    assert.deepEqual(hashes.at(-1), own.last.hash)
    await to.shelf.append(author, run, hashes)
  }
}

describe('the logs of all daemons', () => {
  it('begin at the start of their author, and know nobody else', async (t) => {
    await using home = await openHome(join(temporaryFolder(t), 'home.db'), { author: A })
    assert.deepEqual(home.shelf.head(A), { position: 0, hash: genesisHash(A) })
    assert.deepEqual([home.shelf.authors(), home.shelf.own(1)], [[A], undefined])
    assert.equal(home.shelf.others(B, 1), undefined)
  })

  it('give their own in pieces that end where they may be signed, and no larger than they may be', async (t) => {
    await using home = await openHome(join(temporaryFolder(t), 'home.db'), { author: A })
    await write(home, 60, 3000)
    const piece = home.shelf.own(1)!
    const bytes = piece.entries.reduce((sum, body) => sum + body.length, 0)
    assert(bytes <= PIECE_BYTES_MAX && bytes > PIECE_BYTES_MAX / 2, `${bytes}`)
    assert.equal(piece.last.position, piece.entries.length)
    assert.equal(home.shelf.own(61), undefined)
  })

  it("keep another's, through a restart, and give them on up to where their author signed", async (t) => {
    const folder = temporaryFolder(t)
    await using from = await openHome(join(folder, 'a.db'), { author: A })
    await write(from, 5)
    {
      await using to = await openHome(join(folder, 'b.db'), { author: B })
      await bring(from, to)
      await write(from, 2)
      await bring(from, to)
      await write(to, 1)
    }
    await using to = await openHome(join(folder, 'b.db'), { author: B })
    assert.deepEqual(to.shelf.head(A).hash, from.shelf.head(A).hash)
    assert.deepEqual([to.shelf.head(A).position, to.shelf.head(B).position], [7, 1])
    const run = to.shelf.others(A, 3)!
    assert.deepEqual([run.from, run.entries.length, run.beacon], [3, 5, BEACON])
    assert.equal((await to.journal.verify()).entries, 1)
  })

  it('begin where the author pruned, are given on from there, and can be read', async (t) => {
    const folder = temporaryFolder(t)
    await using from = await openHome(join(folder, 'a.db'), { author: A })
    await write(from, 6)
    await from.journal.prune(NOON + 4, NOON + 10)
    await using to = await openHome(join(folder, 'b.db'), { author: B })
    await bring(from, to)
    assert.deepEqual(to.shelf.head(A).hash, from.shelf.own(7)!.last.hash)
    const run = to.shelf.others(A, 1)!
    assert.deepEqual([run.from, run.before], [5, from.shelf.own(1)!.before])
    const read = to.shelf.read(A, 8, 2)
    assert.deepEqual(
      read.map(({ index, kind }) => [index, kind]),
      [
        [6, 'renamed'],
        [7, 'pruned'],
      ],
    )
    assert.deepEqual(to.shelf.read(partyOf(9), 8, 2), [])
  })

  it('do not take the same run twice', async (t) => {
    const folder = temporaryFolder(t)
    await using from = await openHome(join(folder, 'a.db'), { author: A })
    await using to = await openHome(join(folder, 'b.db'), { author: B })
    await write(from, 4)
    const { entries, before } = from.shelf.own(1)!
    const hashes = hashesOf(entries, to.shelf.head(A))
    const run = { from: 1, before, entries, beacon: BEACON }
    await Promise.all([to.shelf.append(A, run, hashes), to.shelf.append(A, run, hashes)])
    await to.shelf.append(A, { ...run, from: 4 }, hashes)
    assert.equal(to.shelf.head(A).position, 4)
  })

  it('keep a signed place at least for every piece, however many small ones came', async (t) => {
    const folder = temporaryFolder(t)
    await using from = await openHome(join(folder, 'a.db'), { author: A })
    await using to = await openHome(join(folder, 'b.db'), { author: B })
    for (let round = 0; round < 40; round++) {
      await write(from, 1, 5000)
      await bring(from, to)
    }
    let pieces = 0
    for (let next = 1; next <= 40; pieces++) {
      const run = to.shelf.others(A, next)!
      const bytes = run.entries.reduce((sum, body) => sum + body.length, 0)
      assert(bytes <= PIECE_BYTES_MAX, `${bytes}`)
      next += run.entries.length
    }
    assert(pieces <= 6, `${pieces} pieces`)
  })
})
