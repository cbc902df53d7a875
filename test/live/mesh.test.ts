// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PrivateTor } from '../../scripts/private-tor.ts'
import { type LiveDevice, type LiveHome, openLiveHome, type Said } from '../support/home.ts'
import { privateTor } from '../support/private-tor.ts'

let network: PrivateTor
let town: LiveHome
let cabin: LiveHome
let light: LiveDevice
let weather: LiveDevice

before(async () => {
  network = await privateTor()
  town = await openLiveHome({ network })
  cabin = await openLiveHome({ network, words: town.words, as: 'cabin' })
  light = await town.enrol('porch-light', 'porch-light')
  weather = await cabin.enrol('balcony', 'weather')
})
after(async () => {
  await light?.[Symbol.asyncDispose]()
  await weather?.[Symbol.asyncDispose]()
  await cabin?.[Symbol.asyncDispose]()
  await town?.[Symbol.asyncDispose]()
  await network?.[Symbol.asyncDispose]()
})

interface Member extends Said {
  readonly name: string
  readonly connected: boolean
  readonly entries: number
  readonly trouble?: string
}

async function members(home: LiveHome): Promise<readonly Member[]> {
  return (await home.done(['mesh', 'status'])).members as Member[]
}

async function eventually<T>(
  what: string,
  look: () => Promise<T>,
  holds: (value: T) => boolean,
  tries = 120,
): Promise<T> {
  let seen: T | undefined
  for (let round = 0; round < tries; round++) {
    seen = await look()
    if (holds(seen)) return seen
    await sleep(1000)
  }
  return assert.fail(`${what}: ${JSON.stringify(seen)}`)
}

const sees = (home: LiveHome, name: string, connected: boolean) =>
  eventually(
    `${name} is ${connected ? 'connected' : 'away'}`,
    () => members(home),
    (all) => all.some((each) => each.name === name && each.connected === connected),
  )

test('a daemon alone does not carry libp2p', () => {
  const maps = readFileSync(`/proc/${town.pid}/status`, 'latin1')
  const rssMb = Number(/VmRSS:\s+(\d+)/.exec(maps)![1]) / 1024
  assert(town.diary.every((line) => !line.includes('mesh')))
  assert(rssMb > 0)
})

test('what is no invitation, or of another home, is refused', async () => {
  for (const code of ['shallot:mesh:AAAA', 'shallot:home:AAAA', 'x'.repeat(600)]) {
    const { exit, said } = await cabin.json(['mesh', 'join', code])
    assert.deepEqual([exit, said.code], [2, 'code-damaged'], code.slice(0, 20))
  }
})

test('the second joins by a code; both show the same six digits', { timeout: 200_000 }, async () => {
  let joined: Promise<Said> | undefined
  const invited = await town.done(['mesh', 'invite'], {
    onLine: (line) => {
      const { stage, code } = JSON.parse(line)
      if (stage === 'code') joined = cabin.done(['mesh', 'join', code])
    },
  })
  const there = await joined!
  assert.match(there.shortCode as string, /^\d{3} \d{3}$/)
  assert.deepEqual([invited.name, invited.shortCode], ['cabin', there.shortCode])
  await Promise.all([sees(town, 'cabin', true), sees(cabin, 'hub', true)])
})

test('each shows the devices of both, with their readings', { timeout: 120_000 }, async () => {
  const devices = async () => (await town.done(['device', 'list'])).devices as Said[]
  const listed = await eventually('both are listed', devices, (all) => all.length === 2)
  assert.deepEqual(
    listed.map(({ name, home, connected }) => [name, home, connected]),
    [
      ['porch-light', undefined, true],
      ['balcony', 'cabin', true],
    ],
  )
  weather.firmware.connect('i2c-44', 'sht3x temperature=22.15 humidity=56.1')
  const temperature = async () => (await town.done(['get', 'cabin/balcony', 'temperature'])).value
  const isShown = (value: unknown) => Math.abs(Number(value) - 22.15) < 0.02
  await eventually('the reading is shown in the other home', temperature, isShown, 90)
})

test('a command for a device of the other home is carried out there; its receipt is proved here', {
  timeout: 240_000,
}, async () => {
  const set = await cabin.done(['set', 'hub/porch-light', 'on', 'true'])
  assert.equal(set.verified, true)
  assert.deepEqual(
    (set.stages as Said[]).map(({ stage }) => stage).filter((stage) => stage !== 'at-device'),
    ['sent', 'at-hub', 'done'],
  )
  const lamp = readFileSync(join(light.firmware.directory, 'world', 'output-1'), 'utf8')
  assert.notEqual(Number(lamp), 0)
  const { entries } = (await town.done(['log', 'show'])) as { entries: Said[] }
  assert.equal(entries.findLast(({ kind }) => kind === 'command')?.origin, 'mesh:cabin')
})

