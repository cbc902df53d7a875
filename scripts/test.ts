// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Runs the tests: `npm test`, or `npm test -- unit vectors` for some folders of test/, or files ending in `.test.ts`.
 *
 * Quick ones and firmware first, two files at a time; then those with real tor and kills, one file at a time, because they
 * share the machine's two cores and its clock. The exit status is 0 only if every test ran and passed. What failed is
 * told again at the very end.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { Tally } from './test/tally.ts'

const ROOT = join(import.meta.dirname, '..')
const IN_PAIRS = ['house', 'unit', 'contract', 'vectors', 'simulation', 'fuzz', 'firmware']
const ALONE = ['live']
const MINUTES_MAX_PER_FILE = 8

const wanted = process.argv.slice(2)
const files = wanted.filter((name) => name.endsWith('.test.ts'))
const folders = wanted.filter((name) => !name.endsWith('.test.ts'))
const unknown =
  folders.find((folder) => ![...IN_PAIRS, ...ALONE].includes(folder)) ??
  files.find((file) => !existsSync(file))
if (unknown) {
  console.error(
    `there are no tests called ${unknown}; there are ${[...IN_PAIRS, ...ALONE].join(', ')}, and files ending in .test.ts`,
  )
  process.exit(2)
}
const chosen = (some: string[]) => some.filter((folder) => wanted.length === 0 || folders.includes(folder))
const filesOf = (some: string[]) =>
  some
    .filter((folder) => existsSync(join(ROOT, 'test', folder)))
    .flatMap((folder) => globSync(join(ROOT, 'test', folder, '**', '*.test.ts')).sort())

const tally = new Tally(ROOT)

async function runAll(files: string[], concurrency: number): Promise<void> {
  if (files.length === 0) return
  const stream = run({ files, concurrency, timeout: MINUTES_MAX_PER_FILE * 60_000 })
  tally.follow(stream)
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
await runAll(filesOf(chosen(IN_PAIRS)), 2)
await runAll([...filesOf(chosen(ALONE)), ...files.map((file) => resolve(file))], 1)
console.log(`\n${[...tally.lines()].join('\n')}`)
process.exitCode = tally.isGood ? 0 : 1
