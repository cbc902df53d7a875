// SPDX-License-Identifier: GPL-3.0-or-later
/** What may go wrong between two homes, each on real tor: a kill, a full disk, a wrong clock, a daemon in other hands. */
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PartyId } from '../../daemon/core/model/index.ts'
import { fillLog } from '../../scripts/bench/long-log.ts'
import { residentKib } from '../../scripts/bench/process.ts'
import type { PrivateTor } from '../../scripts/private-tor.ts'
import { LiveHome, type Said } from '../support/home.ts'
import { privateTor } from '../support/private-tor.ts'
import { Rogue } from '../support/rogue.ts'
import { SmallDisk } from '../support/small-disk.ts'
import { torPidOf } from '../support/tor-inside.ts'

/** Long enough to be cut twice before it has arrived. */
const ENTRIES = 60_000
const DISK_MB = 64
/** What the disk has room for at first: a part of the log. */
const ROOM_BYTES = 4_000_000
/** More small things than fit where a piece of the log did not. */
const SMALL_MAX = 30
const HOUR_AHEAD = 'data:text/javascript,const%20now=Date.now;Date.now=()=>now()+3600000'

let network: PrivateTor
let town: LiveHome
/** On a small disk, its clock an hour ahead. */
let cabin: LiveHome
let disk: SmallDisk

before(async () => {
  network = await privateTor()
  town = new LiveHome({ network, linkPort: 0 })
  await town.found()
  cabin = new LiveHome({
    ...{ network, linkPort: 0, words: town.words, as: 'cabin' },
    ...{ enter: () => disk.enter, environment: { NODE_OPTIONS: `--import=${HOUR_AHEAD}` } },
  })
  mkdirSync(cabin.data, { mode: 0o700 })
  disk = await SmallDisk.open(cabin.data, DISK_MB)
  await cabin.found()
  await fillLog(town, ENTRIES)
  await Promise.all([town.start(), cabin.start()])
})
after(async () => {
  await cabin?.[Symbol.asyncDispose]()
  await disk?.[Symbol.asyncDispose]()
  await town?.[Symbol.asyncDispose]()
  await network?.[Symbol.asyncDispose]()
})

interface Member extends Said {
  readonly id: string
  readonly name: string
  readonly own: boolean
  readonly connected: boolean
  readonly entries: number
  readonly missing: number
  readonly trouble?: string
}

async function memberAt(home: LiveHome, name: string): Promise<Member> {
  const members = (await home.done(['mesh', 'status'])).members as Member[]
  return members.find((each) => each.name === name) ?? assert.fail(`${name} is not shown`)
}

async function eventually(
  what: string,
  home: LiveHome,
  name: string,
  holds: (member: Member) => boolean,
): Promise<Member> {
  let seen: Member | undefined
  for (let tries = 0; tries < 400; tries++) {
    seen = await memberAt(home, name)
    if (holds(seen)) return seen
    await sleep(200)
  }
  return assert.fail(`${what}: ${JSON.stringify(seen)}`)
}

const troubleAtTown = (pattern: RegExp) =>
  eventually(`${pattern}`, town, 'cabin', ({ trouble = '' }) => pattern.test(trouble))

/** Of the onion service by which the cabin reaches the town. */
async function addressForCabin(): Promise<string> {
  const { services } = (await town.done(['status'])) as { services: Said[] }
  return services.find(({ service }) => String(service).startsWith('mesh:'))!.address as string
}

const connected = (home: LiveHome, name: string) =>
  eventually(`${name} is connected`, home, name, (member) => member.connected)

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

async function invitedAtCabin(): Promise<readonly string[]> {
  const { invitations } = (await cabin.done(['onion', 'list'])) as { invitations: Said[] }
  return invitations.map(({ name }) => name as string)
}

/** What the cabin took while its disk was full: there may be room for less than a piece of a log. */
const acknowledged: string[] = []

/** Asks the cabin for small things until one is refused. */
async function untilRefused(): Promise<readonly [name: string, said: Said]> {
  for (let at = 0; at < SMALL_MAX; at++) {
    const name = `guest-${at}`
    const { exit, said } = await cabin.json(['onion', 'invite', name])
    if (exit !== 0) return [name, said]
    acknowledged.push(name)
  }
  return assert.fail(`a full disk took ${SMALL_MAX} invitations`)
}

/** All that the town wrote is in the cabin. */
async function whole(): Promise<void> {
  const { entries } = await memberAt(town, 'hub')
  await eventually('the whole log is there', cabin, 'hub', (member) => member.entries >= entries)
}

