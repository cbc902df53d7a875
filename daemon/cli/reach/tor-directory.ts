// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Where a tor of ours lives. What it learns (its guard, the directory of relays) is kept in the owner's directory, because a tor
 * that begins from nothing at each command picks a new guard each time: sooner or later a hostile one. One tor at a time uses it;
 * a second one meanwhile starts from a copy, so it has the same guard. Sockets lie apart, as their paths may have 107 bytes only.
 */
import { copyFile, lstat, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ignore, isCode } from '../../base/error.ts'

/** Of one tor, for as long as it runs: its sockets and its torrc, and what it would keep if it may not keep it for good. */
export interface RunDirectory extends AsyncDisposable {
  readonly path: string
  /** A data directory for this run alone, with what `kept` holds at this moment. */
  spareOf(kept: string): Promise<string>
}

export async function openRunDirectory(): Promise<RunDirectory> {
  await sweep()
  const path = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`))
  await writeFile(join(path, 'empty'), '', { mode: 0o600 })
  return {
    path,
    spareOf: (kept) => copyKept(kept, join(path, 'data')),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 3 }),
  }
}

const PREFIX = 'shallot-tor-'

/** What killed commands could not take away. */
async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = name.startsWith(PREFIX) ? /^(\d{1,9})-/.exec(name.slice(PREFIX.length))?.[1] : undefined
    if (pid === undefined || isRunning(Number(pid))) continue
    const path = join(tmpdir(), name)
    try {
      const stat = await lstat(path)
      if (stat.isDirectory() && stat.uid === process.getuid?.()) await rm(path, { recursive: true })
    } catch (error) {
      ignore(error, 'another shallot sweeps at the same time')
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return !isCode(error, 'ESRCH')
  }
}

/** Each is replaced whole by tor, or is a list of which it reads as much as is there. */
const KNOWLEDGE = [
  'state',
  'cached-certs',
  'cached-microdesc-consensus',
  'cached-microdescs',
  'cached-microdescs.new',
]

async function copyKept(kept: string, to: string): Promise<string> {
  await mkdir(to, { mode: 0o700 })
  for (const name of KNOWLEDGE) {
    await copyFile(join(kept, name), join(to, name)).catch((error) => {
      if (!isCode(error, 'ENOENT')) throw error
    })
  }
  return to
}

/** Whether the tor of this directory has chosen its guard: before, a copy of it would choose another. */
export async function holdsGuard(kept: string): Promise<boolean> {
  try {
    return /^Guard in=/m.test(await readFile(join(kept, 'state'), 'utf8'))
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error
    return false
  }
}
