// SPDX-License-Identifier: GPL-3.0-or-later
import { Agent } from 'node:http'
import { join } from 'node:path'
import { askOver, type Way } from './way.ts'

/** The daemon of this machine, by the socket in its directory. Whether one listens shows at the first question. */
export function unixWay(data: string): Way {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  const socketPath = join(data, 'api.sock')
  return {
    kind: 'unix',
    words: `by ${socketPath}`,
    patienceMs: 15_000,
    ask: (ask, signal) => askOver({ socketPath, host: 'localhost', agent }, ask, signal),
    async [Symbol.asyncDispose]() {
      agent.destroy()
    },
  }
}
