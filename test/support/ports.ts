// SPDX-License-Identifier: GPL-3.0-or-later
/** Ports of 127.0.0.1 that a test must know beforehand, because something comes back to them, while other files run beside it. */
import { randomInt } from 'node:crypto'
import { createServer, type Server } from 'node:net'

/** Above those of private Tor networks, below what the system gives to who asks for any (32768 and more). */
const [FIRST, LAST] = [22_000, 31_999]
const DRAWS_MAX = 100
/** An address of the loopback where nobody serves: who listens there has the port of this number on 127.0.0.1. */
const CLAIMS = '127.77.0.1'

/** A port that nobody listens on and that no other caller is given before this process has ended: its kernel gives it back. */
export async function ownPort(): Promise<number> {
  for (let draw = 0; draw < DRAWS_MAX; draw++) {
    const port = randomInt(FIRST, LAST + 1)
    const claim = await listen(CLAIMS, port)
    if (claim === undefined) continue
    claim.unref()
    const probe = await listen('127.0.0.1', port)
    if (probe === undefined) claim.close()
    else {
      await new Promise((resolve) => probe.close(resolve))
      return port
    }
  }
  throw new Error(`no free port from ${FIRST} to ${LAST} in ${DRAWS_MAX} draws`)
}

function listen(host: string, port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', () => resolve(undefined))
    server.listen({ host, port, exclusive: true }, () => resolve(server))
  })
}
