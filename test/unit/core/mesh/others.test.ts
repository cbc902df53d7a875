// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { no } from '../../../../daemon/base/error.ts'
import { type Frame, nativeEd25519, type Signer } from '../../../../daemon/core/envelope/index.ts'
import { othersOf, revocationsOf } from '../../../../daemon/core/mesh/index.ts'
import { idOf } from '../../../../daemon/core/model/index.ts'
import { type CoreHome, HOME, HUB, OWNER, openCoreHome, ROOT, STRANGER } from '../../../support/core-home.ts'
import { grantFrame, holderFrame, newId, personFrame, revocationFrame } from '../../../support/papers.ts'
import { signerOf } from '../../../support/state.ts'

const ed25519 = nativeEd25519()
const PHONE = signerOf(8100)
const ANNA = signerOf(8101)
const FROM = { id: idOf(HUB.key), name: 'town' }

function othersAt(home: CoreHome) {
  const charges = { take: async () => no('unknown-signer' as const) }
  return othersOf({ home: HOME, ed25519, papers: home.state.papers, people: home.desk.people, charges })
}

function listsAt(home: CoreHome) {
  return revocationsOf(home.authority.trust, (frame) => home.desk.people.revoke(frame, 'mesh'))
}

/** A home where a person, a phone and a grant were handed in, and another that knows nothing of it yet. */
async function openTwo(t: TestContext) {
  const [town, cabin] = [await openCoreHome(t), await openCoreHome(t)]
  const owner = town.as(OWNER)
  const [person, id] = [newId(), newId()]
  const grant = grantFrame(owner, { key: PHONE.key, id })
  const caller = town.caller
  const done = [
    await town.desk.people.person(personFrame(owner, { name: 'sitter', person }), person, caller),
    await town.desk.people.holder(holderFrame(owner, { key: PHONE.key, person }), idOf(PHONE.key), caller),
    await town.desk.people.grant(grant, caller),
  ]
  assert.deepEqual(
    done.map(({ ok }) => ok),
    [true, true, true],
  )
  return { town, cabin, owner, grant, id }
}

async function bring(from: CoreHome, to: CoreHome): Promise<string[]> {
  const there = othersAt(to)
  const taken: string[] = []
  for (const frame of othersAt(from).frames()) taken.push(await there.take(frame, FROM))
  return taken
}

const holds = (home: CoreHome, by: Signer) => home.authority.grants.heldBy(by.key).length

describe('papers about people, in every home [SPEC 14.4]', () => {
  it('are taken once, and count there as they do where they were handed in', async (t) => {
    const { town, cabin } = await openTwo(t)
    assert.deepEqual(await bring(town, cabin), ['new', 'new', 'new'])
    assert.deepEqual(await bring(town, cabin), ['known', 'known', 'known'])
    assert.deepEqual([holds(cabin, PHONE), othersAt(cabin).frames()], [1, othersAt(town).frames()])
    assert(cabin.kinds().includes('granted'))
  })

  it('are taken once also after one took the place of another, and written down once', async (t) => {
    const { town, cabin, owner } = await openTwo(t)
    await bring(town, cabin)
    const [known] = town.authority.people.people()
    const renamed = personFrame(owner, { name: 'nanny', person: known!.id })
    assert((await town.desk.people.person(renamed, known!.id, town.caller)).ok)
    assert.deepEqual((await bring(town, cabin)).sort(), ['known', 'known', 'new'])
    const entries = cabin.journal().length
    const there = othersAt(cabin)
    for (let time = 0; time < 3; time++) assert.equal(await there.take(renamed, FROM), 'known')
    assert.deepEqual(await bring(cabin, town), ['known', 'known', 'known'])
    assert.equal(cabin.journal().length, entries)
  })

  it('that were taken back stay so, whichever comes first', async (t) => {
    for (const listFirst of [true, false]) {
      const { town, cabin, owner, id } = await openTwo(t)
      const list = revocationFrame(owner, [id])
      if (listFirst) assert.equal(await listsAt(cabin).take(list), 'new')
      await bring(town, cabin)
      if (!listFirst) assert.equal(await listsAt(cabin).take(list), 'new')
      assert.equal(await listsAt(cabin).take(list), 'known')
      await bring(town, cabin)
      assert.equal(holds(cabin, PHONE), 0)
    }
  })

  it('make an owner of whom the root made one, in every home', async (t) => {
    const { town, cabin } = await openTwo(t)
    const frame = town.ownerFrame(ROOT, ANNA.key)
    assert.equal(await othersAt(cabin).take(frame, FROM), 'new')
    assert.equal(cabin.authority.trust.isOwner(ANNA.key), true)
  })

  it('are refused when nobody sealed them who may, and not judged again at every word', async (t) => {
    const { town, cabin, owner, grant } = await openTwo(t)
    const stranger = town.as(STRANGER)
    const spoilt = Uint8Array.from(grant)
    spoilt[spoilt.length - 3]! ^= 1
    const wrong: readonly Frame[] = [
      grantFrame(stranger, { key: PHONE.key }),
      personFrame(stranger, { name: 'x', person: newId() }),
      holderFrame(stranger, { key: STRANGER.key, person: newId() }),
      town.ownerFrame(OWNER, STRANGER.key),
      spoilt,
      town.command(),
      revocationFrame(owner, []),
      new Uint8Array([1, 2, 3]),
    ]
    const others = othersAt(cabin)
    for (const frame of wrong) assert.equal(await others.take(frame, FROM), 'refused')
    const entries = cabin.journal().length
    for (const frame of wrong) assert.equal(await others.take(frame, FROM), 'known')
    assert.deepEqual([cabin.journal().length, others.frames().length, holds(cabin, PHONE)], [entries, 0, 0])
  })

  it('a list that a stranger sealed, or an older one, takes nothing back', async (t) => {
    const { town, cabin, owner, id } = await openTwo(t)
    await bring(town, cabin)
    const [older, newer] = [revocationFrame(owner, [id]), revocationFrame(owner, [])]
    const lists = listsAt(cabin)
    assert.equal(await lists.take(revocationFrame(town.as(STRANGER), [id])), 'refused')
    assert.equal(await lists.take(newer), 'new')
    assert.equal(await lists.take(older), 'known')
    assert.equal(holds(cabin, PHONE), 1)
  })
})
