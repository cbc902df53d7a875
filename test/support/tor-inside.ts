// SPDX-License-Identifier: GPL-3.0-or-later
/** The tor of a running daemon, asked behind its back: its process, and by which relays the mesh goes. */
import { join } from 'node:path'
import { systemClock } from '../../daemon/base/clock.ts'
import { systemRandom } from '../../daemon/base/random.ts'
import { getInfo, openControl } from '../../daemon/edge/onion/control.ts'
import type { NodeName } from '../../scripts/private-tor/torrc.ts'
import type { LiveHome } from './home.ts'

/** From the guard on. */
export type Way = readonly NodeName[]

const CALLED = /^\d+ SUCCEEDED (\d+) \S+\.onion:80\b/gm

async function ask<K extends string>(home: LiveHome, ...keywords: K[]): Promise<Record<K, string>> {
  const deps = { clock: systemClock, random: systemRandom }
  using control = await openControl(deps, join(home.data, 'tor', 'control'), AbortSignal.timeout(10_000))
  const answers: [K, string][] = []
  for (const keyword of keywords) answers.push([keyword, await getInfo(control, keyword)])
  return Object.fromEntries(answers) as Record<K, string>
}

export async function torPidOf(home: LiveHome): Promise<number> {
  return Number((await ask(home, 'process/pid'))['process/pid'])
}

export interface Ways {
  /** Up to the rendezvous, of each stream that this daemon has called another one by. */
  readonly called: readonly Way[]
  /** All that stand. */
  readonly all: readonly Way[]
}

export async function waysOf(home: LiveHome): Promise<Ways> {
  const { 'circuit-status': circuits, 'stream-status': streams } = await ask(
    home,
    'circuit-status',
    'stream-status',
  )
  const built = circuits.split('\n').filter((line) => line.includes(' BUILT '))
  const wayOf = new Map(built.map((line) => [line.split(' ', 1)[0], namesIn(line)]))
  const called = [...streams.matchAll(CALLED)].map(([, circuit]) => wayOf.get(circuit) ?? [])
  return { called, all: [...wayOf.values()] }
}

const namesIn = (circuit: string): Way =>
  [...circuit.matchAll(/~(authority|relay\d+)\b/g)].map(([, name]) => name as NodeName)
