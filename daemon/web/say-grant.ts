// SPDX-License-Identifier: GPL-3.0-or-later
/** A grant in a person's words. */
import { METHOD_GET, MINUTES_PER_DAY } from '../../schemas/gen/ts/wire.ts'
import type { Hours, Permission } from '../core/envelope/browser.ts'
import { affordanceOf } from '../core/model/index.ts'
import type { Thing } from './answers.ts'
import { titleOf } from './kind.ts'
import type { KnownGrant } from './people.ts'
import type { Words } from './words/words.ts'

/** `front-door, porch-light`; a device that is not seen here stays a device. */
export function sayWhere(
  devices: readonly string[],
  things: ReadonlyMap<string, Thing>,
  words: Words,
): string {
  if (devices.length === 0) return words.grants.everything
  return devices.map((device) => things.get(device)?.name ?? nameOf(device, words)).join(', ')
}

const ID_CHARS = 43

function nameOf(device: string, words: Words): string {
  return device.length === ID_CHARS ? words.grants.someDevice : words.grants.group(device)
}

/** `Unlock, On, Temperature (look)` */
export function sayWhat(what: readonly Permission[], words: Words): string {
  return what
    .map(({ affordance, methods }) => {
      const name = affordanceOf(affordance)?.name ?? String(affordance)
      const title = titleOf(name, words)
      return methods === METHOD_GET ? words.grants.look(title) : title
    })
    .join(', ')
}

/** Monday. */
const FIRST_DAY = Date.UTC(2024, 0, 1)
const DAY_MS = 86_400_000
export const WEEK = [0, 1, 2, 3, 4, 5, 6] as const

/** `Mon`, in the language; 0 is Monday. */
export function sayDay(day: number, language: string): string {
  const format = new Intl.DateTimeFormat(language, { weekday: 'short', timeZone: 'UTC' })
  return format.format(FIRST_DAY + day * DAY_MS)
}

/** `Mon, Tue 08:00–18:00` */
export function sayHours(hours: readonly Hours[], language: string): string {
  return hours
    .map(({ days, from, to }) => {
      const named = WEEK.filter((day) => days & (1 << day)).map((day) => sayDay(day, language))
      return `${named.join(', ')} ${sayMinute(from)}–${sayMinute(to)}`
    })
    .join('; ')
}

function sayMinute(minute: number): string {
  const two = (number: number) => String(number).padStart(2, '0')
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`
}

/** Minutes of the day from what a field for times says; 00:00 as an end is the end of the day. */
export function readMinute(text: string, isEnd: boolean): number | undefined {
  const [, hour, minute] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text) ?? []
  if (hour === undefined) return undefined
  const total = Number(hour) * 60 + Number(minute)
  return isEnd && total === 0 ? MINUTES_PER_DAY : total
}

/** When and how often, each as a sentence of its own. */
export function sayLimits(grant: KnownGrant, words: Words, language: string): readonly string[] {
  const date = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' })
  const { from, until, uses, used = 0, hours, pin, share } = grant
  return [
    hours.length > 0 && sayHours(hours, language),
    from !== undefined && words.grants.from(date.format(from)),
    until !== undefined && words.grants.until(date.format(until)),
    uses !== undefined && words.grants.uses(used, uses),
    pin && words.grants.pin,
    share > 0 && words.grants.share,
  ].filter((each) => each !== false)
}
