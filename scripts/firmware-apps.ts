// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * What each app costs on an emulated chip while it lives: the app as it is built, on its instruction set under emulation, in a
 * real home. It enrols, connects, obeys or reports, loses its network and resumes with its ticket; then it starts again
 * and its hub does too, which refuses the ticket; at last an owner pushes the same app as another image, which it takes, boots and
 * keeps. Memory is what the port saw at the end; instructions are counted by
 * flashcheck.so around functions of the unchanged program.
 *
 * In: apps that were built. Out: numbers. Throws when a step does not happen, an allocation failed or the chip would
 * have raised an exception.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../daemon/base/clock.ts'
import { type Emulator, startEmulator, type Wire } from './emulator.ts'
import { buildFirmware, type EmulatedPort, FLASHCHECK, programPath } from './firmware.ts'
import { addresses } from './firmware-elf.ts'
import { adopt, type Child, type Environment, shallot, startShallot } from './home/children.ts'

const STEP_MS_MAX = 30_000
/** All of them at once. */
const UPDATE_MS_MAX = 240_000
const POLL_MS = 50
/** An envelope that is refused before its signature is looked at costs less than this; it is not what `open` means. */
const VERIFY_INSTRUCTIONS_MIN = 1_000_000

/** Bytes at most in one stretch of a life; held: what the heap still holds at its end. */
export type Peaks = { stack: number; heap: number; held: number }

