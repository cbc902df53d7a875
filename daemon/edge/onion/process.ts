// SPDX-License-Identifier: GPL-3.0-or-later
import { type ChildProcess, spawn } from 'node:child_process'
import { once as event } from 'node:events'
import { chmod, copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { ignore } from '../../base/error.ts'
import { Latch, once } from '../../base/lifetime.ts'
import { OnionError } from './error.ts'
import { type TorFiles, torrcText } from './torrc.ts'

export interface TorProcessOptions {
  /** Name or path of the program. */
  readonly binary: string
  readonly files: TorFiles
  readonly extraTorrc: readonly string[]
}

export interface TorProcess extends AsyncDisposable {
  readonly pid: number
  /** Settles when tor has ended, with its last words; never rejects. */
  readonly ended: Promise<OnionError>
}

const STOP_MS_MAX = 3000
const LAST_WORDS_MAX = 300
const WARNINGS_KEPT = 2
const WARNING = /^.*?\[(?:warn|err)\] /
const SEED_NAME = /^cached-[a-z.-]+$/

/** Makes tor's directory, and puts cached directory files into it so that a first start need not fetch them. */
export async function prepareTor(files: TorFiles, seedFiles: string | undefined): Promise<void> {
  for (const directory of [files.directory, files.data]) {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await chmod(directory, 0o700)
  }
  await writeFile(files.empty, '', { mode: 0o600 })
  if (seedFiles === undefined) return
  for (const name of await readdir(seedFiles)) {
    if (SEED_NAME.test(name)) await copyFile(join(seedFiles, name), join(files.data, name))
  }
}

/** A path is relative to where the daemon runs, a name is looked for. */
function programOf(binary: string): string {
  return binary.includes('/') ? resolve(binary) : binary
}

/**
 * Runs tor in its own directory and process group; it ends when disposed, and soon after this process dies.
 * @throws OnionError tor-missing when the program cannot be run
 */
export async function openTorProcess(clock: Clock, options: TorProcessOptions): Promise<TorProcess> {
  const { files } = options
  await writeFile(files.torrc, torrcText(files, process.pid, options.extraTorrc), { mode: 0o600 })
  // A socket left by a killed tor refuses, and its cookie is of no use: whoever waits for them must not find them.
  for (const file of [files.control, files.socks, files.cookie]) await rm(file, { force: true })
  // Its own process group: Ctrl-C in a terminal is for the daemon, which needs tor until it has closed.
  const tor = spawn(programOf(options.binary), ['--defaults-torrc', files.empty, '-f', files.torrc], {
    // Targets are told from here.
    cwd: files.directory,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const words = new LastWords(tor)
  await event(tor, 'spawn').catch((cause) => {
    throw new OnionError('tor-missing', `${options.binary} cannot be run: is tor installed?`, { cause })
  })
  const ended = new Latch<OnionError>()
  tor.once('exit', (code, signal) => {
    ended.open(new OnionError('tor-died', `tor ended (${signal ?? `exit ${code}`}). ${words.text()}`.trim()))
  })
  const close = once(async () => {
    if (hasEnded(tor)) return
    const gone = event(tor, 'exit')
    tor.kill('SIGTERM')
    const late = new AbortController()
    const timer = clock.sleep(STOP_MS_MAX, late.signal).then(() => tor.kill('SIGKILL'))
    await gone
    late.abort()
    await timer.catch((error) => ignore(error, 'tor ended in time'))
  })
  return { pid: tor.pid!, ended: ended.promise, [Symbol.asyncDispose]: close }
}

/** The last warnings tor printed: the only place where it says why it will not run. */
class LastWords {
  #tail = ''
  #warnings: string[] = []

  constructor(tor: ChildProcess) {
    for (const stream of [tor.stdout, tor.stderr]) {
      stream?.setEncoding('utf8')
      stream?.on('data', (text: string) => this.#hear(text))
      stream?.on('error', (error) => ignore(error, 'the end of tor is told by its exit'))
    }
  }

  #hear(text: string): void {
    const lines = (this.#tail + text).split('\n')
    this.#tail = lines.pop()!.slice(-LAST_WORDS_MAX)
    const warnings = lines.filter((line) => WARNING.test(line)).map((line) => line.replace(WARNING, ''))
    this.#warnings = [...this.#warnings, ...warnings].slice(-WARNINGS_KEPT)
  }

  text(): string {
    return this.#warnings.join(' ').slice(0, LAST_WORDS_MAX)
  }
}

function hasEnded(tor: ChildProcess): boolean {
  return tor.exitCode !== null || tor.signalCode !== null
}
