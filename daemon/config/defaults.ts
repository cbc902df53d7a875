// SPDX-License-Identifier: GPL-3.0-or-later
import { join } from 'node:path'
import type { Key } from './settings.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** What holds when nobody says otherwise; the directories follow the XDG base directory specification. */
export function defaults(environment: Environment, homeDirectory: string): ReadonlyMap<Key, unknown> {
  const state = absolute(environment.XDG_STATE_HOME) ?? join(homeDirectory, '.local', 'state')
  const config = absolute(environment.XDG_CONFIG_HOME) ?? join(homeDirectory, '.config')
  return new Map<Key, unknown>([
    ['data', join(state, 'shallot')],
    ['owner', join(config, 'shallot')],
    ['link.host', '0.0.0.0'],
    ['link.port', 8883],
    ['link.discovery', true],
    ['lan.enabled', true],
    ['lan.host', '0.0.0.0'],
    ['lan.port', 8443],
    ['tor.kind', 'child'],
    ['tor.binary', 'tor'],
    ['retention', 0],
    ['mesh.resolution', 300],
    ['mesh.guests', 16],
    ['past', 90],
    ['log.level', 'info'],
  ])
}

/** A relative directory there is to be ignored, says the specification. */
function absolute(path: string | undefined): string | undefined {
  return path?.startsWith('/') ? path : undefined
}