/** Bytes of DRAM and instructions. */
export type AppCost = {
  memory: {
    /** From enrolment to the first connection. */
    handshake: Peaks
    /** Connected, with an order obeyed or a reading reported. */
    steady: Peaks
    /** A connection resumed with its ticket, and the same again. */
    resumed: Peaks
    /** With a ticket that the hub refuses, and the full handshake that follows. */
    refused: Peaks
    /** Connected, from the offer of another image until it is whole, read back and about to boot. */
    update: Peaks
  }
  /** TLS alone, with its certificate checks. */
  handshake: number
  resumed: number
  /** The dearest receipt or reading, and the dearest envelope opened; CBOR included. */
  seal: number
  open: number
  /** Per connection, from its first byte to its last: enrolment, the first session, the resumed one. */
  wire: { enrolment: Wire; session: Wire; resumed: Wire; update: Wire }
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

/** All but what is measured after the hub began again. */
type FirstLife = Omit<AppCost, 'memory' | 'wire'> & {
  memory: Omit<AppCost['memory'], 'refused' | 'update'>
  wire: Omit<AppCost['wire'], 'update'>
}

type SecondLife = { refused: Peaks; update: Peaks; updateWire: Wire }

/** What the images say of themselves that devices are updated to. */
const RELEASE = { version: '0.1.1', sequence: 2 }

interface Place {
  readonly port: EmulatedPort
  readonly directory: string
  readonly linkPort: number
  readonly owner: Environment
}

export async function measureApps(
  port: EmulatedPort,
  apps: readonly string[],
): Promise<Record<string, AppCost>> {
  await using stack = new AsyncDisposableStack()
  const directory = mkdtempSync(join(tmpdir(), 'shallot-size-'))
  stack.defer(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }))
  const owner = { SHALLOT_DATA: join(directory, 'hub'), SHALLOT_OWNER: join(directory, 'owner') }
  const place = { port, directory, owner, linkPort: await freePort() }
  await run(['init', '--yes'], owner)
  const firstLives = new Map<string, FirstLife>()
  {
    await using _daemon = await startDaemon(place)
    for (const app of apps) firstLives.set(app, await firstLife(app, place))
  }
  const secondLivesOf = await secondLives(apps, place)
  return Object.fromEntries(
    apps.map((app) => {
      const first = firstLives.get(app)!
      const { refused, update, updateWire } = secondLivesOf.get(app)!
      const memory = { ...first.memory, refused, update }
      return [app, { ...first, memory, wire: { ...first.wire, update: updateWire } }]
    }),
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

function startDevice(app: string, { port, directory }: Place): Device {
  const spans = addresses(port, app, COUNTED)
  const elf = programPath(port, app)
  const emulator = startEmulator({ elf, flashcheck: FLASHCHECK, directory: join(directory, app), spans })
  const child = adopt(emulator.child, emulator.end)
  return { child, emulator, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() }
}

async function enrolledDevice(app: string, place: Place): Promise<Device> {
  const directory = join(place.directory, app)
  mkdirSync(join(directory, 'world'), { recursive: true, mode: 0o700 })
  for (const [where, part] of Object.entries(PARTS)) writeFileSync(join(directory, 'world', where), part)
  const started = Promise.withResolvers<Device>()
  const enrolling = run(['enrol', app], place.owner, (line) => {
    const { stage, code } = JSON.parse(line)
    if (stage !== 'code') return
    writeFileSync(join(directory, 'code'), code, { mode: 0o600 })
    started.resolve(startDevice(app, place))
  })
  enrolling.catch(started.reject)
  const device = await started.promise
  await enrolling.catch(async (error) => {
    await device[Symbol.asyncDispose]()
    throw error
  })
  return device
}

async function firstLife(app: string, place: Place): Promise<FirstLife> {
  const device = await enrolledDevice(app, place)
  {
    await using life = device
    await lineAgain(life, /^connected$/, 1)
    await mark(life, 1)
    await act(app, life, place)
    await mark(life, 2)
    life.emulator.cut()
    await lineAgain(life, /^connected resumed$/, 1)
    await act(app, life, place)
  }
  const { lines } = device.child
  const [handshake, steady, resuming] = peaksOf(app, lines)
  const [enrolment, session, resumed] = device.emulator.wires
  const handshakes = handshakesOf(lines)
  if (!enrolment || !session || !resumed || !handshake || !steady || !resuming || handshakes.length !== 3) {
    throw new Error(`${app} connected in another order than was asked:\n${lines.join('\n')}`)
  }
  return {
    memory: { handshake, steady, resumed: resuming },
    handshake: handshakes[1]!,
    resumed: handshakes[2]!,
    seal: Math.max(...spansOf(lines, 'envelope_seal_end')),
    open: Math.max(...spansOf(lines, 'gate_admit').filter((count) => count > VERIFY_INSTRUCTIONS_MIN)),
    wire: { enrolment, session, resumed },
  }
}

/** What memory was needed so far is told, and counted anew. */
async function mark(device: Device, count: number): Promise<void> {
  device.emulator.mark()
  await lineAgain(device, /^memory /, count)
}

/** Has the owner's order obeyed, or waits for a reading: what is sealed after the request to enrol and the hello. */
async function act(app: string, device: Device, { owner }: Place): Promise<void> {
  const order = ORDERS[app]
  if (order) await run(['set', app, ...order], owner)
  else await lineAgain(device, /^span envelope_seal_end /, 3)
}

/** The hub begins again and knows no ticket any more; then each device is given another image of its app. */
async function secondLives(apps: readonly string[], place: Place): Promise<Map<string, SecondLife>> {
  buildFirmware(place.port, apps, RELEASE)
  await using stack = new AsyncDisposableStack()
  const before = await startDaemon(place)
  stack.use(before)
  const devices = apps.map((app) => stack.use(startDevice(app, place)))
  for (const device of devices) await lineAgain(device, /^connected$/, 1)
  await before[Symbol.asyncDispose]()
  stack.use(await startDaemon(place))
  for (const device of devices) await lineAgain(device, /^connected$/, 2)
  for (const device of devices) await mark(device, 1)
  for (const app of apps) await run(['firmware', 'trust', app], place.owner)
  for (const device of devices) await lineAgain(device, /^enrolment recorded$/, 1)
  for (const device of devices) await mark(device, 2)
  const wires: (() => Wire)[] = []
  for (const [index, app] of apps.entries()) wires.push(await push(app, devices[index]!, place))
  for (const device of devices) await lineAgain(device, /^image kept$/, 1, UPDATE_MS_MAX)
  for (const device of devices) await device[Symbol.asyncDispose]()
  return new Map(
    apps.map((app, index) => {
      const [refused, , update] = peaksOf(app, devices[index]!.child.lines)
      if (!refused || !update) throw new Error(`${app} was not updated`)
      return [app, { refused, update, updateWire: wires[index]!() }]
    }),
  )
}

/** As an owner does it; what it takes on the wire is known when the device has restarted. */
async function push(app: string, device: Device, { port, directory, owner }: Place): Promise<() => Wire> {
  const image = join(directory, `${app}.shallot`)
  await run(['firmware', 'seal', programPath(port, app, RELEASE), '--out', image], owner)
  const wire = device.emulator.wires.at(-1)!
  const before = { ...wire }
  await run(['firmware', 'push', app, image, '--no-wait'], owner)
  return () => ({ sent: wire.sent - before.sent, received: wire.received - before.received })
}

async function lineAgain(
  { child }: Device,
  pattern: RegExp,
  count: number,
  withinMs = STEP_MS_MAX,
): Promise<void> {
  const deadline = systemClock.now() + withinMs
  while (child.lines.filter((line) => pattern.test(line)).length < count) {
    if (systemClock.now() > deadline)
      throw new Error(`the device did not say ${pattern}:\n${child.lines.join('\n')}`)
    await systemClock.sleep(POLL_MS)
  }
}

/** One for each stretch between marks. */
function peaksOf(app: string, lines: readonly string[]): Peaks[] {
  const isChecked = lines.some((line) => line.startsWith('flashcheck: ok '))
  const stretches = lines.filter((line) => line.startsWith('memory '))
  if (!isChecked || stretches.some((line) => !line.endsWith(' arena_failures=0')))
    throw new Error(`${app} fails:\n${lines.join('\n')}`)
  return stretches.map((line) => {
    const number = (name: string): number => Number(new RegExp(`\\b${name}=(\\d+)`).exec(line)?.[1])
    return { stack: number('stack_peak'), heap: number('arena_peak'), held: number('arena_live') }
  })
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
