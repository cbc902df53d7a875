// SPDX-License-Identifier: GPL-3.0-or-later
/** What `npm run firmware -- coverage` says of code that was run, in part or not at all: here of a program of three files. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { readCounts, unreached } from '../../scripts/firmware-coverage.ts'

const SOURCES: Record<string, string> = {
  'main.c': 'int half(int);\nint main(void) { return half(4) - 2; }\n',
  'half.c': 'int half(int a) { return a < 0 ? -half(-a) : a / 2; }\nint twice(int a) { return 2 * a; }\n',
  'never.c': 'int never(void) { return 1; }\n',
}

/** Sources, and objects that count beside them; the program is run if asked for. */
function built(isRun: boolean): Disposable & { readonly sources: string; readonly objects: string } {
  const place = mkdtempSync(join(tmpdir(), 'shallot-counts-'))
  const [sources, objects] = [join(place, 'sources'), join(place, 'objects')]
  for (const folder of [sources, objects]) mkdirSync(folder)
  for (const [name, text] of Object.entries(SOURCES)) writeFileSync(join(sources, name), text)
  for (const name of Object.keys(SOURCES)) {
    const object = join(objects, name.replace(/c$/, 'o'))
    execFileSync('cc', ['--coverage', '-O0', '-c', join(sources, name), '-o', object])
  }
  const names = Object.keys(SOURCES).map((name) => join(objects, name.replace(/c$/, 'o')))
  execFileSync('cc', ['--coverage', ...names, '-o', join(place, 'program')])
  if (isRun) execFileSync(join(place, 'program'))
  return { sources, objects, [Symbol.dispose]: () => rmSync(place, { recursive: true, force: true }) }
}

describe('readCounts()', () => {
  it('names each function that nobody called, and counts the branches that were taken', () => {
    using place = built(true)
    const covered = readCounts(place.sources, place.objects)
    assert.deepEqual(unreached(covered), [
      'nobody calls core/half.c: twice',
      'nobody calls core/never.c: never',
    ])
    const half = covered.find(({ file }) => file === 'core/half.c')!
    assert.deepEqual([half.functions, half.lines, half.linesRun], [2, 2, 1])
    assert.deepEqual([half.branches, half.branchesTaken], [2, 1])
  })

  it('takes code without counts for code that nobody ran', () => {
    using place = built(false)
    assert.equal(unreached(readCounts(place.sources, place.objects)).length, 4)
  })

  it('does not pass over a source that was not compiled', () => {
    using place = built(true)
    writeFileSync(join(place.sources, 'other.c'), 'int other(void) { return 1; }\n')
    assert.throws(() => readCounts(place.sources, place.objects), /other/)
  })
})
