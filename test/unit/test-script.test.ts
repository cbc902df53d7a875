// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'

const SCRIPT = join(import.meta.dirname, '..', '..', 'scripts', 'test.ts')

/** What `npm test -- <file>` prints, and its exit status. */
function runTests(files: Record<string, string>): { exit: number | null; lines: string[] } {
  const place = mkdtempSync(join(tmpdir(), 'shallot-tests-'))
  try {
    const paths = Object.entries(files).map(([name, text]) => {
      const path = join(place, `${name}.test.ts`)
      writeFileSync(path, text)
      return path
    })
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const { status, stdout } = spawnSync(process.execPath, [SCRIPT, ...paths], { encoding: 'utf8', env })
    return { exit: status, lines: stdout.trimEnd().split('\n') }
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

const IMPORTS = `import { after, suite, test } from 'node:test'\n`
const GOOD = `${IMPORTS}test('is fine', () => {})`

suite('npm test', () => {
  test('ends with the counts and 0 when every test passed', () => {
    const { exit, lines } = runTests({ good: GOOD })
    assert.deepEqual([exit, lines.at(-1)], [0, '1 passed, 0 failed, 0 skipped'])
  })

  test('names each failed test, its file and its error once more, right before the counts', () => {
    const { exit, lines } = runTests({
      good: GOOD,
      bad: `${IMPORTS}
test('is right', () => {})
suite('a suite', () => { test('is wrong', () => { throw new Error('two is not three') }) })`,
    })
    assert.deepEqual([exit, lines.at(-1)], [1, '2 passed, 1 failed, 0 skipped'])
    const told = lines.slice(lines.lastIndexOf('') + 1, -1)
    assert.match(told[0]!, /^✖ .*bad\.test\.ts:4 {2}is wrong$/)
    assert.match(told[1]!, /Error: two is not three/)
    assert.doesNotMatch(told.join('\n'), /✖.*(a suite|is right|is fine)/)
  })

  const broken: readonly [what: string, text: string, told: RegExp][] = [
    ['that does not load', `import './nowhere.ts'`, /Cannot find module/],
    ['that ends in the middle', `${GOOD}\nprocess.exit(3)`, /exit 3/],
    ['whose last hook throws', `${GOOD}\nafter(() => { throw new Error('left a mess') })`, /left a mess/],
    [
      'with a suite whose hook throws, though its tests pass',
      `${IMPORTS}suite('s', () => { test('is fine', () => {}); after(() => { throw new Error('left a mess') }) })`,
      /left a mess/,
    ],
    [
      'in which a test never ends',
      `${IMPORTS}test('waits', { timeout: 50 }, () => new Promise(() => {}))`,
      /50ms/,
    ],
  ]
  for (const [what, text, told] of broken) {
    test(`fails for a file ${what}, and says why at the end`, () => {
      const { exit, lines } = runTests({ broken: text, good: GOOD })
      assert.equal(exit, 1)
      const end = lines.slice(lines.findLastIndex((line) => line.startsWith('✖'))).join('\n')
      assert.match(end, /^✖ .*broken\.test\.ts/)
      assert.match(end, told)
      assert.match(end, /\d passed, 1 failed, 0 skipped$/)
    })
  }

  test('refuses a folder or a file that is not there', () => {
    for (const name of ['nonsense', 'nowhere.test.ts']) {
      assert.equal(spawnSync(process.execPath, [SCRIPT, name]).status, 2)
    }
  })
})
