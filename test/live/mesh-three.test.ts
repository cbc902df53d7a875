// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Three daemons of one home on real tor: a town house, an attic box in the same house, and a cabin. What is told once is known to
 * all; a device of the town is taken over by the attic when the town's daemon dies; a machine that is lost is restored from the words
 * and gets its past back from the others (SPEC 14).
 */
import assert from 'node:assert/strict'
import { appendFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fromBase64url } from '../../daemon/base/bytes.ts'
import { systemClock } from '../../daemon/base/clock.ts'
import { Log, silent } from '../../daemon/base/log.ts'
import { openDiscovery } from '../../daemon/edge/discovery/index.ts'
import type { PrivateTor } from '../../scripts/private-tor.ts'
import { type LiveDevice, type LiveHome, openLiveHome, type Said } from '../support/home.ts'
import { ownPort } from '../support/ports.ts'
import { privateTor } from '../support/private-tor.ts'

const EVERY_READING = ['--mesh-resolution', '0']

let network: PrivateTor
let town: LiveHome
let attic: LiveHome
let cabin: LiveHome
let door: LiveDevice
let weather: LiveDevice
let pin: string
/** Where the door asks its LAN; nobody answers before the attic belongs to the home's daemons. */
let mdnsPort: number
/** What is owed its end. */
const stack = new AsyncDisposableStack()

before(async () => {
  network = stack.use(await privateTor())
  const shared = { network, daemon: EVERY_READING }
  town = stack.use(await openLiveHome(shared))
  const { words } = town
  ;[attic, cabin] = await Promise.all([
    openLiveHome({ ...shared, words, as: 'attic' }),
    openLiveHome({ ...shared, words, as: 'cabin' }),
  ])
  stack.use(attic)
  stack.use(cabin)
  mdnsPort = await ownPort()
  process.env.SHALLOT_MDNS = `127.0.0.1:${mdnsPort}`
  door = stack.use(await town.enrol('door', 'front-door'))
  // Two homes have a device of one name.
  weather = stack.use(await cabin.enrol('door', 'weather'))
})
after(() => stack[Symbol.asyncDispose]())

interface Member extends Said {
  readonly id: string
  readonly name: string
  readonly connected: boolean
  readonly entries: number
}

async function members(home: LiveHome): Promise<readonly Member[]> {
  return (await home.done(['mesh', 'status'])).members as Member[]
}

async function eventually<T>(what: string, look: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  let seen: T | undefined
  for (let round = 0; round < 90; round++) {
    seen = await look()
    if (holds(seen)) return seen
    await sleep(1000)
  }
  return assert.fail(`${what}: ${JSON.stringify(seen)}`)
}

/** This home is connected to exactly these others. */
const seesAll = (home: LiveHome, names: readonly string[]) =>
  eventually(
    `it is connected to ${names.join(', ')}`,
    () => members(home),
    (all) => {
      const others = all.filter(({ own }) => !own)
      return (
        others.length === names.length &&
        others.every(({ name, connected }) => connected && names.includes(name))
      )
    },
  )

async function joins(host: LiveHome, guest: LiveHome): Promise<void> {
  let joined: Promise<Said> | undefined
  await host.done(['mesh', 'invite'], {
    onLine: (line) => {
      const { stage, code } = JSON.parse(line)
      if (stage === 'code') joined = guest.done(['mesh', 'join', code])
    },
  })
  await joined
}

const devices = async (home: LiveHome) => (await home.done(['device', 'list'])).devices as Said[]

/** What a person types on the keypad of the door. */
function type(keys: string): void {
  const bursts = [...keys].map((key) => `4 ${key === '#' ? 'b' : key}`)
  appendFileSync(join(door.firmware.directory, 'world', 'wiegand'), `${bursts.join('\n')}\n`)
}

/** What the door told the attic that it did for somebody who stood before it. */
const acts = (count: number) =>
  eventually(
    `it tells of ${count} acts`,
    async () =>
      ((await attic.done(['log', 'show', '--limit', '200'])).entries as Said[]).filter(
        ({ kind }) => kind === 'act',
      ),
    (all) => all.length === count,
  )

test('two join one, and all three belong together, each connected to each', {
  timeout: 240_000,
}, async () => {
  await joins(town, attic)
  await joins(town, cabin)
  await Promise.all([
    seesAll(town, ['attic', 'cabin']),
    seesAll(attic, ['hub', 'cabin']),
    seesAll(cabin, ['hub', 'attic']),
  ])
})

test('devices of one name do not clash: ours is meant by the bare name, the other by its home', async () => {
  const all = await eventually(
    'all are listed',
    () => devices(attic),
    (list) => list.length === 2,
  )
  assert.deepEqual(all.map(({ home, name }) => `${home}/${name}`).sort(), ['cabin/door', 'hub/door'])
  assert.equal((await town.done(['get', 'door', 'locked'])).value, true)
  assert.equal(typeof (await town.done(['get', 'cabin/door', 'temperature'])).value, 'number')
  const { exit, said } = await attic.json(['get', 'door', 'locked'])
  assert.deepEqual([exit, said.code], [3, 'conflict'])
  assert.match(said.message as string, /hub\/door/)
  assert.equal((await attic.done(['get', 'hub/door', 'locked'])).value, true)
})

test('what a device of another home measured is told there too', async () => {
  weather.firmware.connect('i2c-44', 'sht3x temperature=21.15 humidity=56.1')
  const past = async () =>
    (await town.done(['history', 'cabin/door', 'temperature'])).samples as Array<{ value: number }>
  const samples = await eventually('it is in the history', past, (all) =>
    all.some(({ value }) => Math.abs(value - 21.15) < 0.02),
  )
  assert.ok(
    samples.some(({ value }) => Math.abs(value - 18.4) < 0.02),
    'also what was before',
  )
})

