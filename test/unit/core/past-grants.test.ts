// SPDX-License-Identifier: GPL-3.0-or-later
/** What becomes of grants that hold no more: over years they are thinned, and neither this nor a clock gives anything back. */
import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import type { Frame, Grant, Signer } from '../../../daemon/core/envelope/index.ts'
import { idOf } from '../../../daemon/core/model/index.ts'
import { type CoreHome, OTHER, OWNER, openCoreHome, ROOT, STRANGER } from '../../support/core-home.ts'
import {
  DAY_S,
  grantFrame,
  holderFrame,
  newId,
  personFrame,
  revocationFrame,
  WRITE,
} from '../../support/papers.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const KEPT_MS = 90 * DAY_MS
const WHAT = [{ affordance: 1, methods: WRITE }]

/** A home with a lamp, where `OTHER` is a guest's phone. */
async function openGuestHome(t: TestContext) {
  const home = await openCoreHome(t)
  const lamp = await home.lamp()
  const give = async (said: Partial<Grant>, by: Signer = OWNER): Promise<Frame> => {
    const frame = grantFrame(home.as(by), { key: OTHER.key, what: WHAT, expiresAt: home.now + 60, ...said })
    const given = await home.desk.people.grant(frame, home.caller)
    assert.equal(given.ok || given.why, true)
    return frame
  }
  /** What the hub answers to the guest: the code. */
  const use = async (id: Uint8Array): Promise<string> => {
    const target = { device: home.state.devices.get(lamp.id)!, affordance: 1, operation: 'write' } as const
    const caller = { id: idOf(OTHER.key), name: 'guest', kind: 'holder', origin: 'lan' } as const
    const done = await home.desk.command(home.command({ grant: id }, OTHER), target, caller)
    return done.ok ? 'ok' : done.why
  }
  const take = (...entries: Uint8Array[]) =>
    home.desk.people.revoke(revocationFrame(home.as(OWNER), entries), 'unix')
  /** An owner does anything at all, so that it is known what time it is. */
  const witness = () => home.desk.people.person(...personOf(home))
  const papers = () => home.state.papers.all('grant').length
  return { home, give, use, take, witness, papers }
}

function personOf(home: CoreHome) {
  const person = newId()
  return [personFrame(home.as(OWNER), { name: 'somebody', person }), person, home.caller] as const
}

const days = (home: CoreHome, count: number) => home.clock.setWall(home.clock.now() + count * DAY_MS)

