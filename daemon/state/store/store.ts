// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Log } from '../../base/log.ts'
import { StateError, storageFault } from '../error.ts'
import { IN_MEMORY, openDatabase } from './database.ts'

export interface StoreOptions {
  /** The database file, or IN_MEMORY. */
  readonly path: string
  /** `must`: the database is to be made, and not there; `must-not`: it is to be there. Absent: as it is found. */
  readonly begin?: 'must' | 'must-not' | undefined
  /** The most the file may hold; writes beyond it are `disk-full`. Absent: as much as there is. */
  readonly bytesMax?: number | undefined
}

/** As many as one transaction takes; the call that fills it commits it, so no more than this is ever waiting. */
const BATCH_JOBS_MAX = 512

interface Job {
  readonly run: () => unknown
  readonly committed: (value: never) => void
  readonly resolve: (value: never) => void
  readonly reject: (error: unknown) => void
}

type Outcome = { readonly job: Job; readonly value: unknown } | { readonly job: Job; readonly error: unknown }

/**
 * One database and one queue of writes. What is queued in one turn of the event loop is one transaction, so that many
 * devices share one wait for the disk.
 */
export class Store implements AsyncDisposable {
  readonly #db: DatabaseSync
  readonly #log: Log
  readonly #requireFiles: () => void
  readonly #transaction: Readonly<Record<'begin' | 'commit' | 'savepoint' | 'release', StatementSync>>
  #queue: Job[] = []
  #scheduled = false
  #closed = false

  constructor(db: DatabaseSync, log: Log, requireFiles: () => void) {
    this.#db = db
    this.#log = log
    this.#requireFiles = requireFiles
    this.#transaction = {
      begin: db.prepare('BEGIN IMMEDIATE'),
      commit: db.prepare('COMMIT'),
      savepoint: db.prepare('SAVEPOINT job'),
      release: db.prepare('RELEASE job'),
    }
  }

  prepare(sql: string): StatementSync {
    return this.#db.prepare(sql)
  }

  /**
   * Runs `job` in the next transaction. Jobs see what earlier jobs wrote; one that throws is undone and rejected alone.
   * @param committed  called once the transaction is on disk, in the order of the jobs, before any promise resolves
   * @returns after COMMIT
   * @throws StateError disk-full | io | corrupt (then nothing of the whole batch was kept; later writes are tried anew) | closed
   */
  write<T>(job: () => T, committed: (value: T) => void = () => {}): Promise<T> {
    if (this.#closed) return Promise.reject(new StateError('closed', 'the store is closed'))
    return new Promise((resolve, reject) => {
      this.#queue.push({ run: job, committed, resolve, reject })
      if (this.#queue.length >= BATCH_JOBS_MAX) this.#flush()
      else this.#schedule()
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#flush()
    this.#db.close()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#flush()
    })
  }

  #flush(): void {
    const jobs = this.#queue
    this.#queue = []
    if (jobs.length === 0) return
    assert(!this.#db.isTransaction, 'a job must not write by itself')
    let outcomes: readonly Outcome[]
    try {
      outcomes = this.#transact(jobs)
    } catch (error) {
      this.#fail(jobs, error)
      return
    }
    for (const outcome of outcomes) settle(outcome)
  }

  #transact(jobs: readonly Job[]): readonly Outcome[] {
    this.#transaction.begin.run()
    const outcomes = jobs.map((job) => this.#attempt(job))
    this.#requireFiles()
    this.#transaction.commit.run()
    return outcomes
  }

  #attempt(job: Job): Outcome {
    this.#transaction.savepoint.run()
    try {
      const value = job.run()
      this.#transaction.release.run()
      return { job, value }
    } catch (error) {
      // Some storage errors end the whole transaction by themselves; all of them end it here.
      if (!this.#db.isTransaction || isStorage(error)) throw error
      this.#db.exec('ROLLBACK TO job; RELEASE job')
      return { job, error }
    }
  }

  #fail(jobs: readonly Job[], error: unknown): void {
    if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
    const fault = storageFault(error) ?? error
    this.#log.say('error', 'store-failed', { jobs: jobs.length, message: String(fault) })
    for (const job of jobs) job.reject(fault)
  }
}

function isStorage(error: unknown): boolean {
  return !(error instanceof StateError) && storageFault(error) !== undefined
}

function settle(outcome: Outcome): void {
  const { job } = outcome
  try {
    if ('error' in outcome) throw outcome.error
    job.committed(outcome.value as never)
    job.resolve(outcome.value as never)
  } catch (error) {
    job.reject(error)
  }
}

/** @throws StateError as `openDatabase` does */
export async function openStore(
  deps: { readonly log: Log },
  options: StoreOptions,
  signal: AbortSignal,
): Promise<Store> {
  signal.throwIfAborted()
  const db = openDatabase(options.path, options.begin)
  if (options.bytesMax !== undefined) limit(db, options.bytesMax)
  return new Store(db, deps.log, options.path === IN_MEMORY ? () => {} : filesStay(options.path))
}

/** SQLite goes on writing into a file whose name is gone, and all of it is lost with the process: so the names are looked up. */
function filesStay(path: string): () => void {
  const names = [path, `${path}-wal`]
  const opened = names.map(fileAt)
  return () => {
    const lost = names.find((name, at) => fileAt(name) !== opened[at])
    if (lost === undefined) return
    throw new StateError(
      'io',
      `${lost} was removed or replaced while it was in use: put it back, and start again`,
    )
  }
}

/** Which file has this name now. */
function fileAt(name: string): bigint | undefined {
  return statSync(name, { bigint: true, throwIfNoEntry: false })?.ino
}

function limit(db: DatabaseSync, bytes: number): void {
  const { page_size: size } = db.prepare('PRAGMA page_size').get()!
  db.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(bytes / Number(size)))}`)
}
