// SPDX-License-Identifier: GPL-3.0-or-later
import { CliError } from './error.ts'

/** Where one listens, not where one is found: it must never reach a code that is carried away. */
const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::', '[::]', '*', ''])

export function isWildcard(host: string): boolean {
  return WILDCARDS.has(host)
}

/** @throws CliError bad-answer for a place at which no device could find the home */
export function requireFindable(host: string): string {
  if (!isWildcard(host)) return host
  throw new CliError('bad-answer', 'the home does not know its own address on the network', {
    next: 'start it with `shallot daemon --link-host <its address>`',
  })
}

/** A LAN origin that can be carried to another machine, or undefined. */
export function findableOrigin(origin: string | undefined): string | undefined {
  const host = origin === undefined ? undefined : URL.parse(origin)?.hostname
  return host === undefined || isWildcard(host) ? undefined : origin
}
