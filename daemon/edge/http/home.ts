// SPDX-License-Identifier: GPL-3.0-or-later
import type { Instant } from '../../base/clock.ts'
import type { Authority } from '../../core/authority.ts'
import type { Frame } from '../../core/envelope/index.ts'
import type { Feed } from '../../core/feed.ts'
import type { Generations } from '../../core/generations.ts'
import type { Adoption, MeshHome } from '../../core/mesh/index.ts'
import type { PartyId } from '../../core/model/index.ts'
import type { DeviceBook, Journal, PermitBook, ReadingBook } from '../../core/ports.ts'
import type { PairingBook } from '../../core/ports-people.ts'
import type { Desk } from '../../core/receive.ts'
import type { Services } from '../../core/services.ts'
import type { Stills } from '../../core/stills/index.ts'
import type { Updates } from '../../core/updates/index.ts'

/** The home behind the API: what it reads from, and the desk that decides. */
export interface HttpHome {
  readonly home: PartyId
  readonly hub: PartyId
  readonly bootedAt: Instant
  /** The name of the home's zone. */
  readonly zone: string
  readonly authority: Authority
  readonly desk: Desk
  readonly devices: DeviceBook
  readonly readings: ReadingBook
  readonly journal: Journal
  readonly permits: PermitBook
  readonly pairings: Pick<PairingBook, 'get' | 'askedBy'>
  readonly services: Services
  readonly rollouts: Updates
  readonly stills: Stills
  readonly feed: Feed
  readonly mesh: MeshHome
  readonly adoption: Adoption
  readonly generations: Generations
  /** An owner's envelope that makes this hub a daemon of the home. */
  readonly member: Frame
  status(): StatusReport
}

/** How the hub is, as `GET /status` answers; the API adds its services. */
export interface StatusReport {
  readonly version: string
  readonly devices: { readonly connected: number; readonly known: number }
  /** Where devices connect to. */
  readonly link: { readonly host: string; readonly port: number }
  /** Origin of the LAN face, `https://host:port`, if there is one. */
  readonly lan?: string | undefined
  /** DER of the CA that signs the LAN face, base64url. */
  readonly webCa?: string | undefined
  readonly tor: { readonly percent: number; readonly summary: string; readonly ready: boolean }
  readonly memoryMb: number
}
