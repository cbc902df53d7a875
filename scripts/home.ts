// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * A home in a box: `npm start`. Everything is real and everything is local: a private Tor network, the daemon, two devices
 * that run on the ESP8266's instruction set, and somebody far away, whose key may switch one light, and who has no other way in.
 *
 *   node scripts/home.ts [--once] [--json] [--port host]
 *
 * --once ends when everything was done once; with --json the last line is
 * {"ok":true,"onion":"…","device":"…","steps":[{"name":"…","ms":…}],"receipt":{…}}. Exit status 0 only if every step was done.
 * Without --once it stays up until Ctrl-C. Either way no process and no file is left behind.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import encodeQR from 'qr'
import { systemClock } from '../daemon/base/clock.ts'
import { systemRandom } from '../daemon/base/random.ts'
import { argumentsOf, misused } from './arguments.ts'
import { startEmulator, startOnHost } from './emulator.ts'
import { buildFirmware, FLASHCHECK, isEmulated, PORTS, programPath } from './firmware.ts'
import { adopt, type Child, type Environment, type Said, shallot, startShallot } from './home/children.ts'
import { Steps } from './home/steps.ts'
import { openPrivateTor, type PrivateTor } from './private-tor.ts'

const DEVICES = [
  { name: 'porch-light', app: 'porch-light' },
  { name: 'balcony', app: 'weather' },
] as const
const READY_MS_MAX = 20_000

const USAGE = 'usage: npm start -- [--once] [--json] [--port qemu|rv32|host]'

const { values: flags } = argumentsOf(USAGE, {
  options: {
    once: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    port: { type: 'string', default: 'qemu' },
  },
})
const port = PORTS.find((each) => each === flags.port) ?? misused(USAGE, `there is no port ${flags.port}`)
const steps = new Steps((line) => (flags.json ? process.stderr : process.stdout).write(`${line}\n`))

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => stop.abort(new Error('stopped by you')))
}

interface Lived {
  readonly onion: string
  readonly device: string
  readonly receipt: Record<string, unknown>
}

async function main(): Promise<void> {
  await using stack = new AsyncDisposableStack()
  // Short, because the paths of unix sockets are; removed last, when nobody uses it any more.
  const place = mkdtempSync(join(tmpdir(), 'shallot-home-'))
  stack.defer(() => rmSync(place, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }))
  const at = (name: string) => join(place, name)
  const owner = { SHALLOT_DATA: at('hub'), SHALLOT_OWNER: at('owner') }

  const tor = stack.use(
    await steps.take('private-tor', 'a private Tor network on this machine', () =>
      openPrivateTor(
        { clock: systemClock, random: systemRandom },
        { say: (line) => steps.say(`  ${line}`) },
        stop.signal,
      ),
    ),
  )
  await steps.take('init', 'a home from 24 fresh words (shallot init)', () => run(['init', '--yes'], owner))
  stack.use(
    await steps.take('daemon', 'the daemon (shallot daemon)', () =>
      startDaemon(tor, at('hub'), owner, place),
    ),
  )
  await steps.take('firmware', 'the firmware, for the ESP8266’s instruction set', async () => {
    const apps = DEVICES.map(({ app }) => app)
    if (!apps.every((app) => existsSync(programPath(port, app))))
      steps.say('  compiling it, the first time alone')
    buildFirmware(port, apps)
  })
  for (const { name, app } of DEVICES) {
    stack.use(
      await steps.take(`enrol-${name}`, `${name} enrols itself (shallot enrol ${name})`, () =>
        enrol(name, app, at(name), owner),
      ),
    )
  }
  await steps.take('reading', 'a first reading from the balcony', () => firstReading(owner))
  const lived = await farAway(tor, owner, place)
  if (flags.once) return conclude(lived)
  stayUp(lived, owner, at)
  await new Promise((resolve) => stop.signal.addEventListener('abort', resolve, { once: true }))
  steps.say('\nclosing everything …')
}

async function run(args: string[], environment: Environment): Promise<Said> {
  stop.signal.throwIfAborted()
  const said = await shallot([...args, '--json'], environment)
  stop.signal.throwIfAborted()
  if (said.status !== 0) {
    const why = said.objects.at(-1)?.message ?? said.errors
    throw new Error(`shallot ${args.join(' ')} ended with status ${said.status}: ${why}`)
  }
  return said
}

/** A torrc of the private network for one more tor, which begins with directory files of its own. */
function joining(tor: PrivateTor, place: string, name: string): string {
  const cache = join(place, `${name}-cache`)
  cpSync(tor.seedFiles, cache, { recursive: true })
  const file = join(place, `${name}.torrc`)
  writeFileSync(file, [...tor.torrc, `CacheDirectory ${cache}`, ''].join('\n'), { mode: 0o600 })
  return file
}

async function startDaemon(tor: PrivateTor, data: string, owner: Environment, place: string): Promise<Child> {
  const loopback = [
    '--link-host',
    '127.0.0.1',
    '--link-port',
    '0',
    '--lan-host',
    '127.0.0.1',
    '--lan-port',
    '0',
  ]
  const daemon = startShallot(
    ['daemon', '--data', data, ...loopback, '--tor-torrc-extra', joining(tor, place, 'hub')],
    owner,
  )
  await daemon.line(/"event":"ready"/, READY_MS_MAX)
  return daemon
}

