// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { cpuSeconds, residentKib } from '../../scripts/bench/process.ts'
import { against, alone, median } from '../../scripts/bench/sample.ts'

const BENCH = join(import.meta.dirname, '..', '..', 'scripts', 'bench.ts')

test('median() of an even number of samples lies between the middle two, whatever their order', () => {
  assert.equal(median([9, 1, 2, 4]), 3)
  assert.equal(median([10, 9, 100]), 10)
})

test('against() gives the ratio of the medians, so that one slow round moves nothing', () => {
  assert.deepEqual(against([30, 20, 9000], [15, 15, 15], 'ms'), {
    value: 30,
    baseline: 15,
    ratio: 2,
    unit: 'ms',
  })
})

test('alone() has neither baseline nor ratio', () => {
  assert.deepEqual(alone([1, 2, 3], 's'), { value: 2, unit: 's' })
})

test('cpuSeconds() counts what a process computed, also when its name holds blanks and parentheses', () => {
  const before = cpuSeconds(process.pid)
  const title = process.title
  process.title = 'a) b (c'
  const start = process.cpuUsage()
  while (process.cpuUsage(start).user + process.cpuUsage(start).system < 300_000);
  assert.ok(cpuSeconds(process.pid) - before >= 0.25)
  process.title = title
})

test('residentKib() is of the order that the process itself knows', () => {
  const own = process.memoryUsage.rss() / 1024
  assert.ok(Math.abs(residentKib(process.pid) - own) < own / 2)
})

test('the bench refuses a key that it does not have, and names those it has', () => {
  const { status, stderr } = spawnSync(process.execPath, [BENCH, 'link.speed'], { encoding: 'utf8' })
  assert.equal(status, 1)
  assert.match(stderr, /nothing is called link\.speed: .*link\.rtt/)
})
