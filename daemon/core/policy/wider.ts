// SPDX-License-Identifier: GPL-3.0-or-later
/** Whether a grant claims more than the one it is passed on from (SPEC 12.2): a hub does not record such a one. */
import { MINUTES_PER_DAY } from '../../../schemas/gen/ts/wire.ts'
import { equal } from '../../base/bytes.ts'
import type { Grant, Hours } from '../envelope/message.ts'

/** The groups that a device of this key belongs to; none for a device that is not known. */
export type GroupsOf = (device: Uint8Array) => readonly string[]

/** What of a grant can be wider or narrower. */
export type Breadth = Pick<
  Grant,
  'devices' | 'what' | 'notBefore' | 'expiresAt' | 'hours' | 'uses' | 'leaseS'
>

/** @returns what is wider, as a person would say it; undefined: nothing is */
export function widens(child: Breadth, parent: Breadth, groupsOf: GroupsOf): string | undefined {
  if (!devicesWithin(child, parent, groupsOf)) return 'other devices'
  if (!tableWithin(child, parent)) return 'other properties or actions'
  if ((child.notBefore ?? 0) < (parent.notBefore ?? 0)) return 'from earlier on'
  if (endOf(child) > endOf(parent)) return 'for longer'
  if (!hoursWithin(child.hours, parent.hours)) return 'at other hours'
  if ((child.uses ?? Infinity) > (parent.uses ?? Infinity)) return 'more often'
  if (leaseOf(child) > leaseOf(parent)) return 'without as fresh a lease'
  return undefined
}

function devicesWithin(child: Breadth, parent: Breadth, groupsOf: GroupsOf): boolean {
  if (parent.devices.length === 0) return true
  if (child.devices.length === 0) return false
  return child.devices.every((one) => {
    if (typeof one === 'string') return parent.devices.includes(one)
    const groups = groupsOf(one)
    return parent.devices.some((other) =>
      typeof other === 'string' ? groups.includes(other) : equal(other, one),
    )
  })
}

function tableWithin(child: Breadth, parent: Breadth): boolean {
  const held = new Map<number, number>()
  for (const { affordance, methods } of parent.what)
    held.set(affordance, (held.get(affordance) ?? 0) | methods)
  return child.what.every(({ affordance, methods }) => (methods & ~(held.get(affordance) ?? 0)) === 0)
}

function endOf({ expiresAt }: Breadth): number {
  return expiresAt ?? Infinity
}

function leaseOf({ leaseS }: Breadth): number {
  return leaseS === 0 ? Infinity : leaseS
}

function hoursWithin(child: readonly Hours[] | undefined, parent: readonly Hours[] | undefined): boolean {
  if (!parent) return true
  if (!child) return false
  const held = minutesOf(parent)
  return minutesOf(child).every((isIn, minute) => !isIn || held[minute])
}

/** The week's minutes from Monday 00:00 on. */
function minutesOf(hours: readonly Hours[]): readonly boolean[] {
  const week = new Array<boolean>(7 * MINUTES_PER_DAY).fill(false)
  for (const { days, from, to } of hours) {
    for (let day = 0; day < 7; day++) {
      if ((days & (1 << day)) !== 0) week.fill(true, day * MINUTES_PER_DAY + from, day * MINUTES_PER_DAY + to)
    }
  }
  return week
}
