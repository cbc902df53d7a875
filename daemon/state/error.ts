// SPDX-License-Identifier: GPL-3.0-or-later
import { RoomError } from '../base/error.ts'

export type StateCode =
  /** The folder of the database is not there, or is no folder. */
  | 'directory-missing'
  | 'not-writable'
  /** The database was there once, and is not. */
  | 'gone'
  /** There is one, where another was to be begun. */
  | 'there'
  /** Others on this machine may read the file. */
  | 'loose-mode'
  /** Another process holds the database. */
  | 'in-use'
  /** A sound SQLite database, but of another program. */
  | 'not-ours'
  /** Written by a newer Shallot than this one. */
  | 'newer-schema'
  | 'corrupt'
  | 'disk-full'
  | 'io'
  | 'closed'
  | 'unknown-device'
  | 'permit-known'
  | 'permit-unknown'
  | 'permit-used'
  | 'pairing-known'

export class StateError extends RoomError<StateCode> {}

/** SQLite's primary result codes that mean the storage failed, not the statement. */
const STORAGE_CODES: ReadonlyMap<number, StateCode> = new Map([
  [5, 'in-use'],
  [6, 'in-use'],
  [7, 'io'],
  [8, 'not-writable'],
  [10, 'io'],
  [11, 'corrupt'],
  [13, 'disk-full'],
  [14, 'io'],
  [26, 'corrupt'],
])

const FILE_CODES: ReadonlyMap<string, StateCode> = new Map([
  ['ENOENT', 'directory-missing'],
  ['ENOTDIR', 'directory-missing'],
  ['EACCES', 'not-writable'],
  ['EPERM', 'not-writable'],
  ['EROFS', 'not-writable'],
  ['ENOSPC', 'disk-full'],
  ['EDQUOT', 'disk-full'],
])

const SENTENCES: Partial<Record<StateCode, string>> = {
  'in-use': 'another process holds this home’s database: does its daemon run already? One at a time',
}

/** The StateError behind an error of SQLite or the file system; undefined when it is neither. */
export function storageFault(error: unknown): StateError | undefined {
  if (error instanceof StateError) return error
  if (!(error instanceof Error)) return undefined
  const code = codeOfFault(error)
  return code && new StateError(code, SENTENCES[code] ?? `storage: ${error.message}`, { cause: error })
}

function codeOfFault(error: Error): StateCode | undefined {
  if ('errcode' in error && typeof error.errcode === 'number') return STORAGE_CODES.get(error.errcode & 0xff)
  if ('syscall' in error && 'code' in error) return FILE_CODES.get(String(error.code)) ?? 'io'
  return undefined
}
