// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { encodeEntry, entryHash, genesisHash } from '../../../../daemon/core/chain.ts'
import { judgePiece, type Papers, type Run } from '../../../../daemon/core/mesh/index.ts'
import { idOf } from '../../../../daemon/core/model/index.ts'
import type { NewEntry } from '../../../../daemon/core/ports.ts'
import { TYPE_PERMIT } from '../../../../schemas/gen/ts/wire.ts'
import {
  ADA,
  beaconOf,
  CABIN,
  ed25519,
  listOf,
  memberOf,
  openDesk,
  STRANGER,
  seal,
  TOWN,
} from '../../../support/mesh-papers.ts'

const cabin = idOf(CABIN.key)
const START = { position: 0, hash: genesisHash(cabin) }
const ENTRIES: readonly NewEntry[] = [
  { kind: 'renamed', at: 1, note: 'one' },
  { kind: 'renamed', at: 2, note: 'two' },
  { kind: 'renamed', at: 3, note: 'three' },
]

function hashesOf(bodies: readonly Uint8Array[], after = START): Uint8Array[] {
  let previous = after.hash
  return bodies.map((body) => {
    previous = entryHash(previous, body)
    return previous
  })
}

function runOf(entries: readonly NewEntry[], after = START, by = CABIN): Run {
  const bodies = entries.map((entry, at) => encodeEntry(after.position + 1 + at, entry))
  const hash = hashesOf(bodies, after).at(-1)!
  const beacon = beaconOf(by, 1, { position: after.position + bodies.length, hash })
  return { from: after.position + 1, before: after.hash, entries: bodies, beacon }
}

describe('judgePiece() [SPEC 14.5]', () => {
  let papers: Papers
  before(async () => {
    const desk = openDesk()
    papers = desk.papers
    await papers.takeMember(memberOf(CABIN, 'cabin'))
  })
  const judge = (run: Run, head = START, author = cabin, maySkip = false) =>
    judgePiece(author, run, head, maySkip, papers, ed25519)
  const why = async (run: Run, head = START, author = cabin) => {
    const judged = await judge(run, head, author)
    return judged.ok ? 'taken' : judged.why
  }

  it('takes what follows and ends where its author signed, with the hash of each entry', async () => {
    const run = runOf(ENTRIES)
    assert.deepEqual(await judge(run), { ok: true, value: hashesOf(run.entries) })
  })

  it('takes it too when it goes on from an entry that is there', async () => {
    const first = runOf(ENTRIES)
    const head = { position: 3, hash: hashesOf(first.entries).at(-1)! }
    assert.equal(await why(runOf(ENTRIES, head), head), 'taken')
  })

  it('takes the log of a daemon that was removed: it is history', async () => {
    const desk = openDesk()
    await desk.papers.takeMember(memberOf(CABIN, 'cabin'))
    await desk.revocations.take(listOf([CABIN.key]))
    const judged = await judgePiece(cabin, runOf(ENTRIES), START, false, desk.papers, ed25519)
    assert.equal(judged.ok, true)
  })

  it('knows what is there already, and sees what is missing before', async () => {
    const head = { position: 3, hash: hashesOf(runOf(ENTRIES).entries).at(-1)! }
    assert.equal(await why(runOf(ENTRIES), head), 'known')
    assert.equal(await why(runOf(ENTRIES, { position: 5, hash: START.hash })), 'gap')
  })

  it('begins later where its author pruned the beginning, and with nothing else', async () => {
    const later = runOf(ENTRIES, { position: 5, hash: new Uint8Array(32).fill(5) })
    assert.equal((await judge(later, START, cabin, true)).ok, true)
    const other = await judge({ ...later, before: new Uint8Array(32).fill(6) }, START, cabin, true)
    assert.equal(!other.ok && other.why, 'forked')
  })

  it('refuses the log of somebody who was never a daemon of the home', async () => {
    const start = { position: 0, hash: genesisHash(idOf(TOWN.key)) }
    assert.equal(await why(runOf(ENTRIES, start, TOWN), start, idOf(TOWN.key)), 'stranger')
  })

  it('refuses what another daemon signed, or what is signed for another place', async () => {
    const run = runOf(ENTRIES)
    assert.equal(await why(runOf(ENTRIES, START, STRANGER)), 'unsigned')
    assert.equal(
      await why({ ...run, beacon: beaconOf(CABIN, 1, { position: 2, hash: hashesOf(run.entries)[1]! }) }),
      'unsigned',
    )
    assert.equal(await why({ ...run, beacon: new Uint8Array(10) }), 'unsigned')
  })

  it('refuses entries that were changed, moved, left out or are none', async () => {
    const run = runOf(ENTRIES)
    const changed = run.entries.map((body, at) =>
      at === 1 ? encodeEntry(2, { kind: 'renamed', at: 2, note: 'TWO' }) : body,
    )
    assert.equal(await why({ ...run, entries: changed }), 'forked')
    assert.equal(await why({ ...run, entries: [run.entries[1]!, run.entries[0]!, run.entries[2]!] }), 'chain')
    assert.equal(await why({ ...run, entries: run.entries.slice(0, 2) }), 'unsigned')
    assert.equal(
      await why({ ...run, entries: [run.entries[0]!, new Uint8Array([1]), run.entries[2]!] }),
      'chain',
    )
  })

  it('tells a fork: what its author signed does not follow from what is here', async () => {
    const head = {
      position: 1,
      hash: hashesOf([encodeEntry(1, { kind: 'renamed', at: 1, note: 'another' })])[0]!,
    }
    const first = runOf(ENTRIES.slice(0, 1))
    const others = { position: 1, hash: hashesOf(first.entries)[0]! }
    assert.equal(await why(runOf(ENTRIES, others), head), 'forked')
  })

  it('refuses an entry whose envelope nobody sealed, or somebody else than it says', async () => {
    const frame = seal({ type: 'permit', name: 'porch', expiresAt: 100, permit: new Uint8Array(8) }, ADA)
    const signed = { kind: 'permit', at: 1, frame, signer: idOf(ADA.key) } as const
    assert.equal(await why(runOf([signed])), 'taken')
    assert.equal(await why(runOf([{ ...signed, signer: idOf(TOWN.key) }])), 'envelope')
    const spoilt = Uint8Array.from(frame)
    spoilt[spoilt.length - 3]! ^= 1
    assert.equal(await why(runOf([{ ...signed, frame: spoilt }])), 'envelope')
    assert.equal(await why(runOf([{ kind: 'refused', at: 1, frame: spoilt }])), 'taken')
  })

  it('knows an envelope of a later version for what it is', async () => {
    const frame = seal({ type: 'permit', name: 'porch', expiresAt: 100, permit: new Uint8Array(8) }, ADA)
    const typ = Buffer.from(frame).indexOf(TYPE_PERMIT)
    const later = Uint8Array.from(frame)
    later[typ + TYPE_PERMIT.length - 1]! += 1
    const judged = await judge(runOf([{ kind: 'permit', at: 1, frame: later, signer: idOf(ADA.key) }]))
    assert(!judged.ok)
    assert.deepEqual([judged.why, /entry 1 is of a later version/.test(judged.detail!)], ['later', true])
  })
})
