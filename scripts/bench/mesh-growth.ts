// SPDX-License-Identifier: GPL-3.0-or-later
/** `mesh.growth`: what an event costs among 2, 5 and 10 daemons, in simulation and on real tor; counted, not timed. */
import { growthOf } from '../simulation/index.ts'
import { Many, type RealGrowth } from './mesh-many.ts'
import { openNetwork } from './mesh-pair.ts'
import type { Bench, Result, Results } from './sample.ts'

const SIZES = [2, 5, 10] as const
const SEED = 1

interface Counted {
  readonly connections: number
  readonly messages: number
}

export async function meshGrowth(bench: Bench): Promise<Results> {
  bench.say('mesh.growth: connections, and messages for each event, among 2, 5 and 10 daemons in simulation')
  const all = await Promise.all(SIZES.map((size) => growthOf(size, SEED)))
  const real = await inProcesses(bench)
  const residents = real.map((each) => `${Math.round(each.residentMb / each.daemons)} MB`).join(', ')
  return {
    ...linesOf('mesh.growth', all),
    'mesh.growth': forEachOther(all, ''),
    ...linesOf('mesh.growth.real', real),
    'mesh.growth.real': forEachOther(real, `; a daemon has ${residents}, and its tor beside it`),
  }
}

/** As many processes, each with a tor of its own: one home that grows. */
async function inProcesses(bench: Bench): Promise<readonly RealGrowth[]> {
  await using network = await openNetwork(bench)
  await using many = new Many(network)
  const all: RealGrowth[] = []
  for (const size of SIZES) {
    bench.say(`mesh.growth.real: the same among ${size} daemons on a private Tor network`)
    bench.signal.throwIfAborted()
    await many.growTo(size)
    all.push(await many.measure())
  }
  return all
}

function linesOf(key: string, all: readonly Counted[]): Results {
  return Object.fromEntries(
    all.map(({ messages }, at) => [`${key}.${SIZES[at]}`, { value: messages, unit: 'messages' }]),
  )
}

/** What the dearest of the larger sizes costs for each other daemon, against two alone. */
function forEachOther(all: readonly Counted[], more: string): Result {
  const [fewest, ...others] = all.map(({ messages }, at) => messages / (SIZES[at]! - 1))
  const most = Math.max(...others)
  const connections = all.map((each, at) => `${each.connections} among ${SIZES[at]}`).join(', ')
  return {
    ...{ value: most, baseline: fewest!, ratio: most / fewest!, unit: 'for each other daemon' },
    note: `connections: ${connections}${more}`,
  }
}
