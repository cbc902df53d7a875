// SPDX-License-Identifier: GPL-3.0-or-later
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { StateError, storageFault } from '../error.ts'
import { migrate } from './migrate.ts'

/** A database that lives as long as its handle: for tests. */
export const IN_MEMORY = ':memory:'

/** "SHAL", in the header of the file, so that another program's database is not taken for ours. */
const APPLICATION_ID = 0x5348_414c

/**
 * Opens the database, or makes it when there is no trace of one, and there may be none. What is there and is not sound is refused, never replaced.
 * The handle holds the file alone until it is closed.
 * @throws StateError directory-missing | not-writable | gone | there | loose-mode | in-use | not-ours | newer-schema | corrupt | disk-full | io
 */
export function openDatabase(path: string, begin?: 'must' | 'must-not'): DatabaseSync {
  try {
    if (path === IN_MEMORY) return prepare(new DatabaseSync(IN_MEMORY), true)
    const stats = statSync(path, { throwIfNoEntry: false })
    if (stats && begin === 'must') throw new StateError('there', `${path} is there: nothing is begun anew`)
    if (stats) checkFile(path, stats)
    else create(path, begin)
    return prepare(new DatabaseSync(path), false)
  } catch (error) {
    throw storageFault(error) ?? error
  }
}

function checkFile(path: string, stats: Stats): void {
  if (!stats.isFile()) throw new StateError('not-writable', `${path} is not a file`)
  if ((stats.mode & 0o077) !== 0) {
    throw new StateError('loose-mode', `${path} can be read by others; make it private with chmod 600`)
  }
  checkHeader(path, stats)
}

/** What SQLite would take for a new database, or mend in silence: a file too short to be one, and one that lost its end. */
function checkHeader(path: string, stats: Stats): void {
  const header = readHeader(path)
  if (!header.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new StateError('corrupt', `${path} does not begin as a database does`)
  }
  // With a log beside it, the end of the file may still be in the log.
  if ((statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) return
  const pageBytes = header.readUInt16BE(16)
  const pages = header.readUInt32BE(28)
  if (stats.size < pages * pageBytes) {
    throw new StateError('corrupt', `${path} has ${stats.size} bytes of ${pages * pageBytes}`)
  }
}

const MAGIC = Buffer.from('SQLite format 3\0')
const HEADER_BYTES = 100

/** Opens for writing, because SQLite would fall back to reading. Closing gives up this process's locks: nothing may hold them yet. */
function readHeader(path: string): Buffer {
  const file = openSync(path, 'r+')
  try {
    const header = Buffer.alloc(HEADER_BYTES)
    readSync(file, header)
    return header
  } finally {
    closeSync(file)
  }
}

/** Makes the file under another name and moves it into place whole: a crash in between leaves nothing that looks like a home. */
function create(path: string, begin?: 'must' | 'must-not'): void {
  if (existsSync(`${path}-wal`))
    throw new StateError('corrupt', `${path} is gone but its log ${path}-wal is not`)
  if (begin === 'must-not')
    throw new StateError('gone', `${path} is not there, and all that this home has acknowledged was in it`)
  const draft = `${path}.new`
  for (const suffix of ['', '-journal', '-wal', '-shm']) rmSync(draft + suffix, { force: true })
  closeSync(openSync(draft, 'wx', 0o600))
  const db = new DatabaseSync(draft)
  try {
    db.exec('PRAGMA synchronous = FULL')
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}`)
    migrate(db)
    db.exec('PRAGMA journal_mode = WAL')
  } finally {
    db.close()
  }
  renameSync(draft, path)
  syncFolder(dirname(path))
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

function prepare(db: DatabaseSync, isNew: boolean): DatabaseSync {
  try {
    // Alone from the first access on: the registry's memory is right only while nobody else writes.
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA foreign_keys = ON; PRAGMA secure_delete = FAST')
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 16777216')
    db.exec('PRAGMA cache_size = -8192')
    if (isNew) db.exec(`PRAGMA application_id = ${APPLICATION_ID}`)
    const { application_id: id } = db.prepare('PRAGMA application_id').get()!
    if (id !== APPLICATION_ID) throw new StateError('not-ours', 'the database belongs to another program')
    migrate(db)
    db.exec('BEGIN IMMEDIATE; COMMIT')
    return db
  } catch (error) {
    db.close()
    throw error
  }
}
