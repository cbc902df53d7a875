// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { keyOf } from '../../daemon/core/model/index.ts'
import type { NewEntry } from '../../daemon/core/ports.ts'
import type { KeptToken, OpenPairing } from '../../daemon/core/ports-people.ts'
import type { StateError } from '../../daemon/state/index.ts'
import { NOON, type OpenHome, partyOf } from '../support/state.ts'

const A = partyOf(1)
const B = partyOf(2)
const ENTRY: NewEntry = { kind: 'granted', at: NOON, signer: A }
const ID = new Uint8Array(8).fill(5)
const frame = (fill: number) => new Uint8Array(40).fill(fill)

/** What every PaperBook does. */
export function paperBookContract(where: string, open: OpenHome): void {
  describe(`PaperBook ${where}`, () => {
    it('gives papers of one kind back as they came, oldest first', async (t) => {
      const { papers } = await open(t)
      await papers.put('grant', { key: frame(2), frame: frame(1), at: NOON }, ENTRY)
      await papers.put('grant', { key: frame(1), frame: frame(2), at: NOON + 1 }, ENTRY)
      await papers.put('person', { key: ID, frame: frame(3), at: NOON }, ENTRY)
      const grants = papers.all('grant').map(({ key, frame, at, goneAt }) => [key, frame, at, goneAt])
      assert.deepEqual(grants, [
        [frame(2), frame(1), NOON, undefined],
        [frame(1), frame(2), NOON + 1, undefined],
      ])
    })

    it('keeps one paper per key: the last', async (t) => {
      const { papers } = await open(t)
      await papers.put('person', { key: ID, frame: frame(1), at: NOON }, ENTRY)
      await papers.put('person', { key: ID, frame: frame(2), at: NOON + 1 }, ENTRY)
      const people = papers.all('person').map(({ frame }) => frame)
      assert.deepEqual(people, [frame(2)])
    })

    it('keeps the entry of the log with the paper', async (t) => {
      const { papers, journal } = await open(t)
      await papers.put('holder', { key: keyOf(A), frame: frame(1), at: NOON }, ENTRY)
      assert.deepEqual(
        journal.read({ limit: 9 }).map(({ kind }) => kind),
        ['granted'],
      )
    })

    it('puts away once, keeps what it was, and takes it back in', async (t) => {
      const { papers, journal } = await open(t)
      await papers.put('person', { key: ID, frame: frame(1), at: NOON }, ENTRY)
      assert.equal(await papers.remove('person', ID, NOON + 2, ENTRY), true)
      assert.equal(await papers.remove('person', ID, NOON + 3, ENTRY), false)
      assert.deepEqual(
        [papers.all('person')[0]?.goneAt, papers.all('person')[0]?.frame],
        [NOON + 2, frame(1)],
      )
      assert.equal(journal.read({ limit: 9 }).length, 2)
      await papers.put('person', { key: ID, frame: frame(2), at: NOON + 4 }, ENTRY)
      assert.equal(papers.all('person')[0]?.goneAt, undefined)
    })

    it('removes nothing that is not there', async (t) => {
      const { papers } = await open(t)
      assert.equal(await papers.remove('person', ID, NOON, ENTRY), false)
    })
  })
}

