// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * What devices must hear so that they can judge by themselves (SPEC 12): lists of what was taken back, codes for keypads,
 * leases, and before a command the chain that it hangs from.
 *
 * Always true: a device is told of a chain once in its life (boot nonce), parents first, and again only when it says that it
 * does not know it; what was taken back goes to everybody who is connected, in the same turn in which it was recorded. The
 * hub seals leases and nothing else: it can withhold, never invent.
 */
import { createHash } from 'node:crypto'
import { EPOCH_BYTES, LEASE_GRANTS_MAX } from '../../schemas/gen/ts/wire.ts'
import { equal, toHex } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { Authority } from './authority.ts'
import {
  type Command,
  type Frame,
  type Message,
  type Receipt,
  type Signer,
  sealEnvelope,
} from './envelope/index.ts'
import type { Device, PartyId } from './model/index.ts'
import { type HeldGrant, linksOf } from './policy/index.ts'
import type { Carrier, DeviceBook } from './ports.ts'

/** Chains of codes for keypads that one device is told of after its welcome, in bytes: the newest that fit its backlog. */
const CODES_BYTES_MAX = 8192
/** Grants that one device's leases name: the newest. */
const LEASED_GRANTS_MAX = 4 * LEASE_GRANTS_MAX
/** How often it is looked whose lease is due. */
const LEASE_LOOK_MS = 1000
/** Papers of one device whose receipts are told from those of commands. */
const PAPERS_REMEMBERED_MAX = 512

export interface CourierDeps {
  readonly clock: Clock
  readonly random: Random
  readonly authority: Authority
  readonly devices: DeviceBook
  readonly carrier: Carrier
  readonly hub: Signer
}

export type PaperSent = 'grant' | 'revocation' | 'lease' | 'owner'

/** What a device has been told in this life of its. */
interface Told {
  readonly nonce: Uint8Array
  /** By SHA-256 of the frame; `known` when the device has said so. */
  readonly papers: Map<string, { readonly kind: PaperSent; known: boolean }>
  /** Monotonic: when half of the shortest lease has passed. */
  leaseDue: number
}

export interface Courier extends Disposable {
  /** What a device is sent after its welcome, in this order. */
  papers(device: PartyId): readonly Frame[]
  /** Before a command by a grant goes to a device: the chain that it was not told yet. */
  accompany(device: PartyId, command: Message<Command>): void
  /** The device does not know the grant: the chain again. */
  resupply(device: PartyId, command: Message<Command>): void
  /** Which paper of ours a receipt is about, and whether it is the first time that the device says so. */
  answered(
    device: PartyId,
    receipt: Message<Receipt>,
  ): { readonly kind: PaperSent; readonly first: boolean } | undefined
  /** A list was recorded: everybody who is connected hears it now. @returns how many that is */
  revoked(list: Frame): number
  /** A grant was recorded: keypads hear codes now; leases name it. */
  granted(grant: HeldGrant): void
  owner(frame: Frame): void
  gone(device: PartyId): void
}

