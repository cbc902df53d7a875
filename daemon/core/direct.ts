// SPDX-License-Identifier: GPL-3.0-or-later
/** A device's own server (SPEC 18): what it is called, at which origin a page reaches it, and whose pages may. */
import { createHash } from 'node:crypto'
import { DIRECT_LABEL_CHARS, DIRECT_ORIGIN_BYTES_MAX, DIRECT_ORIGINS_MAX } from '../../schemas/gen/ts/wire.ts'
import { type DirectServer, readUnproved } from './envelope/index.ts'
import { type Device, keyOf, type PartyId } from './model/index.ts'

/** `<16 hexadecimal digits>.local`: the same at every start, and nothing that says whose it is. */
export function serverNameOf(device: PartyId): string {
  return `${createHash('sha256').update(keyOf(device)).digest('hex').slice(0, DIRECT_LABEL_CHARS)}.local`
}

/** What its hello says of its server; that hello was proved before it was kept. */
function serverOf({ presence: { hello } }: Device): DirectServer | undefined {
  const body = hello && readUnproved(hello)
  return body?.type === 'hello' ? body.direct : undefined
}

/** The origin of the device's own server, as its last hello has it; none for a device of another home: that is another LAN. */
export function directOriginOf(device: Device): string | undefined {
  const server = device.home === undefined ? serverOf(device) : undefined
  return server && `https://${serverNameOf(device.id)}${server.port === 443 ? '' : `:${server.port}`}`
}

/**
 * The origins of the hub's page under these names, as browsers write them and a device can hold them.
 * @param names  host names and addresses, IPv6 without brackets; the one that people are told comes first and stays first,
 *   then names go before addresses: a machine has many of these, and people bookmark those
 */
export function pageOrigins(names: readonly string[], port: number): readonly string[] {
  const others = names.slice(1)
  const isAddress = (name: string) => /^[\d.]+$|:/.test(name)
  const ordered = [...others.filter((name) => !isAddress(name)), ...others.filter(isAddress)]
  const places = [...names.slice(0, 1), ...ordered].map(
    (name) => `https://${name.includes(':') ? `[${name}]` : name}:${port}`,
  )
  // An address with a zone is none that a browser goes to.
  const origins = places.filter((place) => URL.canParse(place)).map((place) => new URL(place).origin)
  return [...new Set(origins)]
    .filter((origin) => origin.length <= DIRECT_ORIGIN_BYTES_MAX)
    .slice(0, DIRECT_ORIGINS_MAX)
}
