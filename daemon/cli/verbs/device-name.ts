// SPDX-License-Identifier: GPL-3.0-or-later
import { NAME_BYTES_MAX } from '../../../schemas/gen/ts/wire.ts'
import { utf8 } from '../../base/bytes.ts'
import { parseId } from '../../core/model/index.ts'
import { CliError } from '../error.ts'

/** @throws CliError usage */
export function requireName(name: string): void {
  const bytes = utf8(name).length
  if (
    bytes < 1 ||
    bytes > NAME_BYTES_MAX ||
    name !== name.trim() ||
    /[\p{C}/]/u.test(name) ||
    parseId(name)
  ) {
    throw new CliError('usage', `a name is 1 to ${NAME_BYTES_MAX} bytes of printable text without slashes`)
  }
}
