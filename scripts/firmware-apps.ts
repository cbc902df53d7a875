// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * What each app costs on an ESP8266 while it lives: the app as it is built, on its instruction set under emulation, in a
 * real home. It enrols, connects, obeys or reports, loses its network and resumes with its ticket; then it starts again
 * and its hub does too, which refuses the ticket. Memory is what the port saw at the end; instructions are counted by
 * flashcheck.so around functions of the unchanged program.
 *
 * In: apps that were built. Out: numbers. Throws when a step does not happen, an allocation failed or the chip would
 * have raised an exception.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../daemon/base/clock.ts'
import { type Emulator, startEmulator, type Wire } from './emulator.ts'
import { FLASHCHECK, programPath } from './firmware.ts'
import { adopt, type Child, type Environment, shallot, startShallot } from './home/children.ts'

const STEP_MS_MAX = 30_000
const POLL_MS = 50
/** An envelope that is refused before its signature is looked at costs less than this; it is not what `open` means. */
const VERIFY_INSTRUCTIONS_MIN = 1_000_000

/** Bytes of DRAM and instructions. */
export type AppCost = {
  stackPeak: number
  /** From enrolment to a resumed connection. */
  arenaPeak: number
  /** With a ticket that the hub refuses, and the full handshake that follows. */
  arenaPeakRefused: number
  /** TLS alone, with its certificate checks. */
  handshake: number
  resumed: number
  /** The dearest receipt or reading, and the dearest envelope opened; CBOR included. */
  seal: number
  open: number
  /** Per connection, from its first byte to its last: enrolment, the first session, the resumed one. */
  wire: { enrolment: Wire; session: Wire; resumed: Wire }
}

/** What an owner asks of an app. Those that are not here are only listened to. */
const ORDERS: Record<string, readonly string[]> = {
  'porch-light': ['on', 'true'],
  blinds: ['position', '50'],
  'front-door': ['fail-safe', 'false'],
}

/** What is connected to any of them (scripts/twins). */
const PARTS = {
  'i2c-44': 'sht3x',
  'i2c-76': 'bme280',
  'onewire-1': 'ds18b20',
  'pin-1': 'strike output=1',
  'pin-2': '1',
  'pin-3': '0',
  'pin-4': '0',
  'pulses-2': 'dht22',
}

/** tls_open and tls_handshake together are a handshake. */
const COUNTED = ['tls_open', 'tls_handshake', 'envelope_seal_end', 'gate_admit']

interface Device extends AsyncDisposable {
  readonly child: Child
  readonly emulator: Emulator
}

interface Place {
  readonly directory: string
  readonly linkPort: number
  readonly owner: Environment
}

export async function measureApps(apps: readonly string[]): Promise<Record<string, AppCost>> {
  await using stack = new AsyncDisposableStack()
  const directory = mkdtempSync(join(tmpdir(), 'shallot-size-'))
  stack.defer(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }))
  const owner = { SHALLOT_DATA: join(directory, 'hub'), SHALLOT_OWNER: join(directory, 'owner') }
  const place = { directory, owner, linkPort: await freePort() }
  await run(['init', '--yes'], owner)
  const firstLives = new Map<string, Omit<AppCost, 'arenaPeakRefused'>>()
  {
    await using _daemon = await startDaemon(place)
    for (const app of apps) firstLives.set(app, await firstLife(app, place))
  }
  const refused = await secondLives(apps, place)
  return Object.fromEntries(
    apps.map((app) => [app, { ...firstLives.get(app)!, arenaPeakRefused: refused.get(app)! }]),
  )
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((listening) => server.once('listening', listening))
  const { port } = server.address() as { port: number }
  await new Promise((closed) => server.close(closed))
  return port
}

async function run(args: string[], owner: Environment, onProgress?: (line: string) => void): Promise<void> {
  const said = await shallot([...args, '--json'], owner, onProgress)
  if (said.status !== 0) {
    const why = said.objects.at(-1)?.message ?? said.errors
    throw new Error(`shallot ${args.join(' ')} ended with status ${said.status}: ${why}`)
  }
}

async function startDaemon({ owner, linkPort }: Place): Promise<Child> {
  const link = ['--link-host', '127.0.0.1', '--link-port', String(linkPort)]
  const daemon = startShallot(['daemon', '--tor', 'off', '--no-lan', ...link], owner)
  await daemon.line(/"event":"ready"/, STEP_MS_MAX)
  return daemon
}

function addressesOf(elf: string): Record<string, number> {
  const lines = execFileSync('xtensa-lx106-elf-nm', [elf], { encoding: 'utf8' }).split('\n')
  return Object.fromEntries(
    COUNTED.map((name) => {
      const found = lines.find((line) => line.endsWith(` T ${name}`))
      if (!found) throw new Error(`${elf} has no function ${name}`)
      return [name, Number.parseInt(found, 16)]
    }),
  )
}

