// SPDX-License-Identifier: GPL-3.0-or-later
import type { Random } from '../../base/random.ts'
import { holds, readPrivate, readPrivateFile, writePrivate } from '../../config/vault.ts'
import { nativeEd25519, type Signer } from '../../core/envelope/index.ts'
import { CliError } from '../error.ts'

const NAME = 'release.key'
const SEED_BYTES = 32

/**
 * The key that seals images: the file that is named, or the one in the owner's directory, made when it is first needed.
 * @throws ConfigError missing | too-open, CliError bad-config
 */
export function releaseKey(random: Random, directory: string, file: string | undefined): Signer {
  if (file === undefined && !holds(directory, NAME)) writePrivate(directory, NAME, random.bytes(SEED_BYTES))
  const seed = file === undefined ? readPrivate(directory, NAME) : readPrivateFile(file)
  if (seed.length === SEED_BYTES) return nativeEd25519().signer(seed)
  throw new CliError('bad-config', `${file ?? NAME} is not a release key: it has ${seed.length} bytes`)
}
