// SPDX-License-Identifier: GPL-3.0-or-later
/** Runs the CLI as a person's shell does: a process of its own, arguments in, streams and an exit status out. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Writable } from 'node:stream'
import { type Clock, systemClock } from '../../../daemon/base/clock.ts'
import { systemRandom } from '../../../daemon/base/random.ts'
import { runShallot } from '../../../daemon/cli/run.ts'

const ENTRY = resolve(import.meta.dirname, '../../../daemon/cli/shallot.js')
const CACHE = resolve(import.meta.dirname, '../../../.build/cli-cache')
const RUN_MS_MAX = 60_000

export interface Ran {
  readonly exit: number | null
  readonly out: string
  readonly err: string
}

class Heard extends Writable {
  text = ''
  readonly #onText: (text: string) => void

  constructor(onText: (text: string) => void = () => {}) {
    super()
    this.#onText = onText
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString()
    this.#onText(this.text)
    done()
  }
}

interface Within {
  /** All that was printed so far, whenever there is more. */
  readonly onOut?: (text: string) => void
  readonly onErr?: (text: string) => void
  /** As Ctrl-C. */
  readonly signal?: AbortSignal
}

/** Two empty directories of a person and a daemon, gone when disposed. */
export class Account implements Disposable {
  readonly base = mkdtempSync(join(tmpdir(), 'sh-cli-'))
  readonly data = join(this.base, 'data')
  readonly owner = join(this.base, 'owner')
  readonly environment: Record<string, string> = {}
  /** Of what runs within this process. */
  clock: Clock = systemClock

  variables(): Record<string, string> {
    return {
      PATH: process.env.PATH ?? '',
      HOME: this.base,
      // Shared, so that only the first of many runs compiles.
      XDG_CACHE_HOME: CACHE,
      SHALLOT_DATA: this.data,
      SHALLOT_OWNER: this.owner,
      ...this.environment,
    }
  }

  /** The process alone, for whoever wants to see it run or end it. @param into  a file that its standard output goes to */
  start(args: readonly string[], into?: string): ChildProcessWithoutNullStreams {
    const [program, ...words] = [process.execPath, ENTRY, ...args] as [string, ...string[]]
    const shell = ['-c', 'exec "$@" >"$0"', into ?? '', program, ...words]
    return spawn(into === undefined ? program : 'sh', into === undefined ? words : shell, {
      env: this.variables(),
      cwd: this.base,
      timeout: RUN_MS_MAX,
      killSignal: 'SIGKILL',
    })
  }

  run(args: readonly string[], input = '', signal?: AbortSignal, into?: string): Promise<Ran> {
    const child = this.start(args, into)
    signal?.addEventListener('abort', () => child.kill('SIGINT'), { once: true })
    let [out, err] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text) => {
      out += text
    })
    child.stderr.setEncoding('utf8').on('data', (text) => {
      err += text
    })
    child.stdin.on('error', () => {})
    child.stdin.end(input)
    return new Promise((done) => child.once('close', (exit) => done({ exit, out, err })))
  }

  async json(args: readonly string[], input = ''): Promise<Ran & { said: Record<string, unknown> }> {
    const ran = await this.run([...args, '--json'], input)
    return { ...ran, said: ran.out === '' ? {} : JSON.parse(ran.out.trimEnd().split('\n').at(-1)!) }
  }

  /** The same within this process, for the many command lines that come to nothing anyway. */
  async within(args: readonly string[], { onOut, onErr, signal }: Within = {}): Promise<Ran> {
    const [out, err] = [new Heard(onOut), new Heard(onErr)]
    const exit = await runShallot(
      { clock: this.clock, random: systemRandom },
      {
        args,
        environment: { SHALLOT_DATA: this.data, SHALLOT_OWNER: this.owner, ...this.environment },
        workingDirectory: this.base,
        streams: { out, err },
      },
      signal ?? new AbortController().signal,
    )
    return { exit, out: out.text, err: err.text }
  }

  async jsonWithin(args: readonly string[]): Promise<Ran & { said: Record<string, unknown> }> {
    const ran = await this.within([...args, '--json'])
    return { ...ran, said: JSON.parse(ran.out.trimEnd().split('\n').at(-1)!) }
  }

  /** A home made by `shallot init`, and its words. */
  async init(): Promise<string> {
    const { said, exit } = await this.json(['init'])
    if (exit !== 0) throw new Error(`init failed: ${JSON.stringify(said)}`)
    return said.words as string
  }

  [Symbol.dispose](): void {
    rmSync(this.base, { recursive: true, force: true })
  }
}
