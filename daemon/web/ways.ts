// SPDX-License-Identifier: GPL-3.0-or-later
/** Addresses of the owner's other homes (SPEC 14.9) as a page takes them along, behind the key (11.5). */
import { isDeviceName } from '../core/model/name.ts'
import { ONION, type Other } from './answers.ts'
import { isBytes, readCode, writeCode } from './code.ts'

export const WAYS_PREFIX = 'shallot:ways:'
/** Between a key and the ways that go with it. */
const JOINT = ';'
const CHARS_MAX = 2048
export const WAYS_MAX = 9
const LIST = 2
const NONE = new Uint8Array()

export function writeWays(ways: readonly Other[]): string {
  const list = ways
    .slice(0, WAYS_MAX)
    .map(({ home, address, clientKey }) => [home, address, clientKey ?? NONE])
  return writeCode(WAYS_PREFIX, [[LIST, list]])
}

/** @param key  as `writeKey` made it */
export function withWays(key: string, ways: readonly Other[]): string {
  return ways.length === 0 ? key : `${key}${JOINT}${writeWays(ways)}`
}

/** What was brought, and the ways that came with it; those that cannot be read are none. */
export function splitBrought(brought: string): { readonly text: string; readonly ways: readonly Other[] } {
  const at = brought.indexOf(`${JOINT}${WAYS_PREFIX}`)
  if (at < 0) return { text: brought, ways: [] }
  return { text: brought.slice(0, at), ways: readWays(brought.slice(at + JOINT.length)) }
}

/** Those in a code; none if it is damaged. */
export function readWays(text: string): readonly Other[] {
  const map = readCode(WAYS_PREFIX, text, CHARS_MAX)
  const list = map.ok ? map.value.get(LIST) : undefined
  if (!map.ok || map.value.size !== 2 || !Array.isArray(list) || list.length > WAYS_MAX) return []
  const ways = list.flatMap((item) => {
    if (!Array.isArray(item) || item.length !== 3) return []
    const [home, address, clientKey] = item
    if (typeof home !== 'string' || !isDeviceName(home)) return []
    if (typeof address !== 'string' || !ONION.test(address)) return []
    if (!isBytes(clientKey, 0) && !isBytes(clientKey, 32)) return []
    const way = { home, address }
    return [clientKey.length === 0 ? way : { ...way, clientKey: Uint8Array.from(clientKey) }]
  })
  return ways.length === list.length ? ways : []
}
