// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * What of firmware/core the tests run on this machine: the tests that the sanitizers have, once more with a build that counts. In: nothing
 * but the tests. Out: functions, lines and branches by file, and the names of functions that nobody called.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { globSync, readdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { buildFirmware, builtIn } from './firmware.ts'

const ROOT = join(import.meta.dirname, '..')
const FILES = [
  'adversity',
  'charge',
  'core',
  'crypto',
  'direct',
  'discovery',
  'drivers',
  'front-door',
  'mutation',
  'pins',
  'places',
  'provision',
  'renewal',
  'signer',
  'spool',
  'still',
  'tls',
  'update',
]
/** Tests that are not about the machine's own build. */
const ELSEWHERE = '/qemu|rv32|emulated|ESP8266|ESP32/'

export type Covered = {
  file: string
  functions: number
  /** That nobody called. */
  idle: string[]
  lines: number
  linesRun: number
  branches: number
  branchesTaken: number
}

type Gcov = {
  files: {
    file: string
    functions: { name: string; execution_count: number }[]
    lines: { count: number; branches: { count: number }[] }[]
  }[]
}

/** Runs the tests with counts from nothing. @returns what they say of those that failed; nothing when all passed */
function runTests(): string {
  const files = FILES.map((name) => join('test', 'firmware', `${name}.test.ts`))
  const names = ['--test', '--test-reporter=spec', '--test-concurrency=1', `--test-skip-pattern=${ELSEWHERE}`]
  const { status, stdout } = spawnSync(
    process.execPath,
    [...names, ...files, join('test', 'vectors', 'firmware.test.ts')],
    {
      cwd: ROOT,
      encoding: 'utf8',
      env: { ...process.env, SHALLOT_COVERAGE: '1' },
      maxBuffer: 1 << 26,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  if (status === 0) return ''
  return stdout.slice(Math.max(0, stdout.indexOf('✖ failing tests:'))) || `the tests ended with ${status}`
}

function coveredIn(object: string): Covered {
  const folder = join(object, '..')
  const text = execFileSync('gcov', ['--branch-probabilities', '--json-format', '--stdout', object], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    // Of a file that nobody has run it says that there are no counts.
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const name = basename(object, '.gcno')
  const own = text && (JSON.parse(text) as Gcov).files.find(({ file }) => basename(file) === `${name}.c`)
  if (!own) throw new Error(`gcov knows nothing of ${object}`)
  const branches = own.lines.flatMap((line) => line.branches)
  return {
    file: `core/${name}.c`,
    functions: own.functions.length,
    idle: own.functions.flatMap((each) => (each.execution_count === 0 ? [each.name] : [])),
    lines: own.lines.length,
    linesRun: own.lines.filter(({ count }) => count > 0).length,
    branches: branches.length,
    branchesTaken: branches.filter(({ count }) => count > 0).length,
  }
}

/** @returns one entry for each source in a folder. Throws for one that no object in the other folder was compiled from. */
export function readCounts(sources: string, objects: string): Covered[] {
  const names = readdirSync(sources).filter((name) => name.endsWith('.c'))
  return names.sort().map((name) => coveredIn(join(objects, name.replace(/c$/, 'gcno'))))
}

/** @returns one entry for each file of firmware/core, and what failing tests say, without whom the counts are not all there are */
export function measureCoverage(): { readonly covered: readonly Covered[]; readonly failures: string } {
  buildFirmware('coverage')
  const objects = builtIn('coverage')
  for (const counts of globSync(join(objects, '**', '*.gcda'))) rmSync(counts)
  const failures = runTests()
  return { failures, covered: readCounts(join(ROOT, 'firmware', 'core'), join(objects, 'ours', 'core')) }
}

/** A sentence for each function that nobody called. */
export const unreached = (covered: readonly Covered[]): string[] =>
  covered.flatMap(({ file, idle }) => idle.map((name) => `nobody calls ${file}: ${name}`))

function printRow(name: string, functions: string, lines: string, branches: string): void {
  console.log(name.padEnd(24) + [functions, lines, branches].map((cell) => cell.padStart(20)).join(''))
}

function share(part: number, whole: number): string {
  return `${part}/${whole} ${whole === 0 ? '100' : ((100 * part) / whole).toFixed(1)} %`
}

/** @returns whether every function was called */
export function printCoverage(covered: readonly Covered[]): boolean {
  const sum = (number: (one: Covered) => number): number => covered.reduce((all, one) => all + number(one), 0)
  printRow('file', 'functions', 'lines', 'branches')
  for (const one of covered) {
    const called = share(one.functions - one.idle.length, one.functions)
    printRow(one.file, called, share(one.linesRun, one.lines), share(one.branchesTaken, one.branches))
  }
  const functions = sum((one) => one.functions)
  printRow(
    'all of core',
    share(functions - sum((one) => one.idle.length), functions),
    share(
      sum((one) => one.linesRun),
      sum((one) => one.lines),
    ),
    share(
      sum((one) => one.branchesTaken),
      sum((one) => one.branches),
    ),
  )
  for (const sentence of unreached(covered)) console.error(sentence)
  return unreached(covered).length === 0
}
