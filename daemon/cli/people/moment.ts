// SPDX-License-Identifier: GPL-3.0-or-later
/** When a grant begins and ends, as people say it, in the home's zone: dates, times, durations → seconds since the epoch. */
import type { Instant } from '../../base/clock.ts'
import { CliError } from '../error.ts'

const SECONDS: Readonly<Record<string, number>> = { m: 60, h: 3600, d: 86_400, w: 7 * 86_400 }
/** Ten years: a grant for ever says no `--until`. */
const AHEAD_S_MAX = 10 * 366 * 86_400

/**
 * @param flag  `--from`: a day means its beginning; `--until`: a day means its end
 * @param zone  a name of the IANA database, or an offset
 * @returns seconds since the epoch
 * @throws CliError usage
 */
export function parseMoment(text: string, flag: '--from' | '--until', now: Instant, zone: string): number {
  const at = read(text.trim(), flag, now, zone)
  const seconds = at === undefined ? undefined : Math.floor(at / 1000)
  if (seconds === undefined) {
    throw new CliError('usage', `${flag} does not understand ${JSON.stringify(text.slice(0, 40))}`, {
      next: 'say a date (2026-12-24), a time (18:00), both ("2026-12-24 18:00"), or how long from now (3h, 2d, 1w)',
    })
  }
  const nowS = now / 1000
  if (flag === '--until' && seconds <= nowS) {
    throw new CliError('usage', `--until ${text.slice(0, 40)} has passed already`, {
      next: `at the home it is ${sayMoment(Math.floor(nowS), zone)} now`,
    })
  }
  if (seconds - nowS <= AHEAD_S_MAX) return seconds
  throw new CliError('usage', `${flag} ${text.slice(0, 40)} is more than ten years ahead`, {
    next: 'leave it out for a grant without an end',
  })
}

function read(text: string, flag: string, now: Instant, zone: string): number | undefined {
  const [, count, unit] = /^(\d{1,5})([mhdw])$/.exec(text) ?? []
  if (unit !== undefined) return now + Number(count) * SECONDS[unit]! * 1000
  const here = Temporal.Instant.fromEpochMilliseconds(Math.floor(now)).toZonedDateTimeISO(zone)
  try {
    if (/^\d{4}-\d\d-\d\d$/.test(text)) {
      const day = Temporal.PlainDate.from(text)
      return startOf(flag === '--until' ? day.add({ days: 1 }) : day, zone)
    }
    if (/^(?:today|tomorrow)$/i.test(text)) {
      const days = (text.toLowerCase() === 'today' ? 0 : 1) + (flag === '--until' ? 1 : 0)
      return startOf(here.toPlainDate().add({ days }), zone)
    }
    if (/^\d{1,2}:\d\d$/.test(text)) return nextTime(text.padStart(5, '0'), here)
    if (/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?$/.test(text)) {
      return Temporal.PlainDateTime.from(text.replace(' ', 'T')).toZonedDateTime(zone).epochMilliseconds
    }
    return Temporal.Instant.from(text).epochMilliseconds
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function startOf(day: Temporal.PlainDate, zone: string): number {
  return day.toZonedDateTime(zone).epochMilliseconds
}

/** When the clock shows this time next: today, where it is set back for the second time, or tomorrow. */
function nextTime(text: string, here: Temporal.ZonedDateTime): number {
  const today = here.toPlainDate()
  const time = Temporal.PlainTime.from(text)
  const at = (day: Temporal.PlainDate, disambiguation: 'compatible' | 'later') =>
    day.toPlainDateTime(time).toZonedDateTime(here.timeZoneId, { disambiguation }).epochMilliseconds
  const [first, second] = [at(today, 'compatible'), at(today, 'later')]
  const found = [first, second].find((each) => each > here.epochMilliseconds)
  return found ?? at(today.add({ days: 1 }), 'compatible')
}

/** `2026-12-24 18:00`, local to the home. */
export function sayMoment(seconds: number, zone: string): string {
  const here = Temporal.Instant.fromEpochMilliseconds(seconds * 1000).toZonedDateTimeISO(zone)
  return `${here.toPlainDate()} ${here.toPlainTime().toString({ smallestUnit: 'minute' })}`
}