/** What every PastBook does. */
export function pastBookContract(where: string, open: OpenHome): void {
  const nothing = { at: NOON, sealedAt: 0, over: [], back: [], forgotten: [], spent: [], unusedBefore: 0 }

  describe(`PastBook ${where}`, () => {
    it('remembers the latest time that it was told, and no earlier one', async (t) => {
      const { past } = await open(t)
      assert.equal(past.sealedAt, 0)
      for (const sealedAt of [7, 9, 8]) await past.thin({ ...nothing, sealedAt })
      assert.equal(past.sealedAt, 9)
    })

    it('puts grants away without an entry, takes them back in, and forgets those that are named', async (t) => {
      const { past, papers, journal } = await open(t)
      for (const fill of [1, 2, 3])
        await papers.put('grant', { key: frame(fill), frame: frame(fill), at: NOON }, ENTRY)
      await past.thin({ ...nothing, at: NOON + 5, over: [frame(1), frame(2)] })
      await past.thin({ ...nothing, back: [frame(2)], forgotten: [frame(3)] })
      const left = papers.all('grant').map(({ key, goneAt }) => [key, goneAt])
      assert.deepEqual(left, [
        [frame(1), NOON + 5],
        [frame(2), undefined],
      ])
      assert.equal(journal.read({ limit: 9 }).length, 3)
    })

    it('leaves papers of other kinds alone', async (t) => {
      const { past, papers } = await open(t)
      await papers.put('revocation', { key: frame(1), frame: frame(1), at: NOON }, ENTRY)
      await past.thin({ ...nothing, over: [frame(1)], forgotten: [frame(1)] })
      assert.deepEqual(
        papers.all('revocation').map(({ goneAt }) => goneAt),
        [undefined],
      )
    })

    it('forgets the counts of grants that have ended, and no others', async (t) => {
      const { past, uses } = await open(t)
      const other = ID.map((byte) => byte + 1)
      await uses.spend([ID, other])
      await past.thin({ ...nothing, spent: [ID] })
      assert.deepEqual([uses.count(ID), uses.count(other)], [0, 1])
    })

    it('forgets pairings that let nobody in, and keeps a phone’s own', async (t) => {
      const { past, pairings } = await open(t)
      const [used, declined, young] = [1, 2, 3].map((fill) => new Uint8Array(8).fill(fill)) as Uint8Array[]
      await pairings.open(PAIRING, ENTRY)
      await pairings.open({ ...PAIRING, pairing: used! }, ENTRY)
      await pairings.ask(used!, B, frame(1), ENTRY)
      await pairings.end(used!, 'confirmed')
      await pairings.open({ ...PAIRING, pairing: declined! }, ENTRY)
      await pairings.end(declined!, 'declined')
      await pairings.open({ ...PAIRING, pairing: young!, expiresAt: PAIRING.expiresAt + 1 }, ENTRY)
      await past.thin({ ...nothing, unusedBefore: PAIRING.expiresAt + 1 })
      const left = [ID, used!, declined!, young!].map((id) => pairings.get(id) !== undefined)
      assert.deepEqual(left, [false, true, false, true])
    })

    it('forgets permits that enrolled nothing, and keeps one that did', async (t) => {
      const { past, permits } = await open(t)
      const used = ID.map((byte) => byte + 1)
      const permit = { name: 'porch', expiresAt: NOON, proofKey: new Uint8Array(32), frame: frame(1) }
      await permits.open({ ...permit, permit: ID })
      await permits.open({ ...permit, permit: used })
      await permits.use(used, A, frame(2), frame(3))
      await past.thin({ ...nothing, unusedBefore: NOON + 1 })
      assert.deepEqual(
        [permits.get(ID), permits.get(used)].map((each) => each !== undefined),
        [false, true],
      )
    })
  })
}

const PAIRING: OpenPairing & { readonly frame: Uint8Array } = {
  pairing: ID,
  name: 'phone',
  person: new Uint8Array(8).fill(7),
  kind: 'phone',
  by: A,
  expiresAt: NOON + 900_000,
  proofKey: new Uint8Array(32).fill(6),
  invitation: 'invitation:phone',
  frame: frame(4),
}

