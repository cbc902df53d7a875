// SPDX-License-Identifier: GPL-3.0-or-later
import { isIP } from 'node:net'
import { PLACES_MAX } from '../../schemas/gen/ts/wire.ts'
import type { Place } from '../core/envelope/message.ts'

/** `192.168.1.9:8883,[fd00::9]:8883`: numeric, because devices ask nobody for names; undefined for anything else. */
export function readPlaces(text: string): readonly Place[] | undefined {
  const places = text.split(',').map(readPlace)
  return places.length <= PLACES_MAX && places.every((place) => place !== undefined) ? places : undefined
}

function readPlace(text: string): Place | undefined {
  const [, six, four, digits] = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([\d.]{7,15})):(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  const host = six ?? four ?? ''
  const isRight = isIP(host) === (six === undefined ? 4 : 6) && port >= 1 && port <= 65_535
  return isRight ? { host, port } : undefined
}
