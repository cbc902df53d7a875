// SPDX-License-Identifier: GPL-3.0-or-later
import { NAME_BYTES_MAX } from '../../../schemas/gen/ts/wire.ts'
import { utf8 } from '../../base/bytes.ts'
import { parseId } from './ids.ts'

/** Controls, halves of characters, line ends, and marks that turn the direction of what follows; `/` ends a path segment. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069/]/u

/** Whether this can be a device's name: for people, so anything printable; never what could be taken for an id or end a path. */
export function isDeviceName(name: string): boolean {
  if (name === '' || name !== name.trim() || utf8(name).length > NAME_BYTES_MAX) return false
  return !UNPRINTABLE.test(name) && parseId(name) === undefined
}
