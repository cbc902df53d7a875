// SPDX-License-Identifier: GPL-3.0-or-later
import { relative } from 'node:path'
import type { run } from 'node:test'

/** A log may be cut short, so what matters comes last, and briefly. */
const ERROR_LINES_MAX = 12
const STDERR_LINES_MAX = 20
const THE_FILE = 'the file itself'

export interface Failure {
  readonly file: string
  readonly line: number
  readonly name: string
  readonly error: string
}

/** What became of every test of several runs. */
export class Tally {
  passed = 0
  skipped = 0
  readonly failures: Failure[] = []
  readonly #root: string
  /** The last that each file said on its error output: why a file broke outside of its tests. */
  readonly #stderr = new Map<string, string[]>()

  constructor(root: string) {
    this.#root = root
  }

  follow(stream: ReturnType<typeof run>): void {
    stream.on('test:stderr', ({ file, message }) => {
      const lines = [...(this.#stderr.get(file) ?? []), ...message.trimEnd().split('\n')]
      this.#stderr.set(file, lines.slice(-STDERR_LINES_MAX))
    })
    stream.on('test:pass', ({ name, file, skip, details }) => {
      if (details.type === 'suite') return
      // What node:test reports of a file without tests.
      if (name === file) return this.#fail(file, 1, THE_FILE, 'no test ran in it')
      if (skip === undefined) this.passed++
      else this.skipped++
    })
    stream.on('test:fail', ({ name, file, line, details }) => {
      const error = details.error as Error & { failureType?: string; exitCode?: number; signal?: string }
      // A suite whose own hook failed is a failure; one that merely holds failed tests is told by them.
      if (error.failureType === 'subtestsFailed') return
      const where = file ?? name
      const isFile = name === file
      const end = `${error.message}: exit ${error.exitCode ?? error.signal ?? '?'}`
      if (!isFile) return this.#fail(where, line, name, sayError(error))
      this.#fail(where, line, THE_FILE, [end, ...(this.#stderr.get(where) ?? [])].join('\n'))
    })
  }

  #fail(file: string, line: number | undefined, name: string, error: string): void {
    this.failures.push({ file: relative(this.#root, file), line: line ?? 0, name, error })
  }

  /** Every failed test once more, then one line of counts. */
  *lines(): Generator<string> {
    for (const { file, line, name, error } of this.failures) {
      yield `✖ ${file}:${line}  ${name}`
      for (const each of error.split('\n')) yield `    ${each}`
    }
    yield `${this.passed} passed, ${this.failures.length} failed, ${this.skipped} skipped`
  }

  /** Nothing failed, and something ran. */
  get isGood(): boolean {
    return this.failures.length === 0 && this.passed > 0
  }
}

/** node:test wraps what was thrown; the runner's own frames tell nothing. */
function sayError(error: Error): string {
  const thrown = error.cause instanceof Error ? error.cause : error
  const lines = (thrown.stack ?? thrown.message)
    .split('\n')
    .filter((line) => !line.includes('(node:internal/'))
  return lines.slice(0, ERROR_LINES_MAX).join('\n')
}
