// SPDX-License-Identifier: GPL-3.0-or-later
import { NAME_BYTES_MAX } from '../../../schemas/gen/ts/wire.ts'
import { utf8 } from '../../base/bytes.ts'
import { parseId } from '../../core/model/index.ts'
import { CliError } from '../error.ts'

/** It shows nothing itself, and writing goes wrong without it: in Persian, in the languages of India, in emoji of more than one. */
const JOINER = /(?<=[\p{L}\p{M}\p{S}])[\u200c\u200d](?=[\p{L}\p{S}])/gu

/** @throws CliError usage */
export function requireName(name: string): void {
  const bytes = utf8(name).length
  if (
    bytes < 1 ||
    bytes > NAME_BYTES_MAX ||
    name !== name.trim() ||
    /[\p{C}/]/u.test(name.replaceAll(JOINER, '')) ||
    parseId(name)
  ) {
    throw new CliError('usage', `a name is 1 to ${NAME_BYTES_MAX} bytes of printable text without slashes`)
  }
}
