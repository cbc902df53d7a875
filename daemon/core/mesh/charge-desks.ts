// SPDX-License-Identifier: GPL-3.0-or-later
import { CODES, type Code } from '../../../schemas/gen/ts/codes.ts'
import { equal } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import { no, type Verdict, yes } from '../../base/error.ts'
import type { Caller } from '../callers.ts'
import { admit, type Frame } from '../envelope/index.ts'
import type { Feed } from '../feed.ts'
import type { Groups } from '../groups.ts'
import { idOf, type PartyId } from '../model/index.ts'
import type { DeviceBook, DeviceDesk, Journal } from '../ports.ts'
import type { Desk } from '../receive.ts'
import type { Charges } from './charges.ts'
import type { FarThing } from './far.ts'

/** The devices of which this daemon has charge: what an owner gave to another is not shown, and nothing is asked of it. */
export function hereOf(devices: DeviceBook, charges: Charges): DeviceBook {
  const ours = (device: ReturnType<DeviceBook['get']>) =>
    device && !charges.isElsewhere(device.id) ? device : undefined
  return {
    get: (id) => ours(devices.get(id)),
    named: (name) => ours(devices.named(name)),
    list: () => devices.list().filter(({ id }) => !charges.isElsewhere(id)),
    twin: (id) => devices.twin(id),
    isForgotten: (id) => devices.isForgotten(id),
    enrol: (device, at) => devices.enrol(device, at),
    confirm: (id, name, record) => devices.confirm(id, name, record),
    rename: (id, name) => devices.rename(id, name),
    forget: (id, at) => devices.forget(id, at),
    sessionOpened: (id, hello, at) => devices.sessionOpened(id, hello, at),
    sessionClosed: (id, at) => devices.sessionClosed(id, at),
    desire: (id, affordance, value, command, at) => devices.desire(id, affordance, value, command, at),
  }
}

/** What the link asks, with the devices in mind that an owner gave to other daemons (SPEC 14.7). */
export function withCharges(desk: DeviceDesk, charges: Charges, groups: Groups): DeviceDesk {
  return {
    ...desk,
    standing(id) {
      const standing = desk.standing(id)
      if (standing === 'forgotten') return standing
      const isOthers = standing === 'known' ? charges.isElsewhere(id) : charges.isOthers(id)
      return isOthers ? 'elsewhere' : standing
    },
    async readmit(hello, record) {
      const shown = groups.enrolment(record)
      if (!shown || !equal(shown.body.key, hello.signer)) return no('unknown-device')
      const id = idOf(hello.signer)
      // It may know better than we do; what it shows is an owner's word, or nothing.
      await charges.take(record, { origin: 'link' })
      if (charges.isOthers(id)) return no('hub-elsewhere')
      return desk.readmit(hello, charges.record(id)?.frame ?? record)
    },
  }
}

/** One device of the home, wherever it is: who has it, and the owner's record to seal the next one from. */
export interface Adoptable {
  readonly id: PartyId
  readonly name: string
  /** The daemon that has charge of it, or that tells that it has it; absent: this one, by nobody's word but its own. */
  readonly hub?: PartyId | undefined
  readonly record?: Frame | undefined
}

export interface Adoption {
  list(): readonly Adoptable[]
  /** An owner's record that names a daemon, or no longer names one. */
  take(frame: Frame, caller: Caller): Promise<Verdict<Adoptable, Code>>
}

export interface AdoptionDeps {
  readonly clock: Clock
  readonly charges: Charges
  readonly groups: Groups
  readonly journal: Journal
  /** Those of which this daemon has charge. */
  readonly here: DeviceBook
  readonly far: () => readonly FarThing[]
  readonly feed: Feed
}

export function openAdoption(deps: AdoptionDeps): Adoption {
  const { clock, charges, groups, journal, here, far, feed } = deps
  const describe = (id: PartyId): Adoptable | undefined => {
    const record = charges.record(id)
    const ours = here.get(id)
    const there = far().find(({ device }) => device.id === id)
    const name = ours?.name ?? record?.body.name ?? there?.device.name
    const hub = charges.hubOf(id) ?? (ours ? undefined : there?.member)
    return name === undefined
      ? undefined
      : { id, name, hub, record: record?.frame ?? ours?.record ?? there?.device.record }
  }
  return {
    list() {
      const ids = [
        ...here.list().map(({ id }) => id),
        ...far().map(({ device }) => device.id),
        ...charges.list(),
      ]
      return [...new Set(ids)].flatMap((id) => describe(id) ?? [])
    },
    async take(frame, caller) {
      const shown = groups.enrolment(frame)
      const id = shown && idOf(shown.body.key)
      const refuse = async (why: Code, detail?: string) => {
        const about = { device: id, signer: caller.id, frame, origin: caller.origin, note: detail }
        await journal.append({ kind: 'refused', at: clock.now(), code: CODES[why], ...about })
        return no(why, detail)
      }
      if (!shown || !id) return refuse('bad-request', 'this is no record of a device of this home')
      const admitted = admit(shown, { now: Math.floor(clock.now() / 1000) })
      if (!admitted.ok) return refuse(admitted.why)
      const { name, hub } = shown.body
      const holder = here.named(name)
      if (holder && holder.id !== id) return refuse('name-taken', `another device is called ${name}`)
      if (!hub && !charges.record(id)) return refuse('bad-request', 'the record names no daemon')
      const taken = await charges.take(frame, caller)
      if (!taken.ok) return refuse(taken.why, taken.detail)
      feed.publish({ event: 'rights', at: clock.now() })
      return yes(describe(id)!)
    },
  }
}

/** A record that says who has charge, or once did, takes another way than one that only names groups. */
export function withAdoption(
  desk: Desk,
  adoption: Adoption,
  deps: { readonly charges: Charges; readonly groups: Groups; readonly devices: DeviceBook },
): Desk {
  const { charges, groups, devices } = deps
  return {
    ...desk,
    async confirm(frame, caller) {
      const shown = groups.enrolment(frame)
      const id = shown && idOf(shown.body.key)
      if (!id || (!shown.body.hub && !charges.record(id))) return desk.confirm(frame, caller)
      const taken = await adoption.take(frame, caller)
      if (!taken.ok) return taken
      const device = devices.get(id)
      return device
        ? yes({ ...device, record: taken.value.record })
        : no('not-found', 'it was not seen here yet')
    },
  }
}