test('a daemon that nobody gave it to leaves a device alone when its own daemon dies', {
  timeout: 240_000,
}, async () => {
  await town.done(['person', 'add', 'neighbour'])
  pin = (await town.done(['pin', 'set', 'neighbour', 'door', '--pin', 'generated'])).pin as string
  await eventually(
    'the others know of it',
    async () => ((await attic.done(['grants'])).grants as Said[]).length,
    (count) => count === 1,
  )
  const { home } = await town.done(['status'])
  // On the LAN of the town and the attic the attic answers whoever looks for its hub.
  const options = {
    root: fromBase64url(home as string)!,
    port: attic.linkPort,
    addresses: () => ['127.0.0.1'],
  }
  const deps = { clock: systemClock, log: new Log(systemClock, silent) }
  const listen = { host: '127.0.0.1', port: mdnsPort }
  stack.use(await openDiscovery(deps, { ...options, listen }, new AbortController().signal))
  await town.kill()
  await door.firmware.line(/^hub found elsewhere$/)
  await door.firmware.line(/^link ended -214$/)
  assert.deepEqual(
    (await devices(attic)).filter(({ home }) => home === undefined),
    [],
  )
})

test('an owner gives it to the attic: it comes by itself, and obeys, and its keypad goes on', {
  timeout: 240_000,
}, async () => {
  const adopted = await attic.done(['device', 'adopt', 'hub/door'])
  assert.equal(adopted.was, 'hub')
  await door.firmware.line(/^connected/)
  await door.firmware.line(/^hub moved$/)
  await door.firmware.line(/^enrolment recorded$/)
  const here = (await devices(attic)).find(({ id }) => id === door.id)
  assert.deepEqual([here?.home, here?.name, here?.connected], [undefined, 'door', true])
  const opened = await attic.done(['invoke', 'door', 'unlock', '1'])
  assert.equal(opened.verified, true)
  type(`${pin}#`)
  const [act] = await acts(1)
  assert.deepEqual([act?.code ?? 'ok', act?.origin], ['ok', 'keypad'])
  const { entries } = (await attic.done(['log', 'show', '--limit', '200'])) as { entries: Said[] }
  assert.ok(entries.some(({ kind, device }) => kind === 'adopted' && device === door.id))
})

test('a code that is taken back at the new daemon opens no more', { timeout: 240_000 }, async () => {
  await attic.done(['pin', 'remove', 'neighbour', 'door', '--yes'])
  type(`${pin}#`)
  const all = await acts(2)
  assert.equal(all.at(-1)?.code, 'wrong-pin')
})

test('a daemon is removed while another sleeps, which hears of it and yields what it had', {
  timeout: 240_000,
}, async () => {
  await attic.done(['mesh', 'remove', 'cabin'])
  await attic.done(['onion', 'invite', 'while-the-town-slept'])
  const { entries } = (await members(attic)).find(({ own }) => own)!
  await town.start()
  await seesAll(town, ['attic'])
  await eventually(
    'it caught up',
    async () => (await members(town)).find(({ name }) => name === 'attic')!.entries,
    (here) => here >= entries,
  )
  const list = await eventually(
    'it yields',
    () => devices(town),
    (all) => all.some(({ id, home }) => id === door.id && home === 'attic'),
  )
  assert.equal(list.filter(({ id }) => id === door.id).length, 1)
  assert.deepEqual(
    list.filter(({ home }) => home === 'cabin'),
    [],
    'nothing of who was removed is shown',
  )
  const set = await town.done(['invoke', 'attic/door', 'unlock', '1'])
  assert.equal(set.verified, true)
  assert.ok(
    !door.firmware.lines.slice(door.firmware.lines.lastIndexOf('hub moved')).includes('link ended -214'),
  )
  assert.deepEqual(
    (await members(cabin)).filter(({ own, connected }) => !own && connected),
    [],
  )
})

test('a machine that is lost is restored from the words, and has its past from the others', {
  timeout: 300_000,
}, async () => {
  const lamp = stack.use(await town.enrol('lamp', 'weather'))
  const samplesOf = async (home: LiveHome, device: string) =>
    (await home.done(['history', device, 'temperature'])).samples as Said[]
  const [first] = await eventually(
    'the attic has its readings',
    () => samplesOf(attic, 'hub/lamp'),
    (all) => all.length > 0,
  )
  const old = (await members(town)).find(({ own }) => own)!
  await eventually(
    'the attic has its log',
    async () => (await members(attic)).find(({ id }) => id === old.id)!.entries,
    (here) => here >= old.entries,
  )
  await town.kill()
  for (const lost of [town.data, town.owner]) rmSync(lost, { recursive: true })
  const shared = { network, linkPort: town.linkPort, daemon: EVERY_READING }
  const again = stack.use(await openLiveHome({ ...shared, words: attic.words }))
  // By which code depends on whether it tried while nobody listened.
  await lamp.firmware.line(/^link ended/)
  await lamp.firmware.line(/^connected/)
  await joins(attic, again)
  await attic.done(['mesh', 'remove', old.id])
  await seesAll(again, ['attic'])
  const log = await eventually(
    'its log is here',
    async () =>
      (await again.json(['mesh', 'log', old.id, '--limit', '1000'])).said.entries as Said[] | undefined,
    (all) => (all?.length ?? 0) >= old.entries,
  )
  assert.ok(log?.some(({ kind, note }) => kind === 'permit' && note === 'lamp'))
  await eventually(
    'its readings from before are here',
    () => samplesOf(again, 'lamp'),
    (all) => all.some(({ at, value }) => at === first?.at && value === first?.value),
  )
})
