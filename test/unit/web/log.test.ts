// SPDX-License-Identifier: GPL-3.0-or-later
/** The page's log before a hub that has as many entries as a test likes, and answers when the test lets it. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { idOf } from '../../../daemon/core/model/index.ts'
import type { Call } from '../../../daemon/web/ask.ts'
import { PageError } from '../../../daemon/web/error.ts'
import { Log } from '../../../daemon/web/log.ts'
import { EMPTY, next, type State } from '../../../daemon/web/state.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const NAMES = ['ada', 'bea'] as const

interface Told {
  readonly index: number
  readonly at: number
  readonly kind: string
  readonly note: string
}

/** A hub whose entries are by Ada and Bea in turn. */
class Hub {
  readonly asked: string[] = []
  entries: readonly Told[] = []
  /** Before each answer. */
  hold: Promise<void> = Promise.resolve()
  fails = false

  add(count: number): void {
    const { length } = this.entries
    const more = Array.from({ length: count }, (_, at) => length + at + 1)
    this.entries = [
      ...this.entries,
      ...more.map((index) => ({ index, at: index, kind: 'renamed', note: NAMES[index % 2]! })),
    ]
  }

  json = async ({ path }: Call): Promise<unknown> => {
    this.asked.push(path)
    const query = new URL(path, 'http://hub').searchParams
    const before = Number(query.get('before') ?? Number.MAX_SAFE_INTEGER)
    const found = this.entries.filter(
      ({ index, note }) => index < before && note === (query.get('who') ?? note),
    )
    const answer = { entries: found.slice(-Number(query.get('limit'))) }
    await this.hold
    if (this.fails) throw new PageError('unreachable', 'the way broke off')
    return answer
  }
}

function opened(entries: number) {
  const hub = new Hub()
  hub.add(entries)
  const clock = new ManualClock()
  let state: State = EMPTY
  const log = new Log(
    {
      clock,
      asker: hub as never,
      believed: () => undefined,
      tell: (happening) => {
        state = next(state, happening)
      },
    },
    new AbortController().signal,
  )
  const newer = async () => {
    const done = log.newer()
    await clock.pass(1000)
    await done
  }
  return {
    hub,
    clock,
    log,
    newer,
    view: () => state.log,
    shown: () => state.log.acts.map(({ index }) => index),
  }
}

const down = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, at) => from - at)

describe('the log of the page [SPEC 9.7]', () => {
  it('is paged back to its beginning, the newest first', async () => {
    const { log, shown, view } = opened(120)
    await log.show({})
    assert.deepEqual([shown(), view().complete], [down(120, 71), false])
    await log.older()
    await log.older()
    assert.deepEqual([shown(), view().complete, view().loading], [down(120, 1), true, false])
  })

  it('has what came meanwhile above the rest, which stays what it is', async () => {
    const { hub, log, newer, shown, view } = opened(60)
    await log.show({})
    await log.older()
    const before = view().acts
    hub.add(3)
    await newer()
    assert.deepEqual([shown(), view().complete], [down(63, 1), true])
    assert.deepEqual(
      view()
        .acts.slice(3)
        .map((act, at) => act === before[at]),
      before.map(() => true),
    )
  })

  it('asks once for what comes together', async () => {
    const { hub, clock, log } = opened(5)
    await log.show({})
    const all = Promise.all([log.newer(), log.newer(), log.newer()])
    await clock.pass(1000)
    await all
    assert.equal(hub.asked.length, 2)
  })

  it('begins anew when more came than one page tells: no gap looks like a whole', async () => {
    const { hub, log, newer, shown, view } = opened(60)
    await log.show({})
    hub.add(70)
    await newer()
    assert.deepEqual([shown(), view().complete], [down(130, 81), false])
    await log.older()
    assert.deepEqual(shown(), down(130, 31))
  })

  it('shows those of one alone, page by page, and of all again', async () => {
    const { hub, log, newer, shown, view } = opened(120)
    await log.show({ who: 'bea' })
    await log.older()
    const hers = down(120, 1).filter((index) => index % 2 === 1)
    assert.deepEqual([shown(), view().complete, view().filter], [hers, true, { who: 'bea' }])
    hub.add(2)
    await newer()
    assert.deepEqual(shown(), [121, ...hers])
    await log.show({})
    assert.deepEqual(shown(), down(122, 73))
  })

  it('asks for a device by its id beside whom', async () => {
    const { hub, log } = opened(1)
    const device = idOf(new Uint8Array(32))
    await log.show({ who: 'bea', device })
    assert.equal(hub.asked.at(-1), `/log?limit=50&who=bea&device=${device}`)
  })

  it('does not show under one filter what was asked for under another', async () => {
    const { hub, log, shown, view } = opened(20)
    const answer = Promise.withResolvers<void>()
    hub.hold = answer.promise
    const first = log.show({})
    await new Promise((resolve) => setImmediate(resolve))
    const second = log.show({ who: 'ada' })
    answer.resolve()
    await Promise.all([first, second])
    assert.deepEqual([shown(), view().loading], [down(20, 1).filter((index) => index % 2 === 0), false])
  })

  it('says why it has no more to tell, keeps what it has, and goes on', async () => {
    const { hub, log, newer, shown, view } = opened(3)
    await log.show({})
    hub.add(1)
    hub.fails = true
    await newer()
    assert.deepEqual([shown(), view().failed], [down(3, 1), 'unreachable'])
    hub.fails = false
    await newer()
    assert.deepEqual([shown(), view().failed], [down(4, 1), undefined])
  })
})