/** The owner makes a code, the device gets it as it would over serial, and the owner's side confirms what came. */
async function enrol(name: string, app: string, directory: string, owner: Environment): Promise<Child> {
  makeWorld(directory)
  const device = Promise.withResolvers<Child>()
  device.promise.catch(() => {})
  const said = await shallot(['enrol', name, '--json'], owner, (line) => {
    const { stage, code } = JSON.parse(line)
    if (stage !== 'code') return
    writeFileSync(join(directory, 'code'), code, { mode: 0o600 })
    device.resolve(startDevice(app, directory))
  })
  if (said.objects.at(-1)?.stage !== 'confirmed') {
    device.reject(new Error('no code'))
    await device.promise.then((child) => child[Symbol.asyncDispose]()).catch(() => {})
    throw new Error(`${name} could not be enrolled: ${said.objects.at(-1)?.message ?? said.errors}`)
  }
  return device.promise
}

/** What is connected to the buses of a device (scripts/twins); its outputs appear beside it. */
const WEATHER = { 'i2c-44': 'sht3x temperature=18.4 humidity=56.1' }

function makeWorld(directory: string): void {
  mkdirSync(join(directory, 'world'), { recursive: true, mode: 0o700 })
  for (const [place, part] of Object.entries(WEATHER)) {
    writeFileSync(join(directory, 'world', place), `${part}\n`)
  }
}

function startDevice(app: string, directory: string): Child {
  const path = programPath(port, app)
  if (isEmulated(port)) {
    const { child, end } = startEmulator({ elf: path, flashcheck: FLASHCHECK, directory })
    return adopt(child, end)
  }
  const child = startOnHost(path, directory)
  return adopt(child, () => child.kill())
}

async function firstReading(owner: Environment): Promise<void> {
  const deadline = performance.now() + READY_MS_MAX
  for (;;) {
    const { objects } = await run(['get', 'balcony'], owner)
    const { temperature } = (objects[0]?.properties ?? {}) as { temperature?: { value?: number } }
    if (temperature?.value !== undefined) {
      steps.say(`  ${temperature.value} °C, sealed by the sensor`)
      return
    }
    if (performance.now() > deadline) throw new Error('the sensor sent no reading')
    await systemClock.sleep(300, stop.signal)
  }
}

/** The stages of a command as a person reads them. */
const WORDS: Record<string, string> = { 'at-hub': 'at the hub', 'at-device': 'at the device' }

/** Somebody far away: no data directory, no LAN, no owner's key; a key that may switch one light, and an onion address. */
async function farAway(tor: PrivateTor, owner: Environment, place: string): Promise<Lived> {
  const file = join(place, 'traveller.key')
  const given = await steps.take(
    'invite',
    'a key for a traveller, who may switch the porch light and nothing else (shallot token add traveller)',
    () =>
      run(
        [
          'token',
          'add',
          'traveller',
          'porch-light',
          'on',
          '--until',
          '1d',
          '--away',
          '--no-lan',
          '--out',
          file,
        ],
        owner,
      ),
  )
  const { address } = given.objects.at(-1) as { address: string }
  const away = {
    SHALLOT_OWNER: join(place, 'nobody'),
    SHALLOT_DATA: join(place, 'nowhere'),
    SHALLOT_IDENTITY: file,
    SHALLOT_TORRC_EXTRA: joining(tor, place, 'traveller'),
  }
  const done = await steps.take('switch', 'far away, somebody switches the porch light on through Tor', () =>
    run(['set', 'porch-light', 'on', 'true'], away),
  )
  const { device, receipt, stages, way } = done.objects.at(-1) as {
    device: { id: string }
    receipt: string
    stages: { stage: string; ms: number }[]
    way?: string
  }
  if (!receipt) throw new Error('the command ended without a receipt')
  for (const { stage, ms } of stages) steps.say(`  ${String(ms).padStart(6)} ms  ${WORDS[stage] ?? stage}`)
  if (way !== 'tor') throw new Error(`it went by ${way}, not through Tor`)
  const lamp = readFileSync(join(place, 'porch-light', 'world', 'output-1'), 'utf8').trim()
  if (Number(lamp) === 0) throw new Error('the receipt says done, but the lamp is dark')
  return {
    onion: address,
    device: device.id,
    receipt: { sealed: receipt, by: device.id, verified: true, way, stages },
  }
}

function conclude({ onion, device, receipt }: Lived): void {
  if (flags.json) console.log(JSON.stringify({ ok: true, onion, device, steps: steps.done, receipt }))
  else steps.say(`\nThe light is on, and ${device} signed for it.`)
}

function stayUp({ onion }: Lived, owner: Environment, at: (name: string) => string): void {
  const shell = `SHALLOT_DATA=${owner.SHALLOT_DATA} SHALLOT_OWNER=${owner.SHALLOT_OWNER}`
  const far = `SHALLOT_TORRC_EXTRA=${at('traveller.torrc')} npm run -s shallot -- --as ${at('traveller.key')}`
  steps.say(`
The home is up. Its onion address for this traveller, in the private Tor network of this machine
(a home of your own joins the public one: shallot init, then shallot daemon):

  ${onion}

${encodeQR(`http://${onion}/`, 'ascii', { ecc: 'low', border: 2 })}
In another terminal, in this folder:

  export ${shell}
  npm run -s shallot -- status
  npm run -s shallot -- set porch-light level 40
  npm run -s shallot -- watch
  npm run -s shallot -- history balcony temperature
  npm run -s shallot -- person add sitter
  npm run -s shallot -- grant sitter porch-light on --hours "daily 8-20"
  npm run -s shallot -- log --who traveller

From far away, through Tor, with the traveller's key; the second is refused:

  ${far} set porch-light on false
  ${far} set porch-light level 40

Ctrl-C ends everything and leaves nothing behind.`)
}

try {
  await main()
} catch (error) {
  const message = error instanceof Error ? error.message : String(error)
  if (flags.json) console.log(JSON.stringify({ ok: false, message, steps: steps.done }))
  else if (!stop.signal.aborted) console.error(`✖ ${message}`)
  process.exitCode = stop.signal.aborted && !flags.once ? 0 : 1
}