test('a full disk acknowledges nothing that it has no room for, says so, and goes on when there is room', {
  timeout: 180_000,
}, async () => {
  disk.fill(ROOM_BYTES)
  await join()
  const full = await eventually('it says so', cabin, 'cabin', ({ trouble }) => trouble !== undefined)
  assert.match(full.trouble!, /^What other daemons say cannot be kept: .*full\. Make room on the disk/)
  const { entries, connected } = await memberAt(cabin, 'hub')
  assert.deepEqual([connected, entries > 0, entries < ENTRIES], [true, true, true])
  const [refused, said] = await untilRefused()
  assert.match(String(said.message), /disk .* is full: make room/)
  disk.free()
  await eventually('more of it comes', cabin, 'hub', (hub) => hub.entries > entries)
  // So that the rest of it has not come before the next test.
  process.kill(town.pid, 'SIGSTOP')
  await eventually('nothing is wrong any more', cabin, 'cabin', ({ trouble }) => trouble === undefined)
  const invited = await invitedAtCabin()
  assert.deepEqual(
    [invited.includes(refused), acknowledged.every((name) => invited.includes(name))],
    [false, true],
  )
})

test('a kill -9 of either, in the middle of a long log, loses nothing that was acknowledged', {
  timeout: 240_000,
}, async () => {
  process.kill(town.pid, 'SIGCONT')
  let kept = 0
  for (const killed of [cabin, town]) {
    const { entries } = await eventually('more of it comes', cabin, 'hub', (hub) => hub.entries > kept)
    await killed.kill()
    assert(entries < ENTRIES, 'the log had arrived before anybody was killed')
    kept = entries
    await killed.start()
    if (killed === cabin) assert((await memberAt(cabin, 'hub')).entries >= kept, 'what was kept is gone')
  }
  await whole()
  const invited = await invitedAtCabin()
  assert(
    acknowledged.every((name) => invited.includes(name)),
    `of ${acknowledged} there is ${invited}`,
  )
  for (const home of [town, cabin]) assert.equal((await home.done(['log', 'verify'])).ok, true)
})

test('a clock that is an hour off is named on both sides, and logs and papers pass all the same', {
  timeout: 60_000,
}, async () => {
  const { trouble } = await connected(town, 'cabin')
  assert.match(
    trouble!,
    /^Its clock is 60 min ahead of the one here, so that .*\. Set the clock that is wrong\.$/,
  )
  assert.match((await connected(cabin, 'hub')).trouble!, /^Its clock is 60 min behind the one here/)
})

test('a kill -9 of tor ends the connection, is told with what to do, and another is made', {
  timeout: 150_000,
}, async () => {
  const tor = await torPidOf(town)
  // Stopped, so that there is time to see how it is without: it would start another tor at once.
  process.kill(town.pid, 'SIGSTOP')
  try {
    process.kill(tor, 'SIGKILL')
    const { trouble } = await eventually('it is noticed', cabin, 'hub', (hub) => !hub.connected)
    // The other side may see the circuit close, or only that nothing comes any more.
    assert.match(
      trouble!,
      /\. (?:.*See that its machine is on|The way through Tor to it stalled, and another)/,
    )
  } finally {
    process.kill(town.pid, 'SIGCONT')
  }
  await Promise.all([connected(town, 'cabin'), connected(cabin, 'hub')])
  assert.notEqual(await torPidOf(town), tor)
})

test('a daemon in other hands that floods, replays, reads nothing or says garbage costs the others nothing', {
  timeout: 180_000,
}, async () => {
  await cabin.stop()
  const before = await memberAt(town, 'hub')
  const rss = residentKib(town.pid)
  const victim = { id: before.id as PartyId, address: await addressForCabin() }
  await using rogue = await Rogue.open(network, victim, disk.place)
  const first = await rogue.connected()
  await rogue.replay()
  await rogue.flood()
  const slowed = await troubleAtTown(/It is heard slowly/)
  assert.equal(slowed.connected, true)
  rogue.wantAndNeverRead()
  await troubleAtTown(/It did not read what it was sent/)
  await rogue.connected(first)
  rogue.sayGarbage()
  const { trouble } = await troubleAtTown(/It sent what no daemon says/)
  assert.match(trouble!, /let in again ever later\. .* `shallot mesh remove`/)
  const now = await memberAt(town, 'hub')
  assert.deepEqual([now.entries, (await memberAt(town, 'cabin')).name], [before.entries, 'cabin'])
  assert(residentKib(town.pid) - rss < 100 * 1024, `${rss} KiB have become ${residentKib(town.pid)}`)
  assert.equal((await town.done(['log', 'verify'])).ok, true)
})

test('and is one of the home again when it behaves', { timeout: 120_000 }, async () => {
  await cabin.start()
  await Promise.all([connected(town, 'cabin'), connected(cabin, 'hub')])
  await town.done(['onion', 'invite', 'after-all'])
  await whole()
})
