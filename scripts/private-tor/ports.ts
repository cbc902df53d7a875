// SPDX-License-Identifier: GPL-3.0-or-later
import { createServer, type Server } from 'node:net'

/** A network owns one range of ports, or two that adjoin: +0..5 are OR ports, +6 the authority's directory, +9 the claim. */
export const PORTS_PER_RANGE = 10
export const NODES_PER_RANGE = 6
const CLAIM_OFFSET = 9
const FIRST_BASE = 21_000
const BASES = 99

/** A range of ports that is ours while the claim is held: a listener the kernel drops with us, so it cannot go stale. */
export interface PortClaim extends AsyncDisposable {
  readonly basePort: number
}

/** @returns the claim, or undefined when another network holds one of the ranges or any port in them is taken. */
export async function claimPorts(basePort: number, ranges = 1): Promise<PortClaim | undefined> {
  await using claims = new AsyncDisposableStack()
  for (let range = 0; range < ranges; range++) {
    const first = basePort + range * PORTS_PER_RANGE
    const claim = await listen(first + CLAIM_OFFSET)
    if (claim === undefined) return undefined
    claims.defer(() => close(claim))
    claim.unref()
    for (let port = first; port < first + CLAIM_OFFSET; port++) {
      const probe = await listen(port)
      if (probe === undefined) return undefined
      await close(probe)
    }
  }
  const held = claims.move()
  return { basePort, [Symbol.asyncDispose]: () => held.disposeAsync() }
}

/** Claims any free ranges, beginning at a place chosen by chance so that two starts seldom meet. */
export async function claimAnyPorts(fraction: () => number, ranges = 1): Promise<PortClaim> {
  const start = Math.floor(fraction() * BASES)
  for (let i = 0; i < BASES; i++) {
    const at = (start + i) % BASES
    if (at + ranges > BASES) continue
    const claim = await claimPorts(FIRST_BASE + at * PORTS_PER_RANGE, ranges)
    if (claim !== undefined) return claim
  }
  throw new Error(`no free range of ${ranges * PORTS_PER_RANGE} ports from ${FIRST_BASE} on 127.0.0.1`)
}

function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', () => resolve(undefined))
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => resolve(server))
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}
