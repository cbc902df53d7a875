// SPDX-License-Identifier: GPL-3.0-or-later
import type { Config } from '../config/index.ts'
import { createHome, holdsHome, saveHub, saveOwner } from '../config/keyring.ts'
import type { Seed } from '../core/identity/index.ts'
import type { PartyId } from '../core/model/index.ts'
import { CliError } from './error.ts'
import type { Tools } from './tools.ts'

/** @throws CliError home-exists, before anybody has written down words for nothing */
export function requireNoHome({ owner, data }: Config): void {
  requireFreeDirectory(owner, '--owner')
  requireFreeDirectory(data, '--data')
}

/** @throws CliError home-exists */
export function requireFreeDirectory(directory: string, flag: string): void {
  if (!holdsHome(directory)) return
  throw new CliError('home-exists', `there is a home in ${directory} already; it was not touched`, {
    next: `name another directory with ${flag}, or move that one away yourself`,
  })
}

export interface Founded {
  readonly home: PartyId
  readonly owner: string
  readonly data: string
}

/** Makes the keys and writes both directories: the owner's and the daemon's. The root is forgotten when this returns. */
export function foundHome(tools: Tools, seed: Seed, ownerName: string, as?: string): Founded {
  const { owner, data } = tools.configured.config
  if (!/^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,31}$/u.test(ownerName)) {
    throw new CliError('usage', "the owner's name is 1 to 32 letters, digits, dots, dashes or spaces")
  }
  if (as !== undefined && !/^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,31}$/u.test(as)) {
    throw new CliError('usage', 'the name of a home is 1 to 32 letters, digits, dots, dashes or spaces')
  }
  const home = createHome(seed, { ownerName, as, now: tools.clock.now(), random: tools.random })
  keep(owner, '--owner', () => saveOwner(owner, home.owner))
  keep(data, '--data', () => saveHub(data, home.hub))
  return { home: home.hub.home, owner, data }
}

/** What the file system refuses is the person's to mend, and no fault of ours. */
function keep(directory: string, flag: string, save: () => void): void {
  try {
    save()
  } catch (cause) {
    if (!isErrno(cause)) throw cause
    throw new CliError('forbidden', `the home was not made: ${directory} cannot be written (${cause.code})`, {
      cause,
      next: `name a directory of yours with ${flag}; words shown just now are of no home`,
    })
  }
}

function isErrno(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error
}
