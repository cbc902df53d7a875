// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { encodeCbor } from '../../../../daemon/core/envelope/index.ts'
import {
  decodeLog,
  decodeTalk,
  encodeLog,
  encodeTalk,
  isLater,
  type LogWord,
  type TalkWord,
} from '../../../../daemon/core/mesh/index.ts'
import { partyOf } from '../../../support/state.ts'

const [A, B] = [partyOf(1), partyOf(2)]
const bytes = (...values: number[]) => Uint8Array.from(values)

const TALK: readonly TalkWord[] = [
  { word: 'papers', members: [bytes(1)], revocations: [], beacons: [bytes(2), bytes(3)], others: [] },
  {
    word: 'heads',
    papers: new Uint8Array(8),
    heads: new Map([
      [A, 3],
      [B, 0],
    ]),
  },
  {
    ...{ word: 'thing', device: A, name: 'porch', board: 'host', firmware: '1', affordances: [1, 257] },
    ...{ connected: true, since: 5, lost: 0, hello: bytes(1), record: bytes(), readings: [bytes(9)] },
  },
  { word: 'gone', device: A },
  { word: 'reading', device: A, frame: bytes(1, 2) },
  { word: 'presence', device: A, connected: false, since: 7 },
  { word: 'order', number: 4, device: B, command: bytes(5) },
  { word: 'stage', number: 4, stage: 'expired-reached', code: 0, receipt: bytes() },
  { word: 'past', device: A, source: 'kept', after: 7, until: 9, everyS: 300 },
  {
    ...{ word: 'passed', device: A, source: 'own', last: 9, more: true },
    readings: [
      { number: 0, receivedAt: 5, frame: bytes(1) },
      { number: 0, receivedAt: 6, frame: bytes(2) },
    ],
  },
  {
    word: 'guests',
    guests: [
      { guest: new Uint8Array(16), authorised: true },
      { guest: new Uint8Array(16).fill(1), authorised: false, key: B },
    ],
  },
  {
    word: 'offers',
    offers: [
      { guest: new Uint8Array(16), onion: new Uint8Array(32) },
      { guest: new Uint8Array(16).fill(1), onion: new Uint8Array(32), clientKey: new Uint8Array(32).fill(7) },
    ],
  },
  {
    ...{ word: 'look', number: 3, device: A, path: '/things/gate/stills', request: bytes(1) },
    ...{ digest: bytes(), have: 0 },
  },
  {
    ...{ word: 'looked', number: 3, code: 0, stills: [{ receivedAt: 5, frame: bytes(6) }] },
    coming: { command: new Uint8Array(32), digest: new Uint8Array(32), size: 9, got: 4, code: 0 },
  },
  { word: 'part', number: 3, offset: 8192, bytes: bytes(1, 2) },
  { word: 'got', number: 3, got: 8194 },
]
const LOG: readonly LogWord[] = [
  { word: 'want', author: A, from: 1 },
  { word: 'more', author: A },
  {
    word: 'piece',
    author: B,
    from: 4,
    skips: true,
    before: bytes(7),
    beacon: bytes(1),
    entries: [bytes(1), bytes(2)],
  },
]

const KEY_A = '5820b1f804dabc68274c1233995c5a9119b56935bcdd83b7de07ec726dcedc4e9ce7'
const KEY_B = '58206a0f6a283a8e4e86d2a3d60ef9e37ec33f2ab6071a30e0a477735128e7571eb0'
/** As the first version of each word was said: frozen, for peers and stores of that version do not change. */
const FIRST: Readonly<Record<string, string>> = {
  papers: '850181410180824102410380',
  heads: `83024800000000000000008282${KEY_A}0382${KEY_B}00`,
  thing: `8c03${KEY_A}65706f72636864686f737461318201190101f50500410140814109`,
  gone: `8204${KEY_A}`,
  reading: `8305${KEY_A}420102`,
  presence: `8406${KEY_A}f407`,
  order: `840704${KEY_B}4105`,
  stage: '850804060040',
  past: `8609${KEY_A}f5070919012c`,
  passed: `870a${KEY_A}f409f58205068241014102`,
  look: `870d03${KEY_A}732f7468696e67732f676174652f7374696c6c7341014000`,
  looked: `850e0300818205410681855820${'00'.repeat(32)}5820${'00'.repeat(32)}090400`,
  part: '840f03192000420102',
  got: '831003192002',
  want: `8301${KEY_A}01`,
  more: `8202${KEY_A}`,
  piece: `8703${KEY_B}04f5410741018241014102`,
}

