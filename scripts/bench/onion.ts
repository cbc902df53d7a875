// SPDX-License-Identifier: GPL-3.0-or-later
/** `onion.rtt` and `onion.cold`: the home through a private Tor network, against a bare tor with a static file behind it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../daemon/base/clock.ts'
import { systemRandom } from '../../daemon/base/random.ts'
import { bytesIn, fieldsOf, textIn } from '../../daemon/cli/fields.ts'
import { unixWay, type Way } from '../../daemon/cli/reach/index.ts'
import { TorAgent } from '../../daemon/cli/reach/socks.ts'
import { askOver } from '../../daemon/cli/reach/way.ts'
import { openPrivateTor, type PrivateTor } from '../private-tor.ts'
import { type Client, openClient } from './client.ts'
import { addDevices, type HomePlace, type Hub, makeHome, startFleet, startHub } from './home.ts'
import { Helper } from './process.ts'
import { against, type Bench, type Results } from './sample.ts'
import { addClientKey, addOnion, type BareTor, cacheOf, firstAnswer, get, startTor } from './tor.ts'

const PROBE = '/.well-known/shallot'
/** As long as an answer of the home: a receipt and the stages before it. */
const FILE_BYTES = 700

interface Place extends AsyncDisposable {
  readonly network: PrivateTor
  /** Of somebody far away. */
  readonly tor: BareTor
}

/** A private network and a client in it that has found its way. */
async function openPlace({ say, signal }: Bench): Promise<Place> {
  await using held = new AsyncDisposableStack()
  const deps = { clock: systemClock, random: systemRandom }
  const network = held.use(await openPrivateTor(deps, { say }, signal))
  const home = held.use(makeHome())
  const tor = held.use(await startTor(network, join(home.directory, 'client')))
  await tor.ready()
  const handles = held.move()
  return { network, tor, [Symbol.asyncDispose]: () => handles.disposeAsync() }
}

const CIRCUITS = 24
const REQUESTS = 15
const WARM_UP = 5

/**
 * Commands and requests by turns, over many circuits: some wait for 40 ms more each way than others (a relay's TCP holds small
 * writes back until what it sent was acknowledged), and of five the median is luck.
 */
export async function onionRoundTrip(bench: Bench): Promise<Results> {
  bench.say('onion.rtt: warm commands, and requests for a static file')
  await using far = await openPlace(bench)
  const { network, tor } = far
  using place = makeHome()
  const devices = await addDevices(place, ['lamp'])
  await using hub = await startHubIn(network, place)
  await using fleet = await startFleet(place, hub.linkPort, devices)
  await fleet.ask({ connect: 1 })
  await using bare = await startBare(network, place)
  const host = await invitation(place, tor)
  for (const [name, path] of [
    [host, PROBE],
    [bare.host, '/file'],
  ] as const)
    await firstAnswer(tor, name, path)
  const [commands, requests]: [number[], number[]] = [[], []]
  for (let circuit = 0; circuit < CIRCUITS; circuit++) {
    await using client = openClient(place, async () => torWay(tor, host))
    using agent = disposable(new TorAgent(tor.socks, systemRandom.bytes(8).toHex()))
    const thing = await client.prove('lamp')
    for (let turn = -WARM_UP; turn < REQUESTS; turn++) {
      const began = performance.now()
      await client.command(thing, Math.abs(turn))
      const between = performance.now()
      await get(agent.agent, bare.host, '/file', AbortSignal.timeout(10_000))
      if (turn < 0) continue
      commands.push(between - began)
      requests.push(performance.now() - between)
    }
  }
  return { 'onion.rtt': against(commands, requests, 'ms') }
}

const COLD_ROUNDS = 5

/** From the start of a process to the first answer that comes back through Tor; each time with an address never used before. */
export async function onionCold(bench: Bench): Promise<Results> {
  bench.say('onion.cold: from the start of the daemon, and of a bare tor, to the first answer')
  await using far = await openPlace(bench)
  const { network, tor } = far
  const [ours, theirs]: [number[], number[]] = [[], []]
  for (let round = 0; round < COLD_ROUNDS; round++) {
    using place = makeHome()
    const began = performance.now()
    {
      await using _hub = await startHubIn(network, place)
      await firstAnswer(tor, await invitation(place, tor), PROBE)
      ours.push((performance.now() - began) / 1000)
    }
    const again = performance.now()
    await using bare = await startBare(network, place)
    await firstAnswer(tor, bare.host, '/file')
    theirs.push((performance.now() - again) / 1000)
    bench.say(`  ${ours.at(-1)!.toFixed(2)} s, ${theirs.at(-1)!.toFixed(2)} s`)
  }
  return { 'onion.cold': against(ours, theirs, 's') }
}

/** The daemon with a tor of its own in the private network. */
export function startHubIn(network: PrivateTor, place: HomePlace): Promise<Hub> {
  const torrc = join(place.directory, 'hub.torrc')
  const cache = cacheOf(network, join(place.directory, 'hub-tor'))
  writeFileSync(torrc, [...network.torrc, `CacheDirectory ${cache}`, ''].join('\n'), { mode: 0o600 })
  return startHub(place, ['--tor-torrc-extra', torrc])
}

interface Bare extends AsyncDisposable {
  readonly host: string
}

async function startBare(network: PrivateTor, place: HomePlace): Promise<Bare> {
  await using held = new AsyncDisposableStack()
  const [socket, file] = [join(place.directory, 'static.sock'), join(place.directory, 'file')]
  writeFileSync(file, systemRandom.bytes(FILE_BYTES))
  const module = new URL('static-server.ts', import.meta.url).pathname
  held.use((await Helper.start(module, { socket, file })).helper)
  const tor = held.use(await startTor(network, join(place.directory, 'bare')))
  const host = await addOnion(tor.control, socket)
  const handles = held.move()
  return { host, [Symbol.asyncDispose]: () => handles.disposeAsync() }
}

/** The address of the owner's own invitation; its key is given to the client's tor. */
export async function invitation(place: HomePlace, tor: BareTor): Promise<string> {
  await using client: Client = openClient(place, async () => unixWay(place.data))
  const answer = fieldsOf(
    await client.api.send('PUT', '/invitations/bench', { authorised: true }),
    'an invitation',
  )
  const address = textIn(answer, 'address')
  await addClientKey(tor.control, address, bytesIn(answer, 'clientKey'))
  return address
}

/** Through this tor, on circuits of its own. */
export function torWay(tor: BareTor, host: string): Way {
  const agent = new TorAgent(tor.socks, systemRandom.bytes(8).toHex())
  return {
    ...{ kind: 'tor', words: 'through Tor', patienceMs: 45_000 },
    ask: (ask, signal) => askOver({ host, port: 80, agent }, ask, signal),
    [Symbol.asyncDispose]: async () => agent.destroy(),
  }
}

function disposable(agent: TorAgent): Disposable & { readonly agent: TorAgent } {
  return { agent, [Symbol.dispose]: () => agent.destroy() }
}
