// SPDX-License-Identifier: GPL-3.0-or-later
import type { Clock } from '../base/clock.ts'
import { ignore } from '../base/error.ts'

/** The two streams of a terminal, or of a script that listens. */
export interface Streams {
  readonly out: NodeJS.WritableStream & { isTTY?: boolean; columns?: number }
  readonly err: NodeJS.WritableStream & { isTTY?: boolean }
}

export interface Step extends Disposable {
  say(what: string): void
  /** Makes room for a line that stays. */
  clear(): void
}

const QUIET_MS = 1000
const FRAME_MS = 120
const FRAMES = ['⠋', '⠙', '⠸', '⠴', '⠦', '⠇']

/**
 * How a verb speaks: results on stdout, what it is doing on stderr. With `json`, one object a line on stdout and nothing else.
 * Text for people loses its control characters, because names and reasons come from elsewhere.
 */
export class Voice {
  readonly json: boolean
  readonly #streams: Streams
  readonly #clock: Clock
  #taken: Promise<Error | undefined> = Promise.resolve(undefined)

  constructor(clock: Clock, streams: Streams, json: boolean) {
    this.json = json
    this.#clock = clock
    this.#streams = streams
  }

  get isTerminal(): boolean {
    return this.#streams.out.isTTY === true
  }

  /** Of the screen, as far as it says. */
  get columns(): number | undefined {
    return this.#streams.out.columns
  }

  /** One result or one line of a stream: the object for scripts, the text for people. */
  tell(object: object, text: () => string): void {
    const line = this.json ? JSON.stringify(object) : plain(text())
    if (this.json || line !== '') this.#print(line)
  }

  /** For people only, on stdout. */
  say(text: string): void {
    if (!this.json) this.#print(plain(text))
  }

  #print(line: string): void {
    const { promise, resolve } = Promise.withResolvers<Error | undefined>()
    this.#streams.out.write(`${line}\n`, (error) => resolve(error ?? undefined))
    const before = this.#taken
    this.#taken = before.then((failed) => failed ?? promise)
  }

  /** Why something that was told so far did not get out, such as a disk that is full; undefined when all of it did. */
  lost(): Promise<Error | undefined> {
    return this.#taken
  }

  /** For people only, beside the result. */
  note(text: string): void {
    if (!this.json) this.#streams.err.write(`${plain(text)}\n`)
  }

  /** Shows what takes so long, once it has taken more than a second. */
  working(what: string): Step {
    if (this.json) return { say: () => {}, clear: () => {}, [Symbol.dispose]: () => {} }
    return this.#streams.err.isTTY ? this.#spin(what) : this.#mention(what)
  }

  #mention(first: string): Step {
    let what = first
    let late = false
    const over = new AbortController()
    const mention = () => this.#streams.err.write(`${plain(what)} …\n`)
    this.#clock.sleep(QUIET_MS, over.signal).then(
      () => {
        late = true
        mention()
      },
      (error) => ignore(error, 'it was done in time'),
    )
    return {
      say: (next) => {
        if (next === what) return
        what = next
        if (late) mention()
      },
      clear: () => {},
      [Symbol.dispose]: () => over.abort(),
    }
  }

  #spin(first: string): Step {
    let what = first
    let frame = 0
    const draw = () => {
      frame++
      if (frame * FRAME_MS >= QUIET_MS) {
        this.#streams.err.write(`\r\x1b[2K${FRAMES[frame % FRAMES.length]} ${plain(what)}`)
      }
    }
    const clear = () => {
      if (frame * FRAME_MS >= QUIET_MS) this.#streams.err.write('\r\x1b[2K')
    }
    const ticks = this.#clock.every(FRAME_MS, draw)
    return {
      say: (next) => {
        what = next
      },
      clear,
      [Symbol.dispose]: () => {
        ticks[Symbol.dispose]()
        clear()
      },
    }
  }
}

/** Without what could move the cursor, colour the screen or retitle the window. */
export function plain(text: string): string {
  return text.replace(
    /[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    '\ufffd',
  )
}

/** Columns of text, each as wide as its widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows)
    row.forEach((cell, at) => {
      widths[at] = Math.max(widths[at] ?? 0, plain(cell).length)
    })
  return rows
    .map((row) =>
      row
        .map((cell, at) => plain(cell).padEnd(widths[at]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
