// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * A database that the daemon of 2026-11-25 (6c4baeb, schema 14) wrote with two devices, an owner, two guests, two scripts and a
 * phone that was invited; it stopped by SIGTERM. Its author's key is gone with that home.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it, type TestContext } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { parseId } from '../../../../daemon/core/model/index.ts'
import { openHome, temporaryFolder } from '../../../support/state.ts'

const OLDER = gunzipSync(readFileSync(new URL('../../../support/older/schema-14.sqlite.gz', import.meta.url)))
const MIGRATIONS = new URL('../../../../daemon/state/store/migrations/', import.meta.url)
const AUTHOR = parseId('y75OzCMNdBRbhFkdcfvFNaIjXH0owhEqyrQxgAEFPqQ')!
const ALL = { entries: 24, pruned: 0, head: 'Wcn3sg-GGkC8SqeJosCf4HlBtt0b18xA644kVTVCBZI' }

function olderHome(t: TestContext): string {
  const path = join(temporaryFolder(t), 'home.sqlite')
  writeFileSync(path, OLDER, { mode: 0o600 })
  return path
}

async function tellsAll(path: string): Promise<void> {
  await using home = await openHome(path, { author: AUTHOR })
  const { entries, pruned, head } = await home.journal.verify()
  assert.deepEqual({ entries, pruned, head: Buffer.from(head).toString('base64url') }, ALL)
  const [lamp, weather] = home.devices.list()
  assert.deepEqual([lamp?.name, weather?.name], ['porch-light', 'balcony'])
  assert.deepEqual(
    home.readings.history(lamp!.id, 2, 0, 10).map(({ value }) => value),
    [100, 40, 30],
  )
  const kinds = ['person', 'holder', 'grant'] as const
  assert.deepEqual(
    kinds.map((kind) => home.papers.all(kind).length),
    [4, 2, 2],
  )
}

function schemaOf(path: string): unknown {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    return db.prepare('PRAGMA user_version').get()!.user_version
  } finally {
    db.close()
  }
}

describe('what an earlier version of this program wrote', () => {
  const names = readdirSync(MIGRATIONS).sort()

  it('is opened and brought up to date; nothing of it is lost, and the chain still ends where it did', async (t) => {
    const path = olderHome(t)
    assert.equal(schemaOf(path), 14)
    await tellsAll(path)
    assert.equal(schemaOf(path), names.length)
    await tellsAll(path)
  })

  it('is opened also when an update was cut off between two steps', async (t) => {
    const path = olderHome(t)
    const db = new DatabaseSync(path)
    db.exec(readFileSync(new URL(names[14]!, MIGRATIONS), 'utf8'))
    db.exec('PRAGMA user_version = 15')
    db.close()
    await tellsAll(path)
    assert.equal(schemaOf(path), names.length)
  })
})
