// SPDX-License-Identifier: GPL-3.0-or-later
import { createServer, type Server } from 'node:net'

/** How many ports one network owns: base+0..5 are OR ports, base+6 the authority's directory, base+9 the claim. */
export const PORTS_PER_NETWORK = 10
const CLAIM_OFFSET = 9
const FIRST_BASE = 21_000
const BASES = 99

/** A range of ports that is ours while the claim is held: a listener the kernel drops with us, so it cannot go stale. */
export interface PortClaim extends AsyncDisposable {
  readonly basePort: number
}

/** @returns the claim, or undefined when another network holds the range or any port in it is taken. */
export async function claimPorts(basePort: number): Promise<PortClaim | undefined> {
  const claim = await listen(basePort + CLAIM_OFFSET)
  if (claim === undefined) return undefined
  for (let port = basePort; port < basePort + CLAIM_OFFSET; port++) {
    const probe = await listen(port)
    if (probe === undefined) {
      await close(claim)
      return undefined
    }
    await close(probe)
  }
  claim.unref()
  return { basePort, [Symbol.asyncDispose]: () => close(claim) }
}

/** Claims any free range, beginning at a place chosen by chance so that two starts seldom meet. */
export async function claimAnyPorts(fraction: () => number): Promise<PortClaim> {
  const start = Math.floor(fraction() * BASES)
  for (let i = 0; i < BASES; i++) {
    const claim = await claimPorts(FIRST_BASE + ((start + i) % BASES) * PORTS_PER_NETWORK)
    if (claim !== undefined) return claim
  }
  throw new Error(`no free range of ${PORTS_PER_NETWORK} ports from ${FIRST_BASE} on 127.0.0.1`)
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
