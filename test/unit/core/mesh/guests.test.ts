// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import fc from 'fast-check'
import { toBase64url, toHex } from '../../../../daemon/base/bytes.ts'
import { systemClock } from '../../../../daemon/base/clock.ts'
import { Log } from '../../../../daemon/base/log.ts'
import { Secret } from '../../../../daemon/base/secret.ts'
import { Feed } from '../../../../daemon/core/feed.ts'
import { onionAddress } from '../../../../daemon/core/identity/index.ts'
import {
  decodeTalk,
  encodeTalk,
  type GuestBook,
  type GuestItem,
  Guests,
  guestId,
  type OfferItem,
  type TalkWord,
} from '../../../../daemon/core/mesh/index.ts'
import { idOf, type PartyId } from '../../../../daemon/core/model/index.ts'
import { openServices, type Services } from '../../../../daemon/core/services.ts'
import { IN_MEMORY, openState, type State } from '../../../../daemon/state/index.ts'
import {
  ADA,
  CABIN,
  ed25519,
  LAMP,
  listOf,
  memberOf,
  openDesk,
  STRANGER,
  TOWN,
} from '../../../support/mesh-papers.ts'

const [town, cabin] = [idOf(TOWN.key), idOf(CABIN.key)]
const shed = idOf(LAMP.key)
const bea = idOf(STRANGER.key)
const BY = { origin: 'unix' }
const owner = { id: idOf(ADA.key), kind: 'owner' } as const
const holder = { id: bea, kind: 'holder' } as const

interface Daemon {
  readonly id: PartyId
  readonly desk: ReturnType<typeof openDesk>
  readonly guests: Guests
  readonly services: Services
  readonly state: State
  readonly said: { readonly peer: PartyId; readonly word: TalkWord }[]
  readonly peers: Set<PartyId>
  /** Services that are offered for guests, when all that was begun is done. */
  offered(): Promise<readonly string[]>
  /** The same, from what is on disk. */
  restart(): Promise<Daemon>
}

async function openDaemon(
  t: TestContext,
  key: Uint8Array,
  { most = 16, desk = openDesk(), state }: { most?: number; desk?: Daemon['desk']; state?: State } = {},
): Promise<Daemon> {
  const id = idOf(key)
  const stop = new AbortController()
  const log = new Log(systemClock, () => {})
  const kept =
    state ?? (await openState({ clock: systemClock, log }, { path: IN_MEMORY, author: id }, stop.signal))
  if (!state) t.after(() => kept[Symbol.asyncDispose]())
  for (const [signer, name] of [
    [TOWN, 'town'],
    [CABIN, 'cabin'],
    [LAMP, 'shed'],
  ] as const) {
    await desk.papers.takeMember(memberOf(signer, name))
  }
  const services = await openServices({
    clock: systemClock,
    master: new Secret(key),
    book: kept.services,
    journal: kept.journal,
    publisher: {
      offer: async ({ seed }) => onionAddress(ed25519.signer(seed.reveal()).key),
      withdraw: async () => {},
      status: () => ({ state: 'reachable', since: 0 }),
    },
    onFault: (error) => assert.fail(String(error)),
  })
  const said: Daemon['said'] = []
  const peers = new Set<PartyId>()
  const guests = new Guests({
    // Nothing grows back while a test runs, however slow the machine is.
    clock: { ...systemClock, monotonic: () => 0 },
    ...{ log, feed: new Feed(), own: id, papers: desk.papers, most },
    services: () => services,
    book: kept.mesh,
    talk: { say: (peer, word) => void said.push({ peer, word }), peers: () => [...peers] },
    stands: (who) => !desk.trust.isRevoked(Buffer.from(who, 'base64url')),
    silentSince: () => 5,
  })
  guests.begin()
  return {
    ...{ id, desk, guests, services, state: kept, said, peers },
    async offered() {
      await guests.settled()
      return services.list().flatMap(({ service }) => (service.startsWith('guest:') ? [service] : []))
    },
    restart: () => openDaemon(t, key, { most, desk, state: kept }),
  }
}

/** What a daemon said last to another, as it arrives there. */
function lastTo(from: Daemon, to: PartyId, kind: 'guests' | 'offers') {
  const found = from.said.findLast(({ peer, word }) => peer === to && word.word === kind)
  return found && (decodeTalk(encodeTalk(found.word)) as TalkWord & { word: 'guests' | 'offers' })
}

const guestsTo = (from: Daemon, to: PartyId): readonly GuestItem[] => {
  const word = lastTo(from, to, 'guests')
  return word?.word === 'guests' ? word.guests : []
}

