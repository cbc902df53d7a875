// SPDX-License-Identifier: GPL-3.0-or-later
/** `mesh.*`: two daemons of one home in a private Tor network, against what their own connection can do. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toBase64url } from '../../daemon/base/bytes.ts'
import { systemClock } from '../../daemon/base/clock.ts'
import { Log, silent } from '../../daemon/base/log.ts'
import { systemRandom } from '../../daemon/base/random.ts'
import { Secret } from '../../daemon/base/secret.ts'
import { fieldsOf, listOf, numberIn, textIn } from '../../daemon/cli/fields.ts'
import { type ServerEvent, unixWay } from '../../daemon/cli/reach/index.ts'
import { loadHub, loadOwner } from '../../daemon/config/keyring.ts'
import { nativeEd25519, sealEnvelope } from '../../daemon/core/envelope/index.ts'
import { onionAddress, onionSeed } from '../../daemon/core/identity/index.ts'
import { idOf, keyOf, type PartyId } from '../../daemon/core/model/index.ts'
import { type Mesh, openMesh } from '../../daemon/edge/mesh/index.ts'
import { type Onion, openOnion } from '../../daemon/edge/onion/index.ts'
import { openState } from '../../daemon/state/index.ts'
import { openPrivateTor, type PrivateTor } from '../private-tor.ts'
import { type Client, openClient } from './client.ts'
import { addDevices, type HomePlace, makeHome, startFleet } from './home.ts'
import { startHubIn } from './onion.ts'
import { Helper, residentKib } from './process.ts'
import { against, type Bench, type Results } from './sample.ts'
import { cacheOf } from './tor.ts'

const ed25519 = nativeEd25519()
const ROUNDS = 60
const WARM_UP = 10
const PINGS = 4
const POLL_MS = 250
const JOINED_MS_MAX = 240_000
const BYTES_PER_KIB = 1024

interface Pair extends AsyncDisposable {
  readonly town: HomePlace
  readonly cabin: HomePlace
  readonly townClient: Client
  readonly cabinClient: Client
  readonly cabinPid: number
}

/** Two daemons that have joined, each with a tor of its own; `prepare` fills the first one's books before it starts. */
async function openPair(
  network: PrivateTor,
  prepare: (town: HomePlace) => Promise<void>,
  fleet: (town: HomePlace, linkPort: number) => Promise<AsyncDisposable | undefined>,
): Promise<Pair> {
  await using held = new AsyncDisposableStack()
  const seed = new Secret(systemRandom.bytes(32))
  const town = held.use(makeHome(seed))
  const cabin = held.use(makeHome(seed, 'cabin'))
  await prepare(town)
  const townHub = held.use(await startHubIn(network, town))
  const devices = await fleet(town, townHub.linkPort)
  if (devices) held.use(devices)
  const cabinHub = held.use(await startHubIn(network, cabin))
  const townClient = held.use(openClient(town, async () => unixWay(town.data)))
  const cabinClient = held.use(openClient(cabin, async () => unixWay(cabin.data)))
  await joinThem(townClient, cabinClient, cabin)
  const handles = held.move()
  return {
    ...{ town, cabin, townClient, cabinClient, cabinPid: cabinHub.pid },
    [Symbol.asyncDispose]: () => handles.disposeAsync(),
  }
}

/** As `shallot mesh invite` and `shallot mesh join` do it. */
async function joinThem(host: Client, guest: Client, place: HomePlace): Promise<void> {
  const own = textIn(fieldsOf(await guest.api.get('/mesh'), 'the mesh'), 'own') as PartyId
  const { owner } = loadOwner(place.owner)
  const now = systemClock.now()
  const claims = {
    audience: place.facts.home,
    sealedAt: Math.floor(now / 1000),
    epoch: systemRandom.bytes(8),
  }
  const member = sealEnvelope(
    { type: 'member', ...claims, sequence: now, name: 'cabin', key: keyOf(own) },
    owner,
  )
  const { code } = fieldsOf(await host.api.send('POST', '/mesh/invitations'), 'an invitation')
  await guest.api.send('POST', '/mesh/join', { code, member: toBase64url(member) })
  await within('the second daemon did not join', async () => {
    const joining = fieldsOf(await guest.api.get('/mesh/join'), 'how joining goes')
    if (joining.state === 'refused') throw new Error(`joining was refused: ${joining.code}`)
    return joining.state === 'joined'
  })
  for (const client of [host, guest]) {
    await within('the two are not connected', async () => (await memberOf(client)).connected === true)
  }
}

async function within(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = systemClock.monotonic() + JOINED_MS_MAX
  while (!(await holds())) {
    if (systemClock.monotonic() > end) throw new Error(what)
    await systemClock.sleep(POLL_MS)
  }
}