suite('grants that hold no more', () => {
  test('are shown for a while, and then forgotten: paper, memory and count of uses', async (t) => {
    const { home, give, use, witness, papers } = await openGuestHome(t)
    const id = newId()
    await give({ id, uses: 3 })
    await give({ id: newId(), expiresAt: home.now + 400 * DAY_S })
    assert.equal(await use(id), 'ok')
    days(home, 1)
    await witness()
    assert.equal(await home.authority.thin(KEPT_MS), 0)
    days(home, 89)
    assert.equal(await home.authority.thin(KEPT_MS), 0)
    assert.deepEqual([papers(), home.authority.grants.size, home.state.uses.count(id)], [2, 2, 1])
    days(home, 2)
    await witness()
    assert.equal(await home.authority.thin(KEPT_MS), 1)
    assert.deepEqual([papers(), home.authority.grants.size, home.state.uses.count(id)], [1, 1, 0])
    assert.deepEqual(home.authority.past(), [])
    assert.equal((await home.state.journal.verify()).broken, undefined)
    assert.ok(
      home.journal().some(({ kind }) => kind === 'granted'),
      'the log keeps what was done',
    )
  })

  test('ten years of a courier a day are as many papers as are shown, also after a restart', async (t) => {
    const { home, give, witness, papers } = await openGuestHome(t)
    for (let year = 0; year < 10; year++) {
      for (let each = 0; each < 12; each++) {
        await give({ id: newId() })
        days(home, 30)
        await witness()
        await home.authority.thin(KEPT_MS)
      }
    }
    assert.ok(papers() <= 5, String(papers()))
    home.openCore()
    assert.ok(home.authority.grants.size + home.authority.past().length <= 5)
  })

  test('do not come back when they are handed in again, whether they ended or were taken back', async (t) => {
    const { home, give, use, take, witness, papers } = await openGuestHome(t)
    const [ended, taken] = [newId(), newId()]
    const frames = [await give({ id: ended }), await give({ id: taken, expiresAt: home.now + 400 * DAY_S })]
    await take(taken)
    days(home, 1)
    await witness()
    await home.authority.thin(KEPT_MS)
    days(home, 91)
    await home.authority.thin(KEPT_MS)
    assert.equal(papers(), 0)
    home.openCore()
    const again = await Promise.all(frames.map((frame) => home.desk.people.grant(frame, home.caller)))
    assert.deepEqual(
      again.map((each) => each.ok || each.why),
      ['expired', 'grant-revoked'],
    )
    // Also when the clock says that it has not ended.
    home.clock.setWall(home.clock.now() - 92 * DAY_MS - 30_000)
    assert.equal((await home.desk.people.grant(frames[0]!, home.caller)).ok, true)
    assert.equal(await use(ended), 'grant-expired')
    assert.equal(await use(taken), 'grant-revoked')
  })

  test('a count of uses stays until the grant has ended, whatever became of it', async (t) => {
    const { home, give, use, take, witness, papers } = await openGuestHome(t)
    const id = newId()
    await give({ id, uses: 1, expiresAt: home.now + 200 * DAY_S })
    assert.equal(await use(id), 'ok')
    await take(id)
    await home.authority.thin(KEPT_MS)
    days(home, 100)
    await witness()
    await home.authority.thin(KEPT_MS)
    assert.deepEqual([papers(), home.state.uses.count(id)], [1, 1])
    days(home, 101)
    await witness()
    await home.authority.thin(KEPT_MS)
    assert.deepEqual([papers(), home.state.uses.count(id)], [0, 0])
  })

  test('what a clock far ahead seemed to have ended holds when the clock is right again', async (t) => {
    const { home, give, use, papers } = await openGuestHome(t)
    const id = newId()
    await give({ id, expiresAt: home.now + 30 * DAY_S })
    days(home, 3000)
    await home.authority.thin(KEPT_MS)
    days(home, 3000)
    await home.authority.thin(KEPT_MS)
    assert.equal(papers(), 1)
    home.clock.setWall(home.clock.now() - 6000 * DAY_MS)
    home.openCore()
    assert.equal(await use(id), 'ok')
  })

  test('a command alone ends nothing: daemons that have the same papers mark the same', async (t) => {
    const { home, give } = await openGuestHome(t)
    await give({})
    const marked = () => home.state.papers.all('grant').filter(({ goneAt }) => goneAt !== undefined).length
    days(home, 1)
    const [device] = home.state.devices.list()
    const target = { device: device!, affordance: 1, operation: 'write' } as const
    assert.ok((await home.desk.command(home.command(), target, home.caller)).ok)
    await home.authority.thin(KEPT_MS)
    assert.equal(marked(), 0)
    await home.desk.people.revoke(revocationFrame(home.as(OWNER), []), 'unix')
    await home.authority.thin(KEPT_MS)
    assert.equal(marked(), 1)
  })

  test('what hangs from a forgotten grant is forgotten with it, and never before', async (t) => {
    const { home, give, take, papers } = await openGuestHome(t)
    const [above, below] = [newId(), newId()]
    const far = home.now + 400 * DAY_S
    await give({ id: above, share: 1, expiresAt: far })
    await give({ id: below, parent: above, key: STRANGER.key, expiresAt: far }, OTHER)
    await home.authority.thin(KEPT_MS)
    days(home, 91)
    await home.authority.thin(KEPT_MS)
    assert.equal(papers(), 2)
    await take(above)
    await home.authority.thin(KEPT_MS)
    days(home, 91)
    assert.equal(await home.authority.thin(KEPT_MS), 2)
  })

  test('what a later list of the root leaves out again holds as before', async (t) => {
    const { home, give } = await openGuestHome(t)
    const second = home.as(STRANGER)
    await home.desk.people.owner(home.ownerFrame(ROOT, STRANGER.key), idOf(STRANGER.key), 'unix')
    const frame = grantFrame(second, { key: OTHER.key, what: WHAT, expiresAt: home.now + DAY_S })
    assert.ok((await home.desk.people.grant(frame, home.caller)).ok)
    await give({})
    const list = (entries: Uint8Array[]) =>
      home.desk.people.revoke(revocationFrame(home.as(ROOT), entries), 'unix')
    await list([STRANGER.key])
    await home.authority.thin(KEPT_MS)
    assert.equal(home.state.papers.all('grant').filter(({ goneAt }) => goneAt !== undefined).length, 1)
    await list([])
    await home.authority.thin(KEPT_MS)
    assert.equal(home.state.papers.all('grant').filter(({ goneAt }) => goneAt !== undefined).length, 0)
  })
})