function startDevice(app: string, directory: string): Device {
  const elf = programPath('qemu', app)
  const emulator = startEmulator({ elf, flashcheck: FLASHCHECK, directory, spans: addressesOf(elf) })
  const child = adopt(emulator.child, emulator.end)
  return { child, emulator, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() }
}

async function enrolledDevice(app: string, place: Place): Promise<Device> {
  const directory = join(place.directory, app)
  mkdirSync(join(directory, 'world'), { recursive: true, mode: 0o700 })
  for (const [place, part] of Object.entries(PARTS)) writeFileSync(join(directory, 'world', place), part)
  const started = Promise.withResolvers<Device>()
  const enrolling = run(['enrol', app], place.owner, (line) => {
    const { stage, code } = JSON.parse(line)
    if (stage !== 'code') return
    writeFileSync(join(directory, 'code'), code, { mode: 0o600 })
    started.resolve(startDevice(app, directory))
  })
  enrolling.catch(started.reject)
  const device = await started.promise
  await enrolling.catch(async (error) => {
    await device[Symbol.asyncDispose]()
    throw error
  })
  return device
}

async function firstLife(app: string, place: Place): Promise<Omit<AppCost, 'arenaPeakRefused'>> {
  const device = await enrolledDevice(app, place)
  {
    await using life = device
    await lineAgain(life, /^connected$/, 1)
    await act(app, life, place)
    life.emulator.cut()
    await lineAgain(life, /^connected resumed$/, 1)
    await act(app, life, place)
  }
  const { lines } = device.child
  const { stackPeak, arenaPeak } = memoryOf(app, lines)
  const [enrolment, session, resumed] = device.emulator.wires
  const handshakes = handshakesOf(lines)
  if (!enrolment || !session || !resumed || handshakes.length !== 3) {
    throw new Error(`${app} connected in another order than was asked:\n${lines.join('\n')}`)
  }
  return {
    stackPeak,
    arenaPeak,
    handshake: handshakes[1]!,
    resumed: handshakes[2]!,
    seal: Math.max(...spansOf(lines, 'envelope_seal_end')),
    open: Math.max(...spansOf(lines, 'gate_admit').filter((count) => count > VERIFY_INSTRUCTIONS_MIN)),
    wire: { enrolment, session, resumed },
  }
}

/** Has the owner's order obeyed, or waits for a reading: what is sealed after the request to enrol and the hello. */
async function act(app: string, device: Device, { owner }: Place): Promise<void> {
  const order = ORDERS[app]
  if (order) await run(['set', app, ...order], owner)
  else await lineAgain(device, /^span envelope_seal_end /, 3)
}

/** The hub begins again and knows no ticket any more. */
async function secondLives(apps: readonly string[], place: Place): Promise<Map<string, number>> {
  await using stack = new AsyncDisposableStack()
  const before = await startDaemon(place)
  stack.use(before)
  const devices = apps.map((app) => stack.use(startDevice(app, join(place.directory, app))))
  for (const device of devices) await lineAgain(device, /^connected$/, 1)
  await before[Symbol.asyncDispose]()
  stack.use(await startDaemon(place))
  for (const device of devices) await lineAgain(device, /^connected$/, 2)
  for (const device of devices) await device[Symbol.asyncDispose]()
  return new Map(apps.map((app, index) => [app, memoryOf(app, devices[index]!.child.lines).arenaPeak]))
}

async function lineAgain({ child }: Device, pattern: RegExp, count: number): Promise<void> {
  const deadline = systemClock.now() + STEP_MS_MAX
  while (child.lines.filter((line) => pattern.test(line)).length < count) {
    if (systemClock.now() > deadline)
      throw new Error(`the device did not say ${pattern}:\n${child.lines.join('\n')}`)
    await systemClock.sleep(POLL_MS)
  }
}

function memoryOf(app: string, lines: readonly string[]): { stackPeak: number; arenaPeak: number } {
  const memory = lines.find((line) => line.startsWith('memory ')) ?? ''
  const number = (name: string): number => Number(new RegExp(`\\b${name}=(\\d+)`).exec(memory)?.[1])
  const isChecked = lines.some((line) => line.startsWith('flashcheck: ok '))
  if (number('arena_failures') !== 0 || !isChecked) throw new Error(`${app} fails:\n${lines.join('\n')}`)
  return { stackPeak: number('stack_peak'), arenaPeak: number('arena_peak') }
}

function spansOf(lines: readonly string[], name: string): number[] {
  const pattern = new RegExp(`^span ${name} instructions=(\\d+)$`)
  return lines.flatMap((line) => {
    const found = pattern.exec(line)
    return found ? [Number(found[1])] : []
  })
}

function handshakesOf(lines: readonly string[]): number[] {
  const shaken = spansOf(lines, 'tls_handshake')
  return spansOf(lines, 'tls_open').map((count, index) => count + (shaken[index] ?? Number.NaN))
}
