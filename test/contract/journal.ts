// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { NewEntry } from '../../daemon/core/ports.ts'
import { NOON, type OpenHome, partyOf } from '../support/state.ts'

const A = partyOf(1)
const B = partyOf(2)

const FULL: NewEntry = {
  kind: 'receipt',
  at: NOON,
  device: A,
  signer: A,
  frame: new Uint8Array(300).fill(9),
  command: new Uint8Array(32).fill(8),
  origin: 'link',
  code: 0,
  note: 'ünïcode',
  person: new Uint8Array(8).fill(3),
  chain: [new Uint8Array(8).fill(1), new Uint8Array(8).fill(2)],
}

function defined(entry: object): object {
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined))
}

/** What every Journal does. */
export function journalContract(where: string, open: OpenHome): void {
  describe(`Journal ${where}`, () => {
    it('counts from 1 without gaps, also for entries of one turn', async (t) => {
      const { journal } = await open(t)
      await journal.append({ kind: 'permit', at: NOON })
      const more = [1, 2, 3].map((i) => journal.append({ kind: 'command', at: NOON + i }))
      assert.deepEqual(
        (await Promise.all(more)).map((entry) => entry.index),
        [2, 3, 4],
      )
    })

    it('gives back every member of an entry as it was, and no others', async (t) => {
      const { journal } = await open(t)
      const entries = [await journal.append(FULL), await journal.append({ kind: 'expired', at: NOON + 1 })]
      assert.deepEqual(journal.read({ limit: 10 }).map(defined), entries.map(defined))
      assert.deepEqual(defined({ ...entries[0], index: undefined, hash: undefined }), FULL)
    })

    it('gives entries of equal content different hashes', async (t) => {
      const { journal } = await open(t)
      const [first, second] = await Promise.all([journal.append(FULL), journal.append(FULL)])
      assert.notDeepEqual(first?.hash, second?.hash)
    })

    it('pages backwards, newest last', async (t) => {
      const { journal } = await open(t)
      await Promise.all(Array.from({ length: 7 }, () => journal.append({ kind: 'command', at: NOON })))
      const page = (before?: number) =>
        journal.read({ limit: 3, ...(before !== undefined && { before }) }).map((entry) => entry.index)
      assert.deepEqual(page(), [5, 6, 7])
      assert.deepEqual(page(5), [2, 3, 4])
      assert.deepEqual(page(2), [1])
      assert.deepEqual(page(1), [])
    })

    it('reads one device alone when asked', async (t) => {
      const { journal } = await open(t)
      for (const device of [A, B, undefined, A]) await journal.append({ kind: 'command', at: NOON, device })
      const indexes = journal.read({ limit: 10, device: A }).map((entry) => entry.index)
      assert.deepEqual(indexes, [1, 4])
      assert.equal(journal.read({ limit: 1, device: A, before: 4 })[0]?.index, 1)
    })

    it('refuses to read no or too many entries', async (t) => {
      const { journal } = await open(t)
      for (const limit of [0, -1, 10_001, Number.NaN]) assert.throws(() => journal.read({ limit }))
    })

    it('verify() of an untouched log finds nothing and ends at the newest hash', async (t) => {
      const { journal } = await open(t)
      const entries = await Promise.all(Array.from({ length: 1200 }, () => journal.append(FULL)))
      const report = await journal.verify()
      assert.equal(report.entries, 1200)
      assert.equal(report.broken, undefined)
      assert.deepEqual(report.head, entries.at(-1)?.hash)
    })

    it('verify() goes on while entries are added', async (t) => {
      const { journal } = await open(t)
      await Promise.all(Array.from({ length: 1200 }, () => journal.append(FULL)))
      const verified = journal.verify()
      await journal.append(FULL)
      const report = await verified
      assert.equal(report.broken, undefined)
      assert(report.entries >= 1200)
    })

    const lines = async (t: TestContext, count: number) => {
      const { journal } = await open(t)
      await Promise.all(
        Array.from({ length: count }, (_, i) =>
          journal.append({ kind: i % 2 ? 'refused' : 'command', at: NOON + i }),
        ),
      )
      return journal
    }
    const all = { limit: 10_000, since: 0, until: Number.MAX_SAFE_INTEGER, matches: () => true }

    it('search() finds what matches, newest last, over more than one step', async (t) => {
      const journal = await lines(t, 1300)
      const refused = await journal.search({ ...all, matches: ({ kind }) => kind === 'refused' })
      assert.equal(refused.length, 650)
      assert.deepEqual([refused[0]?.index, refused.at(-1)?.index], [2, 1300])
    })

    it('search() keeps to its limit and its times: since is in, until is out', async (t) => {
      const journal = await lines(t, 20)
      const indexes = async (options: object) =>
        (await journal.search({ ...all, ...options })).map(({ index }) => index)
      assert.deepEqual(await indexes({ limit: 2 }), [19, 20])
      assert.deepEqual(await indexes({ since: NOON + 17, until: NOON + 19 }), [18, 19])
      assert.deepEqual(await indexes({ before: 3 }), [1, 2])
      assert.deepEqual(await indexes({ since: NOON + 999 }), [])
    })

    it('search() sees past a clock that was set back by hours', async (t) => {
      const { journal } = await open(t)
      for (const at of [NOON, NOON - 3_600_000, NOON + 1]) await journal.append({ kind: 'command', at })
      const found = await journal.search({ ...all, since: NOON })
      assert.deepEqual(
        found.map(({ index }) => index),
        [1, 3],
      )
    })

    it('prune() takes what is older from the beginning, says so, and verify() accepts it', async (t) => {
      const journal = await lines(t, 1300)
      assert.equal(await journal.prune(NOON + 700, NOON + 2000), 700)
      const report = await journal.verify()
      assert.equal(report.broken, undefined)
      assert.deepEqual([report.pruned, report.entries], [700, 601])
      assert.equal(journal.read({ limit: 1 })[0]?.kind, 'pruned')
    })

    it('prune() stops at the first that is younger, and goes on another time', async (t) => {
      const { journal } = await open(t)
      for (const at of [1, 2, 9, 3]) await journal.append({ kind: 'command', at: NOON + at })
      assert.equal(await journal.prune(NOON + 5, NOON + 20), 2)
      assert.equal(await journal.prune(NOON + 5, NOON + 20), 0)
      assert.equal(await journal.prune(NOON + 10, NOON + 20), 2)
      assert.equal((await journal.verify()).broken, undefined)
    })

    it('prune() of everything leaves the entry that says so, and the count goes on', async (t) => {
      const journal = await lines(t, 3)
      assert.equal(await journal.prune(NOON + 99, NOON + 99), 3)
      assert.deepEqual(
        journal.read({ limit: 9 }).map(({ index, kind }) => [index, kind]),
        [[4, 'pruned']],
      )
      assert.equal((await journal.append({ kind: 'command', at: NOON })).index, 5)
      assert.equal((await journal.verify()).broken, undefined)
    })

    it('verify() of an empty log is a report of no entries', async (t) => {
      const { journal } = await open(t)
      const report = await journal.verify()
      assert.equal(report.entries, 0)
      assert.equal(report.broken, undefined)
    })
  })
}