function connect(from: Daemon, to: PartyId): void {
  from.peers.add(to)
  from.guests.connected(to)
}

/** Everything that each said to the other until nothing more is said. */
async function exchange(a: Daemon, b: Daemon): Promise<void> {
  const heard = new Map<Daemon, number>([
    [a, 0],
    [b, 0],
  ])
  for (let round = 0; round < 20; round++) {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      for (const { peer, word } of from.said.slice(heard.get(from))) {
        if (peer === to.id) await to.guests.heard(from.id, word as never)
      }
      heard.set(from, from.said.length)
    }
    await a.offered()
    await b.offered()
  }
}

/** Two daemons that are connected, and an invitation of the town's by which somebody came. */
async function openTwo(t: TestContext, who: typeof owner | typeof holder = holder, authorised = true) {
  const [here, there] = [await openDaemon(t, TOWN.key), await openDaemon(t, CABIN.key)]
  const invited = await here.services.invite('far', authorised, BY)
  assert(invited.ok)
  here.guests.arrived({ ...who, origin: 'onion:invitation:far' })
  connect(here, cabin)
  connect(there, town)
  await exchange(here, there)
  return { here, there, invitation: invited.value, origin: 'onion:invitation:far' }
}

const guest = (n: number): Uint8Array => new Uint8Array(16).fill(n)
const items = (count: number, first = 1): GuestItem[] =>
  Array.from({ length: count }, (_, at) => ({ guest: guest(first + at), authorised: true }))
const serviceOf = (id: Uint8Array) => `guest:${toBase64url(id)}`

describe('a guest of one home [SPEC 14.9]', () => {
  it('has an address at the other, with a client key where the invitation has one', async (t) => {
    for (const authorised of [true, false]) {
      const { here, there, invitation, origin } = await openTwo(t, holder, authorised)
      const [way, ...more] = here.guests.othersFor({ ...holder, origin })
      assert.deepEqual([way?.home, more.length, way?.clientKey !== undefined], ['cabin', 0, authorised])
      assert.notEqual(way?.address, invitation.address)
      const [service] = await there.offered()
      assert.deepEqual(service, serviceOf(guestId(invitation.address)))
      assert.equal(way?.address, there.services.list().find((each) => each.service === service)?.address)
    }
  })

  it('is told by the other whose guest it is, and whether that home answers', async (t) => {
    const { there } = await openTwo(t)
    const [service] = await there.offered()
    const origin = `onion:${service}`
    assert.deepEqual(there.guests.hostOf(origin), { home: 'town', connected: true })
    there.peers.delete(town)
    assert.deepEqual(there.guests.hostOf(origin), { home: 'town', connected: false, heardAt: 5 })
    assert.deepEqual(there.guests.othersFor({ ...holder, origin }), [])
    for (const other of ['unix', 'lan', 'onion:invitation:owner', 'onion:guest:AAAA']) {
      assert.equal(there.guests.hostOf(other), undefined)
    }
  })

  it('is told on the LAN too, if the invitation is its alone; others are not', async (t) => {
    const { here } = await openTwo(t)
    const homes = (who: Parameters<Guests['othersFor']>[0]) =>
      here.guests.othersFor(who).map(({ home }) => home)
    assert.deepEqual(homes({ ...holder, origin: 'lan' }), ['cabin'])
    assert.deepEqual(homes({ ...owner, origin: 'lan' }), [])
    assert.deepEqual(homes({ ...holder, kind: 'token', origin: 'onion:invitation:far' }), [])
    assert.deepEqual(homes({ ...holder, origin: 'onion:invitation:other' }), [])
    here.guests.arrived({ ...owner, origin: 'onion:invitation:far' })
    assert.deepEqual(homes({ ...holder, origin: 'lan' }), [])
  })

  it('keeps its addresses over restarts of either', async (t) => {
    const { here, there, origin } = await openTwo(t)
    const before = here.guests.othersFor({ ...holder, origin })
    const [again, thereAgain] = [await here.restart(), await there.restart()]
    assert.deepEqual(again.guests.othersFor({ ...holder, origin }), before)
    assert.deepEqual(await thereAgain.offered(), await there.offered())
    const [service] = await thereAgain.offered()
    const listed = thereAgain.services.list().find((each) => each.service === service)
    assert.equal(listed?.address, before[0]?.address)
  })

  it('is remembered as one who came over a restart, until the invitation is no more', async (t) => {
    const { here } = await openTwo(t)
    const known = async (daemon: Daemon) => {
      const again = await daemon.restart()
      await again.offered()
      return again.state.mesh.arrivals().length
    }
    assert.equal(await known(here), 1)
    await here.services.withdraw('invitation:far', BY)
    assert.equal(await known(here), 0)
  })

  it('that nobody has come as costs nothing elsewhere', async (t) => {
    const [here, there] = [await openDaemon(t, TOWN.key), await openDaemon(t, CABIN.key)]
    await here.services.invite('unused', true, BY)
    here.guests.arrived({ ...holder, origin: 'lan' })
    here.guests.arrived({ ...holder, origin: 'onion:invitation:unknown' })
    here.guests.arrived({ ...holder, kind: 'token', origin: 'onion:invitation:unused' })
    connect(here, cabin)
    connect(there, town)
    await exchange(here, there)
    assert.deepEqual([guestsTo(here, cabin), await there.offered()], [[], []])
  })
})

