// SPDX-License-Identifier: GPL-3.0-or-later
/** A device's own server (SPEC 18): what it is called, and at which origin a page reaches it. */
import { createHash } from 'node:crypto'
import { DIRECT_LABEL_CHARS } from '../../schemas/gen/ts/wire.ts'
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
