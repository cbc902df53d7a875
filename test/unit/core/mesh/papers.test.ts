// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readWays, writeWays } from '../../../../daemon/core/mesh/index.ts'
import { idOf } from '../../../../daemon/core/model/index.ts'
import {
  ADA,
  BOB,
  beaconOf,
  CABIN,
  type Desk,
  listOf,
  memberOf,
  openDesk,
  ROOT,
  STRANGER,
  seal,
  TOWN,
} from '../../../support/mesh-papers.ts'

const cabin = idOf(CABIN.key)
const names = ({ papers }: Desk) => papers.members().map(({ name }) => name)

/** Every order of the same papers. */
function* orders<T>(items: readonly T[]): Generator<readonly T[]> {
  if (items.length < 2) yield items
  for (const [at, item] of items.entries())
    for (const rest of orders(items.toSpliced(at, 1))) yield [item, ...rest]
}

async function take(desk: Desk, frame: Uint8Array): Promise<unknown> {
  const member = await desk.papers.takeMember(frame)
  return member.ok ? member.value : desk.revocations.take(frame)
}

describe('who is a daemon of the home [SPEC 14.1]', () => {
  it('is one that an owner made a member', async () => {
    const desk = openDesk()
    assert.deepEqual(await desk.papers.takeMember(memberOf(CABIN, 'cabin')), { ok: true, value: 'new' })
    assert.deepEqual(names(desk), ['cabin'])
  })

  for (const [who, by] of [
    ['a stranger', STRANGER],
    ['the root', ROOT],
    ['a daemon', TOWN],
    ['itself', CABIN],
  ] as const) {
    it(`is not one that ${who} made a member`, async () => {
      const desk = openDesk()
      const taken = await desk.papers.takeMember(memberOf(CABIN, 'cabin', by))
      assert.equal(taken.ok, false)
      assert.deepEqual(names(desk), [])
    })
  }

  it('is not one of another home, nor one whose paper was changed', async () => {
    const { papers } = openDesk()
    const elsewhere = seal({ type: 'member', name: 'cabin', key: CABIN.key }, ADA, 1, {
      audience: idOf(BOB.key),
    })
    const changed = memberOf(CABIN, 'cabin')
    changed[changed.length - 1]! ^= 1
    const taken = [await papers.takeMember(elsewhere), await papers.takeMember(changed)]
    assert.deepEqual(
      taken.map((each) => !each.ok && each.why),
      ['wrong-audience', 'bad-signature'],
    )
  })

  it('does not depend on the order in which papers came', async () => {
    const said = [
      memberOf(CABIN, 'cabin'),
      memberOf(CABIN, 'lodge', ADA, 2),
      memberOf(TOWN, 'town'),
      listOf([CABIN.key], ADA, 1),
      listOf([CABIN.key, STRANGER.key], ADA, 2),
    ]
    for (const order of orders(said)) {
      const desk = openDesk()
      for (const frame of order) await take(desk, frame)
      assert.deepEqual(names(desk), ['town'])
      assert.equal(desk.papers.nameOf(cabin), 'lodge')
    }
  })

  it('is never again one that was removed: not by an old list, a newer paper, or a restart', async () => {
    const desk = openDesk()
    for (const frame of [memberOf(CABIN, 'cabin'), listOf([CABIN.key], ADA, 2)]) await take(desk, frame)
    assert.equal(await desk.revocations.take(listOf([], ADA, 1)), 'known')
    await desk.papers.takeMember(memberOf(CABIN, 'cabin', ADA, 9))
    await desk.papers.takeMember(memberOf(CABIN, 'cabin', BOB, 9))
    assert.deepEqual([names(desk), names(openDesk(desk.book))], [[], []])
    assert.equal(openDesk(desk.book).papers.isRemoved(cabin), true)
  })

  it('is removed by any owner or the root, not by others', async () => {
    for (const by of [ADA, BOB, ROOT]) {
      const desk = openDesk()
      for (const frame of [memberOf(CABIN, 'cabin'), listOf([CABIN.key], by)]) await take(desk, frame)
      assert.deepEqual(names(desk), [])
    }
    for (const by of [STRANGER, TOWN, CABIN]) {
      const desk = openDesk()
      for (const frame of [memberOf(CABIN, 'cabin'), listOf([CABIN.key], by)]) await take(desk, frame)
      assert.deepEqual(names(desk), ['cabin'])
    }
  })

  it('goes with the owner who made it, unless another owner did too', async () => {
    const desk = openDesk()
    for (const frame of [
      memberOf(CABIN, 'cabin', BOB),
      memberOf(TOWN, 'town', BOB),
      memberOf(TOWN, 'city', ADA),
    ]) {
      await take(desk, frame)
    }
    await desk.revocations.take(listOf([BOB.key], ROOT))
    assert.deepEqual(names(desk), ['city'])
  })
})

describe('beacons [SPEC 14.2]', () => {
  it('are taken of daemons alone, the one with the largest sequence', async () => {
    const { papers } = openDesk()
    await papers.takeMember(memberOf(CABIN, 'cabin'))
    const ways = writeWays(new Map([[idOf(TOWN.key), new Uint8Array(32).fill(7)]]))
    assert.equal((await papers.takeBeacon(beaconOf(STRANGER))).ok, false)
    assert.deepEqual(await papers.takeBeacon(beaconOf(CABIN, 5, { ways })), { ok: true, value: 'new' })
    assert.deepEqual(await papers.takeBeacon(beaconOf(CABIN, 4)), { ok: true, value: 'known' })
    assert.deepEqual(papers.way(cabin, idOf(TOWN.key)), new Uint8Array(32).fill(7))
    assert.equal(papers.way(cabin, idOf(BOB.key)), undefined)
  })

  it('with half a way are refused', async () => {
    const { papers } = openDesk()
    await papers.takeMember(memberOf(CABIN, 'cabin'))
    assert.equal((await papers.takeBeacon(beaconOf(CABIN, 1, { ways: new Uint8Array(63) }))).ok, false)
  })

  it('read back the ways that were written', () => {
    const ways = new Map([TOWN, CABIN].map(({ key }, at) => [idOf(key), new Uint8Array(32).fill(at)]))
    assert.deepEqual(new Map(readWays(writeWays(ways))), new Map([...ways].sort()))
  })
})

describe('what two daemons know', () => {
  it('has one digest, whatever the order and the positions in beacons', async () => {
    const frames = [memberOf(CABIN, 'cabin'), memberOf(TOWN, 'town'), listOf([STRANGER.key])]
    const digests = new Set<string>()
    for (const order of orders(frames)) {
      const desk = openDesk()
      for (const frame of order) await take(desk, frame)
      await desk.papers.takeBeacon(beaconOf(CABIN, 1 + digests.size, { position: digests.size }))
      digests.add(desk.papers.digest().toHex())
    }
    assert.equal(digests.size, 1)
    const less = openDesk()
    await take(less, frames[0]!)
    assert.equal(digests.has(less.papers.digest().toHex()), false)
  })
})
