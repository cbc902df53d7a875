// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { files, type Import, importsOf } from './sources.ts'

/** The floor a file stands on; edge and state rooms count each for itself. */
function roomOf(path: string): string {
  const [top, floor, room] = path.split('/')
  if (top !== 'daemon') return top!
  if (floor!.endsWith('.ts')) return 'top'
  return floor === 'edge' ? `edge/${room}` : floor!
}

/** What each room may import, besides itself. `top` is main.ts, compose.ts and publish.ts. */
const ALLOWED: Record<string, readonly string[]> = {
  base: [],
  core: ['base', 'schemas'],
  state: ['base', 'core', 'schemas'],
  'edge/link': ['base', 'core', 'schemas'],
  'edge/discovery': ['base', 'core', 'schemas'],
  'edge/onion': ['base', 'core', 'schemas'],
  'edge/http': ['base', 'core', 'schemas'],
  'edge/mesh': ['base', 'core', 'schemas'],
  config: ['base', 'core', 'schemas'],
  web: ['base', 'core', 'schemas'],
  cli: ['base', 'core', 'config', 'schemas', 'top', 'package.json'],
  top: [
    'base',
    'core',
    'config',
    'state',
    'edge/link',
    'edge/discovery',
    'edge/onion',
    'edge/http',
    'edge/mesh',
    'package.json',
  ],
}

const all: Import[] = [...files('daemon/*.ts'), ...files('daemon/*.tsx')].flatMap(importsOf)
const inside = all.filter(
  ({ to }) => to.startsWith('daemon/') || to.startsWith('schemas/') || to === 'package.json',
)

describe('directions: base ← core ← {state, edge} ← compose ← main', () => {
  it('every room has a rule, and the rules see what is imported', () => {
    assert.ok(inside.length > 300)
    const rooms = new Set(all.map(({ from }) => roomOf(from)))
    assert.deepEqual(
      [...rooms].filter((room) => !(room in ALLOWED)),
      [],
    )
  })

  it('no room imports upwards or its neighbour', () => {
    const wrong = inside.filter(({ from, to }) => {
      const [here, there] = [roomOf(from), roomOf(to)]
      return here !== there && !ALLOWED[here]!.includes(there)
    })
    assert.deepEqual(wrong, [])
  })

  it('the CLI reaches the daemon itself in one place: the verb that runs it', () => {
    const reaching = inside.filter(({ from, to }) => roomOf(from) === 'cli' && roomOf(to) === 'top')
    const pairs = reaching.map(({ from, to }) => `${from} → ${to}`)
    assert.deepEqual(pairs, ['daemon/cli/verbs/daemon.ts → daemon/main.ts'])
  })

  it('the page reaches nothing that needs Node, however far', () => {
    const values = all.filter(({ isType }) => !isType)
    const reached = new Set(values.map(({ from }) => from).filter((from) => roomOf(from) === 'web'))
    for (const file of reached) {
      for (const { to } of values.filter(({ from }) => from === file)) reached.add(to)
    }
    assert.ok(reached.has('daemon/core/envelope/cbor.ts') && reached.has('preact'))
    assert.deepEqual(
      [...reached].filter((file) => file.startsWith('node:')),
      [],
    )
  })

  it('an edge room is entered by its index from outside', () => {
    const past = inside.filter(({ from, to }) => {
      const room = roomOf(to)
      return room.startsWith('edge/') && roomOf(from) !== room && !to.endsWith('/index.ts')
    })
    assert.deepEqual(past, [])
  })

  it('nothing outside scripts and tests imports them', () => {
    assert.deepEqual(
      all.filter(({ to }) => to.startsWith('scripts/') || to.startsWith('test/')),
      [],
    )
  })

  it('every package that is imported is declared, and every dependency is imported', async () => {
    const { default: manifest } = await import('../../package.json', { with: { type: 'json' } })
    const declared = Object.keys(manifest.dependencies)
    const name = (to: string) =>
      to
        .split('/')
        .slice(0, to.startsWith('@') ? 2 : 1)
        .join('/')
    const packages = all
      .map(({ to }) => to)
      .filter((to) => !/^(?:daemon|schemas|node:)|^package\.json$/.test(to))
    const used = [...new Set(packages.map(name))].sort()
    assert.deepEqual(
      used.filter((each) => !declared.includes(each)),
      [],
    )
    assert.deepEqual(
      declared.filter((each) => !used.includes(each)),
      [],
    )
  })
})
