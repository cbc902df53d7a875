// SPDX-License-Identifier: GPL-3.0-or-later
/** Two daemons of one home that have joined in a private Tor network. */
import { toBase64url } from '../../daemon/base/bytes.ts'
import { systemClock } from '../../daemon/base/clock.ts'
import { systemRandom } from '../../daemon/base/random.ts'
import { Secret } from '../../daemon/base/secret.ts'
import { type Fields, fieldsOf, listOf, textIn } from '../../daemon/cli/fields.ts'
import { unixWay } from '../../daemon/cli/reach/index.ts'
import { loadOwner } from '../../daemon/config/keyring.ts'
import { sealEnvelope } from '../../daemon/core/envelope/index.ts'
import { keyOf, type PartyId } from '../../daemon/core/model/index.ts'
import { openPrivateTor, type PrivateTor } from '../private-tor.ts'
import { type Client, openClient } from './client.ts'
import { type HomePlace, makeHome } from './home.ts'
import { startHubIn } from './onion.ts'
import { residentKib } from './process.ts'
import type { Bench } from './sample.ts'

const POLL_MS = 250
const JOINED_MS_MAX = 240_000
const BYTES_PER_KIB = 1024

export interface Pair extends AsyncDisposable {
  readonly town: HomePlace
  readonly cabin: HomePlace
  readonly townClient: Client
  readonly cabinClient: Client
  readonly cabinPid: number
  /** Ends the second daemon and starts it anew, until the two are connected. @returns its process id */
  restartCabin(): Promise<number>
}

/** Two daemons that have joined, each with a tor of its own; `prepare` fills the first one's books before it starts. */
export async function openPair(
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
  let cabinHub = await startHubIn(network, cabin)
  held.defer(() => cabinHub[Symbol.asyncDispose]())
  const townClient = held.use(openClient(town, async () => unixWay(town.data)))
  const cabinClient = held.use(openClient(cabin, async () => unixWay(cabin.data)))
  await joinThem(townClient, cabinClient, cabin, 'cabin')
  await connected([townClient, cabinClient])
  const handles = held.move()
  return {
    ...{ town, cabin, townClient, cabinClient, cabinPid: cabinHub.pid },
    async restartCabin() {
      await cabinHub[Symbol.asyncDispose]()
      cabinHub = await startHubIn(network, cabin)
      await connected([townClient, cabinClient])
      return cabinHub.pid
    },
    [Symbol.asyncDispose]: () => handles.disposeAsync(),
  }
}

/** As `shallot mesh invite` and `shallot mesh join` do it. */
export async function joinThem(host: Client, guest: Client, place: HomePlace, name: string): Promise<void> {
  const own = textIn(fieldsOf(await guest.api.get('/mesh'), 'the mesh'), 'own') as PartyId
  const { owner } = loadOwner(place.owner)
  const now = systemClock.now()
  const claims = {
    audience: place.facts.home,
    sealedAt: Math.floor(now / 1000),
    epoch: systemRandom.bytes(8),
  }
  const member = sealEnvelope({ type: 'member', ...claims, sequence: now, name, key: keyOf(own) }, owner)
  const { code } = fieldsOf(await host.api.send('POST', '/mesh/invitations'), 'an invitation')
  await guest.api.send('POST', '/mesh/join', { code, member: toBase64url(member) })
  await within('the second daemon did not join', async () => {
    const joining = fieldsOf(await guest.api.get('/mesh/join'), 'how joining goes')
    if (joining.state === 'refused') throw new Error(`joining was refused: ${joining.code}`)
    return joining.state === 'joined'
  })
}

async function connected(clients: readonly Client[]): Promise<void> {
  for (const client of clients) {
    await within('the two are not connected', async () => (await memberOf(client)).connected === true)
  }
}

export async function within(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = systemClock.monotonic() + JOINED_MS_MAX
  while (!(await holds())) {
    if (systemClock.monotonic() > end) throw new Error(what)
    await systemClock.sleep(POLL_MS)
  }
}

/** All daemons of the home, as this one tells. */
export async function membersOf(client: Client): Promise<readonly Fields[]> {
  const report = fieldsOf(await client.api.get('/mesh'), 'the mesh')
  return listOf(report.members, 'daemons').map((each) => fieldsOf(each, 'a daemon'))
}

/** The other daemon, as this one tells. */
export async function memberOf(client: Client): Promise<Fields> {
  return (await membersOf(client)).find(({ own }) => own !== true) ?? {}
}

export async function openNetwork({ say, signal }: Bench): Promise<PrivateTor> {
  return openPrivateTor({ clock: systemClock, random: systemRandom }, { say }, signal)
}

export function residentMb(pid: number): number {
  return (residentKib(pid) * BYTES_PER_KIB) / 1e6
}
