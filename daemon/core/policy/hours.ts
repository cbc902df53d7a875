// SPDX-License-Identifier: GPL-3.0-or-later
/** Weekly hours in the home's zone (SPEC 12.1, 12.6): arithmetic on seconds, no calendar. */
import { MINUTES_PER_DAY } from '../../../schemas/gen/ts/wire.ts'
import type { Hours, Zone } from '../envelope/message.ts'

export const UTC: Zone = { offset: 0, changesAt: 0, thereafter: 0 }

/** Days from Thursday, 1 January 1970, back to the Monday before it. */
const MONDAY_TO_EPOCH = 3

/** @param now  seconds since the epoch, UTC */
export function isWithin(hours: readonly Hours[], now: number, zone: Zone): boolean {
  const minutes = Math.floor(now / 60) + minutesEast(now, zone)
  const minute = remainder(minutes, MINUTES_PER_DAY)
  const day = remainder(Math.floor(minutes / MINUTES_PER_DAY) + MONDAY_TO_EPOCH, 7)
  return hours.some(({ days, from, to }) => (days & (1 << day)) !== 0 && minute >= from && minute < to)
}

function minutesEast(now: number, { offset, changesAt, thereafter }: Zone): number {
  return changesAt !== 0 && now >= changesAt ? thereafter : offset
}

/** As a clock face does it: −1 of 7 is 6. */
function remainder(value: number, of: number): number {
  return ((value % of) + of) % of
}

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']

/** For a person: `Mon–Fri 08:00–18:00, Sat 10:00–12:00`. */
export function sayHours(hours: readonly Hours[]): string {
  return hours.map(({ days, from, to }) => `${sayDays(days)} ${sayMinute(from)}–${sayMinute(to)}`).join(', ')
}

function sayDays(days: number): string {
  const runs: string[] = []
  for (let day = 0; day < 7; day++) {
    if ((days & (1 << day)) === 0) continue
    const first = day
    while (day < 6 && (days & (1 << (day + 1))) !== 0) day++
    if (day - first === 1) runs.push(DAYS[first]!, DAYS[day]!)
    else runs.push(day === first ? DAYS[day]! : `${DAYS[first]}–${DAYS[day]}`)
  }
  return runs.join(', ')
}

function sayMinute(minute: number): string {
  const two = (value: number) => String(value).padStart(2, '0')
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`
}

/** A moment at home, for a person: `2026-11-25 14:05`. @param at seconds since the epoch, UTC */
export function sayTime(at: number, zone: Zone): string {
  const local = new Date((at + minutesEast(at, zone) * 60) * 1000)
  return local.toISOString().slice(0, 16).replace('T', ' ')
}
