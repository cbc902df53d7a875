// SPDX-License-Identifier: GPL-3.0-or-later
import { readFile } from 'node:fs/promises'
import { isCode, no, type Verdict, yes } from '../base/error.ts'

/** The text of a configuration file, not yet looked at. */
export interface ConfigFile {
  readonly path: string
  readonly text: string
}

const FILE_BYTES_MAX = 65_536

/** @returns undefined when there is none, which is fine */
export async function readConfigFile(
  path: string,
): Promise<Verdict<ConfigFile | undefined, 'bad-config' | 'payload-too-large'>> {
  try {
    const bytes = await readFile(path)
    if (bytes.length > FILE_BYTES_MAX) {
      return no('payload-too-large', `${path} has ${bytes.length} bytes; at most ${FILE_BYTES_MAX} are read`)
    }
    return yes({ path, text: bytes.toString('utf8') })
  } catch (error) {
    if (isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR')) return yes(undefined)
    return no('bad-config', `${path} cannot be read: ${error instanceof Error ? error.message : error}`)
  }
}
