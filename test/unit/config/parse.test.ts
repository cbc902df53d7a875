// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Key, parseConfig, showConfig } from '../../../daemon/config/index.ts'

const DIRECTORY = join(import.meta.dirname, 'cases')
const MEMBERS = ['file', 'text', 'environment', 'flags', 'expect', 'says', 'config']

interface Case {
  readonly file?: unknown
  readonly text?: string
  readonly environment?: Record<string, string>
  readonly flags?: Partial<Record<Key, unknown>>
  readonly expect: string
  readonly says?: readonly string[]
  readonly config?: Record<string, unknown>
}

function parse({ file, text, environment, flags }: Omit<Case, 'expect'>) {
  const content = text ?? (file === undefined ? undefined : JSON.stringify(file))
  return parseConfig({
    file: content === undefined ? undefined : { path: '/d/config.json', text: content },
    environment: environment ?? {},
    flags: new Map(Object.entries(flags ?? {}) as [Key, unknown][]),
    workingDirectory: '/work',
    homeDirectory: '/home/anna',
  })
}

for (const name of readdirSync(DIRECTORY).filter((each) => each.endsWith('.json'))) {
  test(`parseConfig(): ${name.replace('.json', '').replaceAll('-', ' ')}`, () => {
    const golden = JSON.parse(readFileSync(join(DIRECTORY, name), 'utf8')) as Case
    for (const member of Object.keys(golden)) assert.ok(MEMBERS.includes(member), `unknown member ${member}`)
    const parsed = parse(golden)
    assert.equal(parsed.ok ? 'ok' : parsed.why, golden.expect, parsed.ok ? '' : (parsed.detail ?? ''))
    if (!parsed.ok)
      for (const part of golden.says ?? []) assert.ok(parsed.detail!.includes(part), parsed.detail!)
    if (!parsed.ok) return
    for (const [key, value] of Object.entries(golden.config ?? {})) {
      assert.deepEqual(parsed.value.config[key as 'link'], value)
    }
  })
}

test('there are more refusals among the cases than acceptances', () => {
  const names = readdirSync(DIRECTORY).filter((each) => each.endsWith('.json'))
  assert.ok(names.filter((each) => each.startsWith('refuse-')).length > names.length / 2)
})

test('a configuration cannot be changed, on no level', () => {
  const parsed = parse({})
  assert.ok(parsed.ok)
  assert.throws(() => Object.assign(parsed.value.config, { data: '/x' }), TypeError)
  assert.throws(() => Object.assign(parsed.value.config.link, { port: 1 }), TypeError)
})

test('a secret prints as ••• wherever a configuration goes', () => {
  const parsed = parse({ environment: { SHALLOT_HOME: 'shallot:home:very-secret' } })
  assert.ok(parsed.ok)
  const shown = showConfig(parsed.value)
  assert.deepEqual(
    shown.filter(({ key }) => key === 'home').map(({ value, from }) => [value, from]),
    [['•••', 'environment SHALLOT_HOME']],
  )
  for (const text of [
    JSON.stringify(shown),
    JSON.stringify(parsed.value.config),
    String(parsed.value.config.home),
  ]) {
    assert.ok(!text.includes('very-secret'))
  }
})

test('a secret that is refused is not repeated in the refusal', () => {
  const parsed = parse({ environment: { SHALLOT_HOME: 'secret\n' } })
  assert.ok(!parsed.ok && !parsed.detail!.includes('secret\n'))
})

test('config show tells for each key where its value came from', () => {
  const parsed = parse({
    file: { link: { port: 1 } },
    environment: { SHALLOT_TOR: 'off' },
    flags: { 'lan.port': '7' },
  })
  assert.ok(parsed.ok)
  const from = Object.fromEntries(showConfig(parsed.value).map((row) => [row.key, row.from]))
  assert.deepEqual(
    [from['link.port'], from['tor.kind'], from['lan.port'], from['log.level'], from['tor.torrcExtra']],
    ['/d/config.json', 'environment SHALLOT_TOR', 'flag --lan-port', 'default', 'not set'],
  )
})
