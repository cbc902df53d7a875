// SPDX-License-Identifier: GPL-3.0-or-later
/** The deciding rooms of one home, introduced to each other: books, a way to devices and keys enter, desks leave. */
import type { Clock } from '../base/clock.ts'
import { type Verdict, yes } from '../base/error.ts'
import type { Random } from '../base/random.ts'
import { type Authority, openAuthority } from './authority.ts'
import { type Courier, openCourier } from './courier.ts'
import { Diary } from './desks/index.ts'
import type { Ed25519, EnvelopeCode, Frame, Signer, Zone } from './envelope/index.ts'
import type { Feed } from './feed.ts'
import { type Generations, openGenerations } from './generations.ts'
import type { PartyId } from './model/index.ts'
import { countedLinks } from './policy/index.ts'
import type { Carrier, DeviceBook, DeviceDesk, Journal, PermitBook, ReadingBook } from './ports.ts'
import type { ConfirmationBook, GenerationVault } from './ports-generations.ts'
import type { KeptUseBook, PairingBook, PaperBook, PastBook, TokenBook } from './ports-people.ts'
import { type Desk, openDesk } from './receive.ts'
import { openDeviceDesk } from './receive-device.ts'
import { type Expired, openRouter, type Router } from './router/index.ts'
import type { By } from './services.ts'
import { openStills, type StillBook, type Stills } from './stills/index.ts'
import { openUpdates, type UpdateBook, type Updates } from './updates/index.ts'

export interface CoreDeps {
  readonly clock: Clock
  readonly random: Random
  readonly ed25519: Ed25519
  readonly devices: DeviceBook
  readonly readings: ReadingBook
  readonly journal: Journal
  readonly permits: PermitBook
  readonly papers: PaperBook
  readonly past: PastBook
  readonly pairings: PairingBook
  readonly tokens: TokenBook
  readonly uses: KeptUseBook
  readonly updates: UpdateBook
  readonly stills: StillBook
  readonly confirmations: ConfirmationBook
  /** Leaves and device CAs of this hub, and how the link uses them (SPEC 16). */
  readonly generations: {
    readonly vault: GenerationVault
    readonly taken: (hubLeaf: Uint8Array) => number
    readonly onEnforced: () => void
  }
  readonly carrier: Carrier
  readonly feed: Feed
  /** The onion services that there are. */
  readonly offered: () => ReadonlySet<string>
  /** Makes an address that needs no client key. @returns it, `….onion` */
  readonly invite: (name: string, by: By) => Promise<string>
  /** Takes an onion service back, if it is there; in the background. */
  readonly withdraw: (service: string, by: By) => void
  /** The home's zone now; absent: UTC. */
  readonly zone: () => Zone | undefined
  /** Told of what nobody waits for and could not be written. */
  readonly onFailure: (error: unknown) => void
  /** Told how many kept papers of a kind hold no more. */
  readonly onRefused?: (kind: string, count: number) => void
}

export interface CoreOptions {
  readonly root: Uint8Array
  /** The root's envelopes of the home's directory; later owners are among the papers. */
  readonly owners: readonly Frame[]
  readonly hub: Signer
}

export interface Core extends Disposable {
  readonly authority: Authority
  readonly router: Router
  readonly courier: Courier
  readonly rollouts: Updates
  readonly stills: Stills
  readonly desk: Desk
  readonly deviceDesk: DeviceDesk
  readonly generations: Generations
}

/** @returns the code of the owner's envelope that does not verify */
export function openCore(deps: CoreDeps, { root, owners, hub }: CoreOptions): Verdict<Core, EnvelopeCode> {
  const { clock, journal, uses, carrier, onFailure } = deps
  const opened = openAuthority(deps, root, owners)
  if (!opened.ok) return opened
  const authority = opened.value
  const courier = openCourier({ ...deps, authority, hub })

  const expired = async (device: PartyId, { command, digest, at, sent }: Expired): Promise<void> => {
    await journal.append({ kind: 'expired', at, device, command: digest })
    // What no device can have got used nothing up.
    if (command.by && !sent) await uses.giveBack(countedLinks(command.by).map(({ body }) => body.id))
  }
  const router = openRouter({
    clock,
    carrier,
    accompany: (device, command, again) =>
      again ? courier.resupply(device, command) : courier.accompany(device, command),
    onExpired: (device, what) => {
      expired(device, what).catch(onFailure)
    },
  })
  const diary = new Diary(clock, journal, onFailure)
  const rollouts = openUpdates({ ...deps, authority, diary })
  const stills = openStills(deps)
  const generations = openGenerations({ ...deps, ...deps.generations, authority, diary, hubKey: hub.key })
  const desks = { ...deps, authority, courier, router, diary, rollouts, stills, hub, generations }
  return yes({
    authority,
    router,
    courier,
    rollouts,
    stills,
    desk: openDesk(desks),
    deviceDesk: openDeviceDesk(desks),
    generations,
    [Symbol.dispose]() {
      router[Symbol.dispose]()
      courier[Symbol.dispose]()
      rollouts[Symbol.dispose]()
      stills[Symbol.dispose]()
    },
  })
}
