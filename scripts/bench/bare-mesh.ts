// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * A bare libp2p node with the modules of the mesh and our transport, in a process of its own, idle: what the memory of a daemon
 * with the mesh on is held against. In: its argument, `{}`; out: `{ready}`.
 */
import { systemClock } from '../../daemon/base/clock.ts'
import { systemRandom } from '../../daemon/base/random.ts'
import { Secret } from '../../daemon/base/secret.ts'
import { Doors } from '../../daemon/edge/mesh/doors.ts'
import { openNode } from '../../daemon/edge/mesh/node.ts'
import { readArgument } from './process.ts'

await readArgument()
const dial = async () => {
  throw new Error('this node calls nobody')
}
await openNode(
  { dial, mayEnter: () => false },
  { seed: new Secret(systemRandom.bytes(32)) },
  new Doors(systemClock),
)
process.send!({ ready: true })
setInterval(() => {}, 60_000)
