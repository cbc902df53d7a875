// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { encodeLog, encodeTalk, Keeping, type TalkWord } from '../../../../daemon/core/mesh/index.ts'
import { StateError } from '../../../../daemon/state/index.ts'
import { memberFrame, type SimDaemon, World } from '../../../../scripts/simulation/index.ts'

const CALM = { loss: 0, doubling: 0, delayMsMax: 1 }
const NOTHING = { members: [], revocations: [], beacons: [], others: [] }

async function openPair(): Promise<{ world: World; town: SimDaemon; cabin: SimDaemon }> {
  const world = new World(1, CALM)
  const [town, cabin] = [world.add('town'), world.add('cabin')]
  const members = [town, cabin].map(({ signer, name }, at) => memberFrame(signer.key, name, at + 1))
  for (const each of [town, cabin]) await each.told(members)
  return { world, town, cabin }
}

/** What `to` said back after `from` said this, so many times in a second. */
async function saidBack(world: World, from: SimDaemon, to: SimDaemon, word: () => TalkWord, times: number) {
  const before = world.sent
  for (let time = 0; time < times; time++) await to.talk.heard(from.id, 'talk', encodeTalk(word()), world.now)
  await world.pass(1000)
  return world.sent - before
}

describe('what one daemon can make another do', () => {
  it('says its papers once in five seconds, however often it hears of others', async () => {
    const { world, town, cabin } = await openPair()
    world.link(town, cabin)
    await world.pass(10_000)
    let digest = 0
    const other = (): TalkWord => ({
      word: 'heads',
      papers: new Uint8Array(8).fill(++digest),
      heads: new Map(),
    })
    const same = (): TalkWord => ({ word: 'heads', papers: cabin.papers.digest(), heads: new Map() })
    assert.equal(await saidBack(world, town, cabin, other, 100), 1)
    assert.equal(await saidBack(world, town, cabin, () => (digest++ % 2 ? same() : other()), 100), 0)
  })

  it('looks at no piece that it did not ask for, and acknowledges none', async () => {
    const { world, town, cabin } = await openPair()
    town.shelf.write('one', world.now)
    const run = town.shelf.own(1)!
    const beacon = memberFrame(town.signer.key, 'no beacon', 1)
    const piece = encodeLog({ word: 'piece', author: town.id, skips: false, ...run, beacon })
    world.link(town, cabin)
    await world.pass(1000)
    assert.equal(cabin.shelf.head(town.id).position, 1)
    const sent = world.sent
    const boat = world.add('boat')
    await cabin.told([memberFrame(boat.signer.key, 'boat', 9)])
    cabin.talk.connected(boat.id, world.now)
    const before = world.sent
    assert(await cabin.talk.heard(boat.id, 'log', piece, world.now))
    assert.deepEqual([world.sent - before, cabin.talk.exchange.faults(), sent > 0], [0, [], true])
  })

  it('counts nothing as missing that strangers are said to have written', async () => {
    const { world, town, cabin } = await openPair()
    world.link(town, cabin)
    const stranger = new World(2, CALM).add('stranger')
    const heads = new Map([[stranger.id, 2 ** 40]])
    await cabin.talk.heard(
      town.id,
      'talk',
      encodeTalk({ word: 'heads', papers: new Uint8Array(8), heads }),
      world.now,
    )
    assert.equal(cabin.talk.exchange.missing(town.id), 0)
  })

  it('takes what it can read of a daemon of a later version, and keeps the connection', async () => {
    const { world, town, cabin } = await openPair()
    world.link(town, cabin)
    await world.pass(1000)
    const later = memberFrame(cabin.signer.key, 'later', 7)
    const typ = Buffer.from(later).indexOf('.v1')
    later[typ + 2] = '2'.charCodeAt(0)
    const renamed = memberFrame(cabin.signer.key, 'lodge', 8)
    const word = encodeTalk({ word: 'papers', ...NOTHING, members: [later, renamed] })
    assert.equal(await cabin.talk.heard(town.id, 'talk', word, world.now), true)
    assert.deepEqual([cabin.papers.nameOf(cabin.id), cabin.talk.peers()], ['lodge', [town.id]])
  })
})

describe('a disk that takes nothing', () => {
  const full = () => Promise.reject(new StateError('disk-full', 'storage: database or disk is full'))

  it('is named, rested from, tried again, and forgotten when it takes something', async () => {
    const keeping = new Keeping()
    assert.equal(await keeping.keep(full, 1000), false)
    assert.deepEqual([keeping.rests(5999), keeping.isDue(6000)], [true, true])
    assert.equal(await keeping.survive(async () => {}, 11_000), true)
    assert.match(keeping.trouble!, /full/)
    assert.equal(await keeping.keep(async () => {}, 11_000), true)
    assert.deepEqual([keeping.trouble, keeping.isDue(99_000)], [undefined, false])
  })

  it('is no excuse for a fault of ours', async () => {
    const keeping = new Keeping()
    await assert.rejects(
      keeping.keep(() => Promise.reject(new TypeError('a bug')), 0),
      /a bug/,
    )
    await assert.rejects(
      keeping.survive(() => Promise.reject(new StateError('corrupt', 'x')), 0),
      /x/,
    )
  })

  it('makes a daemon ask its peers to wait, lose no connection, and go on from there', async () => {
    const { world, town, cabin } = await openPair()
    const { append } = cabin.shelf
    cabin.shelf.append = full
    for (let entry = 0; entry < 30; entry++) town.shelf.write(`${entry}`, world.now)
    world.link(town, cabin)
    const pass = async (seconds: number) => {
      for (let second = 0; second < seconds; second++) {
        for (const { talk } of [town, cabin]) talk.tick(world.now)
        await world.pass(1000)
      }
    }
    await pass(60)
    assert.deepEqual([cabin.shelf.head(town.id).position, world.linked(town, cabin)], [0, true])
    cabin.shelf.append = append
    await pass(15)
    assert.equal(cabin.shelf.head(town.id).position, 30)
  })

  it('is seen from the other side when nothing is acknowledged for two minutes', async () => {
    const { world, town, cabin } = await openPair()
    town.shelf.write('one', world.now)
    const { talk } = town
    talk.connected(cabin.id, world.now)
    const since = world.now
    await talk.heard(cabin.id, 'log', encodeLog({ word: 'want', author: town.id, from: 1 }), since)
    assert.equal(talk.exchange.untakenSince(cabin.id, since + 119_000), undefined)
    assert.equal(talk.exchange.untakenSince(cabin.id, since + 120_000), since)
    await talk.heard(cabin.id, 'log', encodeLog({ word: 'more', author: town.id }), since + 120_000)
    assert.equal(talk.exchange.untakenSince(cabin.id, since + 300_000), undefined)
  })
})
