// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * A serial port as lines, 115,200 baud, 8N1, raw. In: the path of a tty; out: whole lines in both directions.
 * Its settings are made by `stty` on the descriptor that is then read: no native package, and nothing else opens the port, which would
 * make many boards start again. What stays true: a line that is too long is dropped, and what waits is bounded.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, openSync, readdirSync } from 'node:fs'
import { isatty, ReadStream } from 'node:tty'
import type { Clock } from '../../base/clock.ts'
import { codeOf, ignore } from '../../base/error.ts'
import { CliError } from '../error.ts'
import type { SerialLine } from '../serial/index.ts'

const SETTINGS = [
  '115200',
  'raw',
  '-echo',
  '-echoe',
  '-echok',
  'cs8',
  '-cstopb',
  '-parenb',
  '-crtscts',
  'clocal',
  '-hupcl',
]
const LINE_CHARS_MAX = 512
const LINES_MAX = 256

/** @throws CliError missing | forbidden | busy | usage, with what to do */
export async function openSerial(clock: Clock, path: string, signal: AbortSignal): Promise<SerialLine> {
  const fd = openPort(path)
  try {
    if (!isatty(fd)) throw new CliError('usage', `${path} is not a serial port`, { next: portsThereAre() })
    await settle(fd, path, signal)
    return new Port(clock, path, fd, signal)
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function openPort(path: string): number {
  try {
    // Not waiting for a carrier, which no USB adapter of a board has.
    return openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK)
  } catch (cause) {
    throw notOpened(path, codeOf(cause), cause)
  }
}

function notOpened(path: string, code: string | undefined, cause: unknown): CliError {
  if (code === 'ENOENT' || code === 'ENXIO' || code === 'ENODEV') {
    return new CliError('missing', `there is no ${path}`, { cause, next: portsThereAre() })
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new CliError('forbidden', `this account may not use ${path}`, {
      cause,
      next: 'on Debian its group may: `sudo adduser $USER dialout`, then log in again',
    })
  }
  if (code === 'EBUSY') {
    return new CliError('busy', `another program has ${path}`, {
      cause,
      next: 'close it: a serial monitor, perhaps',
    })
  }
  return new CliError('port-io', `${path} cannot be opened (${code ?? 'no reason'})`, { cause })
}

function portsThereAre(): string {
  let ports: string[] = []
  try {
    ports = readdirSync('/dev').filter((name) => /^(?:ttyUSB|ttyACM|cu\.usb)/.test(name))
  } catch (error) {
    ignore(error, 'then none can be named')
  }
  if (ports.length === 0) return 'no serial port is there: plug the board in with a cable that carries data'
  return `there is: ${ports.map((name) => `/dev/${name}`).join(', ')}`
}

/** stty works on its standard input, which is the port. */
async function settle(fd: number, path: string, signal: AbortSignal): Promise<void> {
  const stty = spawn('stty', SETTINGS, { stdio: [fd, 'ignore', 'ignore'], signal })
  const [status] = await once(stty, 'close').catch((cause) => {
    throw new CliError('port-io', 'the program stty, which sets a serial port up, could not be run', {
      cause,
    })
  })
  if (status === 0) return
  throw new CliError('port-io', `${path} cannot be set to 115,200 baud`, { next: 'is it a serial port?' })
}

class Port implements SerialLine {
  readonly path: string
  readonly #clock: Clock
  readonly #signal: AbortSignal
  /** Both ways: it is a net.Socket over the one descriptor. */
  readonly #stream: ReadStream
  readonly #lines: string[] = []
  #held = ''
  #gone: CliError | undefined
  #wake = () => {}

  constructor(clock: Clock, path: string, fd: number, signal: AbortSignal) {
    this.path = path
    this.#clock = clock
    this.#signal = signal
    this.#stream = new ReadStream(fd)
    this.#stream.setEncoding('latin1')
    this.#stream.on('data', (text) => this.#take(String(text)))
    this.#stream.on('error', (cause) => this.#end(cause))
    this.#stream.on('close', () => this.#end())
  }

  async next(ms: number): Promise<string | undefined> {
    const over = new AbortController()
    const woken = new Promise<void>((wake) => {
      this.#wake = wake
    })
    if (this.#lines.length === 0 && !this.#gone) {
      const late = this.#clock.sleep(ms, AbortSignal.any([this.#signal, over.signal]))
      late.catch((error) => ignore(error, 'a line came in time'))
      await Promise.race([woken, late]).finally(() => over.abort())
    }
    this.#signal.throwIfAborted()
    const line = this.#lines.shift()
    if (line === undefined && this.#gone) throw this.#gone
    return line
  }

  write(line: string): void {
    if (this.#gone) throw this.#gone
    this.#stream.write(`${line}\n`)
  }

  #take(text: string): void {
    const lines = (this.#held + text).split(/\r?\n/)
    this.#held = lines.pop()!.slice(0, LINE_CHARS_MAX + 1)
    this.#lines.push(...lines.filter((line) => line.length <= LINE_CHARS_MAX))
    this.#lines.splice(0, this.#lines.length - LINES_MAX)
    if (lines.length > 0) this.#wake()
  }

  #end(cause?: unknown): void {
    this.#gone ??= new CliError(
      'link-closed',
      `${this.path} is gone: the cable was unplugged, or the board lost its power`,
      {
        cause,
        next: 'plug it in again, and run this once more',
      },
    )
    this.#wake()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stream.destroy()
  }
}
