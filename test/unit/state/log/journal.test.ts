// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it, type TestContext } from 'node:test'
import { toHex } from '../../../../daemon/base/bytes.ts'
import type { JournalReport } from '../../../../daemon/core/ports.ts'
import { decodeEntry, encodeEntry, entryHash, genesisHash } from '../../../../daemon/state/log/index.ts'
import { NOON, openHome, partyOf, temporaryFolder } from '../../../support/state.ts'

const ENTRIES = 10

/** Writes ten entries, lets somebody at the closed file, and verifies. */
async function verifyAfter(t: TestContext, tamper: (db: DatabaseSync) => void): Promise<JournalReport> {
  const path = join(temporaryFolder(t), 'home.db')
  {
    await using home = await openHome(path)
    for (let i = 1; i <= ENTRIES; i++) {
      await home.journal.append({ kind: 'command', at: NOON + i, device: partyOf(i % 2), note: `entry ${i}` })
    }
  }
  const db = new DatabaseSync(path)
  tamper(db)
  db.close()
  await using home = await openHome(path)
  return home.journal.verify()
}

function bodyOf(db: DatabaseSync, position: number): Uint8Array {
  return db.prepare('SELECT body FROM entry WHERE position = ?').get(position)!.body as Uint8Array
}

function setBody(db: DatabaseSync, position: number, body: Uint8Array): void {
  db.prepare('UPDATE entry SET body = ? WHERE position = ?').run(body, position)
}

/** The chain from `position` on as somebody would forge it who knows how hashes are made. */
function rehash(db: DatabaseSync, position: number): void {
  for (let at = position; at <= ENTRIES; at++) {
    const before = db.prepare('SELECT hash FROM entry WHERE position = ?').get(at - 1)!.hash as Uint8Array
    const hash = entryHash(before, bodyOf(db, at))
    db.prepare('UPDATE entry SET hash = ? WHERE position = ?').run(hash, at)
  }
}

describe('verify() names the first break', () => {
  it('a changed byte, in any of the first, middle and last entries', async (t) => {
    for (const position of [1, 5, ENTRIES]) {
      const report = await verifyAfter(t, (db) => {
        const body = Uint8Array.from(bodyOf(db, position))
        body[body.length - 1]! ^= 1
        setBody(db, position, body)
      })
      assert.deepEqual(report.broken, { index: position, why: 'changed' })
      assert.equal(report.entries, position - 1)
    }
  })

  it('an entry rewritten with a hash that fits breaks at the next one', async (t) => {
    const report = await verifyAfter(t, (db) => {
      const before = db.prepare('SELECT hash FROM entry WHERE position = 4').get()!.hash as Uint8Array
      const body = encodeEntry(5, { kind: 'command', at: NOON, device: partyOf(1), note: 'another' })
      setBody(db, 5, body)
      db.prepare('UPDATE entry SET hash = ? WHERE position = 5').run(entryHash(before, body))
    })
    assert.deepEqual(report.broken, { index: 6, why: 'changed' })
  })

  it('a deleted row', async (t) => {
    const report = await verifyAfter(t, (db) => db.exec('DELETE FROM entry WHERE position = 5'))
    assert.deepEqual(report.broken, { index: 5, why: 'missing' })
  })

  it('a deleted first row', async (t) => {
    const report = await verifyAfter(t, (db) => db.exec('DELETE FROM entry WHERE position = 1'))
    assert.deepEqual(report.broken, { index: 1, why: 'missing' })
  })

  it('two swapped rows', async (t) => {
    const report = await verifyAfter(t, (db) =>
      db.exec(`UPDATE entry SET position = 99 WHERE position = 4;
               UPDATE entry SET position = 4 WHERE position = 6;
               UPDATE entry SET position = 6 WHERE position = 99`),
    )
    assert.deepEqual(report.broken, { index: 4, why: 'changed' })
  })

  it('swapped contents with all hashes made anew: the entries say where they belong', async (t) => {
    const report = await verifyAfter(t, (db) => {
      const [fourth, sixth] = [bodyOf(db, 4), bodyOf(db, 6)]
      setBody(db, 4, sixth)
      setBody(db, 6, fourth)
      rehash(db, 4)
    })
    assert.deepEqual(report.broken, { index: 4, why: 'misplaced' })
  })

  it('an inserted row after a gap', async (t) => {
    const report = await verifyAfter(t, (db) => db.exec('UPDATE entry SET position = 12 WHERE position = 10'))
    assert.deepEqual(report.broken, { index: 10, why: 'missing' })
  })

  it('a row filed under another device', async (t) => {
    for (const device of ['NULL', `x'${'00'.repeat(32)}'`]) {
      const report = await verifyAfter(t, (db) =>
        db.exec(`UPDATE entry SET device = ${device} WHERE position = 5`),
      )
      assert.deepEqual(report.broken, { index: 5, why: 'misfiled' })
    }
  })

  it('a body that is no entry, though its hash fits', async (t) => {
    const report = await verifyAfter(t, (db) => {
      setBody(db, 5, Uint8Array.of(0xa0))
      rehash(db, 5)
    })
    assert.deepEqual(report.broken, { index: 5, why: 'changed' })
  })

  it('a chain that belongs to another hub', async (t) => {
    const report = await verifyAfter(t, (db) => {
      const forged = encodeEntry(1, { kind: 'command', at: NOON, device: partyOf(1) })
      setBody(db, 1, forged)
      db.prepare('UPDATE entry SET hash = ? WHERE position = 1').run(
        entryHash(genesisHash(partyOf(77)), forged),
      )
      rehash(db, 2)
    })
    assert.deepEqual(report.broken, { index: 1, why: 'changed' })
  })

  it('a cut-off tail shows to whoever kept the head, and only to them', async (t) => {
    const untouched = await verifyAfter(t, () => {})
    const cut = await verifyAfter(t, (db) => db.exec('DELETE FROM entry WHERE position > 8'))
    assert.equal(cut.broken, undefined)
    assert.equal(cut.entries, 8)
    assert.notEqual(toHex(cut.head), toHex(untouched.head))
  })
})

