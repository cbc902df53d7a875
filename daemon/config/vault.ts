// SPDX-License-Identifier: GPL-3.0-or-later
/** Files that only their owner may read: directories 0700, files 0600, refused when looser, replaced whole or not at all. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { isCode } from '../base/error.ts'
import { ConfigError } from './error.ts'

const GROUP_OR_OTHERS = 0o077
/** No file of ours comes near it; a larger one is not ours. */
const FILE_BYTES_MAX = 1024 * 1024

/** Makes the directory if it is not there, and refuses one that others can look into. */
export function openVault(directory: string): void {
  makeDirectory(directory)
  requirePrivate(directory, 'directory')
}

/** Step by step, because Node's own `recursive` never ends where a directory is there and none can be made in it (/proc). */
function makeDirectory(directory: string): void {
  if (existsSync(directory)) return
  const parent = dirname(directory)
  if (parent !== directory) makeDirectory(parent)
  try {
    mkdirSync(directory, { mode: 0o700 })
  } catch (error) {
    // Another process made it just now.
    if (!isCode(error, 'EEXIST')) throw error
  }
}

export function holds(directory: string, name: string): boolean {
  return existsSync(join(directory, name))
}

/** @throws ConfigError missing | too-open | bad-config */
export function readPrivate(directory: string, name: string): Uint8Array {
  const path = join(directory, name)
  if (existsSync(path)) requirePrivate(directory, 'directory')
  return readPrivateFile(path)
}

/** A private file that may lie anywhere. @throws ConfigError missing | too-open | bad-config */
export function readPrivateFile(path: string): Uint8Array {
  if (!existsSync(path)) throw new ConfigError('missing', `${path} is not there`)
  requirePrivate(path, 'file')
  const bytes = readFileSync(path)
  if (bytes.length > FILE_BYTES_MAX) throw new ConfigError('bad-config', `${path} is too large to be ours`)
  return Uint8Array.from(bytes)
}

/** @throws ConfigError missing | too-open | bad-config */
export function readPrivateText(path: string): string {
  return new TextDecoder().decode(readPrivateFile(path))
}

/** A file of a directory of ours, replaced. */
export function writePrivate(directory: string, name: string, bytes: Uint8Array | string): void {
  openVault(directory)
  replacePrivateFile(join(directory, name), bytes)
}

/** A file of a directory of ours, gone for good when this returns; one that is not there is none. */
export function removePrivate(directory: string, name: string): void {
  if (!holds(directory, name)) return
  rmSync(join(directory, name), { force: true })
  syncDirectory(directory)
}

/** Writes beside, syncs, renames and syncs the directory: after a crash the file is the old one or the new one. */
export function replacePrivateFile(path: string, bytes: Uint8Array | string): void {
  const beside = `${path}.new`
  // What a crash left there may have another mode, or be a link: never written into.
  rmSync(beside, { force: true })
  writeSynced(beside, bytes)
  renameSync(beside, path)
  syncDirectory(dirname(path))
}

/** A file where none is, on disk when this returns; what could not be written whole is taken away. @throws EEXIST and the system's others */
export function createPrivateFile(path: string, bytes: Uint8Array | string): void {
  writeSynced(path, bytes)
  syncDirectory(dirname(path))
}

function writeSynced(path: string, bytes: Uint8Array | string): void {
  const file = openSync(path, 'wx', 0o600)
  try {
    const content = typeof bytes === 'string' ? Buffer.from(bytes) : bytes
    for (let at = 0; at < content.length; ) at += writeSync(file, content, at)
    fsyncSync(file)
  } catch (error) {
    rmSync(path, { force: true })
    throw error
  } finally {
    closeSync(file)
  }
}

function syncDirectory(path: string): void {
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } catch (error) {
    // A stick's file system may have no such thing for directories.
    if (!isCode(error, 'EINVAL')) throw error
  } finally {
    closeSync(directory)
  }
}

function requirePrivate(path: string, kind: 'file' | 'directory'): void {
  const stat = lstatSync(path)
  const right = kind === 'file' ? stat.isFile() : stat.isDirectory()
  if (!right) throw new ConfigError('bad-config', `${path} is not a ${kind}`)
  if ((stat.mode & GROUP_OR_OTHERS) !== 0) {
    const mode = (stat.mode & 0o777).toString(8)
    const fix = kind === 'file' ? '600' : '700'
    throw new ConfigError('too-open', `others can reach ${path} (mode ${mode}): run chmod ${fix} ${path}`)
  }
}
