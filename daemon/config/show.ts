// SPDX-License-Identifier: GPL-3.0-or-later
import { Secret } from '../base/secret.ts'
import type { Configured } from './parse.ts'
import { KEYS, type Key, SETTINGS } from './settings.ts'

/** One line of `shallot config show`. */
export interface Shown {
  readonly key: Key
  /** As it is used; a secret is •••; null when nobody said it and there is no default. */
  readonly value: string | number | boolean | null
  readonly from: string
  readonly says: string
}

/** Every setting with its value and where it came from, in the order of the table. */
export function showConfig({ config, origins }: Configured): readonly Shown[] {
  return KEYS.map((key) => {
    const value = valueAt(config, key)
    return {
      key,
      value: value instanceof Secret ? value.toString() : ((value as Shown['value'] | undefined) ?? null),
      from: origins.get(key) ?? 'not set',
      says: SETTINGS[key].says,
    }
  })
}

function valueAt(config: object, key: Key): unknown {
  return key.split('.').reduce<unknown>((part, name) => (part as Record<string, unknown>)[name], config)
}
