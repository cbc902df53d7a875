// SPDX-License-Identifier: GPL-3.0-or-later
/** The processes that make up the home in a box: each is started like a user would, heard line by line, and ended with us. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const ROOT = join(import.meta.dirname, '..', '..')
const SHALLOT = join(ROOT, 'daemon', 'cli', 'shallot.js')
const END_MS_MAX = 12_000

export interface Environment {
  readonly [name: string]: string | undefined
}

/** A long-running process of the home. */
export interface Child extends AsyncDisposable {
  readonly pid: number
  /** Resolves with the first line from the beginning that matches; rejects when the process ends or `ms` have passed. */
  line(pattern: RegExp, ms: number): Promise<string>
  readonly lines: readonly string[]
}

/** What a finished CLI call said: one JSON value per line. */
export interface Said {
  readonly status: number
  readonly objects: readonly Record<string, unknown>[]
  readonly errors: string
}

/** Runs one CLI command to its end, as somebody in that environment would. */
export async function shallot(
  args: readonly string[],
  environment: Environment,
  onProgress: (line: string) => void = () => {},
): Promise<Said> {
  const child = spawn(process.execPath, [SHALLOT, ...args], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const objects: Record<string, unknown>[] = []
  const errors: string[] = []
  createInterface({ input: child.stdout }).on('line', (text) => {
    objects.push(JSON.parse(text))
    onProgress(text)
  })
  createInterface({ input: child.stderr }).on('line', (text) => errors.push(text))
  const [status] = await once(child, 'close')
  return { status: status ?? 1, objects, errors: errors.slice(-5).join('; ') }
}

export function startShallot(args: readonly string[], environment: Environment): Child {
  const child = spawn(process.execPath, [SHALLOT, ...args], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return adopt(child, () => child.kill('SIGTERM'))
}

/** Listens to a process from now on; `end` asks it to stop. */
export function adopt(child: ChildProcess, end: () => void): Child {
  const lines: string[] = []
  const waiting = new Set<() => void>()
  const wake = () => {
    for (const each of waiting) each()
  }
  for (const stream of [child.stdout!, child.stderr!]) {
    createInterface({ input: stream }).on('line', (text) => {
      lines.push(text)
      wake()
    })
  }
  let ended = false
  const closed = once(child, 'close').then(() => {
    ended = true
    wake()
  })
  return {
    pid: child.pid!,
    lines,
    line(pattern, ms) {
      return new Promise((resolve, reject) => {
        const settle = (act: () => void) => {
          waiting.delete(look)
          clearTimeout(timer)
          act()
        }
        const fail = (why: string) =>
          settle(() =>
            reject(new Error(`${why} before ${pattern}; it said last: ${lines.slice(-3).join(' | ')}`)),
          )
        const look = () => {
          const found = lines.find((text) => pattern.test(text))
          if (found !== undefined) settle(() => resolve(found))
          else if (ended) fail('the process ended')
        }
        const timer = setTimeout(() => fail(`${ms} ms passed`), ms)
        waiting.add(look)
        look()
      })
    },
    async [Symbol.asyncDispose]() {
      if (ended) return
      end()
      const impatience = setTimeout(() => child.kill('SIGKILL'), END_MS_MAX)
      await closed
      clearTimeout(impatience)
    },
  }
}
