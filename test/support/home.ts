// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * A home as its user has it: `shallot init`, a daemon process on loopback, the CLI in processes of its own, and firmware that
 * enrolled itself. Everything lives in one short temporary place, because paths of unix sockets are short, and goes with it.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { systemClock } from '../../daemon/base/clock.ts'
import { systemRandom } from '../../daemon/base/random.ts'
import type { Api } from '../../daemon/cli/api.ts'
import { gatherTools } from '../../daemon/cli/tools.ts'
import { Voice } from '../../daemon/cli/voice.ts'
import { adopt, type Child } from '../../scripts/home/children.ts'
import type { PrivateTor } from '../../scripts/private-tor.ts'
import { type Firmware, startFirmware } from './firmware.ts'
import { ownPort } from './ports.ts'

const ENTRY = resolve(import.meta.dirname, '../../daemon/cli/shallot.js')
const CACHE = resolve(import.meta.dirname, '../../.build/cli-cache')
const RUN_MS_MAX = 120_000
const READY_MS_MAX = 60_000

export type Said = Record<string, unknown>

/** What one CLI call came to. */
export interface Ran {
  readonly exit: number | null
  readonly out: string
  readonly err: string
  /** With --json: the last line of stdout. */
  readonly said: Said
}

export interface RunOptions {
  readonly input?: string
  readonly environment?: Readonly<Record<string, string>>
  readonly onLine?: (line: string) => void
}

export interface LiveDevice extends AsyncDisposable {
  readonly id: string
  readonly name: string
  readonly firmware: Firmware
}

export interface LiveHomeOptions {
  /** The daemon and the invited join this network; without it the daemon runs with `--tor off`. */
  readonly network?: PrivateTor
  /** Of the daemon's link, whenever it runs; 0 is any. Without it: a port of its own. */
  readonly linkPort?: number
  /** Restores instead of making a new home. */
  readonly words?: string
  /** With `words`: one more daemon of that home, of this name. */
  readonly as?: string
  /** More arguments of `shallot daemon`. */
  readonly daemon?: readonly string[]
  /** What every command line of this home begins with, to run in another namespace. */
  readonly enter?: () => readonly string[]
  /** More variables of the environment, for the daemon and the CLI. */
  readonly environment?: Readonly<Record<string, string>>
}

export class LiveHome implements AsyncDisposable {
  readonly place = mkdtempSync('/tmp/sh-')
  readonly data = join(this.place, 'hub')
  readonly owner = join(this.place, 'own')
  words = ''
  readonly #options: LiveHomeOptions
  #daemon: Child | undefined
  #lan = ''
  #linkPort: number | undefined

  constructor(options: LiveHomeOptions = {}) {
    this.#options = options
    this.#linkPort = options.linkPort
  }

  /** Once the home is founded. */
  get linkPort(): number {
    return this.#linkPort!
  }

  /** Origin of the LAN face of the daemon that runs now. */
  get lan(): string {
    return this.#lan
  }

  get pid(): number {
    return this.#daemon!.pid
  }

  get diary(): readonly string[] {
    return this.#daemon?.lines ?? []
  }

