// SPDX-License-Identifier: GPL-3.0-or-later
import type { Instant } from '../../base/clock.ts'
import type { Device } from '../model/index.ts'
import type { DeviceBook } from '../ports.ts'
import type { FarThing, FarThings } from './far.ts'

/** Where a device of another home stands. */
export interface FarPlace {
  readonly far: FarThings
  readonly nameOf: (member: FarThing['member']) => string
  /** Nothing is shown of a daemon from the moment it is none of the home any more. */
  readonly isMember: (member: FarThing['member']) => boolean
  /** When it was last heard, while there is no way to it. */
  readonly silentSince?: (member: FarThing['member']) => Instant | undefined
}

/**
 * Our devices and, behind them, those of the owner's other homes. Two homes may call a device the same: ours is meant by the bare
 * name, the other's by `<home>/<name>`; a name that only one other home has needs no home before it. What changes devices goes to
 * our own book as before.
 */
export function withFar(devices: DeviceBook, { far, nameOf, isMember, silentSince }: FarPlace): DeviceBook {
  const all = () => far.list().filter(({ member }) => isMember(member))
  const placed = ({ member, device }: FarThing): Device => {
    const heardAt = silentSince?.(member)
    const presence = heardAt === undefined ? device.presence : { ...device.presence, heardAt }
    return { ...device, home: nameOf(member), presence }
  }
  return {
    get: (id) => {
      const here = devices.get(id)
      const there = here ? undefined : far.get(id)
      return here ?? (there && isMember(there.member) ? placed(there) : undefined)
    },
    named: (name) => {
      const here = devices.named(name)
      if (here) return here
      const [home, rest] = name.includes('/') ? split(name) : [undefined, name]
      const found = all().filter(({ device }) => device.name === rest)
      const meant = home === undefined ? found : found.filter(({ member }) => nameOf(member) === home)
      return meant.length === 1 ? placed(meant[0]!) : undefined
    },
    list: () => {
      const ours = new Set(devices.list().map(({ id }) => id))
      return [
        ...devices.list(),
        ...all()
          .filter(({ device }) => !ours.has(device.id))
          .map(placed),
      ]
    },
    twin: (id) => (devices.get(id) ? devices.twin(id) : (far.get(id)?.twin ?? devices.twin(id))),
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

function split(name: string): [string, string] {
  const at = name.indexOf('/')
  return [name.slice(0, at), name.slice(at + 1)]
}
