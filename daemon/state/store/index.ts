// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The database: jobs enter, rows are on disk when their promise resolves (SQLite, WAL, synced on every commit).
 *
 * Always true: a job is kept whole or not at all, and jobs of one turn of the event loop are kept in one transaction; a file
 * that is not sound is refused, never replaced; one process at a time holds it. Migrations are numbered and only ever added.
 * Absent on purpose: meaning. Tables turn rows into values; registry and log say what they are for. There is no second
 * implementation for tests: IN_MEMORY is the same code without a file.
 */
export * from './confirmations.ts'
export { IN_MEMORY } from './database.ts'
export * from './devices.ts'
export * from './far-readings.ts'
export * from './journal.ts'
export * from './mesh.ts'
export * from './pairings.ts'
export * from './papers.ts'
export * from './past.ts'
export * from './permits.ts'
export * from './readings.ts'
export * from './services.ts'
export * from './signed.ts'
export * from './stills.ts'
export * from './store.ts'
export * from './tokens.ts'
export * from './updates.ts'
export * from './uses.ts'