suite('a hub whose clock is set back', () => {
  for (const [what, seal] of [
    ['a paper', (home: CoreHome) => home.desk.people.person(...personOf(home))],
    [
      'a phone',
      async (home: CoreHome) => {
        const [frame, person, caller] = personOf(home)
        await home.desk.people.person(frame, person, caller)
        const holder = holderFrame(home.as(OWNER), { key: STRANGER.key, person })
        await home.desk.people.holder(holder, idOf(STRANGER.key), caller)
      },
    ],
    ['a list', (home: CoreHome) => home.desk.people.revoke(revocationFrame(home.as(OWNER), []), 'unix')],
    [
      'a command',
      (home: CoreHome) => {
        const [device] = home.state.devices.list()
        const target = { device: device!, affordance: 1, operation: 'write' } as const
        return home.desk.command(home.command(), target, home.caller)
      },
    ],
  ] as const) {
    test(`does not let an ended grant hold again, after a restart too: ${what} that people sealed is younger`, async (t) => {
      const { home, give, use } = await openGuestHome(t)
      const id = newId()
      await give({ id })
      home.clock.setWall(home.clock.now() + 2 * 60_000)
      await seal(home)
      home.openCore()
      home.clock.setWall(home.clock.now() - 90_000)
      assert.equal(await use(id), 'grant-expired')
    })
  }

  test('nor leases it again', async (t) => {
    const { home, give, witness } = await openGuestHome(t)
    await give({ leaseS: 3600 })
    home.clock.setWall(home.clock.now() + 2 * 60_000)
    await witness()
    home.openCore()
    home.clock.setWall(home.clock.now() - 90_000)
    const [device] = home.state.devices.list()
    assert.deepEqual(home.core.courier.papers(device!.id), [])
  })

  test('remembers the time after the entries that told it are gone from the log', async (t) => {
    const { home, give, use } = await openGuestHome(t)
    const id = newId()
    await give({ id })
    home.clock.setWall(home.clock.now() + 2 * 60_000)
    const [device] = home.state.devices.list()
    const target = { device: device!, affordance: 1, operation: 'write' } as const
    assert.ok((await home.desk.command(home.command(), target, home.caller)).ok)
    await home.authority.thin(KEPT_MS)
    await home.state.journal.prune(home.clock.now() + 1, home.clock.now())
    home.openCore()
    home.clock.setWall(home.clock.now() - 90_000)
    assert.equal(await use(id), 'grant-expired')
  })

  test('starts all the same with a log that somebody edited', async (t) => {
    const { home, give, use } = await openGuestHome(t)
    const id = newId()
    await give({ id })
    const read = t.mock.method(home.state.journal, 'read', () => {
      throw Object.assign(new Error('entry 7 of the log cannot be read'), { code: 'corrupt' })
    })
    home.openCore()
    read.mock.restore()
    assert.equal(await use(id), 'ok')
  })
})
