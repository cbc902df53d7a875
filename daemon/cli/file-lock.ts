// SPDX-License-Identifier: GPL-3.0-or-later
import { mkdir, open, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { ignore, isCode } from '../base/error.ts'
import { CliError } from './error.ts'

const WAIT_MS = 15
const WAITS_MAX = 200
/** What is done under it lasts milliseconds: a lock this old has lost its owner. */
const LOCK_MS_MAX = 2000

/**
 * Does one short thing while no other process that asks for the same lock does it.
 * @throws CliError busy
 */
export async function underLock<T>(clock: Clock, path: string, act: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await take(clock, path)
  try {
    return await act()
  } finally {
    await rm(path, { force: true })
  }
}

async function take(clock: Clock, path: string): Promise<void> {
  for (let tries = 0; tries < WAITS_MAX; tries++) {
    try {
      await (await open(path, 'wx', 0o600)).close()
      return
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error
    }
    if (await isAbandoned(clock, path)) await rm(path, { force: true })
    else await clock.sleep(WAIT_MS)
  }
  throw new CliError('busy', `${path} is held by another shallot`, {
    next: 'try again; if no other shallot runs, delete that file',
  })
}

async function isAbandoned(clock: Clock, path: string): Promise<boolean> {
  try {
    return clock.now() - (await stat(path)).mtimeMs > LOCK_MS_MAX
  } catch (error) {
    ignore(error, 'it was given back just now')
    return false
  }
}
