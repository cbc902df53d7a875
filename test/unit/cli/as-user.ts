// SPDX-License-Identifier: GPL-3.0-or-later
/** Runs the CLI as a person's shell does: a process of its own, arguments in, streams and an exit status out. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const ENTRY = resolve(import.meta.dirname, '../../../daemon/cli/shallot.ts')
const RUN_MS_MAX = 60_000

export interface Ran {
  readonly exit: number | null
  readonly out: string
  readonly err: string
}

/** Two empty directories of a person and a daemon, gone when disposed. */
export class Account implements Disposable {
  readonly base = mkdtempSync(join(tmpdir(), 'sh-cli-'))
  readonly data = join(this.base, 'data')
  readonly owner = join(this.base, 'owner')
  readonly environment: Record<string, string> = {}

  run(args: readonly string[], input = '', signal?: AbortSignal): Promise<Ran> {
    const env = {
      PATH: process.env.PATH ?? '',
      HOME: this.base,
      SHALLOT_DATA: this.data,
      SHALLOT_OWNER: this.owner,
      ...this.environment,
    }
    const child = spawn(process.execPath, [ENTRY, ...args], {
      env,
      cwd: this.base,
      timeout: RUN_MS_MAX,
      killSignal: 'SIGKILL',
    })
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
