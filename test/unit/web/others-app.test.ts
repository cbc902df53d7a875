// SPDX-License-Identifier: GPL-3.0-or-later
/** Addresses at other homes as the page keeps them and takes them along (SPEC 11.5, 14.9). */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { toBase32, toBase64url } from '../../../daemon/base/bytes.ts'
import { systemRandom } from '../../../daemon/base/random.ts'
import { keyOf } from '../../../daemon/core/model/index.ts'
import { type Other, readEvent } from '../../../daemon/web/answers.ts'
import { writeCode } from '../../../daemon/web/code.ts'
import { readKey, writeKey } from '../../../daemon/web/identity.ts'
import { Keep } from '../../../daemon/web/keep.ts'
import { EMPTY, next } from '../../../daemon/web/state.ts'
import { readWays, splitBrought, WAYS_PREFIX, withWays, writeWays } from '../../../daemon/web/ways.ts'
import { openTestHome } from '../../support/http-home.ts'
import { fetchOver, MemoryStorage, openPage } from './page-home.ts'

const address = () => `${toBase32(systemRandom.bytes(35))}.onion`
const [HERE, CABIN, SHED] = [address(), address(), address()]
const clientKey = systemRandom.bytes(32)
const cabin: Other = { home: 'cabin', address: CABIN, clientKey }
const shed: Other = { home: 'the shed', address: SHED }
const identity = { root: systemRandom.bytes(32), seed: systemRandom.bytes(32), name: 'Bea' }
const keep = () => new Keep(new MemoryStorage())

