// SPDX-License-Identifier: GPL-3.0-or-later
import type { Instant } from './clock.ts'

/** How local time differs from UTC, as the wire has it (SPEC 12.6). */
export interface ZoneNow {
  /** Minutes east of UTC. */
  readonly offset: number
  /** Seconds since the epoch when that changes next; 0: it does not, as far as is known. */
  readonly changesAt: number
  /** Minutes east of UTC from then on. */
  readonly thereafter: number
}

/**
 * The zone of this machine by its IANA name. V8 reads names alone: of a TZ that is empty it makes a zone that it does not know itself,
 * and a path (`:/etc/localtime`) or a rule (`CET-1CEST`) is UTC to it.
 * @param tz        the variable TZ, as POSIX has it
 * @param realPath  follows links; what it throws, there is no such file
 * @returns undefined for one that has no name here
 */
export function systemZone(tz: string | undefined, realPath: (path: string) => string): string | undefined {
  if (tz === undefined) return named(Temporal.Now.timeZoneId())
  const said = tz.replace(/^:/, '')
  if (said === '') return 'UTC'
  return named(said.startsWith('/') ? nameOf(said, realPath) : said)
}

function named(name: string): string | undefined {
  return isZone(name) ? name : undefined
}

function nameOf(path: string, realPath: (path: string) => string): string {
  try {
    return realPath(path).replace(/^.*\/zoneinfo\/(?:posix\/|right\/)?/, '')
  } catch {
    return path
  }
}

/** Whether the time zone data of this Node know the name (IANA, or `UTC`, or an offset such as `+01:00`). */
export function isZone(name: string): boolean {
  try {
    at(0, name)
    return true
  } catch {
    return false
  }
}

/**
 * What the clocks of a zone show at an instant, and when and to what they change next.
 * An offset with seconds, as before standard time, is cut to whole minutes.
 * @throws RangeError for a name that `isZone` refuses
 */
export function zoneAt(name: string, now: Instant): ZoneNow {
  const local = at(now, name)
  const next = local.getTimeZoneTransition('next')
  const offset = minutesEast(local)
  if (!next) return { offset, changesAt: 0, thereafter: offset }
  return { offset, changesAt: Math.floor(next.epochMilliseconds / 1000), thereafter: minutesEast(next) }
}

function at(now: Instant, name: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(name)
}

function minutesEast(local: Temporal.ZonedDateTime): number {
  return Math.trunc(local.offsetNanoseconds / 60e9)
}
