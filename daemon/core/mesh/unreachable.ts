// SPDX-License-Identifier: GPL-3.0-or-later
import type { Instant } from '../../base/clock.ts'

/** Why there is no answer from another home, in a sentence; `since`: when it was last heard. */
export function sayUnreachable(name: string, since: Instant | undefined, now: Instant): string {
  if (since === undefined) return `${name} was never heard from here`
  return `there is no way to ${name}, which was last heard ${sayAgo(now - since)} ago`
}

function sayAgo(ms: number): string {
  const units = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'min'],
  ] as const
  for (const [size, unit] of units) if (ms >= size) return `${Math.floor(ms / size)} ${unit}`
  return `${Math.max(0, Math.floor(ms / 1000))} s`
}
