// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Measures Shallot against the least that could do the same, in one run and by turns. It never gates anything: a machine
 * that is busy measures other numbers.
 *
 *   node scripts/bench.ts [group …] [--json]      groups: envelope link onion daemon firmware; without one: all
 *
 * --json ends with one line, {"results":{"<key>":{"ratio":…,"value":…,"baseline":…,"unit":"…"},…}}.
 */
import { parseArgs } from 'node:util'
import { daemon } from './bench/daemon.ts'
import { envelope } from './bench/envelope.ts'
import { firmware } from './bench/firmware.ts'
import { link } from './bench/link.ts'
import { onion } from './bench/onion.ts'
import type { Group, Result, Results } from './bench/sample.ts'

const GROUPS: Readonly<Record<string, Group>> = { envelope, link, onion, daemon, firmware }

/** What we aim at: a ratio, or the value itself where there is no baseline. */
const AIMS: Readonly<Record<string, string>> = {
  'envelope.open': '≥ 0.70',
  'link.ingest': '≥ 0.50',
  'link.rtt': '≤ 2.0',
  'link.rss': '≤ 1.3',
  'onion.rtt': '≤ 1.15',
  'onion.cold': '≤ 1.15',
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
  let results: Results = {}
  for (const name of names) {
    const group = GROUPS[name]
    if (!group) throw new Error(`there is no group ${name}: ${Object.keys(GROUPS).join(', ')}`)
    stop.signal.throwIfAborted()
    results = {
      ...results,
      ...(await group({ say: (line) => console.error(`… ${line}`), signal: stop.signal })),
    }
  }
  return results
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

const { values: flags, positionals } = parseArgs({
  options: { json: { type: 'boolean', default: false } },
  allowPositionals: true,
})
try {
  const results = await measure(positionals.length > 0 ? positionals : Object.keys(GROUPS))
  console.log(table(results))
  if (flags.json) console.log(JSON.stringify({ results }))
} catch (error) {
  console.error(`✖ ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
}