/** What every PairingBook does. */
export function pairingBookContract(where: string, open: OpenHome): void {
  describe(`PairingBook ${where}`, () => {
    it('gives an open pairing as it was opened', async (t) => {
      const { pairings } = await open(t)
      await pairings.open(PAIRING, ENTRY)
      const { frame: _, ...expected } = PAIRING
      assert.deepEqual(pairings.get(ID), { ...expected, key: undefined, pair: undefined, end: undefined })
      assert.equal(pairings.get(frame(1).subarray(0, 8)), undefined)
    })

    it('refuses a second one of the same id', async (t) => {
      const { pairings } = await open(t)
      await pairings.open(PAIRING, ENTRY)
      const isKnown = (error: StateError) => error.code === 'pairing-known'
      await assert.rejects(pairings.open({ ...PAIRING, name: 'other' }, ENTRY), isKnown)
      assert.equal(pairings.get(ID)?.name, 'phone')
    })

    it('lists those that have an onion service', async (t) => {
      const { pairings } = await open(t)
      await pairings.open(PAIRING, ENTRY)
      const bare = { ...PAIRING, pairing: new Uint8Array(8).fill(6), invitation: undefined }
      await pairings.open(bare, ENTRY)
      assert.deepEqual(
        pairings.invited().map(({ pairing, invitation }) => [pairing, invitation]),
        [[ID, PAIRING.invitation]],
      )
    })

    it('serves the first phone, again too, wipes the proof key, and refuses another', async (t) => {
      const { pairings, journal } = await open(t)
      await pairings.open(PAIRING, ENTRY)
      assert.equal(await pairings.ask(ID, B, frame(1), ENTRY), true)
      assert.equal(await pairings.ask(ID, B, frame(2), ENTRY), true)
      assert.equal(await pairings.ask(ID, A, frame(3), ENTRY), false)
      const kept = pairings.get(ID)
      assert.deepEqual([kept?.key, kept?.pair, kept?.proofKey], [B, frame(1), undefined])
      assert.equal(pairings.askedBy(B)?.invitation, 'invitation:phone')
      assert.equal(pairings.askedBy(A), undefined)
      assert.equal(journal.read({ limit: 9 }).length, 2)
    })

    it('two phones in one turn: the first alone', async (t) => {
      const { pairings } = await open(t)
      await pairings.open(PAIRING, ENTRY)
      const asked = [A, B].map((key) => pairings.ask(ID, key, frame(1), ENTRY))
      assert.deepEqual(await Promise.all(asked), [true, false])
    })

    it('an ended one takes nobody', async (t) => {
      const { pairings } = await open(t)
      await pairings.open(PAIRING, ENTRY)
      await pairings.end(ID, 'declined')
      assert.equal(await pairings.ask(ID, B, frame(1), ENTRY), false)
      assert.deepEqual([pairings.get(ID)?.end, pairings.get(ID)?.proofKey], ['declined', undefined])
    })

    it('a stale one has no proof key, from its last instant on', async (t) => {
      const { pairings, setClock } = await open(t)
      await pairings.open(PAIRING, ENTRY)
      setClock(PAIRING.expiresAt - 1)
      assert.ok(pairings.get(ID)?.proofKey)
      setClock(PAIRING.expiresAt)
      assert.equal(pairings.get(ID)?.proofKey, undefined)
    })
  })
}

const TOKEN: KeptToken = {
  name: 'heating',
  digest: new Uint8Array(32).fill(1),
  form: false,
  by: A,
  at: NOON,
  grants: [ID, new Uint8Array(8).fill(9)],
}

/** What every TokenBook does. */
export function tokenBookContract(where: string, open: OpenHome): void {
  describe(`TokenBook ${where}`, () => {
    it('gives tokens back as they were put, one per name', async (t) => {
      const { tokens } = await open(t)
      await tokens.put({ ...TOKEN, form: true }, ENTRY)
      await tokens.put(TOKEN, ENTRY)
      assert.deepEqual(tokens.list(), [TOKEN])
    })

    it('removes one once', async (t) => {
      const { tokens, journal } = await open(t)
      await tokens.put(TOKEN, ENTRY)
      assert.equal(await tokens.remove('heating', ENTRY), true)
      assert.equal(await tokens.remove('heating', ENTRY), false)
      assert.deepEqual(tokens.list(), [])
      assert.equal(journal.read({ limit: 9 }).length, 2)
    })
  })
}

/** What every UseBook does. */
export function useBookContract(where: string, open: OpenHome): void {
  describe(`UseBook ${where}`, () => {
    it('counts a use at once, before it is on disk', async (t) => {
      const { uses } = await open(t)
      const kept = uses.spend([ID])
      assert.equal(uses.count(ID), 1)
      await kept
      assert.equal(uses.count(ID), 1)
      assert.equal(uses.count(new Uint8Array(8)), 0)
    })

    it('gives back what did not come about, never below none', async (t) => {
      const { uses } = await open(t)
      await uses.spend([ID])
      await uses.giveBack([ID])
      await uses.giveBack([ID])
      assert.equal(uses.count(ID), 0)
      await uses.spend([ID])
      assert.equal(uses.count(ID), 1)
    })
  })
}
