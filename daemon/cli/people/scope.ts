// SPDX-License-Identifier: GPL-3.0-or-later
/** What a grant is for: a device, a group of devices, or everything. */
import { CAPABILITIES } from '../../../schemas/gen/ts/capabilities.ts'
import { keyOf } from '../../core/model/index.ts'
import { CliError } from '../error.ts'
import { fullName, meantBy } from '../meant.ts'
import { typed, typedLast } from '../typed.ts'
import type { House, KnownThing } from './house.ts'
import type { Scope } from './what.ts'

export interface Target extends Scope {
  /** As the wire has it: keys and names of groups; none for everything. */
  readonly devices: readonly (Uint8Array | string)[]
}

/** @throws CliError not-found | conflict | unconfirmed */
export function targetNamed(house: House, named: string): Target {
  if (named === 'everything') {
    if (meantBy(house.things, named)) throw namedLikeAll()
    const known = house.things.flatMap(({ affordances }) => affordances)
    const numbers = known.length > 0 ? known : CAPABILITIES.map(({ number }) => number)
    return { words: 'everything', devices: [], affordances: unique(numbers) }
  }
  const name = named.replace(/^(?:group|device):/, '')
  const [asDevice, asGroup] = [!named.startsWith('group:'), !named.startsWith('device:')]
  const device = asDevice ? meantBy(house.things, name) : undefined
  const members = asGroup ? house.things.filter(({ groups }) => groups.includes(name)) : []
  if (device && members.length > 0) {
    throw new CliError('conflict', `${name} is a device and a group`, {
      next: `say ${typed(`device:${name}`)} or ${typed(`group:${name}`)}`,
    })
  }
  if (device) return ofDevice(device)
  if (members.length > 0) {
    const numbers = unique(members.flatMap(({ affordances }) => affordances))
    return { words: `the group ${name}`, devices: [name], affordances: numbers }
  }
  throw new CliError(
    'not-found',
    `there is no device and no group called ${JSON.stringify(named.slice(0, 64))}`,
    {
      next: 'see `shallot device list` and `shallot group list`; or say everything',
    },
  )
}

/** Who means the one device must not give away all of them. */
function namedLikeAll(): CliError {
  return new CliError('conflict', 'a device is called everything', {
    next: 'say device:everything, or call it something else: shallot device rename everything <name>',
  })
}

/** Only a device that an owner has bound to its name: the hub could show any key under any other. */
function ofDevice(device: KnownThing): Target {
  if (!device.record) {
    throw new CliError('unconfirmed', `only the hub says that this device is ${device.name}`, {
      next: `confirm it where it was enrolled: shallot enrol --confirm ${typedLast(device.name)}`,
    })
  }
  return { words: fullName(device), devices: [keyOf(device.id)], affordances: device.affordances }
}

function unique(numbers: readonly number[]): readonly number[] {
  return [...new Set(numbers)].sort((a, b) => a - b)
}

/** The name of a device, as far as it is known, or the name of a group. */
export function sayDevices(house: House, devices: readonly (Uint8Array | string)[]): string {
  if (devices.length === 0) return 'everything'
  return devices
    .map((each) => {
      if (typeof each === 'string') return `group ${each}`
      const id = each.toBase64({ alphabet: 'base64url', omitPadding: true })
      const thing = house.things.find((thing) => thing.id === id)
      return thing ? fullName(thing) : id
    })
    .join(', ')
}
