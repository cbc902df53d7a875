// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PrivateTor } from '../../scripts/private-tor.ts'
import { type LiveDevice, type LiveHome, openLiveHome, type Ran, type Said } from '../support/home.ts'
import { privateTor } from '../support/private-tor.ts'

let network: PrivateTor
let home: LiveHome
let light: LiveDevice
let sensor: LiveDevice
let anna: Traveller
let bert: Traveller

/** Somebody elsewhere: an invitation, the owner's key, a tor of their own, and nothing else. */
class Traveller {
  readonly address: string
  readonly environment: Record<string, string>

  constructor(name: string, invitation: Said) {
    this.address = invitation.address as string
    const file = join(home.place, `${name}.code`)
    writeFileSync(file, invitation.code as string, { mode: 0o600 })
    this.environment = {
      SHALLOT_DATA: join(home.place, 'nowhere'),
      SHALLOT_HOME: file,
      SHALLOT_TORRC_EXTRA: home.joining(network, name),
    }
  }

  json(line: string): Promise<Ran> {
    return home.json(line.split(' '), { environment: this.environment })
  }

  async done(line: string): Promise<Said> {
    const { exit, out, said } = await this.json(line)
    assert.equal(exit, 0, out)
    return said
  }

  watch() {
    return home.stay(['watch'], this.environment)
  }
}

before(async () => {
  network = await privateTor()
  home = await openLiveHome({ network })
  light = await home.enrol('porch-light', 'porch-light')
  sensor = await home.enrol('balcony', 'weather')
  anna = new Traveller('anna', await home.done(['onion', 'invite', 'anna', '--no-lan']))
  bert = new Traveller('bert', await home.done(['onion', 'invite', 'bert', '--no-lan']))
})
after(async () => {
  await light?.[Symbol.asyncDispose]()
  await sensor?.[Symbol.asyncDispose]()
  await home?.[Symbol.asyncDispose]()
  await network?.[Symbol.asyncDispose]()
})

const onions = async () => {
  const { invitations, exposures } = await home.done(['onion', 'list'])
  return [...(invitations as Said[]), ...(exposures as Said[])].map(({ name, address }) => [name, address])
}

test('through either invitation the home is commanded and read from outside, by Tor', {
  timeout: 240_000,
}, async () => {
  assert.notEqual(anna.address, bert.address)
  const [set, status] = await Promise.all([anna.done('set porch-light on true'), bert.done('status')])
  assert.deepEqual([set.way, set.verified, status.way], ['tor', true, 'tor'])
  const lamp = readFileSync(join(light.firmware.directory, 'world', 'output-1'), 'utf8')
  assert.notEqual(Number(lamp), 0)
  const { entries } = (await home.done(['log', 'show'])) as { entries: Said[] }
  const command = entries.findLast(({ kind }) => kind === 'command')
  assert.equal(command?.origin, 'onion:invitation:anna')
})

test('what cannot be done from outside ends with the status it would have at home', {
  timeout: 240_000,
}, async () => {
  const answers = await Promise.all([
    bert.json('device rename porch-light balcony'),
    bert.json('get nobody'),
    bert.json('set porch-light level 400'),
  ])
  assert.deepEqual(
    answers.map(({ exit, said }) => [exit, said.code]),
    [
      [3, 'name-taken'],
      [5, 'not-found'],
      [2, 'bad-value'],
    ],
  )
})

test('expose gives an address that serves that device alone', { timeout: 240_000 }, async () => {
  const exposed = new Traveller('gadget', await home.done(['expose', 'porch-light']))
  const listed = await exposed.done('device list')
  assert.deepEqual(
    (listed.devices as Said[]).map(({ name }) => name),
    ['porch-light'],
  )
  const set = await exposed.done('set porch-light on false')
  assert.deepEqual([set.way, set.verified], ['tor', true])
  const answers = await Promise.all([
    exposed.json('get balcony'),
    exposed.json('log show'),
    exposed.json('onion invite thief'),
  ])
  for (const { exit, said } of answers) assert([3, 5].includes(exit ?? 0), JSON.stringify(said))
  assert.equal((await onions()).flat().includes('thief'), false)
})

test('withdraw cuts exactly one: its open watch breaks, the other never notices', {
  timeout: 240_000,
}, async () => {
  await using cut = anna.watch()
  await using kept = bert.watch()
  for (let tries = 0; ; tries++) {
    await home.done(['invoke', 'porch-light', 'toggle'])
    const hear = (lines: readonly string[]) => lines.some((line) => line.includes('did what it was told'))
    if (hear(cut.lines) && hear(kept.lines)) break
    assert(tries < 60, `watched in vain: ${[...cut.lines, ...kept.lines].slice(-4).join(' | ')}`)
    await sleep(1000)
  }
  await home.done(['onion', 'withdraw', 'anna'])
  // Told by the home itself: a circuit that is closed under the stream may stay unheard of for a minute.
  await cut.line(/the home ended the connection; connecting again/, 60_000)
  const heard = kept.lines.length
  await home.done(['invoke', 'porch-light', 'toggle'])
  for (let tries = 0; kept.lines.length === heard && tries < 100; tries++) await sleep(100)
  assert(kept.lines.length > heard, 'the other watch hears nothing any more')
  assert.deepEqual(
    kept.lines.filter((line) => /connecting again|broke off/.test(line)),
    [],
  )
  const [gone, there] = await Promise.all([anna.json('status'), bert.json('status')])
  assert.deepEqual([gone.exit, gone.said.code], [4, 'unreachable'])
  assert.equal(there.exit, 0)
  assert.equal((await onions()).flat().includes('anna'), false)
})

test('when its tor is killed, the services come back by themselves at their addresses', {
  timeout: 240_000,
}, async () => {
  const before = await onions()
  const tor = torOf(home.pid)
  process.kill(tor, 'SIGKILL')
  assert.equal((await home.json(['get', 'porch-light'])).exit, 0)
  const status = await bert.done('status')
  assert.equal(status.way, 'tor')
  assert.deepEqual(await onions(), before)
  assert.notEqual(torOf(home.pid), tor)
})

/** The tor that this daemon started. */
function torOf(daemon: number): number {
  const children = readFileSync(`/proc/${daemon}/task/${daemon}/children`, 'utf8').trim().split(' ')
  const tors = children.filter((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'tor')
  assert.equal(tors.length, 1, `children of the daemon: ${children}`)
  return Number(tors[0])
}
