// SPDX-License-Identifier: GPL-3.0-or-later
/** `mesh.growth`: what an event costs among 2, 5 and 10 daemons, in simulation; counted, not timed. */
import { growthOf } from '../simulation/index.ts'
import type { Bench, Results } from './sample.ts'

const SIZES = [2, 5, 10] as const
const SEED = 1

export async function meshGrowth({ say }: Bench): Promise<Results> {
  say('mesh.growth: connections, and messages for each event, among 2, 5 and 10 daemons in simulation')
  const all = await Promise.all(SIZES.map((size) => growthOf(size, SEED)))
  const [fewest, ...more] = all.map(({ messages }, at) => messages / (SIZES[at]! - 1))
  const most = Math.max(...more)
  const connections = all.map((each, at) => `${each.connections} among ${SIZES[at]}`).join(', ')
  return {
    ...Object.fromEntries(
      all.map(({ messages }, at) => [`mesh.growth.${SIZES[at]}`, { value: messages, unit: 'messages' }]),
    ),
    'mesh.growth': {
      ...{ value: most, baseline: fewest!, ratio: most / fewest!, unit: 'for each other daemon' },
      note: `connections: ${connections}`,
    },
  }
}