describe('an address at another home goes', () => {
  it('with its invitation', async (t) => {
    const { here, there, origin } = await openTwo(t)
    await here.services.withdraw('invitation:far', BY)
    here.guests.tick()
    await exchange(here, there)
    assert.deepEqual(await there.offered(), [])
    assert.deepEqual(here.guests.othersFor({ ...holder, origin }), [])
  })

  it('with the key that was taken back, also while the home that let it in is away', async (t) => {
    const { there } = await openTwo(t)
    assert.equal((await there.offered()).length, 1)
    await there.desk.revocations.take(listOf([STRANGER.key]))
    there.guests.tick()
    assert.deepEqual(await there.offered(), [])
  })

  it('with the daemon that asked, and with the one that is removed itself', async (t) => {
    for (const removed of [TOWN, CABIN]) {
      const { there } = await openTwo(t)
      await there.desk.revocations.take(listOf([removed.key]))
      there.guests.tick()
      assert.deepEqual(await there.offered(), [])
    }
  })

  it('is told no more of a daemon that was removed', async (t) => {
    const { here, origin } = await openTwo(t)
    await here.desk.revocations.take(listOf([CABIN.key]))
    assert.deepEqual(here.guests.othersFor({ ...holder, origin }), [])
    await here.guests.forget(cabin)
    const again = await here.restart()
    assert.deepEqual(again.guests.othersFor({ ...holder, origin }), [])
  })

  it('and is not made when what takes it back was heard first', async (t) => {
    for (const taken of [STRANGER, TOWN, CABIN]) {
      const there = await openDaemon(t, CABIN.key)
      await there.desk.revocations.take(listOf([taken.key]))
      await there.guests.heard(town, {
        word: 'guests',
        guests: [{ guest: guest(1), authorised: true, key: bea }],
      })
      assert.deepEqual(await there.offered(), [])
    }
  })

  it('is another one when the guest is asked for again', async (t) => {
    const there = await openDaemon(t, CABIN.key)
    const ask = async (guests: readonly GuestItem[]) => {
      await there.guests.heard(town, { word: 'guests', guests })
      await there.offered()
      return there.services.list().find(({ service }) => service === serviceOf(guest(1)))?.address
    }
    const first = await ask(items(1))
    assert.equal(await ask([]), undefined)
    const second = await ask(items(1))
    assert(first && second && first !== second)
  })

  it('is not told to somebody of whom the offer is not', async (t) => {
    const { here, origin } = await openTwo(t)
    const offers: OfferItem[] = [{ guest: guest(9), onion: STRANGER.key }]
    await here.guests.heard(cabin, { word: 'offers', offers })
    assert.deepEqual(here.guests.othersFor({ ...holder, origin }), [])
  })
})

