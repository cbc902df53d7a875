// SPDX-License-Identifier: GPL-3.0-or-later
/** What a simulated chip keeps over a restart: private keys, in files of the world beside it, as nobody could read them from a chip. */
import { createPrivateKey, type KeyObject } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface KeyStore {
  read(name: string): KeyObject | undefined
  write(name: string, key: KeyObject): void
  /** Whether there was one. */
  remove(name: string): boolean
}

/** @param directory the device's own, with world/ in it */
export function openKeys(directory: string): KeyStore {
  const path = (name: string): string => join(directory, 'world', `key-${name}`)
  const read: KeyStore['read'] = (name) => {
    try {
      return createPrivateKey(readFileSync(path(name)))
    } catch {
      return undefined
    }
  }
  return {
    read,
    write: (name, key) =>
      writeFileSync(path(name), key.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 }),
    remove(name) {
      const was = read(name) !== undefined
      rmSync(path(name), { force: true })
      return was
    },
  }
}
