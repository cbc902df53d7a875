// SPDX-License-Identifier: GPL-3.0-or-later
import { isIP } from 'node:net'

/**
 * Whether a Host header names this face. A page in somebody's browser can make its own name point at our address
 * (DNS rebinding); it cannot make its browser send another name. So: addresses, names that no public DNS gives out,
 * and the face's own.
 * An underscore is no letter of a host's name, but machines have it, and mDNS gives it out.
 * @param own  lower case, without port
 */
export function isOurHost(header: string | undefined, own: readonly string[]): boolean {
  const name = header === undefined ? undefined : nameIn(header)
  if (name === undefined) return false
  if (name.startsWith('[')) return isIP(name.slice(1, -1)) === 6
  if (isIP(name) === 4) return true
  return (
    name === 'localhost' || /^(?:[a-z0-9_-]{1,63}\.)+(?:local|home\.arpa)$/.test(name) || own.includes(name)
  )
}

/** The name without its port, lower case; undefined when it is neither. */
function nameIn(header: string): string | undefined {
  return /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(?::\d{1,5})?$/.exec(header.toLowerCase())?.[1]
}
