// SPDX-License-Identifier: GPL-3.0-or-later
/** The tor of a running daemon, asked behind its back: its process, and by which relays the mesh goes. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { systemClock } from '../../daemon/base/clock.ts'
import { systemRandom } from '../../daemon/base/random.ts'
import { getInfo, openControl } from '../../daemon/edge/onion/control.ts'
import { NODES, type NodeName } from '../../scripts/private-tor/torrc.ts'
import type { LiveHome } from './home.ts'

async function ask(home: LiveHome, keyword: string): Promise<string> {
  const deps = { clock: systemClock, random: systemRandom }
  using control = await openControl(deps, join(home.data, 'tor', 'control'), AbortSignal.timeout(10_000))
  return await getInfo(control, keyword)
}

export async function torPidOf(home: LiveHome): Promise<number> {
  return Number(await ask(home, 'process/pid'))
}

/** A relay, not the guard, on this side's half of the circuit that carries its only mesh connection, whoever called. */
export async function middleOf(home: LiveHome, service: string): Promise<NodeName> {
  const circuits = (await ask(home, 'circuit-status')).split('\n').filter((line) => line.includes(' BUILT '))
  const streams = await ask(home, 'stream-status')
  const called = /^\d+ SUCCEEDED (\d+) \S+\.onion:80\b/m.exec(streams)?.[1]
  const isCarrying = (line: string) =>
    called === undefined
      ? line.includes('PURPOSE=HS_SERVICE_REND') &&
        line.includes(`REND_QUERY=${service.replace('.onion', '')}`)
      : line.startsWith(`${called} `)
  const paths = circuits.map(pathOf)
  const guards = new Set(paths.map(([guard]) => guard))
  const [, ...beyond] = pathOf(circuits.find(isCarrying) ?? '')
  const middle = beyond.find((name) => !guards.has(name)) ?? beyond[0]
  return middle ?? assert.fail(`no circuit carries the mesh: ${circuits.join('\n')}\n${streams}`)
}

function pathOf(circuit: string): readonly NodeName[] {
  const names = [...circuit.matchAll(/~(\w+)/g)].map(([, name]) => name as NodeName)
  return names.filter((name) => NODES.includes(name))
}