/** The other daemon, as this one tells. */
async function memberOf(client: Client): Promise<Record<string, unknown>> {
  const report = fieldsOf(await client.api.get('/mesh'), 'the mesh')
  const members = listOf(report.members, 'daemons').map((each) => fieldsOf(each, 'a daemon'))
  return members.find(({ own }) => own !== true) ?? {}
}

async function openNetwork({ say, signal }: Bench): Promise<PrivateTor> {
  return openPrivateTor({ clock: systemClock, random: systemRandom }, { say }, signal)
}

/** Round trips on the connection that the daemons have, as one of them measures them. */
async function pings(client: Client): Promise<number[]> {
  const { id } = await memberOf(client)
  const answer = await client.api.send('POST', `/mesh/members/${id}/ping?times=${PINGS}`)
  return listOf(fieldsOf(answer, 'pings').ms, 'pings') as number[]
}

/** `mesh.rtt`, `mesh.event` and `mesh.rss`: all on one connection, by turns. */
export async function meshLive(bench: Bench): Promise<Results> {
  bench.say(
    'mesh.rtt, mesh.event, mesh.rss: commands and readings between two homes, and pings on their connection',
  )
  await using network = await openNetwork(bench)
  let fleet: Helper | undefined
  let devices: Awaited<ReturnType<typeof addDevices>>
  await using pair = await openPair(
    network,
    async (town) => {
      devices = await addDevices(town, ['lamp'])
    },
    async (town, port) => {
      fleet = await startFleet(town, port, devices)
      await fleet.ask({ connect: 1 })
      return fleet
    },
  )
  const { cabinClient: client } = pair
  const thing = await client.prove('hub/lamp')
  const [commands, rtts, seen]: [number[], number[], number[]] = [[], [], []]
  using shown = await followReadings(client)
  for (let turn = -WARM_UP; turn < ROUNDS; turn++) {
    const began = performance.now()
    await client.command(thing, Math.abs(turn) % 100)
    const tookMs = performance.now() - began
    await shown.next()
    const { at } = await fleet!.ask<{ at: number }>({ read: Math.abs(turn) % 100 })
    const eventMs = (await shown.next()) - at
    const pinged = await pings(client)
    if (turn < 0) continue
    commands.push(tookMs)
    seen.push(eventMs)
    rtts.push(...pinged)
  }
  return {
    'mesh.rtt': against(commands, rtts, 'ms'),
    'mesh.event': against(seen, rtts, 'ms'),
    'mesh.rss': against([residentMb(pair.cabinPid)], [await bareMb()], 'MB'),
  }
}