  #environment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    return {
      PATH: process.env.PATH ?? '',
      HOME: this.place,
      // Shared, so that only the first of many runs compiles.
      XDG_CACHE_HOME: CACHE,
      SHALLOT_DATA: this.data,
      SHALLOT_OWNER: this.owner,
      ...this.#options.environment,
      ...more,
    }
  }

  #commandLine(args: readonly string[]): [string, string[]] {
    const [program, ...rest] = [...(this.#options.enter?.() ?? []), process.execPath, ENTRY, ...args]
    return [program!, rest]
  }

  /** `shallot <args>` in a process of its own. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
    const [program, rest] = this.#commandLine(args)
    const child = spawn(program, rest, {
      env: this.#environment(options.environment),
      cwd: this.place,
      timeout: RUN_MS_MAX,
      killSignal: 'SIGKILL',
    })
    let [out, err] = ['', '']
    if (options.onLine) createInterface({ input: child.stdout }).on('line', options.onLine)
    child.stdout.setEncoding('utf8').on('data', (text) => {
      out += text
    })
    child.stderr.setEncoding('utf8').on('data', (text) => {
      err += text
    })
    child.stdin.on('error', () => {})
    child.stdin.end(options.input ?? '')
    const [exit] = await once(child, 'close')
    const last = out.trimEnd().split('\n').at(-1)!
    return { exit, out, err, said: args.includes('--json') && last !== '' ? JSON.parse(last) : {} }
  }

  json(args: readonly string[], options?: RunOptions): Promise<Ran> {
    return this.run([...args, '--json'], options)
  }

  /** The same, and it must be done. */
  async done(args: readonly string[], options?: RunOptions): Promise<Said> {
    const { exit, said, err } = await this.json(args, options)
    if (exit !== 0)
      throw new Error(
        `shallot ${args.join(' ')} ended with ${exit}: ${JSON.stringify(said)} ${err}; the daemon's last words:\n${this.diary.slice(-12).join('\n')}`,
      )
    return said
  }

  /** A process of the CLI that stays until it is disposed, such as `watch`. */
  stay(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Child {
    const [program, rest] = this.#commandLine(args)
    const child = spawn(program, rest, {
      env: this.#environment(environment),
      cwd: this.place,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    return adopt(child, () => child.kill('SIGTERM'))
  }

  /** The CLI's own client of this home, in this process: for tests that ask more often than processes can start. */
  async api(
    stack: AsyncDisposableStack,
  ): Promise<{ api: Api; tools: Awaited<ReturnType<typeof gatherTools>> }> {
    const voice = new Voice(systemClock, { out: process.stdout, err: process.stderr }, true)
    const deps = { clock: systemClock, random: systemRandom, voice, signal: new AbortController().signal }
    const environment = this.#environment()
    const tools = await gatherTools({ ...deps, environment, workingDirectory: this.place }, new Map(), stack)
    return { api: await tools.api(), tools }
  }

  async found(): Promise<void> {
    this.#linkPort ??= await ownPort()
    const { words, as } = this.#options
    if (words !== undefined) {
      await this.done(['restore', ...(as === undefined ? [] : ['--as', as])], { input: words })
      this.words = words
    } else this.words = (await this.done(['init'])).words as string
  }

  /** `shallot daemon`, until it says that it is ready. */
  async start(): Promise<void> {
    this.launch()
    await this.ready()
  }

  /** Ends the daemon if there is one, and starts it. */
  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  /** `shallot daemon`, and no waiting; the one before must have ended. */
  launch(): void {
    const { network, daemon = [] } = this.#options
    const tor = network ? ['--tor-torrc-extra', this.joining(network, 'hub')] : ['--tor', 'off']
    const loopback = ['--link-host', '127.0.0.1', '--link-port', String(this.linkPort)]
    const lan = ['--lan-host', '127.0.0.1', '--lan-port', '0']
    this.#daemon = this.stay(['daemon', ...loopback, ...lan, ...tor, ...daemon])
  }

  async ready(): Promise<void> {
    const ready = await this.#daemon!.line(/"event":"ready"/, READY_MS_MAX)
    this.#lan = JSON.parse(ready).lan
  }

  /** As `kill -9` does. */
  async kill(): Promise<void> {
    process.kill(this.pid, 'SIGKILL')
    await this.stop()
  }

  async stop(): Promise<void> {
    await this.#daemon?.[Symbol.asyncDispose]()
  }

  /** A torrc for one more tor in the network, with directory files of its own to begin with. */
  joining(network: PrivateTor, name: string): string {
    const cache = join(this.place, `${name}-cache`)
    const file = join(this.place, `${name}.torrc`)
    cpSync(network.seedFiles, cache, { recursive: true })
    writeFileSync(file, [...network.torrc, `CacheDirectory ${cache}`, ''].join('\n'), { mode: 0o600 })
    return file
  }

  /**
   * `shallot enrol <name>`, and real firmware that is given the code; resolves when its owner has confirmed it.
   * @param environment  more variables for the firmware's process
   */
  async enrol(
    name: string,
    program: keyof typeof WORLDS,
    environment: Record<string, string> = {},
  ): Promise<LiveDevice> {
    const directory = join(this.place, name)
    mkdirSync(join(directory, 'world'), { recursive: true, mode: 0o700 })
    let started: Promise<Firmware> | undefined
    const said = await this.done(['enrol', name], {
      onLine: (line) => {
        const { stage, code } = JSON.parse(line)
        if (stage !== 'code') return
        const blobs = { code: Buffer.from(code) }
        const world = WORLDS[program]
        started = startFirmware({ port: 'host', program, blobs, directory, world, environment })
        started.catch(() => {})
      },
    })
    const firmware = await started!
    const { id } = said.device as { id: string }
    return { id, name, firmware, [Symbol.asyncDispose]: () => firmware[Symbol.asyncDispose]() }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    rmSync(this.place, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
}

/** What surrounds each device: weather as on a cool day; a closed door with a strike, and nobody at its button. */
const WORLDS = {
  'porch-light': {},
  weather: { 'i2c-44': 'sht3x temperature=18.4 humidity=56.1' },
  camera: { 'i2c-30': 'ov2640' },
  'front-door': { 'pin-1': 'strike output=1', 'pin-2': '1', 'pin-3': '0' },
} as const

/** A home made or restored, its daemon ready. */
export async function openLiveHome(options: LiveHomeOptions = {}): Promise<LiveHome> {
  const home = new LiveHome(options)
  try {
    await home.found()
    await home.start()
    return home
  } catch (error) {
    await home[Symbol.asyncDispose]()
    throw error
  }
}
