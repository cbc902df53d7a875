// SPDX-License-Identifier: GPL-3.0-or-later
/** The CLI at a real pseudo-terminal: what a person sees, and keys as they type them. The terminal is util-linux's `script`. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import decodeQR from 'qr/decode.js'
import { systemClock } from '../../../daemon/base/clock.ts'
import type { Account } from './as-user.ts'

const ENTRY = resolve(import.meta.dirname, '../../../daemon/cli/shallot.js')
const SEE_MS_MAX = 45_000

export class Terminal {
  /** All that was written to it, control characters too. */
  screen = ''
  readonly #child
  readonly #closed: Promise<unknown[]>

  /** @param after  what the shell of the terminal runs when the CLI has ended, with its status */
  constructor(account: Account, args: readonly string[], columns = 200, after = '') {
    const words = [process.execPath, ENTRY, ...args]
      .map((word) => `'${word.replaceAll("'", "'\\''")}'`)
      .join(' ')
    const run = after === '' ? `exec ${words}` : `${words}; status=$?; ${after}; exit $status`
    // The shell lives on when Ctrl-C ends what it runs.
    const line = `trap : INT; stty cols ${columns} rows 60; ${run}`
    this.#child = spawn('script', ['--quiet', '--return', '--command', line, '/dev/null'], {
      env: account.variables(),
      timeout: 60_000,
      killSignal: 'SIGKILL',
    })
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.screen += text
    })
    this.#closed = once(this.#child, 'close')
  }

  /** Waits until the screen shows it, after what was seen before. */
  async sees(pattern: RegExp): Promise<RegExpExecArray> {
    for (let waited = 0; waited < SEE_MS_MAX; waited += 20) {
      const found = pattern.exec(this.screen)
      if (found) return found
      await systemClock.sleep(20)
    }
    throw new Error(`${pattern} did not come:\n${this.screen}`)
  }

  type(keys: string): void {
    this.#child.stdin.write(keys)
  }

  /** The exit status of the CLI. */
  async exit(): Promise<number> {
    const [status] = await this.#closed
    return status as number
  }
}

const SCALE = 4

/** Reads the QR picture on a screen as a camera does: from its light and dark, not from how it was made. */
export function readPicture(screen: string): string {
  const rows = screen.split(/\r?\n/).filter((line) => /^[█▀▄ ]{21,}$/.test(line))
  const [columns, lines] = [rows[0]?.length ?? 0, rows.length * 2]
  const isLight = (x: number, y: number) => {
    const cell = rows[y >> 1]![x]
    return cell === '█' || cell === (y % 2 === 0 ? '▀' : '▄')
  }
  const [width, height] = [columns * SCALE, lines * SCALE]
  const data = new Uint8Array(width * height * 4)
  for (let at = 0; at < width * height; at++) {
    const [x, y] = [Math.floor((at % width) / SCALE), Math.floor(Math.floor(at / width) / SCALE)]
    data.fill(isLight(x, y) ? 255 : 0, at * 4, at * 4 + 3)
    data[at * 4 + 3] = 255
  }
  return decodeQR({ width, height, data })
}
