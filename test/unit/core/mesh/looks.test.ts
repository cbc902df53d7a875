// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { no, type Verdict, yes } from '../../../../daemon/base/error.ts'
import type { Signer, Still } from '../../../../daemon/core/envelope/index.ts'
import {
  decodeTalk,
  encodeTalk,
  type Looking,
  LookShows,
  Looks,
  type LookWord,
  type Shown,
} from '../../../../daemon/core/mesh/index.ts'
import { idOf, type PartyId } from '../../../../daemon/core/model/index.ts'
import type { KeptStill, PictureQuestion } from '../../../../daemon/core/stills/index.ts'
import type { Code } from '../../../../schemas/gen/ts/codes.ts'
import { CODES } from '../../../../schemas/gen/ts/codes.ts'
import { PART_BYTES_MAX, PARTS_AHEAD } from '../../../../schemas/gen/ts/wire.ts'
import { ManualClock } from '../../../support/manual-clock.ts'
import { CABIN, ed25519, HOME, LAMP, STRANGER, seal, TOWN } from '../../../support/mesh-papers.ts'
import { sha256 } from '../../../support/request.ts'

const [town, cabin, camera, eve] = [TOWN, CABIN, LAMP, STRANGER].map(({ key }) => idOf(key)) as [
  PartyId,
  PartyId,
  PartyId,
  PartyId,
]
const STILL = 30
const COMMAND = new Uint8Array(32).fill(3)
const pictureOf = (size: number, n = 7) =>
  Uint8Array.from({ length: size }, (_, at) => (at * n + (at >> 8)) % 256)
    .with(0, 0xff)
    .with(1, 0xd8)
    .with(size - 2, 0xff)
    .with(size - 1, 0xd9)
const PICTURE = pictureOf(60_000)
const DIGEST = sha256(PICTURE)
const BROKEN = PICTURE.with(0, 0)

function stillOf(picture: Uint8Array, by: Signer = LAMP, change: Partial<Still> = {}): KeptStill {
  const body = {
    affordance: STILL,
    command: COMMAND,
    digest: sha256(picture),
    size: picture.length,
    at: 1000,
  }
  const said = { ...body, ...change }
  const frame = seal({ type: 'still', ...said } as never, by)
  return { device: camera, ...body, ...change, receivedAt: 5, frame }
}

const looking: Looking = {
  ...{ caller: eve, path: '/things/gate/stills', request: new Uint8Array([1]), readable: new Set([STILL]) },
}
const meant: PictureQuestion = { digest: DIGEST }

/** Two homes and the way between them, on which everything goes through its bytes; `cabin` has the camera. */
function openPair(shown: () => Promise<Verdict<Shown, Code>> = async () => yes({ still: stillOf(PICTURE) })) {
  const clock = new ManualClock()
  const way = { isUp: true, holds: 0, passed: [] as LookWord[], waiting: [] as (() => void)[] }
  const disk = new Map([[DIGEST.toHex(), PICTURE]])
  const asked: LookWord[] = []
  let reads = 0
  const carry = (word: LookWord, hear: (word: LookWord) => void) => {
    if (!way.isUp) return
    const said = decodeTalk(encodeTalk(word)) as LookWord
    way.passed.push(said)
    if (way.holds > 0 && said.word === 'part') way.waiting.push(() => hear(said))
    else queueMicrotask(() => way.isUp && hear(said))
  }
  const looks = new Looks({
    ...{ clock, ed25519, home: HOME, nameOf: () => 'cabin' },
    memberOf: (device) => (device === camera ? cabin : undefined),
    unreachable: () => (way.isUp ? undefined : 'there is no way to cabin'),
    say: (_peer, word) =>
      carry(word, (said) => {
        if (said.word === 'look') void shows.heardLook(town, said)
        else if (said.word === 'got') shows.heardGot(town, said)
      }),
  })
  const shows: LookShows = new LookShows({
    clock,
    say: (_peer, word) =>
      carry(word, (said) => {
        if (said.word === 'looked') looks.heardLooked(cabin, said)
        else if (said.word === 'part') looks.heardPart(cabin, said)
      }),
    show: async (word) => {
      asked.push(word)
      return shown()
    },
    read: (_device, digest, at, size) => {
      reads++
      return disk.get(digest.toHex())?.subarray(at, at + size)
    },
  })
  const cut = () => {
    way.isUp = false
    looks.gone(cabin)
    shows.gone(town)
  }
  const parts = () => way.passed.filter(({ word }) => word === 'part').length
  return { clock, looks, shows, way, disk, asked, cut, parts, reads: () => reads }
}