describe('a chain may begin after a pruned part', () => {
  /** Entry 4 is the last that is older. */
  const MIDDLE = NOON + 5

  async function prunedThen(t: TestContext, tamper: (db: DatabaseSync) => void): Promise<JournalReport> {
    const path = join(temporaryFolder(t), 'home.db')
    {
      await using home = await openHome(path)
      for (let i = 1; i <= ENTRIES; i++) await home.journal.append({ kind: 'command', at: NOON + i })
      assert.equal(await home.journal.prune(MIDDLE, NOON + 99), 4)
    }
    const db = new DatabaseSync(path)
    tamper(db)
    db.close()
    await using home = await openHome(path)
    return home.journal.verify()
  }

  it('and verifies from the last hash that was pruned, and tells how many went', async (t) => {
    const report = await prunedThen(t, () => {})
    assert.equal(report.broken, undefined)
    assert.deepEqual([report.pruned, report.entries], [4, 7])
  })

  it('but not from another hash', async (t) => {
    const report = await prunedThen(t, (db) =>
      db.exec(`UPDATE chain SET pruned_hash = x'${'11'.repeat(32)}'`),
    )
    assert.deepEqual(report.broken, { index: 5, why: 'changed' })
  })

  it('and not when more is gone than was pruned', async (t) => {
    const report = await prunedThen(t, (db) => db.exec('DELETE FROM entry WHERE position = 5'))
    assert.deepEqual(report.broken, { index: 5, why: 'missing' })
  })

  it('and not when somebody cut more off and moved the mark: the log does not say so', async (t) => {
    const report = await prunedThen(t, (db) =>
      db.exec(`UPDATE chain SET pruned_to = 6, pruned_hash = (SELECT hash FROM entry WHERE position = 6);
               DELETE FROM entry WHERE position <= 6`),
    )
    assert.deepEqual(report.broken, { index: 7, why: 'missing' })
  })

  it('and not when nothing was ever pruned by the hub', async (t) => {
    const report = await verifyAfter(t, (db) =>
      db.exec(`UPDATE chain SET pruned_to = 4, pruned_hash = (SELECT hash FROM entry WHERE position = 4);
               DELETE FROM entry WHERE position <= 4`),
    )
    assert.deepEqual(report.broken, { index: 5, why: 'missing' })
  })
})

describe('entry bytes', () => {
  it('stay what they are: a hash computed once is good for ever', () => {
    const body = encodeEntry(1, { kind: 'command', at: 1, note: 'x' })
    assert.equal(toHex(body), 'a401010267636f6d6d616e6403010a6178')
    const hash = entryHash(genesisHash(partyOf(1)), body)
    assert.equal(toHex(hash), '2435fb9415cf77530795ff17b3d2cd652b40c786483172c4a557a622596d4af0')
  })

  it('with a member of a later version are read, and are part of the hash', () => {
    const body = Uint8Array.fromHex('a501010267636f6d6d616e640301186401187801')
    assert.equal(decodeEntry(body)?.kind, 'command')
  })

  it('that are no entry are undefined', () => {
    for (const hex of ['', 'a0', '80', 'a3010102010301', 'a401010267636f6d6d616e6403010a617800', 'ff']) {
      assert.equal(decodeEntry(Uint8Array.fromHex(hex)), undefined, hex)
    }
  })
})
