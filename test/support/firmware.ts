// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Firmware processes for tests: builds what is asked for, starts it on a port with a directory of its own, talks to
 * its console. Disposing ends the process and removes the directory, unless the caller brought it.
 */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { CODES } from '../../schemas/gen/ts/codes.ts'
import { startEmulator, startOnHost } from '../../scripts/emulator.ts'
import {
  buildFirmware,
  EMULATED,
  FLASHCHECK,
  isEmulated,
  type Port,
  programPath,
} from '../../scripts/firmware.ts'

/** `npm run firmware -- coverage` runs the sanitizers' tests again and counts. */
const isCounting = process.env.SHALLOT_COVERAGE === '1'

/** What is run for a port: for the machine's own what counts, when something counts. */
export const builtFor = (port: Port): Port => (isCounting && !isEmulated(port) ? 'coverage' : port)

/** Where the firmware's own code is tried: under the sanitizers, and on both instruction sets. */
export const PORTS_TRIED: readonly Port[] = isCounting ? ['sanitize'] : ['sanitize', ...EMULATED]

/** 128 and SIGTERM's number, as port/host/coverage.c has it. */
const LEFT_STATUS = 143

const LINE_MS_MAX = 60_000
const END_MS_MAX = 20_000

export type FirmwareOptions = {
  port: Port
  /** A file of firmware/app or firmware/check, without .c. */
  program: string
  /** Stored before the start, by name. */
  blobs?: Record<string, Uint8Array>
  /** What is connected before the start, by place (scripts/twins). */
  world?: Record<string, string>
  /** A directory that outlives the process: for restarts. */
  directory?: string
  /** Of the process, beside this one's; host and sanitize alone. */
  environment?: Record<string, string>
  countInstructions?: boolean
  /** On the host: the console is a pseudo-terminal, whose name is the first line. */
  serial?: boolean
  /** On the host: the chip that its board has for the device's key, or for its door's. */
  signer?: 'se050' | 'atecc608'
}

export type Firmware = AsyncDisposable & {
  readonly directory: string
  /** Every line that the device has logged, in order; memory and flash check lines come at the end. */
  readonly lines: readonly string[]
  /** The exit status, once it has ended; null after a signal. */
  readonly exited: Promise<number | null>
  /** Sends one line to the console. */
  say(line: string): void
  /** The first line from now on, or among those not looked at yet, that matches. Rejects after a minute. */
  line(pattern: RegExp): Promise<string>
  /** Sends a command and gives the line that begins with its first word. */
  ask(command: string): Promise<string>
  /** What is connected at a place of its world from now on (scripts/twins), or nothing. */
  connect(place: string, part: string | undefined): void
  /** On the host: 400 s pass at once. */
  leap(): void
  /** A power cut: the process ends now, whatever it was doing. */
  kill(): Promise<void>
  /** Asks the process to end and waits; gives its exit status. */
  end(): Promise<number | null>
}

function start(options: FirmwareOptions, directory: string): { child: ChildProcess; end: () => void } {
  const path = programPath(options.port, options.program)
  if (isEmulated(options.port)) {
    const countInstructions = options.countInstructions ?? false
    return startEmulator({ elf: path, flashcheck: FLASHCHECK, directory, countInstructions })
  }
  const child = startOnHost(path, directory, 'pipe', {
    ...(options.serial && { SHALLOT_SERIAL: '1' }),
    ...(options.signer && { SHALLOT_SIGNER: options.signer }),
    ...options.environment,
  })
  return { child, end: () => void child.kill() }
}

const NAMES = new Map<number, string>(Object.entries(CODES).map(([name, number]) => [number, name]))

/** A line with the names of codes for their numbers, which is all that a device knows. */
function withNames(line: string): string {
  return line.replace(/\bcode=(\d+)/, (whole, number) => NAMES.get(Number(number)) ?? whole)
}

class Console {
  readonly lines: string[] = []
  #next = 0
  #wake: (() => void)[] = []
  #ended = false

  add(line: string): void {
    this.lines.push(line)
    this.#notify()
  }

  end(): void {
    this.#ended = true
    this.#notify()
  }

  #notify(): void {
    for (const wake of this.#wake.splice(0)) wake()
  }

  async find(pattern: RegExp): Promise<string> {
    const deadline = AbortSignal.timeout(LINE_MS_MAX)
    for (;;) {
      while (this.#next < this.lines.length) {
        const line = this.lines[this.#next++]!
        if (pattern.test(line)) return line
      }
      if (this.#ended || deadline.aborted) {
        const why = this.#ended ? 'ended' : 'kept silent'
        throw new Error(`the firmware ${why} before ${pattern}; it said:\n${this.lines.join('\n')}`)
      }
      await new Promise<void>((wake) => {
        this.#wake.push(wake)
        deadline.addEventListener('abort', () => wake(), { once: true })
      })
    }
  }
}

/** Replaced whole, so that the chip never reads half a line. */
function connectPart(directory: string, place: string, part: string | undefined): void {
  const path = join(directory, 'world', place)
  if (part === undefined) return void rmSync(path, { force: true })
  writeFileSync(`${path}.new`, `${part}\n`)
  renameSync(`${path}.new`, path)
}

export async function startFirmware(wanted: FirmwareOptions): Promise<Firmware> {
  const options: FirmwareOptions = { ...wanted, port: builtFor(wanted.port) }
  buildFirmware(options.port, [options.program])
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'shallot-device-'))
  mkdirSync(join(directory, 'world'), { recursive: true, mode: 0o700 })
  for (const [name, bytes] of Object.entries(options.blobs ?? {})) {
    writeFileSync(join(directory, name), bytes, { mode: 0o600 })
  }
  for (const [place, part] of Object.entries(options.world ?? {})) connectPart(directory, place, part)
  const { child, end } = start(options, directory)
  const output = new Console()
  createInterface({ input: child.stdout! }).on('line', (line) => output.add(withNames(line)))
  createInterface({ input: child.stderr! }).on('line', (line) => output.add(line))
  child.stdin!.on('error', () => child.stdin!.destroy())
  const exited = once(child, 'close').then(([status]) => {
    output.end()
    // What counts leaves by itself when it is told to end.
    return isCounting && status === LEFT_STATUS ? null : (status as number | null)
  })

  async function finish(): Promise<number | null> {
    const impatience = setTimeout(() => child.kill('SIGKILL'), END_MS_MAX)
    if (child.exitCode === null && child.signalCode === null) end()
    const status = await exited
    clearTimeout(impatience)
    return status
  }

  return {
    directory,
    lines: output.lines,
    exited,
    say: (line) => void child.stdin!.write(`${line}\n`),
    line: (pattern) => output.find(pattern),
    async ask(command) {
      child.stdin!.write(`${command}\n`)
      return await output.find(new RegExp(`^${command.split(' ')[0]} `))
    },
    connect: (place, part) => connectPart(directory, place, part),
    leap: () => void child.kill('SIGUSR1'),
    async kill() {
      // What counts ends as suddenly, but for its counts (port/host/coverage.c).
      child.kill(isCounting ? 'SIGTERM' : 'SIGKILL')
      await exited
    },
    end: finish,
    async [Symbol.asyncDispose]() {
      await finish()
      if (options.directory === undefined) rmSync(directory, { recursive: true, force: true })
    },
  }
}