describe('what daemons say [SPEC 14.4, 14.5]', () => {
  it('is said in the bytes in which the first version said it, and read from them', () => {
    const said = [
      ...TALK.map((word) => [word.word, encodeTalk(word)] as const),
      ...LOG.map((word) => [word.word, encodeLog(word)] as const),
    ]
    const now = new Map(said.map(([name, word]): [string, string] => [name, word.toHex()]))
    for (const [name, hex] of Object.entries(FIRST)) assert.equal(now.get(name), hex, name)
    for (const { word } of TALK.filter(({ word }) => word in FIRST)) {
      assert.equal(decodeTalk(Uint8Array.fromHex(FIRST[word]!))?.word, word)
    }
    for (const { word } of LOG) assert.equal(decodeLog(Uint8Array.fromHex(FIRST[word]!))?.word, word)
  })

  for (const word of TALK) {
    it(`${word.word} is read as it was written`, () => assert.deepEqual(decodeTalk(encodeTalk(word)), word))
  }
  for (const word of LOG) {
    it(`${word.word} is read as it was written`, () => assert.deepEqual(decodeLog(encodeLog(word)), word))
  }

  it('is nothing when a member is missing, too many, or of another kind', () => {
    const key = new Uint8Array(32)
    for (const wrong of [
      [],
      [99],
      [4],
      [4, bytes(1)],
      [4, key, key],
      ['4', key],
      [6, key, 1, 5],
      [6, key, true, -1],
      [2, bytes(1), [[key]]],
      [2, bytes(1), [[key, 'x']]],
      [3, key, '', 'b', 'f', [], true, 0, 0, bytes(), bytes(), []],
      [8, 1, 99, 0, bytes()],
      new Map(),
    ]) {
      assert.equal(decodeTalk(encodeCbor(wrong as never)), undefined, JSON.stringify(wrong))
    }
    for (const wrong of [
      [1, key],
      [2, key, 1],
      [3, key, 1, bytes(), []],
      [1, bytes(1), 1],
      [4, key],
    ]) {
      assert.equal(decodeLog(encodeCbor(wrong as never)), undefined, JSON.stringify(wrong))
    }
  })

  it('of guests is nothing when one is of another kind, is there twice, or there are too many', () => {
    const [guest, key] = [new Uint8Array(16), new Uint8Array(32)]
    const many = Array.from({ length: 129 }, (_, at) => [guest.map(() => at), true, bytes()])
    for (const guests of [
      guest,
      [guest],
      [[guest, true]],
      [[guest, 1, bytes()]],
      [[guest, true, bytes(1)]],
      [[key, true, bytes()]],
      [[guest, true, bytes(), bytes()]],
      [
        [guest, true, bytes()],
        [guest, true, key],
      ],
      many,
    ]) {
      assert.equal(decodeTalk(encodeCbor([11, guests] as never)), undefined, JSON.stringify(guests))
    }
    assert(decodeTalk(encodeCbor([11, many.slice(1)] as never)))
    for (const offers of [
      [[guest, key]],
      [[guest, guest, bytes()]],
      [[guest, key, guest]],
      [[guest, key, 'x']],
      [
        [guest, key, bytes()],
        [guest, key, bytes()],
      ],
      many,
    ]) {
      assert.equal(decodeTalk(encodeCbor([12, offers] as never)), undefined, JSON.stringify(offers))
    }
  })

  it('of pictures is nothing when a member is missing, too long, too large or of another kind', () => {
    const [key, path, none] = [new Uint8Array(32), '/things/gate/stills', bytes()]
    const row = [5, bytes(1)]
    const coming = [key, key, 9, 4, 0]
    for (const wrong of [
      [13, 1, key, path, none, none],
      [13, 1, key, '', none, none, 0],
      [13, 1, key, `/${'x'.repeat(1024)}`, none, none, 0],
      [13, 1, key, path, 'x', none, 0],
      [13, 1, key, path, none, bytes(1), 0],
      [13, 1, key, path, none, key, -1],
      [13, 1, bytes(1), path, none, key, 0],
      [14, 1, 0, [row]],
      [14, 1, 0, [[5]], []],
      [14, 1, 0, [['5', bytes(1)]], []],
      [14, 1, 0, [[5, bytes(1), 1]], []],
      [14, 1, 0, Array.from({ length: 101 }, () => row), []],
      [14, 1, -1, [], []],
      [14, 1, 0, [], [coming, coming]],
      [14, 1, 0, [], [coming.slice(1)]],
      [14, 1, 0, [], [coming.with(1, bytes(1))]],
      [14, 1, 0, [], [coming.with(3, -1)]],
      [15, 1, 0, bytes()],
      [15, 1, 0, new Uint8Array(8193)],
      [15, 1, -1, bytes(1)],
      [15, 1, 0],
      [16, 1],
      [16, 1, '2'],
      [16, 1, 2, 3],
    ]) {
      assert.equal(decodeTalk(encodeCbor(wrong as never)), undefined, JSON.stringify(wrong))
    }
    assert(decodeTalk(encodeCbor([14, 1, 0, Array.from({ length: 100 }, () => row), [coming]] as never)))
    assert(decodeTalk(encodeCbor([15, 1, 0, new Uint8Array(8192)] as never)))
  })

  it('is passed over when a later version says it, and only then', () => {
    assert.equal(isLater(encodeCbor([17, 'something'])), true)
    for (const wrong of [[16], [1, 2], ['9'], [-9], 9])
      assert.equal(isLater(encodeCbor(wrong as never)), false)
  })

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (any) => {
        decodeTalk(any)
        decodeLog(any)
        isLater(any)
      }),
    )
  })
})
