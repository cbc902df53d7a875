// SPDX-License-Identifier: GPL-3.0-or-later
import type { Instant } from '../base/clock.ts'
import { CliError } from './error.ts'

/** ISO 8601 in UTC; null for what has no time (0 on the wire). */
export function sayTime(at: Instant | undefined): string | null {
  if (at === undefined || at === 0 || Math.abs(at) > 8.64e15) return null
  return Temporal.Instant.fromEpochMilliseconds(Math.round(at)).toString({ fractionalSecondDigits: 3 })
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** `10s`, `5m`, `2h`, `1d` in seconds. @throws CliError usage */
export function parseDuration(text: string, flag: string, secondsMax: number): number {
  const [, count, unit] = /^(\d{1,7})(s|m|h|d)$/.exec(text) ?? []
  const seconds = unit === undefined ? 0 : Number(count) * UNITS[unit]!
  if (seconds >= 1 && seconds <= secondsMax) return seconds
  throw new CliError(
    'usage',
    `${flag} is a time such as 10s, 5m or 2h, at most ${secondsMax} s; not ${text.slice(0, 40)}`,
  )
}

/** `2h` ago, or an ISO 8601 time, as an instant. @throws CliError usage */
export function parseSince(text: string, now: Instant, flag = '--since'): Instant {
  if (/^\d+[smhd]$/.test(text)) return now - parseDuration(text, flag, 36_500 * 86_400) * 1000
  try {
    return Temporal.Instant.from(text).epochMilliseconds
  } catch (cause) {
    throw new CliError(
      'usage',
      `${flag} is a time ago such as 2h, or 2026-01-31T08:00:00Z; not ${text.slice(0, 40)}`,
      {
        cause,
      },
    )
  }
}
