// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * A relay that hangs: its connections stay open, and nothing that was sent through it arrives, for good. Tor itself tells nobody.
 *
 * The network has twice the relays that other tests use, and the one that is stopped is that of the connection's circuit by which the
 * fewest others lead: in Tor any two circuits share next to no relay, and of six every other circuit would lead through it.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Api } from '../../daemon/cli/api.ts'
import { RELAYS_MAX } from '../../scripts/private-tor/torrc.ts'
import type { PrivateTor } from '../../scripts/private-tor.ts'
import { LiveHome, type Said } from '../support/home.ts'
import { privateTor } from '../support/private-tor.ts'
import { type Way, waysOf } from '../support/tor-inside.ts'

const LOOK_MS = 200
const CIRCUITS_MAX = 8

const stack = new AsyncDisposableStack()
let network: PrivateTor
let town: LiveHome
let cabin: LiveHome
const apis = new Map<LiveHome, Api>()

before(async () => {
  network = stack.use(await privateTor({ relays: RELAYS_MAX }))
  town = stack.use(new LiveHome({ network, linkPort: 0 }))
  await town.found()
  cabin = stack.use(new LiveHome({ network, linkPort: 0, words: town.words, as: 'cabin' }))
  await cabin.found()
  await Promise.all([town.start(), cabin.start()])
  for (const home of [town, cabin]) apis.set(home, (await home.api(stack)).api)
  await join()
})
after(() => stack[Symbol.asyncDispose]())

async function join(): Promise<void> {
  let joined: Promise<Said> | undefined
  await town.done(['mesh', 'invite'], {
    onLine: (line) => {
      const { stage, code } = JSON.parse(line)
      if (stage === 'code') joined = cabin.done(['mesh', 'join', code])
    },
  })
  await joined
}

interface Member {
  readonly name: string
  readonly connected: boolean
  readonly entries: number
}

/** What `home` tells of the daemon of this name. */
async function memberAt(home: LiveHome, name: string): Promise<Member> {
  const { members } = (await apis.get(home)!.get('/mesh')) as { members: Member[] }
  return members.find((each) => each.name === name) ?? assert.fail(`${name} is not shown`)
}

async function eventually<T>(what: string, look: () => Promise<T>, holds: (seen: T) => boolean): Promise<T> {
  let seen: T | undefined
  for (let tries = 0; tries < 600; tries++) {
    seen = await look()
    if (holds(seen)) return seen
    await sleep(LOOK_MS)
  }
  return assert.fail(`${what}: ${JSON.stringify(seen)}`)
}

async function connected(): Promise<void> {
  for (const [home, other] of [
    [town, 'cabin'],
    [cabin, 'hub'],
  ] as const) {
    await eventually(
      `${other} is connected`,
      () => memberAt(home, other),
      (member) => member.connected,
    )
  }
}

const both = () => Promise.all([waysOf(town), waysOf(cabin)])

/** By which relays each call of either daemon goes that stands. */
const called = async (): Promise<readonly Way[]> => (await both()).flatMap((ways) => ways.called)

/** Of the relays of the one circuit that carries the connection: nobody's guard, and the fewest lead through it. */
async function seldom() {
  for (let circuits = 0; circuits < CIRCUITS_MAX; circuits++) {
    await connected()
    const [way] = await eventually('one call stands', called, ({ length }) => length === 1)
    const all = (await both()).flatMap((ways) => ways.all)
    const guards = new Set(all.map(([guard]) => guard))
    const through = (relay: Way[number]) => all.filter((each) => each.includes(relay)).length
    const [relay] = way!.filter((each) => !guards.has(each)).sort((a, b) => through(a) - through(b))
    if (relay !== undefined) return relay
    await cabin.restart()
  }
  return assert.fail(`${CIRCUITS_MAX} circuits led through guards alone`)
}

const stalls = () =>
  [town, cabin].flatMap(({ diary }) => diary).filter((line) => /"mesh-lost".*"stalled"/.test(line)).length

const isStopped = (pid: number) => / T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))

test('a circuit that stalls is noticed and replaced while the relay that holds it stands still', {
  timeout: 240_000,
}, async () => {
  const relay = await seldom()
  const pid = network.pid(relay)!
  const before = stalls()
  process.kill(pid, 'SIGSTOP')
  try {
    await eventually(
      'it is noticed',
      async () => stalls(),
      (now) => now > before,
    )
    await connected()
    assert.deepEqual(
      (await called()).filter((way) => way.includes(relay)),
      [],
      `nothing goes by ${relay}`,
    )
    await town.done(['onion', 'invite', 'while-it-stood'])
    const { entries } = await memberAt(town, 'hub')
    await eventually(
      'what was said meanwhile arrives',
      () => memberAt(cabin, 'hub'),
      (hub) => hub.entries >= entries,
    )
    assert(isStopped(pid), `${relay} stood still all the time`)
  } finally {
    process.kill(pid, 'SIGCONT')
  }
})
