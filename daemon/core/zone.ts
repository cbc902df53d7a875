// SPDX-License-Identifier: GPL-3.0-or-later
import type { Zone } from './envelope/message.ts'

const DAY_S = 86_400
/** As far ahead as a change is looked for: zones that change do so twice a year. */
const DAYS_AHEAD = 400

/** Reads a zone by its name in the IANA database; undefined when there is none of this name. */
export function zoneNamed(name: string): ((now: number) => Zone) | undefined {
  let format: Intl.DateTimeFormat
  try {
    format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' })
  } catch {
    return undefined
  }
  const minutesEast = (seconds: number): number => offsetIn(format, seconds)
  let known: { readonly zone: Zone; readonly from: number; readonly to: number } | undefined
  return (now) => {
    if (known && now >= known.from && now < known.to) return known.zone
    const zone = zoneAt(minutesEast, now)
    known = { zone, from: now, to: zone.changesAt === 0 ? now + DAY_S : zone.changesAt }
    return zone
  }
}

/** How local time differs from UTC now, and when and to what it changes next (SPEC 12.6). */
function zoneAt(minutesEast: (seconds: number) => number, now: number): Zone {
  const offset = minutesEast(now)
  for (let day = 1; day <= DAYS_AHEAD; day++) {
    const thereafter = minutesEast(now + day * DAY_S)
    if (thereafter === offset) continue
    return {
      offset,
      changesAt: changeWithin(minutesEast, now + (day - 1) * DAY_S, now + day * DAY_S),
      thereafter,
    }
  }
  return { offset, changesAt: 0, thereafter: offset }
}

/** The first second of the new time, found by halves. */
function changeWithin(minutesEast: (seconds: number) => number, from: number, to: number): number {
  const before = minutesEast(from)
  let [early, late] = [from, to]
  while (late - early > 1) {
    const middle = Math.floor((early + late) / 2)
    if (minutesEast(middle) === before) early = middle
    else late = middle
  }
  return late
}

function offsetIn(format: Intl.DateTimeFormat, seconds: number): number {
  const part = format.formatToParts(seconds * 1000).find(({ type }) => type === 'timeZoneName')?.value ?? ''
  const [, sign, hours, minutes = '0'] = /^GMT([+-])(\d{2}):?(\d{2})?/.exec(part) ?? []
  return sign ? (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) : 0
}
