// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import manifest from '../../package.json' with { type: 'json' }
import { files, ROOT, read } from './sources.ts'

const sources = ['*.ts', '*.tsx', '*.css', '*.html', '*.c', '*.h', '*.sql', '*.sh'].flatMap(files)

describe('the repository', () => {
  it('holds at the top what belongs there and nothing else', () => {
    const top = new Set(files('.').map((file) => file.split('/')[0]!))
    const allowed =
      /^(?:package(?:-lock)?\.json|tsconfig\.json|daemon|firmware|schemas|scripts|test|README\.md|ARCHITECTURE\.md|LICENSE|CHANGELOG\.md|SECURITY\.md|\..+)$/
    assert.deepEqual(
      [...top].filter((name) => !allowed.test(name)),
      [],
    )
  })

  it('names its licence in the head of every source', () => {
    const bare = sources.filter(
      (file) => !/SPDX-License-Identifier: GPL-3\.0-or-later/.test(read(file).slice(0, 200)),
    )
    assert.deepEqual(bare, [])
  })

  it('leaves no marks for later', () => {
    const marks = new RegExp(
      ['TODO', 'FIXME', 'XXX', 'HACK', 'not implemented'].map((word) => `\\b${word}\\b`).join('|'),
    )
    const only = /\b(?:it|test|describe)\.(?:only|skip|todo)\(/
    const marked = sources.filter(
      (file) => file !== 'test/house/tidy.test.ts' && (marks.test(read(file)) || only.test(read(file))),
    )
    assert.deepEqual(marked, [])
  })

  it('has no drawer for everything', () => {
    const drawers = sources.filter((file) =>
      /(?:^|\/)(?:utils?|common|helpers?|managers?|misc|types)(?:\.|\/)/.test(file),
    )
    assert.deepEqual(drawers, [])
  })

  it('keeps generated files fresh', () => {
    for (const script of ['generate.ts', 'vectors.ts', 'wiring.ts']) {
      execFileSync(process.execPath, [join(ROOT, 'scripts', script), '--check'], { stdio: 'pipe' })
    }
  })

  it('locks every package with a hash', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { integrity?: string; link?: boolean }>
    }
    const loose = Object.entries(packages).filter(([name, { integrity }]) => name !== '' && !integrity)
    assert.deepEqual(
      loose.map(([name]) => name),
      [],
    )
  })

  it('lets npm run the pre-scripts that make a fresh clone ready', () => {
    assert.doesNotMatch(read('.npmrc'), /ignore-scripts/)
    for (const command of ['start', 'test'] as const) {
      assert.equal(manifest.scripts[`pre${command}`], 'sh scripts/setup.sh')
    }
  })

  it('pins every dependency exactly', () => {
    const all = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies }
    assert.deepEqual(
      Object.entries(all).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version)),
      [],
    )
  })
})

describe('what the README tells people to type', () => {
  const commands = [
    ...read('README.md').matchAll(/^\s*(?:\$ )?npm (?:run (?:-s )?)?([a-z:]+)(?: -- (.*))?$/gm),
  ]
  const scripts: Record<string, string> = manifest.scripts
  const lifecycle = new Set(['start', 'test', 'ci'])

  it('exists: every npm command', () => {
    assert.ok(commands.length >= 2)
    const unknown = commands
      .map(([, name]) => name!)
      .filter((name) => !(name in scripts) && !lifecycle.has(name))
    assert.deepEqual(unknown, [])
  })

  it('exists: every shallot verb', async () => {
    const help = execFileSync(process.execPath, [join(ROOT, 'daemon/cli/shallot.js'), '--help'], {
      encoding: 'utf8',
    })
    const verbs = [...read('README.md').matchAll(/\bshallot(?: --)? ([a-z]+)\b/g)].map(([, verb]) => verb!)
    assert.ok(verbs.length > 0)
    assert.deepEqual(
      [...new Set(verbs)].filter((verb) => !new RegExp(`\\b${verb}\\b`).test(help)),
      [],
    )
  })

  it('is what CI runs', () => {
    assert.match(read('.ci/run'), /^npm test$/m)
    assert.match(read('README.md'), /^\s*npm test$/m)
  })
})
