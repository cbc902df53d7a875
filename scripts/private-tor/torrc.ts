// SPDX-License-Identifier: GPL-3.0-or-later
import { join } from 'node:path'
import type { AuthorityIdentity } from './keys.ts'
import { NODES_PER_RANGE, PORTS_PER_RANGE } from './ports.ts'

export type NodeName = 'authority' | `relay${number}`

/** Four nodes are the least that carries onion services, six carry them well. */
export const RELAYS = 5
/** Beside the authority; a network of more would want more than two ranges of ports. */
export const RELAYS_MAX = 11

/**
 * The longest interval that divides half an hour, valid for a day: a snapshot stays good for a day, and since a
 * testing network's onion time period is 24 intervals, descriptors move every 12 hours and never during a test.
 */
export const VOTING_INTERVAL_S = 1800
const INTERVALS_VALID = 48

export interface Layout {
  readonly directory: string
  readonly basePort: number
  readonly authority: AuthorityIdentity
  /** Beside the authority, which is a relay too. */
  readonly relays: number
  /** Seconds into each voting interval at which votes are cast. */
  readonly voteOffset: number
}

export function nodesOf({ relays }: Pick<Layout, 'relays'>): readonly NodeName[] {
  return ['authority', ...Array.from({ length: relays }, (_, at) => `relay${at + 1}` as const)]
}

/** Six nodes to a range. */
export function orPort(basePort: number, node: NodeName): number {
  const at = node === 'authority' ? 0 : Number(node.slice('relay'.length))
  return basePort + Math.floor(at / NODES_PER_RANGE) * PORTS_PER_RANGE + (at % NODES_PER_RANGE)
}

export const rangesFor = (relays: number): number => Math.ceil((relays + 1) / NODES_PER_RANGE)
export const directoryPort = (basePort: number): number => basePort + NODES_PER_RANGE
export const emptyFile = (directory: string): string => join(directory, 'empty')
export const resolverFile = (directory: string): string => join(directory, 'resolv.conf')

/** What every tor needs to be in this network: relays, clients and services alike. */
export function memberTorrc(layout: Layout): string[] {
  const { basePort, authority } = layout
  return [
    'TestingTorNetwork 1',
    `DirAuthority authority orport=${orPort(basePort, 'authority')} no-v2 v3ident=${authority.v3Identity} ` +
      `127.0.0.1:${directoryPort(basePort)} ${authority.relayFingerprint}`,
    'PathsNeededToBuildCircuits 0.25',
    'ClientUseIPv6 0',
    'OutboundBindAddress 127.0.0.1',
  ]
}

/** The torrc of one node; `owner` is the process whose death ends it. */
export function nodeTorrc(layout: Layout, node: NodeName, owner: number): string {
  const own = join(layout.directory, node)
  const lines = [
    ...memberTorrc(layout),
    `DataDirectory ${own}`,
    `Log notice file ${join(own, 'log')}`,
    `__OwningControllerProcess ${owner}`,
    `GeoIPFile ${emptyFile(layout.directory)}`,
    `GeoIPv6File ${emptyFile(layout.directory)}`,
    ...relayTorrc(layout, node),
    ...(node === 'authority' ? authorityTorrc(layout) : []),
  ]
  return `${lines.join('\n')}\n`
}

function relayTorrc(layout: Layout, node: NodeName): string[] {
  return [
    `Nickname ${node}`,
    `ORPort 127.0.0.1:${orPort(layout.basePort, node)} IPv4Only`,
    'Address 127.0.0.1',
    'AddressDisableIPv6 1',
    'AssumeReachable 1',
    'SocksPort 0',
    'ContactInfo nobody@invalid',
    'DirCache 1',
    'ExitRelay 0',
    'ExitPolicy reject *:*',
    // A relay asks its resolver at start even with no exit policy; these three keep every relay away from DNS.
    'ServerDNSDetectHijacking 0',
    'ServerDNSAllowBrokenConfig 1',
    `ServerDNSResolvConfFile ${resolverFile(layout.directory)}`,
    'DirReqStatistics 0',
    'HiddenServiceStatistics 0',
    'ExtraInfoStatistics 0',
    'MaxMemInQueues 256 MB',
    'ShutdownWaitLength 0',
    'AvoidDiskWrites 1',
    'NumCPUs 1',
  ]
}

function authorityTorrc(layout: Layout): string[] {
  return [
    'AuthoritativeDirectory 1',
    'V3AuthoritativeDirectory 1',
    `DirPort 127.0.0.1:${directoryPort(layout.basePort)} IPv4Only`,
    `V3AuthVotingInterval ${VOTING_INTERVAL_S}`,
    'V3AuthVoteDelay 2',
    'V3AuthDistDelay 2',
    `V3AuthNIntervalsValid ${INTERVALS_VALID}`,
    `TestingV3AuthInitialVotingInterval ${VOTING_INTERVAL_S}`,
    'TestingV3AuthInitialVoteDelay 2',
    'TestingV3AuthInitialDistDelay 2',
    `TestingV3AuthVotingStartOffset ${layout.voteOffset}`,
    'TestingDirAuthVoteGuard *',
    'TestingDirAuthVoteHSDir *',
    'TestingMinExitFlagThreshold 0',
    // Stable means at least the median uptime in whole seconds, and onion circuits ask for Stable relays.
    'AuthDirVoteStableGuaranteeMinUptime 0',
    'AuthDirVoteStableGuaranteeMTBF 0',
    'AuthDirFastGuarantee 1 bytes',
    // An authority that was restarted has measured nobody, and would vote only itself Running.
    'AuthDirTestReachability 0',
  ]
}
