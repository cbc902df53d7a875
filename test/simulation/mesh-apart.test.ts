// SPDX-License-Identifier: GPL-3.0-or-later
/** Two homes that cannot reach each other for two days, while people in both change the same things; real desks, real seals. */
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { no } from '../../daemon/base/error.ts'
import { nativeEd25519 } from '../../daemon/core/envelope/index.ts'
import { othersOf, revocationsOf } from '../../daemon/core/mesh/index.ts'
import { idOf } from '../../daemon/core/model/index.ts'
import { Dice } from '../../scripts/simulation/index.ts'
import { type CoreHome, HOME, HUB, OWNER, openCoreHome, ROOT } from '../support/core-home.ts'
import { grantFrame, holderFrame, newId, personFrame, revocationFrame } from '../support/papers.ts'
import { signerOf } from '../support/state.ts'

const ed25519 = nativeEd25519()
/** The owners: each is at home in one of the two places, and takes back there. */
const ANNA = signerOf(8200)
const OWNERS = [OWNER, ANNA] as const
const PHONES = [signerOf(8201), signerOf(8202), signerOf(8203)] as const
const HOURS = 48
const SEEDS = [1, 2, 3, 4, 5, 6]
const HOUR_MS = 3_600_000
const WEEK_S = 7 * 86_400

const noCharges = { take: async () => no('unknown-signer' as const) }
const othersAt = (home: CoreHome) =>
  othersOf({ home: HOME, ed25519, papers: home.state.papers, people: home.desk.people, charges: noCharges })
const listsAt = (home: CoreHome) =>
  revocationsOf(home.authority.trust, (frame) => home.desk.people.revoke(frame, 'mesh'))

/** As two daemons that are connected do, until neither has news. */
async function meet(a: CoreHome, b: CoreHome): Promise<void> {
  const [atA, atB] = [othersAt(a), othersAt(b)]
  const [listsA, listsB] = [listsAt(a), listsAt(b)]
  for (let round = 0, isNews = true; isNews; round++) {
    assert(round < 10, 'they do not come to an end')
    isNews = false
    for (const [from, there, lists] of [
      [[atA, listsA], atB, listsB],
      [[atB, listsB], atA, listsA],
    ] as const) {
      const [others, revocations] = from
      for (const frame of revocations.frames()) isNews = (await lists.take(frame)) === 'new' || isNews
      const by = { id: idOf(HUB.key), name: 'the other' }
      for (const frame of others.frames()) isNews = (await there.take(frame, by)) === 'new' || isNews
    }
  }
}

interface Story {
  readonly person: Uint8Array
  readonly given: Uint8Array[]
  /** Of each owner everything that he took back; his list only grows. */
  readonly taken: readonly [Uint8Array[], Uint8Array[]]
}

/** One hour in one home: its owner renames the person that both know, gives, or takes back what anybody gave. */
async function hour(home: CoreHome, at: 0 | 1, dice: Dice, story: Story): Promise<void> {
  const by = home.as(OWNERS[at])
  const { people } = home.desk
  const what = dice.roll(4)
  if (what === 0) {
    const frame = personFrame(by, { name: `sitter ${dice.roll(1000)}`, person: story.person })
    assert((await people.person(frame, story.person, home.caller)).ok)
  } else if (what < 3) {
    const id = newId()
    const given = await people.grant(
      grantFrame(by, { key: dice.pick(PHONES).key, id, expiresAt: home.now + WEEK_S }),
      home.caller,
    )
    // Not for a key that was taken back here meanwhile.
    assert(given.ok || given.why === 'grant-revoked', given.ok ? '' : given.why)
    story.given.push(id)
  } else if (story.given.length > 0) {
    const entry = dice.happens(20) ? dice.pick(PHONES).key : dice.pick(story.given)
    story.taken[at].push(entry)
    assert((await people.revoke(revocationFrame(by, story.taken[at]), 'unix')).ok)
  }
}

/** @returns how many grants still hold */
async function apart(t: TestContext, seed: number): Promise<number> {
  const homes = [await openCoreHome(t), await openCoreHome(t)] as const
  const [town, cabin] = homes
  const dice = new Dice(seed)
  assert((await town.desk.people.owner(town.ownerFrame(ROOT, ANNA.key), idOf(ANNA.key), 'unix')).ok)
  const story: Story = { person: newId(), given: [], taken: [[], []] }
  const by = town.as(OWNER)
  await town.desk.people.person(
    personFrame(by, { name: 'sitter', person: story.person }),
    story.person,
    town.caller,
  )
  for (const { key } of PHONES) {
    await town.desk.people.holder(holderFrame(by, { key, person: story.person }), idOf(key), town.caller)
  }
  await meet(town, cabin)
  for (let passed = 0; passed < HOURS; passed++) {
    for (const home of homes) home.clock.advance(HOUR_MS)
    await hour(town, 0, dice, story)
    await hour(cabin, 1, dice, story)
  }
  await meet(town, cabin)
  // What has ended or was taken back may lie about in one of them; it gives nobody anything.
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
  const [one, other] = homes.map(({ state, authority }) => ({
    people: (['owner', 'person', 'holder'] as const).flatMap((kind) =>
      state.papers
        .all(kind)
        .map(({ frame }) => hex(frame))
        .sort(),
    ),
    held: PHONES.map(({ key }) =>
      authority.grants
        .heldBy(key)
        .map(({ body }) => hex(body.id))
        .sort(),
    ),
    lists: authority.trust.revocations.map(({ frame }) => hex(frame)).sort(),
  }))
  assert.deepEqual(one, other)
  for (const home of homes) {
    for (const entry of story.taken.flat()) {
      const { trust } = home.authority
      const isOut = entry.length === 8 ? trust.isGrantRevoked(hex(entry)) : trust.isRevoked(entry)
      assert(isOut, 'what was taken back holds again')
    }
  }
  return one!.held.flat().length
}

describe('48 hours apart', () => {
  it(`and then both know the same people and grants, and nothing taken back holds again: ${SEEDS.length} histories`, async (t) => {
    let held = 0
    for (const seed of SEEDS) {
      held += await apart(t, seed).catch((cause) => assert.fail(`seed ${seed}: ${cause.stack}`))
    }
    assert(held > 0, 'nothing was left to agree on')
  })
})
