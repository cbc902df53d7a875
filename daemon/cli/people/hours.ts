// SPDX-License-Identifier: GPL-3.0-or-later
/** Weekly hours: `Mon-Fri 08:00-18:00, Sat 10:00-12:00` ⇄ the spans of SPEC 12.1, local to the home. */
import { GRANT_HOURS_MAX, MINUTES_PER_DAY } from '../../../schemas/gen/ts/wire.ts'
import type { Hours } from '../../core/envelope/index.ts'
import { CliError } from '../error.ts'

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const
const EVERY_DAY = 127

const NEXT = 'say it like "Mon-Fri 08:00-18:00, Sat 10:00-12:00", or "daily 22:00-06:00"'

/** @throws CliError usage */
export function parseHours(text: string): readonly Hours[] {
  const spans: Hours[] = []
  let days = 0
  for (const part of text.split(/[,;]/)) {
    const [, names = '', times] =
      /^\s*([^\d]*?)\s*(\d{1,2}(?::\d\d)?\s*[-–]\s*\d{1,2}(?::\d\d)?)?\s*$/.exec(part) ?? []
    if (names === '' && times === undefined) throw refuse(`--hours does not understand ${quote(part)}`)
    if (names !== '') days |= parseDays(names)
    // Days without times belong to the times that follow: `Mon, Wed 08:00-10:00`.
    if (times === undefined) continue
    spans.push(...spansOf(days === 0 ? EVERY_DAY : days, times))
    days = 0
  }
  if (days !== 0) throw refuse('--hours ends with days that have no times')
  const merged = mergeDays(spans)
  if (merged.length <= GRANT_HOURS_MAX) return merged
  throw refuse(`--hours has ${merged.length} different spans of time, and a grant holds ${GRANT_HOURS_MAX}`)
}

function parseDays(names: string): number {
  let days = 0
  for (const part of names.trim().split(/\s+/)) {
    if (/^(?:daily|every|everyday|day|always)$/i.test(part)) {
      days |= EVERY_DAY
      continue
    }
    const [first, last, ...more] = part.split(/[-–]/)
    const from = dayNamed(first!)
    const to = last === undefined ? from : dayNamed(last)
    if (from < 0 || to < 0 || more.length > 0) throw refuse(`--hours does not know the days ${quote(part)}`)
    // `Sat-Mon` goes over the end of the week.
    for (let day = from; ; day = (day + 1) % 7) {
      days |= 1 << day
      if (day === to) break
    }
  }
  return days
}

const LONG = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday']

function dayNamed(name: string): number {
  const typed = name.toLowerCase()
  return typed.length < 2 ? -1 : LONG.findIndex((day) => day.startsWith(typed))
}

function spansOf(days: number, times: string): Hours[] {
  const [from, to] = times.split(/[-–]/).map(parseMinute) as [number, number]
  if (from === to) throw refuse(`--hours from ${sayMinute(from)} to ${sayMinute(to)} is no time at all`)
  if (from < to) return [{ days, from, to }]
  // Over midnight: until the end of these days, and from the beginning of the days after them.
  const after = ((days << 1) & EVERY_DAY) | (days >> 6)
  const evening = from < MINUTES_PER_DAY ? [{ days, from, to: MINUTES_PER_DAY }] : []
  return to > 0 ? [...evening, { days: after, from: 0, to }] : evening
}

function parseMinute(text: string): number {
  const [hour, minute = '0'] = text.trim().split(':')
  const total = Number(hour) * 60 + Number(minute)
  if (Number(minute) > 59 || total > MINUTES_PER_DAY) throw refuse(`${text.trim()} is no time of a day`)
  return total
}

/** Spans of the same times are one, with the days of both. */
function mergeDays(spans: readonly Hours[]): Hours[] {
  const merged: Hours[] = []
  for (const span of spans) {
    const at = merged.findIndex(({ from, to }) => from === span.from && to === span.to)
    if (at < 0) merged.push(span)
    else merged[at] = { ...span, days: merged[at]!.days | span.days }
  }
  return merged
}

/** `Mon–Fri 08:00–18:00, Sat 10:00–12:00` */
export function sayHours(hours: readonly Hours[]): string {
  return hours
    .map(({ days, from, to }) => `${sayDays(days)} ${sayMinute(from)}–${sayMinute(to)}`.trim())
    .join(', ')
}

function sayDays(days: number): string {
  if (days === EVERY_DAY) return 'daily'
  const runs: string[] = []
  for (let day = 0; day < 7; day++) {
    if ((days & (1 << day)) === 0) continue
    const first = day
    while (day < 6 && (days & (1 << (day + 1))) !== 0) day++
    const [from, to] = [DAYS[first]!, DAYS[day]!]
    runs.push(day === first ? from : day === first + 1 ? `${from} ${to}` : `${from}–${to}`)
  }
  return runs.join(' ')
}

function sayMinute(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
}

function quote(text: string): string {
  return JSON.stringify(text.trim().slice(0, 40))
}

function refuse(message: string): CliError {
  return new CliError('usage', message, { next: NEXT })
}