/** So long that everything that can pass without a clock has passed. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve))
const why = (verdict: Verdict<unknown, Code>) => (verdict.ok ? 'ok' : verdict.why)

describe('pictures of another home [SPEC 19.6]', () => {
  it('come piece by piece, and are those that their device sealed', async () => {
    const { looks, parts } = openPair()
    const seen = await looks.picture(camera, looking, meant)
    assert(seen.ok)
    assert.deepEqual(seen.value.bytes, PICTURE)
    assert.deepEqual([seen.value.still.at, seen.value.still.receivedAt], [1000, 5])
    assert.equal(parts(), Math.ceil(PICTURE.length / PART_BYTES_MAX))
  })

  it('are asked for by the request that was sealed, as it is', async () => {
    const { looks, asked } = openPair()
    await looks.picture(camera, looking, meant)
    const [first] = asked
    assert(first?.word === 'look')
    assert.deepEqual([first.path, first.request, first.have], [looking.path, looking.request, 0])
  })

  it('are read from the disk no faster than they are taken', async () => {
    const { looks, way, reads } = openPair()
    way.holds = 1
    void looks.picture(camera, looking, meant)
    await settled()
    assert.equal(reads(), PARTS_AHEAD)
    way.waiting.shift()!()
    await settled()
    assert.equal(reads(), PARTS_AHEAD + 1)
  })

  it('go on after a cut where they were', async () => {
    const { looks, way, cut, asked } = openPair()
    way.holds = 1
    const first = looks.picture(camera, looking, meant)
    await settled()
    for (let n = 0; n < 3; n++) way.waiting.shift()!()
    cut()
    assert.equal(why(await first), 'unreachable')
    Object.assign(way, { isUp: true, holds: 0, waiting: [] })
    const again = await looks.picture(camera, looking, meant)
    assert(again.ok)
    assert.deepEqual(again.value.bytes, PICTURE)
    const last = asked.at(-1)
    assert(last?.word === 'look')
    assert.deepEqual([last.digest, last.have], [DIGEST, 3 * PART_BYTES_MAX])
  })

  it('that take longer than somebody waits go on meanwhile: who asks again has them', async () => {
    const { clock, looks, way, shows } = openPair()
    way.holds = 1
    const first = looks.picture(camera, looking, meant)
    await settled()
    way.waiting.shift()!()
    await clock.pass(9000)
    looks.tick()
    assert.equal(why(await first), 'busy')
    const again = looks.picture(camera, looking, meant)
    await settled()
    way.holds = 0
    for (const hear of way.waiting.splice(0)) hear()
    const seen = await again
    assert(seen.ok)
    assert.deepEqual(seen.value.bytes, PICTURE)
    shows.tick()
  })

  it('that are here already are judged anew there, and not told twice', async () => {
    let answer: Verdict<Shown, Code> = yes({ still: stillOf(PICTURE) })
    const { looks, parts } = openPair(async () => answer)
    await looks.picture(camera, looking, meant)
    const before = parts()
    assert((await looks.picture(camera, looking, meant)).ok)
    assert.equal(parts(), before)
    answer = no('grant-revoked')
    assert.equal(why(await looks.picture(camera, looking, meant)), 'grant-revoked')
  })

  it('that nobody asked for again are forgotten', async () => {
    const { clock, looks, parts } = openPair()
    await looks.picture(camera, looking, meant)
    const before = parts()
    await clock.pass(60_000)
    looks.tick()
    await looks.picture(camera, looking, meant)
    assert.equal(parts(), before * 2)
  })

  it('that two ask for at once come to both', async () => {
    const { looks } = openPair()
    const both = [looking, { ...looking, caller: town }].map((each) => looks.picture(camera, each, meant))
    for (const seen of await Promise.all(both)) assert(seen.ok && seen.value.bytes.length === PICTURE.length)
  })

  it('are held in memory, sixteen at most', async () => {
    const pictures = Array.from({ length: 20 }, (_, n) => pictureOf(1000, n + 1))
    let at = 0
    const { looks, disk, asked } = openPair(async () => yes({ still: stillOf(pictures[at]!) }))
    for (const picture of pictures) disk.set(sha256(picture).toHex(), picture)
    const fetch = () => looks.picture(camera, looking, { digest: sha256(pictures[at]!) })
    for (; at < pictures.length; at++) assert((await fetch()).ok)
    const haves: number[] = []
    for (at = 0; at < pictures.length; at += 19) {
      assert((await fetch()).ok)
      const last = asked.at(-1)
      haves.push(last?.word === 'look' ? last.have : -1)
    }
    assert.deepEqual(haves, [0, 1000])
  })

  it('are listed as their device sealed them, and of the properties that somebody may see', async () => {
    const stills = [
      stillOf(PICTURE),
      stillOf(PICTURE, STRANGER),
      stillOf(PICTURE, LAMP, { affordance: 31 }),
      stillOf(PICTURE, LAMP, { audience: camera } as never),
    ]
    const coming = { command: COMMAND, digest: DIGEST, size: 9, got: 4, code: 'still-late' as const }
    const { looks } = openPair(async () => yes({ list: { stills, coming } }))
    const listed = await looks.list(camera, looking)
    assert(listed.ok)
    assert.deepEqual(
      listed.value.stills.map(({ frame }) => frame.toHex()),
      [stills[0]!.frame.toHex()],
    )
    assert.deepEqual(listed.value.coming, coming)
    const none = await looks.list(camera, { ...looking, readable: new Set() })
    assert.deepEqual(none.ok && none.value.stills, [])
  })
})

describe('a picture of another home is refused', () => {
  const refusals: [Code, string, () => ReturnType<typeof openPair>, PictureQuestion?, Looking?][] = [
    ['grant-revoked', 'the other home refuses', () => openPair(async () => no('grant-revoked'))],
    ['not-found', 'it has gone', () => openPair(async () => no('not-found'))],
    ['still-elsewhere', 'the other home has it no more', () => openPair(async () => no('still-elsewhere'))],
    ['not-found', 'there is a list in its place', () => openPair(async () => yes({ list: { stills: [] } }))],
    ['unknown-signer', 'another device sealed it', () => openPair(tells(stillOf(PICTURE, STRANGER)))],
    ['unknown-signer', 'the other daemon sealed it', () => openPair(tells(stillOf(PICTURE, CABIN)))],
    [
      'wrong-audience',
      'it is of another home',
      () => openPair(tells(stillOf(PICTURE, LAMP, { audience: eve } as never))),
    ],
    ['bad-signature', 'its envelope was changed', () => openPair(tells(spoilt(stillOf(PICTURE))))],
    [
      'no-such-affordance',
      'it is of no camera',
      () => openPair(tells(stillOf(PICTURE, LAMP, { affordance: 31 }))),
    ],
    ['still-digest', 'it is another than was asked for', () => openPair(), { digest: COMMAND }],
    [
      'still-digest',
      'its bytes are others',
      () => {
        const pair = openPair()
        pair.disk.set(DIGEST.toHex(), PICTURE.with(700, 1 ^ PICTURE[700]!))
        return pair
      },
    ],
    [
      'still-broken',
      'it is no JPEG',
      () => {
        const pair = openPair(async () => yes({ still: stillOf(BROKEN) }))
        pair.disk.set(sha256(BROKEN).toHex(), BROKEN)
        return pair
      },
      { digest: sha256(BROKEN) },
    ],
    [
      'still-too-large',
      'it is larger than a picture may be',
      () => openPair(tells(stillOf(PICTURE, LAMP, { size: 65_537 }))),
    ],
    [
      'not-found',
      'somebody may not see it here',
      () => openPair(),
      meant,
      { ...looking, readable: new Set() },
    ],
  ]
  for (const [code, what, open, question = meant, as = looking] of refusals)
    it(`${code}: ${what}`, async () => {
      const { looks } = open()
      assert.equal(why(await looks.picture(camera, as, question)), code)
    })

  it('unreachable: there is no way, or none any more, and it says so', async () => {
    const { looks, cut } = openPair(() => new Promise(() => {}))
    const waiting = looks.picture(camera, looking, meant)
    cut()
    for (const answer of [await waiting, await looks.list(camera, looking)])
      assert.deepEqual(answer, no('unreachable', 'there is no way to cabin'))
  })

  it('unreachable: the other home does not answer, as one of an earlier version', async () => {
    const { clock, looks } = openPair(() => new Promise(() => {}))
    const waiting = looks.list(camera, looking)
    await clock.pass(8999)
    looks.tick()
    assert.equal(await Promise.race([waiting, settled().then(() => 'open')]), 'open')
    await clock.pass(1)
    looks.tick()
    assert.deepEqual(await waiting, no('unreachable', 'cabin did not answer within 9 s'))
  })

  it('still-elsewhere: nobody is known to have the device', async () => {
    assert.equal(why(await openPair().looks.picture(eve, looking, meant)), 'still-elsewhere')
  })

  it('not-found: it goes while it is told', async () => {
    const { looks, way, disk } = openPair()
    way.holds = 1
    const waiting = looks.picture(camera, looking, meant)
    await settled()
    disk.clear()
    way.waiting.shift()!()
    assert.equal(why(await waiting), 'not-found')
  })

  it('busy: one caller asks for a fifth, or all together for more than 32', async () => {
    const { looks } = openPair(() => new Promise(() => {}))
    const ask = (n: number) => looks.list(camera, { ...looking, caller: `${n}` as PartyId })
    for (let n = 0; n < 4; n++) void ask(0)
    assert.equal(why(await ask(0)), 'busy')
    for (let n = 4; n < 32; n++) void ask(n)
    assert.equal(why(await ask(99)), 'busy')
  })

  it('busy: one daemon asks for a seventeenth, and another is answered', async () => {
    const { shows, way } = openPair(() => new Promise(() => {}))
    const question = { word: 'look', device: camera, path: looking.path, request: looking.request } as const
    const look = (peer: PartyId, number: number) =>
      shows.heardLook(peer, { ...question, number, digest: new Uint8Array(), have: 0 })
    for (let n = 0; n < 16; n++) void look(town, n)
    assert.deepEqual(way.passed, [])
    void look(town, 16)
    void look(eve, 16)
    assert.deepEqual(way.passed, [{ word: 'looked', number: 16, code: CODES.busy, stills: [] }])
  })
})

describe('what another daemon says out of turn', () => {
  const part = (number: number, offset: number, bytes: Uint8Array) => ({
    ...{ word: 'part' as const, number, offset, bytes },
  })

  it('changes nothing: parts of nothing, from somebody else, beyond the end, or not the next', async () => {
    const { looks, way } = openPair()
    way.holds = 1
    const waiting = looks.picture(camera, looking, meant)
    await settled()
    const wrong = new Uint8Array(PART_BYTES_MAX)
    looks.heardPart(cabin, part(9, 0, wrong))
    looks.heardPart(eve, part(1, 0, wrong))
    looks.heardPart(cabin, part(1, PART_BYTES_MAX, wrong))
    looks.heardPart(cabin, part(1, 59_999, wrong))
    looks.heardLooked(eve, { word: 'looked', number: 1, code: CODES['not-found'], stills: [] })
    looks.heardLooked(cabin, { word: 'looked', number: 7, code: CODES['not-found'], stills: [] })
    way.holds = 0
    for (const hear of way.waiting.splice(0)) hear()
    const seen = await waiting
    assert(seen.ok)
    assert.deepEqual(seen.value.bytes, PICTURE)
  })

  it('changes nothing: more than the rest of it', async () => {
    const picture = pictureOf(1000)
    const { looks, way, disk } = openPair(async () => yes({ still: stillOf(picture) }))
    disk.set(sha256(picture).toHex(), picture)
    way.holds = 1
    const waiting = looks.picture(camera, looking, { digest: sha256(picture) })
    await settled()
    looks.heardPart(cabin, part(1, 0, new Uint8Array(1001)))
    way.waiting.shift()!()
    assert((await waiting).ok)
  })

  it('moves no other picture on: an answer of nothing, backwards, or beyond the end', async () => {
    const { looks, shows, way, reads } = openPair()
    way.holds = 1
    void looks.picture(camera, looking, meant)
    await settled()
    const before = reads()
    for (const [peer, number, got] of [
      [town, 9, 8192],
      [eve, 1, 8192],
      [town, 1, 0],
      [town, 1, 60_001],
    ] as const)
      shows.heardGot(peer, { word: 'got', number, got })
    assert.equal(reads(), before)
  })

  it('is let go of when nothing is taken for 30 s', async () => {
    const { clock, looks, shows, way, reads } = openPair()
    way.holds = 1
    void looks.picture(camera, looking, meant)
    await settled()
    await clock.pass(30_000)
    shows.tick()
    const before = reads()
    shows.heardGot(town, { word: 'got', number: 1, got: PART_BYTES_MAX })
    assert.equal(reads(), before)
  })
})

function tells(still: KeptStill): () => Promise<Verdict<Shown, Code>> {
  return async () => yes({ still: { ...still, digest: DIGEST, size: PICTURE.length } })
}

function spoilt(still: KeptStill): KeptStill {
  const frame = Uint8Array.from(still.frame)
  frame[frame.length - 1]! ^= 1
  return { ...still, frame }
}
