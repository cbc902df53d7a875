// SPDX-License-Identifier: GPL-3.0-or-later
import type { Code } from '../../../schemas/gen/ts/codes.ts'
import { ENVELOPE_BYTES_MAX } from '../../../schemas/gen/ts/wire.ts'
import { equal } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import { no, type Verdict, yes } from '../../base/error.ts'
import type { Caller } from '../callers.ts'
import type { Ed25519, Enrolment, Frame, Message } from '../envelope/index.ts'
import { openEnvelope } from '../envelope/index.ts'
import { idOf, isDeviceName, type PartyId } from '../model/index.ts'
import type { Trust } from '../policy/index.ts'
import type { Carrier, DeviceBook, NewDevice } from '../ports.ts'
import type { PaperBook } from '../ports-people.ts'
import type { FarThing } from './far.ts'

export interface ChargeDeps {
  readonly own: PartyId
  readonly clock: Clock
  readonly trust: Trust
  readonly ed25519: Ed25519
  readonly papers: PaperBook
  /** Everything that ever was here, also what has gone to another daemon since. */
  readonly devices: DeviceBook
  readonly carrier: Carrier
  /** What another daemon told of a device; undefined when none that is of the home did. */
  readonly far: (device: PartyId) => FarThing | undefined
  /** Nothing more will be asked of this device here. */
  readonly ended: (device: PartyId) => void
}

/** How much of an id tells two devices of one name apart. */
const ID_CHARS = 6

/**
 * Which daemon has charge of which device (SPEC 14.7): the one that the newest of its records names. Owners seal them, all daemons
 * pass them on, each by itself takes in or lets go of what they name; the device holds the same record and decides alike.
 */
export class Charges {
  readonly #deps: ChargeDeps
  readonly #records = new Map<PartyId, Message<Enrolment>>()

  constructor(deps: ChargeDeps) {
    this.#deps = deps
    for (const { frame } of deps.papers.all('enrolment')) {
      // Whoever sealed it may be no owner any more: the device holds it all the same.
      const opened = this.#open(frame, () => true)
      if (opened.ok) this.#records.set(idOf(opened.value.body.key), opened.value)
    }
  }

  /** The newest record of a device of which a daemon ever had charge. */
  record(device: PartyId): Message<Enrolment> | undefined {
    return this.#records.get(device)
  }

  /** Devices whose records name, or once named, a daemon. */
  list(): readonly PartyId[] {
    return [...this.#records.keys()]
  }

  hubOf(device: PartyId): PartyId | undefined {
    const hub = this.#records.get(device)?.body.hub
    return hub && idOf(hub)
  }

  /** An owner gave it to another daemon than this one. */
  isElsewhere(device: PartyId): boolean {
    const hub = this.hubOf(device)
    return hub !== undefined && hub !== this.#deps.own
  }

  /** Of a device that is not here: whether this daemon must leave it to another, which tells that it has it. */
  isOthers(device: PartyId): boolean {
    const hub = this.hubOf(device)
    return hub === undefined ? this.#deps.far(device) !== undefined : hub !== this.#deps.own
  }

  /**
   * An owner's record, from its CLI, from another daemon or from the device itself.
   * @returns `known` for what says nothing new, also for a record that names no daemon where none ever did
   */
  async take(frame: Frame, by: Pick<Caller, 'origin'>): Promise<Verdict<'new' | 'known', Code>> {
    const { trust, devices, papers, clock } = this.#deps
    const opened = this.#open(frame, (signer) => trust.isOwner(signer))
    if (!opened.ok) return opened
    const { body, signer } = opened.value
    const id = idOf(body.key)
    const held = this.#records.get(id)
    if (!held && body.hub === undefined) return yes('known')
    if (held && equal(held.frame, frame)) return yes('known')
    if (held && !isNewer(opened.value, held)) return no('replayed', 'a newer record of this device is held')
    if (!isDeviceName(body.name)) return no('bad-claims', 'a device cannot have this name')
    if (devices.isForgotten(id)) return no('forgotten', 'this device was removed from the home for ever')
    const entry = { at: clock.now(), device: id, signer: idOf(signer), frame, origin: by.origin }
    await papers.put(
      'enrolment',
      { key: body.key, frame, at: entry.at },
      { kind: 'adopted', ...entry, note: body.name },
    )
    this.#records.set(id, opened.value)
    await this.#follow(id, opened.value)
    return yes('new')
  }

  /** Brings our own devices in line with a record. */
  async #follow(id: PartyId, { body, frame }: Message<Enrolment>): Promise<void> {
    const { devices, carrier, ended, clock } = this.#deps
    const here = devices.get(id)
    const isOurs = !this.isElsewhere(id)
    if (here) {
      // What has gone to another daemon leaves its name to others.
      await devices.confirm(id, isOurs ? this.#freeName(id, body.name) : aside(body.name, id), frame)
      carrier.send(id, frame)
      if (isOurs) return
      ended(id)
      carrier.drop(id, 'hub-elsewhere')
    } else if (isOurs && body.hub) {
      const told = this.#deps.far(id)?.device
      if (told) await devices.enrol(this.#newDevice(told, body.name, frame), clock.now())
    }
  }

  #newDevice(
    { id, board, firmware, affordances }: FarThing['device'],
    name: string,
    record: Frame,
  ): NewDevice {
    return { id, name: this.#freeName(id, name), board, firmware, affordances, record }
  }

  #freeName(id: PartyId, name: string): string {
    const holder = this.#deps.devices.named(name)
    return holder && holder.id !== id ? aside(name, id) : name
  }

  #open(frame: Frame, mayBring: (signer: Uint8Array) => boolean): Verdict<Message<Enrolment>, Code> {
    const { trust, ed25519 } = this.#deps
    return openEnvelope(
      frame,
      {
        sizeMax: ENVELOPE_BYTES_MAX,
        accepts: (body, signer) => body.type === 'enrolment' && mayBring(signer),
        isAudience: (body) => body.audience === trust.home,
      },
      ed25519,
    ) as Verdict<Message<Enrolment>, Code>
  }
}

/** By sequence; two of one sequence are told apart in the same way everywhere. */
function isNewer(a: Message<Enrolment>, b: Message<Enrolment>): boolean {
  return (
    a.body.sequence > b.body.sequence ||
    (a.body.sequence === b.body.sequence && Buffer.compare(a.frame, b.frame) > 0)
  )
}

function aside(name: string, id: PartyId): string {
  return `${name}-${id.slice(0, ID_CHARS)}`
}
