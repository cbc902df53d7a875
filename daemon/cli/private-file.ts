// SPDX-License-Identifier: GPL-3.0-or-later
/** Files with secrets that a person names: read only when nobody else can, written only where nothing is. */
import { writeFileSync } from 'node:fs'
import { readPrivateFile } from '../config/vault.ts'

/** @throws ConfigError missing | too-open | bad-config */
export function readPrivateText(path: string): string {
  return new TextDecoder().decode(readPrivateFile(path))
}

/** A new file, 0600. @throws the system's EEXIST and its like */
export function writeNewPrivate(path: string, content: string | Uint8Array): void {
  writeFileSync(path, content, { flag: 'wx', mode: 0o600 })
}
