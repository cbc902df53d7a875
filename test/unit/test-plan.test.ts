// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import {
  ALONE,
  type Manner,
  next,
  type Planned,
  planOf,
  SECONDS,
  WAITS,
  WORKS,
} from '../../scripts/test/plan.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const inRoot = (...names: readonly string[]) => names.map((name) => join(ROOT, name))

const planned = (manner: Manner, seconds: number): Planned => ({
  file: `${manner} ${seconds}`,
  manner,
  seconds,
})
const DAY: readonly Planned[] = [
  ...[90, 60, 40, 20, 7, 5, 5, 5, 5].map((seconds) => planned('works', seconds)),
  ...[80, 70, 60, 30].map((seconds) => planned('waits', seconds)),
  ...[100, 50, 5].map((seconds) => planned('alone', seconds)),
].sort((a, b) => b.seconds - a.seconds)

/** Plays a plan: what runs, whenever another one has begun; and when all has ended. */
function play(plan: readonly Planned[]) {
  const moments: (readonly Planned[])[] = []
  let [queue, now] = [plan, 0]
  let running: readonly { readonly each: Planned; readonly end: number }[] = []
  const ofThem = () => running.map(({ each }) => each)
  while (queue.length + running.length > 0) {
    const started = next(queue, ofThem())
    if (started) {
      queue = queue.filter((each) => each !== started)
      running = [...running, { each: started, end: now + started.seconds }]
      moments.push(ofThem())
    } else {
      assert(running.length > 0, 'nothing runs, and nothing may begin')
      now = Math.min(...running.map(({ end }) => end))
      running = running.filter(({ end }) => end > now)
    }
  }
  return { moments, seconds: now }
}

const count = (moment: readonly Planned[], manner: Manner) =>
  moment.filter((each) => each.manner === manner).length

suite('what runs beside what', () => {
  test('everything runs once, and what is alone last and by itself', () => {
    const { moments } = play(DAY)
    const began = moments.map((moment) => moment.at(-1)!)
    assert.deepEqual(new Set(began), new Set(DAY))
    assert.equal(began.length, DAY.length)
    assert.deepEqual(
      began.slice(-3).map(({ manner }) => manner),
      ['alone', 'alone', 'alone'],
    )
    for (const moment of moments) if (count(moment, 'alone') > 0) assert.equal(moment.length, 1)
  })

  test('never more than three work, and one that waits goes along', () => {
    const { moments } = play(DAY)
    for (const moment of moments) {
      assert(count(moment, 'works') <= 3)
      assert(moment.length <= 4)
    }
    assert(moments.some((moment) => count(moment, 'works') === 3 && count(moment, 'waits') === 1))
    assert(moments.every((moment) => count(moment, 'works') === 0 || count(moment, 'waits') <= 1))
  })

  test('when no work is left, two wait together', () => {
    const { moments } = play([planned('waits', 9), planned('waits', 8), planned('waits', 7)])
    assert.deepEqual(
      moments.map((moment) => moment.length),
      [1, 2, 2],
    )
  })

  test('the longest begins first, so that those that work end at about one time', () => {
    const work = DAY.filter(({ manner }) => manner === 'works')
    const sum = work.reduce((all, { seconds }) => all + seconds, 0)
    assert(play(work).seconds <= Math.max(sum / 3, work[0]!.seconds) + 5)
  })
})

suite('the plan', () => {
  test('names files that there are, each in one place', () => {
    const named = [...Object.keys(WAITS), ...WORKS, ...Object.keys(ALONE)]
    for (const name of [...named, ...Object.keys(SECONDS)]) assert(existsSync(join(ROOT, name)), name)
    assert.equal(new Set(named).size, named.length)
  })

  test('has the longest first, and leaves a live file alone that it does not name', () => {
    const [live, waits, unit] = ['test/live/new.test.ts', Object.keys(WAITS)[0]!, 'test/unit/new.test.ts']
    const plan = planOf(ROOT, inRoot(unit, live, waits))
    assert.deepEqual(
      plan.map(({ file, manner }) => [file, manner]),
      [
        [join(ROOT, waits), 'waits'],
        [join(ROOT, unit), 'works'],
        [join(ROOT, live), 'alone'],
      ],
    )
  })

  test('has files from elsewhere work', () => {
    assert.equal(planOf(ROOT, ['/tmp/test/live/x.test.ts'])[0]?.manner, 'works')
  })
})
