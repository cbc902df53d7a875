// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * From firmware/wiring/*.json, which say what is connected to what: the channels that each app is compiled with, the pins that each
 * board's port needs, a picture for each app, and a page with tables and parts.
 *
 *   node scripts/wiring.ts            writes firmware/wiring/gen, firmware/wiring/WIRING.md and .docs/wiring-*.svg
 *   node scripts/wiring.ts --check    exit 1 and a list when a committed file is stale or left over
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { appHeader, pinsHeader } from './wiring/headers.ts'
import { page } from './wiring/page.ts'
import { picture } from './wiring/picture.ts'
import { faultsIn, readBoards, readWirings } from './wiring/plan.ts'

const ROOT = join(import.meta.dirname, '..')
const checking = process.argv.includes('--check')
const boards = readBoards()
const wirings = readWirings()

const faults = wirings.flatMap((wiring) => faultsIn(wiring, boards))
if (faults.length > 0) throw new Error(`firmware/wiring does not fit together:\n${faults.join('\n')}`)

const wanted = new Map<string, string>([
  ['firmware/wiring/gen/pins.h', pinsHeader(wirings, boards)],
  ['firmware/wiring/WIRING.md', page(wirings, boards)],
])
for (const wiring of wirings) {
  if (wiring.channels.some(({ name }) => name !== undefined)) {
    wanted.set(`firmware/wiring/gen/${wiring.app}.h`, appHeader(wiring))
  }
  wanted.set(`.docs/wiring-${wiring.app}.svg`, picture(wiring, boards))
}

const stale: string[] = []
for (const [file, text] of wanted) {
  if (present(file) === text) continue
  stale.push(file)
  if (checking) continue
  mkdirSync(join(ROOT, file, '..'), { recursive: true })
  writeFileSync(join(ROOT, file), text)
}
for (const [folder, pattern] of [
  ['firmware/wiring/gen', /./],
  ['.docs', /^wiring-.*\.svg$/],
] as const) {
  for (const name of readdirSync(join(ROOT, folder))) {
    const file = `${folder}/${name}`
    if (!pattern.test(name) || wanted.has(file)) continue
    stale.push(file)
    if (!checking) rmSync(join(ROOT, file))
  }
}
if (checking && stale.length > 0) {
  console.error(`stale, run node scripts/wiring.ts: ${stale.join(', ')}`)
  process.exitCode = 1
} else console.log(`${wirings.length} apps, ${stale.length} files ${checking ? 'stale' : 'changed'}`)

function present(file: string): string | undefined {
  try {
    return readFileSync(join(ROOT, file), 'utf8')
  } catch {
    return undefined
  }
}