describe('what one daemon offers to guests of all others', () => {
  it('is bounded, and one that asks for many takes nothing from another, in any order', async (t) => {
    const expected = [...items(6).slice(0, 3), ...items(2, 100)].map(({ guest: id }) => serviceOf(id)).sort()
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.integer({ min: 0, max: 6 }), async (first, some) => {
        const there = await openDaemon(t, CABIN.key, { most: 5 })
        const words = [
          [town, items(6)],
          [shed, items(2, 100)],
        ] as const
        await there.guests.heard(town, { word: 'guests', guests: items(some) })
        for (const [from, guests] of first ? words : words.toReversed()) {
          await there.guests.heard(from, { word: 'guests', guests })
        }
        assert.deepEqual((await there.offered()).toSorted(), expected)
      }),
      { numRuns: 12 },
    )
  })

  it('is not made without end for one that asks for others all the time; what it takes back goes at once', async (t) => {
    const there = await openDaemon(t, CABIN.key)
    for (let round = 0; round < 12; round++) {
      await there.guests.heard(town, { word: 'guests', guests: items(12, 1 + 16 * round) })
      await there.offered()
    }
    const made = there.state.journal.read({ limit: 1000 }).filter(({ kind }) => kind === 'invited').length
    assert.equal(made, 128)
    assert.deepEqual(await there.offered(), [])
    await there.guests.heard(shed, { word: 'guests', guests: items(1, 250) })
    assert.deepEqual(await there.offered(), [serviceOf(guest(250))])
  })

  it('leaves room for who is let in here: no more than one tor is given', async (t) => {
    const there = await openDaemon(t, CABIN.key)
    for (let n = 0; n < 158; n++) await there.services.invite(`own ${n}`, false, BY)
    await there.guests.heard(town, { word: 'guests', guests: items(5) })
    assert.equal((await there.offered()).length, 2)
    await there.services.withdraw('invitation:own 0', BY)
    there.guests.tick()
    assert.equal((await there.offered()).length, 3)
  })

  it('is nothing when the setting says so, or for whom no owner made a member', async (t) => {
    const none = await openDaemon(t, CABIN.key, { most: 0 })
    await none.guests.heard(town, { word: 'guests', guests: items(3) })
    assert.deepEqual(await none.offered(), [])
    const there = await openDaemon(t, CABIN.key)
    await there.guests.heard(bea, { word: 'guests', guests: items(3) })
    assert.deepEqual(await there.offered(), [])
  })

  it('is told to each daemon of its own guests alone', async (t) => {
    const there = await openDaemon(t, CABIN.key)
    connect(there, town)
    connect(there, shed)
    await there.guests.heard(town, { word: 'guests', guests: items(1) })
    await there.guests.heard(shed, { word: 'guests', guests: items(1, 50) })
    await there.offered()
    const told = (peer: PartyId) => {
      const word = lastTo(there, peer, 'offers')
      return word?.word === 'offers' ? word.offers.map((each) => toHex(each.guest)) : []
    }
    assert.deepEqual([told(town), told(shed)], [[toHex(guest(1))], [toHex(guest(50))]])
  })

  it('is said to who came before services were there, once they are', async (t) => {
    const here = await openDaemon(t, TOWN.key)
    const said: TalkWord[] = []
    let services: Services | undefined
    const guests = new Guests({
      ...{ clock: systemClock, log: new Log(systemClock, () => {}), feed: new Feed(), own: town, most: 16 },
      ...{ papers: here.desk.papers, book: here.state.mesh, stands: () => true, silentSince: () => 5 },
      services: () => services!,
      talk: { say: (_peer, word) => void said.push(word), peers: () => [cabin] },
    })
    guests.connected(cabin)
    guests.tick()
    await guests.heard(cabin, { word: 'guests', guests: items(1) })
    assert.deepEqual(said, [])
    services = here.services
    guests.begin()
    await guests.settled()
    assert.deepEqual(
      said.map(({ word }) => word),
      ['guests', 'offers', 'offers'],
    )
  })

  it('is not said again while nothing is new', async (t) => {
    const { here, there } = await openTwo(t)
    const before = [here.said.length, there.said.length]
    for (let round = 0; round < 3; round++) for (const each of [here, there]) each.guests.tick()
    assert.deepEqual([here.said.length, there.said.length], before)
  })
})

/** Only that what is kept is kept: the rest of the contract is the state's. */
describe('the book of guests', () => {
  it('has the last word of each kind, and forgets a daemon', async (t) => {
    const { state } = await openDaemon(t, TOWN.key)
    const book: GuestBook = state.mesh
    await book.keepSaid(cabin, 'guests', Uint8Array.of(1))
    await book.keepSaid(cabin, 'guests', Uint8Array.of(2))
    await book.keepSaid(cabin, 'offers', Uint8Array.of(3))
    await book.keepSaid(shed, 'offers', Uint8Array.of(4))
    await book.keepArrival(guest(1), bea)
    await book.keepArrival(guest(1), undefined)
    assert.deepEqual(
      book
        .said()
        .filter(({ member }) => member === cabin)
        .map(({ word }) => [...word]),
      [[2], [3]],
    )
    await book.dropSaid(cabin)
    assert.deepEqual(
      book.said().map(({ member }) => member),
      [shed],
    )
    const arrived = () => book.arrivals().map(({ key }) => key)
    assert.deepEqual(arrived(), [undefined])
    await book.dropArrival(guest(1))
    assert.deepEqual(arrived(), [])
  })
})
