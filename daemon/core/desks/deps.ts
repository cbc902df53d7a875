// SPDX-License-Identifier: GPL-3.0-or-later
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { Authority } from '../authority.ts'
import type { Courier } from '../courier.ts'
import type { Ed25519, Signer } from '../envelope/index.ts'
import type { Feed } from '../feed.ts'
import type { Generations } from '../generations.ts'
import type { Carrier, DeviceBook, Journal, PermitBook, ReadingBook } from '../ports.ts'
import type { PairingBook, PaperBook, TokenBook } from '../ports-people.ts'
import type { Router } from '../router/index.ts'
import type { By } from '../services.ts'
import type { Stills } from '../stills/index.ts'
import type { Updates } from '../updates/index.ts'
import type { Diary } from './diary.ts'

/** What desks decide with. */
export interface DeskDeps {
  readonly clock: Clock
  readonly random: Random
  readonly ed25519: Ed25519
  readonly authority: Authority
  readonly devices: DeviceBook
  readonly readings: ReadingBook
  readonly journal: Journal
  readonly permits: PermitBook
  readonly papers: PaperBook
  readonly pairings: PairingBook
  readonly tokens: TokenBook
  readonly router: Router
  readonly carrier: Carrier
  readonly courier: Courier
  readonly feed: Feed
  readonly generations: Generations
  readonly diary: Diary
  readonly rollouts: Updates
  readonly stills: Stills
  /** This hub's own key: it seals leases, and commands for tokens by the grants that were passed to it. */
  readonly hub: Signer
  /** The onion services that there are. */
  readonly offered: () => ReadonlySet<string>
  /** Makes an address that needs no client key. @returns it, `….onion` */
  readonly invite: (name: string, by: By) => Promise<string>
  /** Takes an onion service back, if it is there; in the background. */
  readonly withdraw: (service: string, by: By) => void
}