export function openCourier({ clock, random, authority, devices, carrier, hub }: CourierDeps): Courier {
  const { grants, trust, groups } = authority
  const told = new Map<PartyId, Told>()
  const epoch = random.bytes(EPOCH_BYTES)
  let sequence = 0

  const toldOf = (device: Device): Told => {
    const nonce = device.presence.nonce ?? new Uint8Array()
    const known = told.get(device.id)
    if (known && equal(known.nonce, nonce)) return known
    const fresh: Told = { nonce, papers: new Map(), leaseDue: Number.POSITIVE_INFINITY }
    told.set(device.id, fresh)
    return fresh
  }

  const note = ({ papers }: Told, kind: PaperSent, frame: Frame): void => {
    const digest = digestOf(frame)
    if (papers.has(digest)) return
    if (papers.size >= PAPERS_REMEMBERED_MAX) papers.delete(papers.keys().next().value!)
    papers.set(digest, { kind, known: false })
  }

  const hand = (device: Device, kind: PaperSent, frame: Frame): void => {
    note(toldOf(device), kind, frame)
    carrier.send(device.id, frame)
  }

  const concerning = (device: Device): readonly HeldGrant[] => {
    // What has ended stays so when the clock is set back: it is not leased again.
    const now = Math.max(authority.now(), grants.latest)
    const all = grants.concerning(device.id, groups.of(device))
    return all.filter(({ body }) => body.expiresAt === undefined || body.expiresAt > now)
  }

  /** Chains of the codes that this device's keypad is to know, each link once, parents first. */
  const codesFor = (device: Device): readonly Frame[] => {
    const codes = concerning(device).filter(({ body }) => body.pin)
    const chosen: HeldGrant[] = []
    let room = CODES_BYTES_MAX
    for (const code of codes.toReversed()) {
      room -= linksOf(code).reduce((sum, { frame }) => sum + frame.length, 0)
      if (room < 0) break
      chosen.unshift(code)
    }
    return [...new Set(chosen.flatMap(linksOf))].map(({ frame }) => frame)
  }

  const leasesFor = (device: Device): readonly Frame[] => {
    const leased = concerning(device).filter(({ body }) => body.leaseS > 0)
    const state = toldOf(device)
    state.leaseDue = Number.POSITIVE_INFINITY
    if (leased.length === 0) return []
    const ids = [...new Map(leased.map(({ body }) => [toHex(body.id), body.id])).values()]
    const spans = leased.map(({ body }) => body.leaseS)
    state.leaseDue = clock.monotonic() + Math.min(...spans) * 500 - LEASE_LOOK_MS
    const now = authority.now()
    const kept = ids.slice(-LEASED_GRANTS_MAX)
    return chunks(kept, LEASE_GRANTS_MAX).map((some) =>
      sealEnvelope(
        {
          type: 'lease',
          audience: device.id,
          sealedAt: now,
          expiresAt: now + Math.max(...spans),
          epoch,
          sequence: sequence++,
          grants: some,
        },
        hub,
      ),
    )
  }

  const lease = (device: Device): void => {
    for (const frame of leasesFor(device)) hand(device, 'lease', frame)
  }

  const connected = (): readonly Device[] => devices.list().filter(({ presence }) => presence.connected)

  const send = (device: PartyId, command: Message<Command>, again: boolean): void => {
    const target = devices.get(device)
    const grant = command.body.grant && grants.get(command.body.grant, command.signer)
    if (!target || !grant) return
    const { papers } = toldOf(target)
    const chain = linksOf(grant).filter(({ frame }) => again || !papers.has(digestOf(frame)))
    for (const { frame } of chain) hand(target, 'grant', frame)
    // A device that was told of it anew has not heard a lease that names it.
    if (chain.some(({ body }) => body.leaseS > 0)) lease(target)
  }

  const looking = clock.every(LEASE_LOOK_MS, () => {
    const now = clock.monotonic()
    for (const device of connected()) {
      const due = told.get(device.id)?.leaseDue ?? Number.POSITIVE_INFINITY
      if (due <= now) lease(device)
    }
  })

  return {
    papers(id) {
      const device = devices.get(id)
      if (!device) return []
      const state = toldOf(device)
      const lists = trust.revocations.map(({ frame }) => frame)
      const codes = codesFor(device)
      const leases = leasesFor(device)
      for (const frame of lists) note(state, 'revocation', frame)
      for (const frame of codes) note(state, 'grant', frame)
      for (const frame of leases) note(state, 'lease', frame)
      return [...lists, ...codes, ...leases]
    },
    accompany: (device, command) => send(device, command, false),
    resupply: (device, command) => send(device, command, true),
    answered(device, { body }) {
      const paper = told.get(device)?.papers.get(toHex(body.command))
      if (!paper) return undefined
      const first = !paper.known
      paper.known = body.code === 0
      return { kind: paper.kind, first }
    },
    revoked(list) {
      const there = connected()
      for (const device of there) hand(device, 'revocation', list)
      const [first, ...others] = trust.revocations
      const isRoots = first !== undefined && equal(first.frame, list) && equal(first.signer, trust.root)
      // Devices forget whom the root takes back; who is left out of a later list is said again, with the list (SPEC 12.5).
      for (const device of isRoots ? there : []) {
        for (const { frame } of trust.owners) hand(device, 'owner', frame)
        for (const { frame } of others) hand(device, 'revocation', frame)
      }
      return there.length
    },
    granted(grant) {
      const there = connected().filter((device) => concerning(device).includes(grant))
      for (const device of there) {
        if (grant.body.pin) for (const { frame } of linksOf(grant)) hand(device, 'grant', frame)
        if (grant.body.leaseS > 0) lease(device)
      }
    },
    owner(frame) {
      for (const device of connected()) hand(device, 'owner', frame)
    },
    gone(device) {
      const state = told.get(device)
      if (state) state.leaseDue = Number.POSITIVE_INFINITY
    },
    [Symbol.dispose]: () => looking[Symbol.dispose](),
  }
}

function digestOf(frame: Frame): string {
  return createHash('sha256').update(frame).digest('hex')
}

function chunks<T>(all: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size))
}
