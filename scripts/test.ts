// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Runs the tests: `npm test`, or `npm test -- unit vectors` for some folders of test/.
 *
 * Quick ones first, two files at a time; then those with real tor, firmware and kills, one file at a time, because they
 * share the machine's two cores and its clock. The exit status is 0 only if every test ran and passed.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { join } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'

const ROOT = join(import.meta.dirname, '..')
const QUICK = ['house', 'unit', 'contract', 'vectors', 'simulation', 'fuzz']
const SLOW = ['firmware', 'live']
const MINUTES_MAX_PER_FILE = 8

const wanted = process.argv.slice(2)
const unknown = wanted.find((folder) => ![...QUICK, ...SLOW].includes(folder))
if (unknown) {
  console.error(`there are no tests called ${unknown}; there are ${[...QUICK, ...SLOW].join(', ')}`)
  process.exit(2)
}
const chosen = (folders: string[]) =>
  folders.filter((folder) => wanted.length === 0 || wanted.includes(folder))

let passed = 0
let failed = 0
let skipped = 0

async function runAll(folders: string[], concurrency: number): Promise<void> {
  const files = folders
    .filter((folder) => existsSync(join(ROOT, 'test', folder)))
    .flatMap((folder) => globSync(join(ROOT, 'test', folder, '**', '*.test.ts')).sort())
  if (files.length === 0) return
  const stream = run({ files, concurrency, timeout: MINUTES_MAX_PER_FILE * 60_000 })
  stream.on('test:pass', ({ skip, details }) => {
    if (details.type === 'suite') return
    if (skip === undefined) passed++
    else skipped++
  })
  stream.on('test:fail', ({ details }) => {
    if (details.type !== 'suite') failed++
  })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  stream.on('end', resolve).on('error', reject)
  const report = stream.compose(spec)
  report.on('error', reject)
  report.pipe(process.stdout, { end: false })
  report.on('end', resolve)
  await promise
}

if (chosen(['house']).length > 0) {
  execFileSync(process.execPath, [join(ROOT, 'scripts', 'check.ts'), '--static'], { stdio: 'inherit' })
}
await runAll(chosen(QUICK), 2)
await runAll(chosen(SLOW), 1)
console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`)
process.exitCode = failed > 0 || passed === 0 ? 1 : 0
