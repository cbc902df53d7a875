// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { inspect } from 'node:util'
import { Backoff } from '../../../daemon/base/backoff.ts'
import { Channel } from '../../../daemon/base/channel.ts'
import { deadline } from '../../../daemon/base/clock.ts'
import { codeOf, isCode, RoomError } from '../../../daemon/base/error.ts'
import { abortable, Latch, once, Turns } from '../../../daemon/base/lifetime.ts'
import { jsonLines, Log, type LogLine } from '../../../daemon/base/log.ts'
import { Secret } from '../../../daemon/base/secret.ts'
import { supervise } from '../../../daemon/base/supervise.ts'
import { ManualClock } from '../../support/manual-clock.ts'

/** Lets everything that is ready happen. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

suite('Channel', () => {
  test('gives what was pushed before and after somebody reads, and ends after the rest', async () => {
    const channel = new Channel<number>(8)
    channel.push(1)
    const read = Array.fromAsync(channel)
    await settle()
    channel.push(2)
    channel.push(3)
    channel.close()
    channel.push(4)
    assert.deepEqual(await read, [1, 2, 3])
  })

  test('drops the oldest of what nobody reads, and counts it', async () => {
    const channel = new Channel<number>(3)
    for (let n = 0; n < 10; n++) channel.push(n)
    channel.close()
    assert.deepEqual([await Array.fromAsync(channel), channel.lost], [[7, 8, 9], 7])
  })

  test('is closed once by a reader that leaves, and tells so once', async () => {
    let closed = 0
    const channel = new Channel<number>(3, () => closed++)
    channel.push(1)
    for await (const _first of channel) break
    channel.close()
    assert.equal(closed, 1)
  })
})

suite('Turns', () => {
  test('come one after another, in the order asked', async () => {
    const turns = new Turns()
    const seen: string[] = []
    const task = (name: string, waits: number) => async () => {
      seen.push(`${name} begins`)
      for (let n = 0; n < waits; n++) await settle()
      seen.push(`${name} ends`)
    }
    await Promise.all([turns.take(task('a', 3)), turns.take(task('b', 0))])
    assert.deepEqual(seen, ['a begins', 'a ends', 'b begins', 'b ends'])
  })

  test('go on after one that fails, and its failure is its own', async () => {
    const turns = new Turns()
    const bad = turns.take(() => Promise.reject(new Error('mine')))
    const good = turns.take(async () => 7)
    await assert.rejects(bad, /mine/)
    assert.equal(await good, 7)
  })
})

suite('once(), Latch and abortable()', () => {
  test('once() disposes once, and whoever asks later waits for the same end', async () => {
    let times = 0
    const { promise, resolve } = Promise.withResolvers<void>()
    const dispose = once(() => {
      times++
      return promise
    })
    let second = false
    void dispose()
    const waits = dispose().then(() => {
      second = true
    })
    await settle()
    assert.deepEqual([times, second], [1, false])
    resolve()
    await waits
    assert.deepEqual([times, second], [1, true])
  })

  test('a latch that fails before anybody waits brings nobody down, and stays failed', async () => {
    const latch = new Latch<number>()
    latch.fail(new Error('early'))
    await settle()
    latch.open(1)
    await assert.rejects(latch.promise, /early/)
  })

  test('abortable() ends with the reason of its signal, also of one that had aborted before', async () => {
    const never = new Promise<void>(() => {})
    const later = new AbortController()
    const waits = abortable(never, later.signal)
    later.abort(new Error('enough'))
    await assert.rejects(waits, /enough/)
    await assert.rejects(abortable(never, AbortSignal.abort(new Error('before'))), /before/)
  })

  test('abortable() leaves the answer alone when it comes first', async () => {
    const late = new AbortController()
    assert.equal(await abortable(Promise.resolve(3), late.signal), 3)
    late.abort()
  })
})

suite('deadline()', () => {
  test('aborts at its time and not before, by a TimeoutError', async () => {
    const clock = new ManualClock()
    using patience = deadline(clock, 1000)
    clock.advance(999)
    await settle()
    assert.equal(patience.signal.aborted, false)
    clock.advance(1)
    await settle()
    assert.equal(patience.signal.reason.name, 'TimeoutError')
  })

  test('aborts with the signal that it was given, with that reason', () => {
    const given = new AbortController()
    using patience = deadline(new ManualClock(), 1000, given.signal)
    given.abort(new Error('stop'))
    assert.equal(patience.signal.reason.message, 'stop')
    using none = deadline(new ManualClock(), 1000, given.signal)
    assert.equal(none.signal.aborted, true)
  })

  test('once disposed aborts no more', async () => {
    const [clock, given] = [new ManualClock(), new AbortController()]
    const patience = deadline(clock, 1000, given.signal)
    patience[Symbol.dispose]()
    clock.advance(5000)
    given.abort()
    await settle()
    assert.equal(patience.signal.aborted, false)
  })
})

suite('Backoff and supervise()', () => {
  const random = (fraction: number) => ({ bytes: (n: number) => new Uint8Array(n), fraction: () => fraction })

  test('waits double up to the largest, never below half of the step, and begin again after reset', () => {
    const [least, most] = [0, 1].map(
      (fraction) => new Backoff(random(fraction), { firstMs: 100, msMax: 500 }),
    )
    const five = (waits: Backoff) => Array.from({ length: 5 }, () => waits.nextMs())
    assert.deepEqual(five(least!), [50, 100, 200, 250, 250])
    assert.deepEqual(five(most!), [100, 200, 400, 500, 500])
    most!.reset()
    assert.equal(most!.nextMs(), 100)
  })

  test('a task that fails is run again, later and later, and told of; the signal ends it', async () => {
    const clock = new ManualClock()
    const lines: LogLine[] = []
    const log = new Log(clock, (line) => void lines.push(line))
    const stop = new AbortController()
    const starts: number[] = []
    const task = async () => {
      starts.push(clock.monotonic() - 1)
      throw new RoomError('broken', 'it broke')
    }
    const backoff = { firstMs: 100, msMax: 400 }
    const ended = supervise({ clock, random: random(1), log }, 'link', task, stop.signal, backoff)
    for (let n = 0; n < 12; n++) {
      await settle()
      clock.advance(100)
    }
    await settle()
    stop.abort()
    await ended
    assert.deepEqual(starts, [0, 100, 300, 700, 1100])
    assert.equal(lines.length, starts.length)
    assert.deepEqual(lines[0]?.fields, { task: 'link', code: 'broken', message: 'it broke' })
  })

  test('a task that ends because it was stopped is no failure', async () => {
    const clock = new ManualClock()
    const lines: LogLine[] = []
    const stop = new AbortController()
    const task = (signal: AbortSignal) => clock.sleep(1_000_000, signal)
    const deps = { clock, random: random(1), log: new Log(clock, (line) => void lines.push(line)) }
    const ended = supervise(deps, 'link', task, stop.signal)
    await settle()
    stop.abort(new Error('bye'))
    await ended
    assert.deepEqual(lines, [])
  })
})

suite('what is told of secrets and errors', () => {
  test('a secret is ••• in text, JSON, inspection, templates and errors', () => {
    const secret = new Secret('hunter2')
    const shown = [
      `${secret}`,
      String(secret),
      JSON.stringify([secret]),
      inspect({ secret }),
      inspect([secret]),
    ]
    for (const text of shown) assert(text.includes('•••') && !text.includes('hunter2'), text)
    assert.equal(secret.reveal(), 'hunter2')
  })

  test('a line of the log is one line of JSON, whatever is written into it', () => {
    let out = ''
    const log = new Log(
      new ManualClock(),
      jsonLines((text) => {
        out += text
      }, 'info'),
    )
    log.say('debug', 'not told')
    log.say('info', 'ready', { name: 'a\n{"level":"error"}\u2028\0', port: 5 })
    assert.equal(out.trimEnd().split('\n').length, 1)
    assert.deepEqual(JSON.parse(out).name, 'a\n{"level":"error"}\u2028\0')
  })

  test('isCode() and codeOf() tell by the code alone, and of nothing that is no error', () => {
    class DoorError extends RoomError<'shut' | 'stuck'> {}
    const error = new DoorError('shut', 'the door is shut', { cause: 1 })
    assert.deepEqual([error.name, isCode(error, 'shut'), isCode(error, 'stuck')], ['DoorError', true, false])
    for (const other of [undefined, null, 'shut', { code: 'shut' }, new Error('shut')]) {
      assert.equal(isCode(other, 'shut'), false)
      assert.equal(codeOf(other), undefined)
    }
  })
})