/** When each reading is shown to somebody who watches there, on the clock of this machine. */
async function followReadings(client: Client): Promise<Disposable & { next(): Promise<number> }> {
  const events = await client.api.events('/events')
  const times: number[] = []
  let wake = () => {}
  const follow = async (all: AsyncGenerator<ServerEvent>) => {
    for await (const { event } of all) {
      if (event !== 'reading') continue
      times.push(performance.timeOrigin + performance.now())
      wake()
    }
  }
  follow(events).catch(() => {})
  return {
    async next() {
      while (times.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      return times.shift()!
    },
    [Symbol.dispose]: () => void events.return(undefined),
  }
}

async function bareMb(): Promise<number> {
  const { helper } = await Helper.start(new URL('bare-mesh.ts', import.meta.url).pathname, {})
  await using bare = helper
  await systemClock.sleep(5000)
  return residentMb(bare.pid)
}

function residentMb(pid: number): number {
  return (residentKib(pid) * BYTES_PER_KIB) / 1e6
}

const ENTRIES = 100_000
const FRAMES = 64
/** Entries that are written in one turn, so in one transaction. */
const BATCH = 500
const BULK_FRAME_BYTES = 64 * 1024
const BULK_BYTES = 32 * 1024 * 1024
const IN_FLIGHT = 8

/** `mesh.sync`: a long log to a daemon that is new, and as many bytes as its stream carries by themselves. */
export async function meshSync(bench: Bench): Promise<Results> {
  bench.say(`mesh.sync: ${ENTRIES} entries to a new daemon, and bulk bytes over a stream of the same kind`)
  await using network = await openNetwork(bench)
  const bulk = await bulkRate(network)
  let bytes = 0
  await using pair = await openPair(
    network,
    async (town) => {
      bytes = await fillLog(town)
    },
    async () => undefined,
  )
  const began = performance.now()
  const idleMb = residentMb(pair.cabinPid)
  let peakMb = idleMb
  await within('the log did not arrive', async () => {
    peakMb = Math.max(peakMb, residentMb(pair.cabinPid))
    return numberIn(await memberOf(pair.cabinClient), 'entries') >= ENTRIES
  })
  const rate = bytes / 1e6 / ((performance.now() - began) / 1000)
  return {
    'mesh.sync': against([rate], [bulk], 'MB/s'),
    'mesh.sync.memory': { value: Math.round(peakMb - idleMb), unit: 'MB' },
  }
}

/** Commands with true seals, because each is checked where it arrives. @returns the bytes of all entries */
async function fillLog(place: HomePlace): Promise<number> {
  const { owner } = loadOwner(place.owner)
  const device = idOf(owner.key)
  const claims = {
    audience: device,
    sealedAt: 1,
    expiresAt: 31,
    epoch: systemRandom.bytes(8),
    nonce: systemRandom.bytes(8),
  }
  const frames = Array.from({ length: FRAMES }, (_, sequence) =>
    sealEnvelope(
      { type: 'command', ...claims, sequence, operation: 'write', affordance: 2, value: sequence },
      owner,
    ),
  )
  const author = idOf(ed25519.signer(loadHub(place.data).hubSeed.reveal()).key)
  const deps = { clock: systemClock, log: new Log(systemClock, silent) }
  const path = join(place.data, 'home.sqlite')
  await using state = await openState(deps, { path, author }, new AbortController().signal)
  for (let at = 0; at < ENTRIES; at += BATCH) {
    const entry = (n: number) =>
      ({ kind: 'command', at: n, device, signer: device, frame: frames[n % FRAMES]! }) as const
    await Promise.all(Array.from({ length: BATCH }, (_, n) => state.journal.append(entry(at + n))))
  }
  const piece = state.shelf.own(1)!
  const pieceBytes = piece.entries.reduce((sum, body) => sum + body.length, 0)
  return (pieceBytes / piece.entries.length) * ENTRIES
}

/** MB/s of frames that nobody looks at, as many unacknowledged as the exchange allows itself. */
async function bulkRate(network: PrivateTor): Promise<number> {
  await using held = new AsyncDisposableStack()
  const directory = mkdtempSync(join(tmpdir(), 'shallot-bulk-'))
  held.defer(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }))
  const { promise: done, resolve } = Promise.withResolvers<void>()
  let acknowledged = 0
  let sent = 0
  const frame = systemRandom.bytes(BULK_FRAME_BYTES)
  const push = () => {
    for (; sent - acknowledged < IN_FLIGHT && sent < BULK_BYTES / BULK_FRAME_BYTES; sent++)
      from.send(toId, 'log', frame)
    if (acknowledged === BULK_BYTES / BULK_FRAME_BYTES) resolve()
  }
  const fromOnion = held.use(await onionIn(network, join(directory, 'a')))
  const toOnion = held.use(await onionIn(network, join(directory, 'b')))
  const { promise: connected, resolve: onConnected } = Promise.withResolvers<void>()
  const from = held.use(
    await roomOn(
      fromOnion,
      1,
      () => onConnected(),
      () => {
        acknowledged++
        push()
      },
    ),
  )
  const to: Mesh = held.use(
    await roomOn(
      toOnion,
      2,
      () => {},
      () => to.send(fromId, 'log', new Uint8Array(1)),
    ),
  )
  const [fromId, toId] = [1, 2].map(idNumber) as [PartyId, PartyId]
  const seed = onionSeed(new Secret(new Uint8Array(32).fill(9)), 'bulk', 0)
  const target = join(directory, 'bulk.sock')
  held.use(await to.door('bulk', target))
  toOnion.offer({ name: 'bulk', seed, target, port: 80, clients: [] })
  from.reach(toId, onionAddress(ed25519.signer(seed.reveal()).key), false)
  await connected
  const began = performance.now()
  push()
  await done
  return BULK_BYTES / 1e6 / ((performance.now() - began) / 1000)
}

function idNumber(number: number): PartyId {
  return idOf(ed25519.signer(new Uint8Array(32).fill(number)).key)
}

async function onionIn(network: PrivateTor, directory: string): Promise<Onion> {
  const extraTorrc = [...network.torrc, `CacheDirectory ${cacheOf(network, directory)}`]
  const deps = { clock: systemClock, random: systemRandom, log: new Log(systemClock, silent) }
  return openOnion(
    deps,
    { tor: { kind: 'child', binary: 'tor', directory, extraTorrc } },
    new AbortController().signal,
  )
}

async function roomOn(
  onion: Onion,
  number: number,
  onConnected: () => void,
  onHeard: () => void,
): Promise<Mesh> {
  return openMesh(
    {
      ...{ clock: systemClock, random: systemRandom, log: new Log(systemClock, silent) },
      dial: (address, port, options) => onion.dial(address, port, options),
      hear: {
        mayEnter: () => true,
        connected: onConnected,
        gone: () => {},
        heard: async () => {
          onHeard()
          return true
        },
        asked: async (_peer, question) => question,
      },
    },
    { seed: new Secret(new Uint8Array(32).fill(number)) },
    new AbortController().signal,
  )
}
