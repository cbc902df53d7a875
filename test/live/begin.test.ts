// SPDX-License-Identifier: GPL-3.0-or-later
/** A home whose database is lost: what it acknowledged is missed aloud, and another is begun by nobody but its owner. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type LiveHome, openLiveHome, type Said } from '../support/home.ts'

let home: LiveHome
before(async () => {
  home = await openLiveHome()
})
after(() => home?.[Symbol.asyncDispose]())

const database = () => join(home.data, 'home.sqlite')
const start = (...more: string[]) => [
  ...['daemon', '--tor', 'off', '--no-lan', '--link-host', '127.0.0.1', '--link-port', String(home.linkPort)],
  ...more,
]
const kinds = async () =>
  ((await home.done(['log'])).entries as Said[]).map(({ kind, note }) => `${kind} ${note ?? ''}`.trim())

test('a daemon whose database is gone refuses, and makes none', async () => {
  await home.done(['onion', 'invite', 'before'])
  await home.stop()
  for (const file of ['', '-wal', '-shm']) rmSync(`${database()}${file}`, { force: true })
  const { exit, said } = await home.json(start())
  assert.deepEqual([exit, said.code, existsSync(database())], [5, 'missing', false])
})

test('by its owner’s word it begins anew, once', { timeout: 120_000 }, async () => {
  await using anew = home.stay(start('--begin-anew'))
  await anew.line(/"event":"ready"/, 60_000)
  assert.deepEqual(
    (await kinds()).filter((each) => each.includes('before')),
    [],
  )
})

test('and then it is there: the same word again is refused, and it starts without', async () => {
  const before = readFileSync(database())
  const { exit, said } = await home.json(start('--begin-anew'))
  assert.deepEqual([exit, said.code], [3, 'conflict'])
  assert.deepEqual(readFileSync(database()), before)
  await home.start()
  assert.equal((await home.done(['log', 'verify'])).ok, true)
})
