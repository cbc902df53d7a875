// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Measures Shallot against the least that could do the same, in one run and by turns. It never gates anything: a machine
 * that is busy measures other numbers.
 *
 *   node scripts/bench.ts [key …] [--json]      a key, or the part of it before a dot; without one: all
 *
 * --json ends with one line, {"results":{"<key>":{"ratio":…,"value":…,"baseline":…,"unit":"…"},…}}.
 */
import { argumentsOf } from './arguments.ts'
import { daemon } from './bench/daemon.ts'
import { envelope } from './bench/envelope.ts'
import { firmware } from './bench/firmware.ts'
import { ingest, linkRoundTrip, resident } from './bench/link.ts'
import { meshLive } from './bench/mesh.ts'
import { meshGrowth } from './bench/mesh-growth.ts'
import { meshSync } from './bench/mesh-sync.ts'
import { onionCold, onionRoundTrip } from './bench/onion.ts'
import { policyJudge, policyMemory } from './bench/policy.ts'
import type { Group, Result, Results } from './bench/sample.ts'

/** What is measured together, under the key or what its keys begin with. */
const GROUPS: readonly (readonly [string, Group])[] = [
  ['envelope.open', envelope],
  ['policy.judge', policyJudge],
  ['policy.memory', policyMemory],
  ['link.ingest', ingest],
  ['link.rtt', linkRoundTrip],
  ['link.rss', resident],
  ['onion.rtt', onionRoundTrip],
  ['onion.cold', onionCold],
  ['mesh.rtt', meshLive],
  ['mesh.sync', meshSync],
  ['mesh.growth', meshGrowth],
  ['daemon', daemon],
  ['firmware.tls', firmware],
]

/** What we aim at: a ratio, or the value itself where there is no baseline. */
const AIMS: Readonly<Record<string, string>> = {
  'envelope.open': '≥ 0.70',
  'policy.judge': '≥ 200 k/s',
  'policy.memory': '≤ 1.1',
  'link.ingest': '≥ 0.50',
  'link.rtt': '≤ 2.0',
  'link.rss': '≤ 1.3',
  'onion.rtt': '≤ 1.15',
  'onion.cold': '≤ 1.15',
  'mesh.rtt': '≤ 1.3',
  'mesh.event': '≤ 1.3',
  'mesh.sync': '≥ 0.5',
  'mesh.sync.memory': '≤ 64 MB',
  'mesh.rss': '≤ 1.25',
  'mesh.growth': '≤ 1.0',
  'mesh.growth.real': '≤ 1.0',
  'daemon.ready': '≤ 1.5 s',
  'daemon.rss': '≤ 120 MB',
  'firmware.tls.dram': '≤ 1.0',
  'firmware.tls.flash': '≤ 1.0',
  'firmware.tls.handshake': '≤ 1.0',
  'firmware.tls.seal': '≤ 1.0',
  'firmware.tls.open': '≤ 1.0',
}

const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort(new Error(`${name}`)))

async function measure(names: readonly string[]): Promise<Results> {
  const unknown = names.find((name) => !GROUPS.some(([key]) => isPart(name, key)))
  if (unknown !== undefined)
    throw new Error(`nothing is called ${unknown}: ${GROUPS.map(([key]) => key).join(', ')}`)
  const asked = GROUPS.filter(([key]) => names.length === 0 || names.some((name) => isPart(name, key)))
  let results: Results = {}
  for (const [, group] of asked) {
    stop.signal.throwIfAborted()
    results = {
      ...results,
      ...(await group({ say: (line) => console.error(`… ${line}`), signal: stop.signal })),
    }
  }
  return results
}

function isPart(name: string, key: string): boolean {
  return `${key}.`.startsWith(`${name}.`)
}

function table(results: Results): string {
  const head = ['key', 'value', 'baseline', 'ratio', 'aim', 'unit']
  const rows = Object.entries(results).map(([key, result]) => rowOf(key, result))
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]!.length)))
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function rowOf(key: string, { value, baseline, ratio, unit }: Result): string[] {
  return [key, `${value}`, `${baseline ?? ''}`, ratio?.toFixed(2) ?? '', AIMS[key] ?? '', unit]
}

const { values: flags, positionals } = argumentsOf(
  'usage: npm run bench -- [--json] [key…]   keys or what they begin with',
  {
    options: { json: { type: 'boolean', default: false } },
    allowPositionals: true,
  },
)
try {
  const results = await measure(positionals)
  console.log(table(results))
  for (const [key, { note }] of Object.entries(results)) if (note) console.log(`${key}: ${note}`)
  if (flags.json) console.log(JSON.stringify({ results }))
} catch (error) {
  console.error(`✖ ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
}
