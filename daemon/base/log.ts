// SPDX-License-Identifier: GPL-3.0-or-later
import type { Clock } from './clock.ts'
import { codeOf, sentenceOf } from './error.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>

export interface LogLine {
  readonly at: number
  readonly level: LogLevel
  readonly event: string
  readonly fields: LogFields
}

/**
 * The daemon's diary for operators (not the hash-chained log of acts, which is state/log).
 * One helper per event, so that a line is always shaped the same; a helper never throws.
 */
export class Log {
  readonly #clock: Clock
  readonly #write: (line: LogLine) => void

  constructor(clock: Clock, write: (line: LogLine) => void) {
    this.#clock = clock
    this.#write = write
  }

  say(level: LogLevel, event: string, fields: LogFields = {}): void {
    this.#write({ at: this.#clock.now(), level, event, fields })
  }

  taskFailed(task: string, error: unknown): void {
    this.say('error', 'task-failed', { task, code: codeOf(error), message: sentenceOf(error) })
  }
}

const ORDER: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 }

/** One JSON object a line; control characters cannot forge a line because JSON escapes them. */
export function jsonLines(out: (text: string) => void, least: LogLevel): (line: LogLine) => void {
  return (line) => {
    if (ORDER[line.level] < ORDER[least]) return
    out(
      `${JSON.stringify({ at: new Date(line.at).toISOString(), level: line.level, event: line.event, ...line.fields })}\n`,
    )
  }
}

export const silent = (_line: LogLine): void => {}
