// SPDX-License-Identifier: GPL-3.0-or-later
/** A home of many real daemons, each a process with a tor of its own, that grows; and what one event of the first costs it. */
import { systemClock } from '../../daemon/base/clock.ts'
import { systemRandom } from '../../daemon/base/random.ts'
import { Secret } from '../../daemon/base/secret.ts'
import { numberIn } from '../../daemon/cli/fields.ts'
import { unixWay } from '../../daemon/cli/reach/index.ts'
import type { PrivateTor } from '../private-tor.ts'
import { type Client, openClient } from './client.ts'
import { addDevices, type HomePlace, type KnownDevice, makeHome, startFleet } from './home.ts'
import { joinThem, membersOf, residentMb, within } from './mesh-pair.ts'
import { startHubIn } from './onion.ts'

const EVENTS = 20
/** Slower than acknowledgements are gathered, as the simulation's. */
const EVENT_EVERY_MS = 1000
const TRIES_MAX = 4

export interface RealGrowth {
  readonly daemons: number
  readonly connections: number
  /** That all daemons said, for each event, until all had it; without what they say when nothing happens. */
  readonly messages: number
  /** Of all daemons, MB. */
  readonly residentMb: number
}

interface Counted {
  readonly messages: number
  readonly entries: number
}

interface Daemon {
  readonly client: Client
  readonly pid: number
}

export class Many implements AsyncDisposable {
  readonly #network: PrivateTor
  readonly #held = new AsyncDisposableStack()
  readonly #seed = new Secret(systemRandom.bytes(32))
  readonly #daemons: Daemon[] = []

  constructor(network: PrivateTor) {
    this.#network = network
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#held.disposeAsync()
  }

  /** Lets more daemons join, one after the other, and waits until each has a connection with each. */
  async growTo(count: number): Promise<void> {
    while (this.#daemons.length < count) await this.#add()
    for (const { client } of this.#daemons) {
      await within('not all are connected', async () => {
        const members = await membersOf(client)
        return members.length === count && members.every(({ connected }) => connected === true)
      })
    }
  }

  async #add(): Promise<void> {
    const [first] = this.#daemons
    const name = `daemon-${this.#daemons.length}`
    const place = this.#held.use(first ? makeHome(this.#seed, name) : makeHome(this.#seed))
    const lamps = first ? [] : await addDevices(place, ['lamp'])
    const hub = this.#held.use(await startHubIn(this.#network, place))
    if (!first) await this.#light(place, hub.linkPort, lamps)
    const client = this.#held.use(openClient(place, async () => unixWay(place.data)))
    // Each is let in by the one before: a daemon has few invitations open at once.
    const host = this.#daemons.at(-1)
    if (host) await joinThem(host.client, client, place, name)
    this.#daemons.push({ client, pid: hub.pid })
  }

  async #light(place: HomePlace, port: number, lamps: readonly KnownDevice[]): Promise<void> {
    const fleet = this.#held.use(await startFleet(place, port, lamps))
    await fleet.ask({ connect: 1 })
  }

  /** What each has said to each other on the connection there is. */
  async #said(): Promise<readonly number[]> {
    const all = await Promise.all(this.#daemons.map(({ client }) => membersOf(client)))
    return all.flatMap((members) =>
      members
        .filter(({ own }) => own !== true)
        .map((member) => (member.connected === true ? numberIn(member, 'said') : 0)),
    )
  }

  /** Entries of the first daemon's log that each daemon has. */
  async #kept(): Promise<readonly number[]> {
    const own = (await membersOf(this.#daemons[0]!.client)).find((member) => member.own === true)!
    const all = this.#daemons.map(async ({ client }) =>
      numberIn((await membersOf(client)).find(({ id }) => id === own.id)!, 'entries'),
    )
    return Promise.all(all)
  }

  /** Commands at the first daemon, each an entry of its log, against as long a time without any. */
  async measure(): Promise<RealGrowth> {
    const { client } = this.#daemons[0]!
    const thing = await client.prove('lamp')
    const quiet = await this.#during(() => systemClock.sleep(EVENT_EVERY_MS))
    const busy = await this.#during(async (event) => {
      await client.command(thing, event)
      await systemClock.sleep(EVENT_EVERY_MS)
    })
    return {
      daemons: this.#daemons.length,
      connections: (await this.#said()).length / 2,
      messages: (busy.messages - quiet.messages) / busy.entries,
      residentMb: this.#daemons.reduce((sum, { pid }) => sum + residentMb(pid), 0),
    }
  }

  /** Again when a connection was replaced meanwhile, as happens when two have just called each other: its count began anew. */
  async #during(act: (event: number) => Promise<void>): Promise<Counted> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const [before, [first]] = [await this.#said(), await this.#kept()]
      for (let event = 0; event < EVENTS; event++) await act(event)
      await within('not all have it', async () => new Set(await this.#kept()).size === 1)
      const more = (await this.#said()).map((count, at) => count - before[at]!)
      if (more.some((count) => count < 0)) continue
      const [last] = await this.#kept()
      return { messages: more.reduce((sum, count) => sum + count, 0), entries: last! - first! }
    }
    throw new Error('connections were replaced whenever their messages were counted')
  }
}
