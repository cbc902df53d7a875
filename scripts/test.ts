// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Runs the tests: `npm test`, or `npm test -- unit vectors` for some folders of test/, or files ending in `.test.ts`.
 *
 * Each file is a process of its own; scripts/test/plan.ts says which run beside which. What a file says is shown when it has
 * ended. The exit status is 0 only if every test ran and passed. What failed is told again at the very end.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { buildFirmware, PORTS } from './firmware.ts'
import { next, type Planned, planOf } from './test/plan.ts'
import { Tally } from './test/tally.ts'

const ROOT = join(import.meta.dirname, '..')
/** Tests that run firmware. */
const NEED_FIRMWARE: ReadonlySet<string> = new Set(['vectors', 'firmware', 'live'])
const FOLDERS = ['house', 'unit', 'contract', 'vectors', 'simulation', 'fuzz', 'firmware', 'live']
const MINUTES_MAX_PER_FILE = 8

const wanted = process.argv.slice(2)
const files = wanted.filter((name) => name.endsWith('.test.ts'))
const folders = wanted.filter((name) => !name.endsWith('.test.ts'))
const unknown = folders.find((folder) => !FOLDERS.includes(folder)) ?? files.find((file) => !existsSync(file))
if (unknown) {
  console.error(
    `there are no tests called ${unknown}; there are ${FOLDERS.join(', ')}, and files ending in .test.ts`,
  )
  process.exit(2)
}
const chosen = FOLDERS.filter((folder) => wanted.length === 0 || folders.includes(folder))
const inFolders = chosen.flatMap((folder) => globSync(join(ROOT, 'test', folder, '**', '*.test.ts')).sort())

const tally = new Tally(ROOT)
// Each run that goes on listens for the end of this process.
process.setMaxListeners(0)

/** Runs one file, and shows in one piece what it said, however many run beside it. */
async function runOne({ file }: Planned): Promise<void> {
  const began = performance.now()
  const stream = run({ files: [file], concurrency: 1, timeout: MINUTES_MAX_PER_FILE * 60_000 })
  tally.follow(stream)
  const told = await Array.fromAsync(stream.filter(isOfTests).compose(spec))
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  process.stdout.write(`${relative(ROOT, file)} (${seconds} s)\n${told.join('')}\n`)
}

/** What is not: the counts at the end of a run. The tally has those of all of them. */
const isOfTests = ({ type, data }: { type: string; data: { file?: string } }) =>
  type !== 'test:diagnostic' || data.file !== undefined

async function runAll(files: readonly string[]): Promise<void> {
  let queue = planOf(ROOT, files)
  const running = new Map<Planned, Promise<unknown>>()
  while (queue.length + running.size > 0) {
    const start = next(queue, [...running.keys()])
    if (start === undefined) {
      await Promise.race(running.values())
      continue
    }
    queue = queue.filter((each) => each !== start)
    running.set(
      start,
      runOne(start).finally(() => running.delete(start)),
    )
  }
}

if (chosen.includes('house')) {
  execFileSync(process.execPath, [join(ROOT, 'scripts', 'check.ts'), '--static'], { stdio: 'inherit' })
}
// By both cores and before anybody asks: whoever needs a program would wait for all that others build, and count that time.
if (chosen.some((folder) => NEED_FIRMWARE.has(folder))) for (const port of PORTS) buildFirmware(port)
await runAll([...inFolders, ...files.map((file) => resolve(file))])
console.log(`\n${[...tally.lines()].join('\n')}`)
process.exitCode = tally.isGood ? 0 : 1
