// SPDX-License-Identifier: GPL-3.0-or-later
/** The deciding rooms over a database in memory and a clock that moves when told; the link is a list of what was sent. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { Log, silent } from '../../daemon/base/log.ts'
import { systemRandom } from '../../daemon/base/random.ts'
import type { Authority } from '../../daemon/core/authority.ts'
import {
  type Act,
  type Body,
  type BodyOf,
  type Command,
  type Enrolment,
  type Frame,
  type Hello,
  type Message,
  nativeEd25519,
  openEnvelope,
  type Permit,
  type Reading,
  type Receipt,
  type Request,
  type Signer,
  type Still,
  sealEnvelope,
  type Zone,
} from '../../daemon/core/envelope/index.ts'
import { Feed } from '../../daemon/core/feed.ts'
import { type Core, openCore } from '../../daemon/core/home.ts'
import { type Device, idOf, type PartyId } from '../../daemon/core/model/index.ts'
import type { Carrier, DeviceDesk, EntryKind, NewDevice } from '../../daemon/core/ports.ts'
import type { Caller, Desk } from '../../daemon/core/receive.ts'
import type { Router } from '../../daemon/core/router/index.ts'
import { IN_MEMORY, openState, type State } from '../../daemon/state/index.ts'
import { stillGenerations } from './generations.ts'
import { ManualClock } from './manual-clock.ts'
import { sha256 } from './request.ts'
import { signerOf } from './state.ts'

const ed25519 = nativeEd25519()
export const [ROOT, OWNER, STRANGER, HUB, LAMP, OTHER] = [1, 2, 3, 4, 5, 6].map((n) =>
  signerOf(7000 + n),
) as [Signer, Signer, Signer, Signer, Signer, Signer]
export const HOME = idOf(ROOT.key)
export const NONCE = new Uint8Array(8).fill(9)

type Loose<B extends Body> = Omit<B, 'audience' | 'sealedAt' | 'epoch' | 'sequence' | 'type' | 'expiresAt'>

export class CoreHome {
  readonly clock = new ManualClock()
  readonly feed = new Feed()
  readonly sent: { readonly device: PartyId; readonly frame: Frame; readonly entries: number }[] = []
  readonly dropped: { readonly device: PartyId; readonly why: string }[] = []
  readonly withdrawn: string[] = []
  /** What `send` answers for these. */
  readonly away = new Set<PartyId>()
  zone: Zone | undefined
  readonly generations = stillGenerations(HUB.key)
  state!: State
  core!: Core
  #sequence = 0

  readonly carrier: Carrier = {
    send: (device, frame) => {
      if (this.away.has(device)) return 'away'
      this.sent.push({ device, frame, entries: this.journal().length })
      return 'sent'
    },
    drop: (device, why) => {
      this.dropped.push({ device, why })
    },
  }

  get caller(): Caller {
    return { id: idOf(OWNER.key), name: 'ada', kind: 'owner', origin: 'unix' }
  }

  get authority(): Authority {
    return this.core.authority
  }

  get router(): Router {
    return this.core.router
  }

  get desk(): Desk {
    return this.core.desk
  }

  get deviceDesk(): DeviceDesk {
    return this.core.deviceDesk
  }

  get now(): number {
    return Math.floor(this.clock.now() / 1000)
  }

  async open(): Promise<void> {
    this.state = await openState(
      { clock: this.clock, log: new Log(this.clock, silent) },
      { path: IN_MEMORY, author: idOf(HUB.key) },
      new AbortController().signal,
    )
    this.openCore()
  }

  /** The deciding rooms, or the same anew over the same books, as after a restart. */
  openCore(): void {
    this.core?.[Symbol.dispose]()
    const { clock, feed, carrier, state } = this
    const opened = openCore(
      {
        clock,
        random: systemRandom,
        ed25519,
        ...state,
        carrier,
        feed,
        zone: () => this.zone,
        offered: () => new Set(),
        invite: async (name) => `${name}.onion`,
        withdraw: (service) => void this.withdrawn.push(service),
        onFailure: (error) => {
          throw error
        },
        generations: this.generations,
      },
      { root: ROOT.key, owners: [this.ownerFrame()], hub: HUB },
    )
    assert(opened.ok)
    this.core = opened.value
  }

  ownerFrame(by: Signer = ROOT, key: Uint8Array = OWNER.key): Frame {
    return sealEnvelope({ ...this.claims(HOME), type: 'owner', name: 'ada', key }, by)
  }

  /** For test/support/papers.ts. */
  as(signer: Signer) {
    return { signer, claims: () => this.claims(HOME) }
  }

  claims(audience: string) {
    this.#sequence = Math.max(this.clock.now(), this.#sequence + 1)
    return { audience, sealedAt: this.now, epoch: new Uint8Array(8), sequence: this.#sequence }
  }

  /** An invocation has only the value that `change` brings. */
  command(change: Partial<Command> = {}, by: Signer = OWNER): Frame {
    const write = { operation: 'write', value: true }
    const body = { nonce: NONCE, affordance: 1, ...(change.operation === 'invoke' ? {} : write) }
    const times = { expiresAt: this.now + 30 }
    const claims = this.claims(idOf(LAMP.key))
    return sealEnvelope({ type: 'command', ...claims, ...times, ...body, ...change } as Command, by)
  }

  request(change: Partial<Request> = {}, by: Signer = OWNER): Frame {
    const body = { method: 'GET', path: '/things', digest: sha256(new Uint8Array()) }
    const claims = { ...this.claims(HOME), expiresAt: this.now + 60 }
    return sealEnvelope({ type: 'request', ...claims, ...body, ...change } as Request, by)
  }

  permit(change: Partial<Permit> = {}, by: Signer = OWNER): Frame {
    const claims = { ...this.claims(HOME), expiresAt: this.now + 900 }
    const body = { name: 'porch', permit: new Uint8Array(8).fill(1) }
    return sealEnvelope({ type: 'permit', ...claims, ...body, ...change } as Permit, by)
  }

  record(change: Partial<Enrolment> = {}, by: Signer = OWNER): Frame {
    const body = { name: 'porch', key: LAMP.key, permit: new Uint8Array(8).fill(1) }
    return sealEnvelope({ type: 'enrolment', ...this.claims(HOME), ...body, ...change } as Enrolment, by)
  }

  /** As the link hands on what it opened. */
  fromDevice<B extends Hello | Reading | Receipt | Act | Still>(
    type: B['type'],
    body: Loose<B>,
    by: Signer = LAMP,
    change: Partial<B> = {},
  ): Message<B> {
    const whole = { ...this.claims(HOME), epoch: NONCE, type, ...body, ...change } as unknown as B
    const opened = openEnvelope(
      sealEnvelope(whole, by),
      { sizeMax: 1024, accepts: () => true, isAudience: () => true },
      ed25519,
    )
    assert(opened.ok)
    return opened.value as Message<B & BodyOf<B['type']>> as Message<B>
  }

  hello(by: Signer = LAMP, nonce = NONCE): Message<Hello> {
    const about = { board: 'host', firmware: '0.1.0', affordances: [1, 2, 3, 5, 6], lost: 0 }
    return this.fromDevice<Hello>('hello', about, by, { epoch: nonce })
  }

  /** As a keypad tells what it did. */
  act(body: Partial<Act>, by: Signer = LAMP): Message<Act> {
    const said = { source: 'keypad', affordance: 5, at: 0, code: 0, values: [], ...body } as const
    return this.fromDevice<Act>('act', said as Loose<Act>, by)
  }

  /** A lamp that is enrolled, confirmed by nobody, and connected. */
  async lamp(by: Signer = LAMP, name = 'lamp'): Promise<Device> {
    const added = await this.state.devices.enrol(newDevice(by, name), this.clock.now())
    assert(added.ok)
    await this.deviceDesk.hello(idOf(by.key), this.hello(by))
    return this.state.devices.get(idOf(by.key))!
  }

  journal(): readonly { readonly kind: EntryKind; readonly code?: number | undefined }[] {
    return this.state.journal.read({ limit: 1000 })
  }

  kinds(): readonly EntryKind[] {
    return this.journal().map(({ kind }) => kind)
  }
}

export function newDevice(by: Signer, name: string): NewDevice {
  return { id: idOf(by.key), name, board: 'host', firmware: '0.1.0', affordances: [1, 2, 3, 5, 6] }
}

export async function openCoreHome(t: TestContext): Promise<CoreHome> {
  const home = new CoreHome()
  await home.open()
  t.after(async () => {
    home.core[Symbol.dispose]()
    await home.state[Symbol.asyncDispose]()
  })
  return home
}
