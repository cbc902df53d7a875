// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type Clock, systemClock } from '../../../daemon/base/clock.ts'
import { Sequence } from '../../../daemon/cli/sequence.ts'

const base = mkdtempSync(join(tmpdir(), 'sh-seq-'))
after(() => rmSync(base, { recursive: true, force: true }))

let files = 0
function fresh(): string {
  return join(base, String(files++), 'sequence')
}

function at(now: number): Clock {
  return { ...systemClock, now: () => now }
}

test('next() is the time in milliseconds', async () => {
  assert.equal(await new Sequence(at(5000), fresh()).next(), 5000)
})

test('next() rises when two are taken in one millisecond', async () => {
  const sequence = new Sequence(at(5000), fresh())
  assert.deepEqual([await sequence.next(), await sequence.next()], [5000, 5001])
})

test('next() rises when the clock was set back', async () => {
  const path = fresh()
  await new Sequence(at(9000), path).next()
  assert.equal(await new Sequence(at(1000), path).next(), 9001)
})

test('next() never gives one number to two at once', async () => {
  const path = fresh()
  const clock = systemClock
  const taken = await Promise.all(Array.from({ length: 25 }, () => new Sequence(clock, path).next()))
  assert.equal(new Set(taken).size, 25)
})

for (const [what, text] of [
  ['empty', ''],
  ['noise', '\x00\xff'],
  ['a fraction', '1.5'],
  ['negative', '-4'],
  ['beyond what a number can hold', '99999999999999999999'],
] as const) {
  test(`next() goes by the clock when the file is ${what}`, async () => {
    const path = fresh()
    await new Sequence(at(1), path).next()
    writeFileSync(path, text)
    assert.equal(await new Sequence(at(7000), path).next(), 7000)
  })
}

test('a lock that a dead process left is taken over', async () => {
  const path = fresh()
  await new Sequence(at(1), path).next()
  writeFileSync(`${path}.lock`, '')
  utimesSync(`${path}.lock`, 1, 1)
  assert.equal(await new Sequence(at(60_000), path).next(), 60_000)
  assert.ok(!existsSync(`${path}.lock`))
})
