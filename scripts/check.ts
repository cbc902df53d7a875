// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Format, lint, types, generated files and house tests: `npm run check`.
 * With --static without the house tests, for when the test runner runs those itself.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')
const bin = (name: string) => join(ROOT, 'node_modules', '.bin', name)
const script = (name: string) => join(ROOT, 'scripts', name)

const steps: [what: string, command: string, args: string[]][] = [
  ['format and lint', bin('biome'), ['check', '--error-on-warnings', '.']],
  ['types', bin('tsc'), ['-p', '.']],
  // The page has the browser's types and none of Node's, so that what needs Node cannot get into it.
  ['types of the page', bin('tsc'), ['-p', 'daemon/web']],
  ['generated files', process.execPath, [script('generate.ts'), '--check']],
  ['vectors', process.execPath, [script('vectors.ts'), '--check']],
  ['wiring', process.execPath, [script('wiring.ts'), '--check']],
]
if (!process.argv.includes('--static')) {
  steps.push(['house rules', process.execPath, [script('test.ts'), 'house']])
}

for (const [what, command, args] of steps) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: ROOT, encoding: 'utf8' })
  if (status === 0) {
    console.log(`✔ ${what}`)
    continue
  }
  console.error(`✖ ${what}\n${stdout}${stderr}`)
  process.exit(1)
}
