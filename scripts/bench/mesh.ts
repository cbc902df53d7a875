// SPDX-License-Identifier: GPL-3.0-or-later
/** `mesh.rtt`, `mesh.event`, `mesh.rss`: two daemons of one home, against what their own connection can do. */
import { systemClock } from '../../daemon/base/clock.ts'
import { fieldsOf, listOf } from '../../daemon/cli/fields.ts'
import type { ServerEvent } from '../../daemon/cli/reach/index.ts'
import type { Client } from './client.ts'
import { addDevices, startFleet } from './home.ts'
import { memberOf, openNetwork, openPair, residentMb } from './mesh-pair.ts'
import { Helper } from './process.ts'
import { against, type Bench, median, type Results } from './sample.ts'
import { signAndVerify } from './signatures.ts'

const ROUNDS = 60
const WARM_UP = 10
const PINGS = 4
/** The command by the client, the receipt by the device. */
const SIGNATURES = 2
/** The command by either daemon and by the device, the receipt by either daemon and by the client. */
const VERIFICATIONS = 6
const IDLE_MS = 10_000
/**
 * Between what is measured: what one leaves behind (the end of the pings' stream, a reading after its receipt) would hold up the
 * next at each relay, for 40 ms, until it was acknowledged.
 */
const QUIET_MS = 150

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
  const [commands, seen, rtts, signed]: [number[], number[], number[], number[]] = [[], [], [], []]
  using shown = await followReadings(client)
  for (let turn = -WARM_UP; turn < ROUNDS; turn++) {
    await systemClock.sleep(QUIET_MS)
    const began = performance.now()
    await client.command(thing, Math.abs(turn) % 100)
    const tookMs = performance.now() - began
    await shown.next()
    await systemClock.sleep(QUIET_MS)
    const { at } = await fleet!.ask<{ at: number }>({ read: Math.abs(turn) % 100 })
    const eventMs = (await shown.next()) - at
    await systemClock.sleep(QUIET_MS)
    const pinged = await pings(client)
    const signing = performance.now()
    signAndVerify(SIGNATURES, VERIFICATIONS)
    const signedMs = performance.now() - signing
    if (turn < 0) continue
    commands.push(tookMs)
    seen.push(eventMs)
    rtts.push(...pinged)
    signed.push(signedMs)
  }
  const signatures = median(signed)
  const withoutSignatures = commands.map((ms) => ms - signatures)
  const pid = await pair.restartCabin()
  await systemClock.sleep(IDLE_MS)
  return {
    'mesh.rtt': {
      ...against(withoutSignatures, rtts, 'ms'),
      note: `${signatures.toFixed(2)} ms of signatures are not in the value`,
    },
    'mesh.event': against(seen, rtts, 'ms'),
    'mesh.rss': against([residentMb(pid)], [await bareMb()], 'MB'),
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