/** A home whose picture is changed on its way. */
async function visiting(
  told: object,
  claim: (page: ReturnType<typeof openPage>) => Promise<void>,
  storage = new MemoryStorage(),
): Promise<void> {
  await using home = await openTestHome()
  const { socketPath } = await home.unix()
  const change = (path: string, text: string) =>
    path.startsWith('/events')
      ? text.replace(
          /^data: (\{"me".*)$/m,
          (_, json) => `data: ${JSON.stringify({ ...JSON.parse(json), ...told })}`,
        )
      : text
  const who = { root: keyOf(home.home.home), seed: home.ownerSeed, name: 'ada' }
  using page = openPage(who, fetchOver(socketPath, change), { storage, origin: `http://${HERE}` })
  await claim(page)
}

const tell = (...others: object[]) => ({ here: 'town', others })
const asTold = ({ clientKey: key, ...rest }: Other) => ({
  ...rest,
  ...(key && { clientKey: toBase64url(key) }),
})

describe('what a home tells of addresses at other homes', () => {
  it('is kept, but for the address where the page is', () =>
    visiting(tell(asTold(cabin), asTold(shed), { home: 'town', address: HERE }), async (page) => {
      const { others } = await page.until(({ link }) => link.kind === 'live')
      assert.deepEqual(others?.here, 'town')
      assert.deepEqual(page.keep.others(), [cabin, shed])
    }))

  it('takes the place of what was kept, also when there is none any more', async () => {
    const storage = new MemoryStorage()
    new Keep(storage).setOthers([cabin])
    const live = (page: ReturnType<typeof openPage>) => page.until(({ link }) => link.kind === 'live')
    await visiting(
      tell(),
      async (page) => {
        await live(page)
        assert.deepEqual(page.keep.others(), [])
      },
      storage,
    )
  })

  it('is left as it came along, by a home whose guest the phone is', async () => {
    const storage = new MemoryStorage()
    new Keep(storage).setOthers([cabin])
    await visiting(
      { ...tell(), host: { home: 'cabin', connected: false, heardAt: 5 } },
      async (page) => {
        const { others } = await page.until(({ link }) => link.kind === 'live')
        assert.deepEqual(others?.host, { home: 'cabin', connected: false, heardAt: 5 })
        assert.deepEqual(page.keep.others(), [cabin])
      },
      storage,
    )
  })

  for (const [what, told] of [
    ['an address that is none', tell({ home: 'x', address: 'evil.example' })],
    ['an address with more behind it', tell({ home: 'x', address: `${CABIN}/#` })],
    ['no name', tell({ address: CABIN })],
    ['a key that is none', tell({ ...shed, clientKey: '!' })],
    ['no list', { here: 'town', others: {} }],
    ['too many', tell(...Array.from({ length: 65 }, () => shed))],
    ['no name of its own', { here: 7, others: [] }],
    ['a host that does not say whether it answers', { ...tell(), host: { home: 'cabin' } }],
  ] as const) {
    it(`is refused with ${what}`, () =>
      visiting(told, async (page) => {
        const { link } = await page.until((state) => state.link.kind === 'lost')
        assert.equal(link.kind === 'lost' && link.code, 'bad-answer')
        assert.deepEqual(page.keep.others(), [])
      }))
  }

  it('is heard as an event', () => {
    const event = readEvent('others', JSON.stringify(tell(asTold(shed))))
    assert(event?.event === 'others')
    assert.deepEqual(next(EMPTY, { it: 'others', others: event.others }).others?.others[0]?.address, SHED)
    assert.throws(() => readEvent('others', '{}'), /bad|no/)
  })
})

describe('the ways that go along with a key [SPEC 11.5]', () => {
  it('are read as they were written, and the key as before', () => {
    const { text, ways } = splitBrought(withWays(writeKey(identity), [cabin, shed]))
    assert.deepEqual(ways, [cabin, shed])
    const read = readKey(text)
    assert(read.ok && !read.value.locked)
    assert.deepEqual(read.value.identity, identity)
  })

  it('are none with a key alone, which then is written as ever', () => {
    assert.equal(withWays(writeKey(identity), []), writeKey(identity))
    assert.deepEqual(splitBrought(writeKey(identity)), { text: writeKey(identity), ways: [] })
  })

  const code = (...list: unknown[]) => writeCode(WAYS_PREFIX, [[2, list as never]])
  const none = new Uint8Array()
  for (const [what, text] of [
    ['another prefix', writeKey(identity)],
    ['a character too few', writeWays([cabin]).slice(0, -1)],
    ['a character changed', writeWays([cabin]).replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))],
    ['a page in the place of an address', code(['x', 'evil.example', none])],
    ['a port behind the address', code(['x', `${SHED}:81`, none])],
    ['a name that turns what follows', code(['\u202ex', SHED, none])],
    ['a short client key', code(['x', SHED, new Uint8Array(31)])],
    ['a part too many', code(['x', SHED, none, 1])],
    ['too many of them', code(...Array.from({ length: 10 }, () => ['x', SHED, none]))],
    ['one that is right and one that is not', code(['x', SHED, none], ['y', 'z', none])],
    [
      'another member',
      writeCode(WAYS_PREFIX, [
        [2, []],
        [3, 1],
      ]),
    ],
    ['what is no list', writeCode(WAYS_PREFIX, [[2, 1]])],
    ['a whole page of text', `${WAYS_PREFIX}${'A'.repeat(5000)}`],
  ] as const) {
    it(`are none when there is ${what}`, () => {
      assert.deepEqual(readWays(text), [])
      const held = new MemoryStorage()
      held.setItem('shallot.others', text)
      assert.deepEqual(new Keep(held).others(), [])
    })
  }

  it('never throw, whatever stands behind the key', () => {
    fc.assert(
      fc.property(fc.string(), (any) => {
        splitBrought(`shallot:key:AAAA;${WAYS_PREFIX}${any}`)
        readWays(any)
      }),
    )
  })

  it('go when the phone is forgotten', () => {
    const kept = keep()
    kept.setOthers([cabin])
    kept.forget()
    assert.deepEqual(kept.others(), [])
  })
})

describe('a device of a home to which there is no way', () => {
  it('says since when, until it is heard again', async () => {
    await using home = await openTestHome()
    const thing = { id: home.light.id, connected: false, at: 7 } as const
    const data = (more: object) => JSON.stringify({ device: thing.id, at: 7, connected: false, ...more })
    const lost = readEvent('presence', data({ why: 'unreachable' }))
    const away = readEvent('presence', data({ why: 'silent' }))
    const here = readEvent('presence', data({ why: 'unreachable', connected: true }))
    assert.deepEqual(
      [lost, away, here].map((event) => event?.event === 'presence' && event.unreachable),
      [true, false, false],
    )
    const state = {
      ...EMPTY,
      things: new Map([
        [thing.id, { id: thing.id, name: 'x', connected: true, since: 0, affordances: new Map() }],
      ]),
    }
    const cut = next(state, { it: 'presence', thing: thing.id, connected: false, at: 7, unreachable: true })
    assert.equal(cut.things.get(thing.id)?.unreachable, 7)
    const back = next(cut, { it: 'presence', thing: thing.id, connected: true, at: 9, unreachable: false })
    assert.equal(back.things.get(thing.id)?.unreachable, undefined)
  })
})