test('nobody forgets or renames a device of another home', async () => {
  const { exit, said } = await cabin.json(['device', 'rename', 'hub/porch-light', 'mine'])
  assert.deepEqual([exit, said.code], [3, 'forbidden'])
})

test('the log of each arrives at the other, through a kill -9 of either', { timeout: 200_000 }, async () => {
  for (const home of [town, cabin]) {
    await Promise.all(
      Array.from({ length: 6 }, (_, at) => town.json(['onion', 'invite', `guest-${home.pid}-${at}`])),
    )
    await home.kill()
    await home.start()
  }
  await Promise.all([sees(town, 'cabin', true), sees(cabin, 'hub', true)])
  const length = async () => {
    const own = (await members(town)).find(({ own }) => own)!.entries
    const there = (await members(cabin)).find(({ name }) => name === 'hub')!.entries
    return [own, there]
  }
  await eventually('all of it is there', length, ([own, there]) => own! > 12 && own === there)
  assert.equal((await town.done(['log', 'verify'])).ok, true)
})

const guests = async (home: LiveHome) =>
  ((await home.done(['status'])).services as Said[]).filter(({ service }) =>
    `${service}`.startsWith('guest:'),
  )

test('who one home let in comes by the other while the first is dead, and by neither once it is taken back', {
  timeout: 240_000,
}, async () => {
  const file = join(cabin.place, 'far.key')
  const add = ['token', 'add', 'far', 'hub/porch-light', 'on', '--away', '--no-lan', '--out', file]
  await cabin.done(add)
  const environment = {
    SHALLOT_OWNER: join(cabin.place, 'nobody'),
    SHALLOT_DATA: join(cabin.place, 'nowhere'),
    SHALLOT_IDENTITY: file,
    SHALLOT_TORRC_EXTRA: cabin.joining(network, 'far'),
  }
  const far = (line: string) => cabin.json(line.split(' '), { environment })
  const kept = async () => {
    const { exit, out, err } = await far('get hub/porch-light on')
    assert.equal(exit, 0, out + err)
    return existsSync(`${file}.others`) ? readFileSync(`${file}.others`, 'utf8') : ''
  }
  await eventually('the other home is known to it', kept, (text) => text.includes('"home": "hub"'), 20)
  await cabin.kill()
  const { exit, said, err } = await far('set hub/porch-light on false')
  assert.deepEqual([exit, said.way, said.by, said.verified], [0, 'tor', 'hub', true], err)
  assert.deepEqual(said.values, { on: false })
  const { entries } = (await town.done(['log', '--who', 'far'])) as { entries: Said[] }
  assert.match(entries.findLast(({ kind }) => kind === 'command')?.origin as string, /^onion:guest:/)
  // The owner takes it back where the other home is: the first is still dead.
  assert.equal((await guests(town)).length, 1)
  await town.done(['token', 'remove', 'far', '--yes'])
  await eventually(
    'its address is gone',
    () => guests(town),
    (all) => all.length === 0,
    20,
  )
  const after = await far('get hub/porch-light on')
  assert.deepEqual([after.exit, after.said.code], [4, 'unreachable'])
  await cabin.start()
  await Promise.all([sees(town, 'cabin', true), sees(cabin, 'hub', true)])
  assert.deepEqual(await guests(town), [])
})

test('without a way the answer is unreachable, with how long ago it was heard', {
  timeout: 120_000,
}, async () => {
  await town.stop()
  await sees(cabin, 'hub', false)
  const { exit, said } = await cabin.json(['set', 'hub/porch-light', 'on', 'false'])
  assert.deepEqual([exit, said.code], [4, 'unreachable'])
  assert.match(said.message as string, /hub, which was last heard \d+ (?:s|min) ago/)
  const hub = (await members(cabin)).find(({ name }) => name === 'hub')!
  assert.equal(typeof hub.trouble, 'string')
  await town.start()
  await sees(cabin, 'hub', true)
})

test('a daemon that is removed is cut off, and stays out when it comes back', {
  timeout: 200_000,
}, async () => {
  await cabin.stop()
  await town.done(['mesh', 'remove', 'cabin'])
  const devices = async () =>
    ((await town.done(['device', 'list'])).devices as Said[]).map(({ name }) => name)
  assert.deepEqual(await devices(), ['porch-light'])
  await cabin.start()
  const before = (await members(cabin)).find(({ name }) => name === 'hub')!.entries
  await town.done(['onion', 'invite', 'after-the-removal'])
  await sleep(30_000)
  assert.deepEqual(
    (await members(town)).map(({ name }) => name),
    ['hub'],
  )
  const hub = (await members(cabin)).find(({ name }) => name === 'hub')!
  assert.deepEqual([hub.connected, hub.entries], [false, before])
  const { said } = await town.json(['mesh', 'remove', 'cabin'])
  assert.equal(said.code, 'not-found')
})
