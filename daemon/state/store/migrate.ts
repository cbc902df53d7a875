// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { StateError } from '../error.ts'

interface Migration {
  readonly version: number
  readonly name: string
  readonly sql: string
}

const FOLDER = new URL('./migrations/', import.meta.url)

/** The numbered files, ascending from 1 without gaps. */
function readMigrations(): readonly Migration[] {
  const names = readdirSync(FOLDER)
    .filter((name) => name.endsWith('.sql'))
    .sort()
  return names.map((name, i) => {
    const version = Number(/^(\d{3})-[a-z-]+\.sql$/.exec(name)?.[1])
    assert.equal(version, i + 1, `migration ${name} is out of order`)
    return { version, name, sql: readFileSync(new URL(name, FOLDER), 'utf8') }
  })
}

export function versionOf(db: DatabaseSync): number {
  return db.prepare('PRAGMA user_version').get()!.user_version as number
}

/**
 * Brings the schema up to this program's version, each step whole or not at all.
 * @throws StateError newer-schema, with nothing changed
 */
export function migrate(db: DatabaseSync): void {
  const migrations = readMigrations()
  const version = versionOf(db)
  if (version > migrations.length) {
    throw new StateError(
      'newer-schema',
      `the database has schema ${version}; this program knows ${migrations.length}. Use the newer program.`,
    )
  }
  for (const migration of migrations.slice(version)) step(db, migration)
}

function step(db: DatabaseSync, { version, sql }: Migration): void {
  db.exec('BEGIN IMMEDIATE')
  try {
    db.exec(sql)
    db.exec(`PRAGMA user_version = ${version}`)
    db.exec('COMMIT')
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}
