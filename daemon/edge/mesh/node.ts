// SPDX-License-Identifier: GPL-3.0-or-later
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import type { Libp2p, MultiaddrConnection, PeerId } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { createLibp2p } from 'libp2p'
import { onionAddress } from '../../core/identity/index.ts'
import { ONION_PORT, partyOf, readOnion } from './addresses.ts'
import type { Doors } from './doors.ts'
import type { MeshDeps, MeshHear, MeshOptions } from './index.ts'
import { sparingYamux } from './sparing.ts'
import { type DoorOf, torTransport } from './transport.ts'

/** An onion takes its time: libp2p's own limits (6 s, 10 s, 5 s) are for the open internet. */
const DIAL_MS_MAX = 120_000
const UPGRADE_MS_MAX = 60_000
const IDENTIFY_MS_MAX = 60_000
const DIALS_AT_ONCE = 3
const CONNECTIONS_MAX = 128
/** Beside our own there may be some that a person asks for. */
const PINGS = { maxInboundStreams: 8, maxOutboundStreams: 8, timeout: 60_000 }
/** All that come in have one address, so a limit for each address is one for all. */
const INBOUND_PER_S_MAX = 64
const INBOUND_PENDING_MAX = 64
const WINDOW_BYTES_MAX = 1024 * 1024
/** A log may have nothing to say for weeks. */
const NEVER_MS = 2_147_483_647

export async function openNode(
  { dial, mayEnter }: Pick<MeshDeps, 'dial'> & Pick<MeshHear, 'mayEnter'>,
  { seed }: MeshOptions,
  doors: Doors,
): Promise<Libp2p> {
  const privateKey = await generateKeyPairFromSeed('Ed25519', seed.reveal())
  const doorOf: DoorOf = new WeakMap()
  const refused = (peer: PeerId, connection: MultiaddrConnection) => {
    const party = partyOf(peer)
    return party === undefined || !mayEnter(party, doorOf.get(connection))
  }
  // Where libp2p believes to listen: an address of the right kind that nobody offers and that is announced to nobody.
  const nominal = onionAddress(privateKey.publicKey.raw).replace(/\.onion$/, '')
  return createLibp2p({
    privateKey,
    nodeInfo: { name: 'shallot', version: '1', userAgent: 'shallot' },
    addresses: { listen: [`/onion3/${nominal}:${ONION_PORT}`], announceFilter: () => [] },
    transports: [torTransport(dial, doors, doorOf)],
    connectionEncrypters: [noise()],
    streamMuxers: [
      sparingYamux({
        streamOptions: { inactivityTimeout: NEVER_MS, maxStreamWindowSize: WINDOW_BYTES_MAX },
      }),
    ],
    connectionManager: {
      resolvers: {},
      maxConnections: CONNECTIONS_MAX,
      maxParallelDials: DIALS_AT_ONCE,
      maxPeerAddrsToDial: 1,
      dialTimeout: DIAL_MS_MAX,
      addressDialTimeout: DIAL_MS_MAX,
      inboundUpgradeTimeout: UPGRADE_MS_MAX,
      outboundStreamProtocolNegotiationTimeout: UPGRADE_MS_MAX,
      inboundStreamProtocolNegotiationTimeout: UPGRADE_MS_MAX,
      inboundConnectionThreshold: INBOUND_PER_S_MAX,
      maxIncomingPendingConnections: INBOUND_PENDING_MAX,
      reconnectRetries: 0,
    },
    // It knows of its own pings alone and would end a slow connection in the middle of a long log: watch.ts looks at all that comes.
    connectionMonitor: { enabled: false },
    connectionGater: {
      denyDialMultiaddr: (address) => readOnion(address) === undefined,
      denyInboundEncryptedConnection: refused,
      denyOutboundEncryptedConnection: refused,
    },
    services: { identify: identify({ timeout: IDENTIFY_MS_MAX }), ping: ping(PINGS) },
  })
}
