// SPDX-License-Identifier: GPL-3.0-or-later
/** People, grants and what is taken back, at a hub of a few lines: what leaves the page is opened and looked at. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toBase64url } from '../../../daemon/base/bytes.ts'
import { systemClock } from '../../../daemon/base/clock.ts'
import { isCode } from '../../../daemon/base/error.ts'
import { systemRandom } from '../../../daemon/base/random.ts'
import {
  type Body,
  type Grant,
  nativeEd25519,
  openEnvelope,
  type Revocation,
  sealEnvelope,
} from '../../../daemon/core/envelope/index.ts'
import { idOf } from '../../../daemon/core/model/index.ts'
import type { Held } from '../../../daemon/web/answers.ts'
import { Asker } from '../../../daemon/web/ask.ts'
import { give, takeBack } from '../../../daemon/web/deal.ts'
import { Keep } from '../../../daemon/web/keep.ts'
import {
  type KnownPerson,
  passedOn,
  permissionsFor,
  readGrants,
  readPeople,
  wireDevices,
} from '../../../daemon/web/people.ts'
import { Person } from '../../../daemon/web/person.ts'
import { readMinute, sayHours, sayLimits, sayWhat, sayWhere } from '../../../daemon/web/say-grant.ts'
import { wordsOf } from '../../../daemon/web/words/index.ts'
import { MemoryStorage } from './page-home.ts'

const ed25519 = nativeEd25519()
const root = systemRandom.bytes(32)
const seed = systemRandom.bytes(32)
const owner = ed25519.signer(seed)
const [first, second] = [systemRandom.bytes(32), systemRandom.bytes(32)]
const short = systemRandom.bytes(8)
const signal = new AbortController().signal

const grant = {
  id: toBase64url(short),
  name: 'Bea',
  holder: idOf(first),
  pin: false,
  person: 'AAAAAAAAAAA',
  devices: [],
  what: [{ affordance: 1, methods: 5 }],
  lease: 86400,
  by: idOf(owner.key),
  at: 1_700_000_000_000,
  revoked: false,
}
const holder = { key: idOf(first), name: 'phone', kind: 'phone', by: idOf(owner.key), revoked: false }
const person = { id: 'AAAAAAAAAAA', name: 'Bea', by: idOf(owner.key), holders: [holder], grants: [] }
const bea: KnownPerson = {
  id: 'AAAAAAAAAAA',
  name: 'Bea',
  by: idOf(owner.key),
  keys: [
    { key: idOf(first), name: 'phone', kind: 'phone', by: idOf(root), revoked: false },
    { key: idOf(second), name: 'tablet', kind: 'phone', by: idOf(root), revoked: false },
    { key: idOf(root), name: 'lost', kind: 'phone', by: idOf(root), revoked: true },
  ],
}

/** Deals with a hub that knows this list of what was taken back. */
function dealing(revocations: object[] = []) {
  const sent: { readonly line: string; readonly body: Body }[] = []
  const keep = new Keep(new MemoryStorage())
  const deps = { clock: systemClock, random: systemRandom, keep }
  const me = new Person(deps, { root, seed, name: 'ada' })
  const fetch = (async (path, init) => {
    if (init?.method === 'GET') return Response.json({ revocations })
    const opened = openEnvelope(
      init?.body as Uint8Array,
      { sizeMax: 1024, accepts: (_, signer) => idOf(signer) === me.id, isAudience: () => true },
      ed25519,
    )
    assert(opened.ok)
    sent.push({ line: `${init?.method} ${path}`, body: opened.value.body })
    return Response.json({})
  }) as typeof globalThis.fetch
  return {
    sent,
    deps: { asker: new Asker({ clock: systemClock, fetch }, me), person: me, random: systemRandom },
  }
}

function list(entries: Uint8Array[], by = owner, floor?: number) {
  const body: Revocation = {
    type: 'revocation',
    audience: idOf(root),
    sealedAt: 5,
    epoch: systemRandom.bytes(8),
    sequence: 5,
    entries,
    ...(floor !== undefined && { floor }),
  }
  return { signer: idOf(owner.key), sequence: 5, frame: toBase64url(sealEnvelope(body, by)), entries: [] }
}

describe('give()', () => {
  it('seals one grant, under one id, for every phone that holds', async () => {
    const { sent, deps } = dealing()
    const terms = {
      devices: [],
      what: [{ affordance: 9, methods: 2 }],
      hours: [],
      expiresAt: 9_000_000_000,
      uses: 1,
    }
    await give(deps, bea, terms, signal)
    const bodies = sent.map(({ body }) => body as Grant)
    assert.deepEqual(
      sent.map(({ line }) => line),
      ['POST /grants', 'POST /grants'],
    )
    assert.deepEqual(
      bodies.map(({ key }) => idOf(key!)),
      [idOf(first), idOf(second)],
    )
    assert.deepEqual(bodies[0]!.id, bodies[1]!.id)
    assert.deepEqual(
      bodies.map(({ uses, leaseS, parent, share }) => [uses, leaseS, parent, share]),
      Array(2).fill([1, 86_400, undefined, undefined]),
    )
  })

  it('gives nothing to who has no phone', async () => {
    const { sent, deps } = dealing()
    const given = give(deps, { ...bea, keys: [] }, { devices: [], what: [], hours: [] }, signal)
    await assert.rejects(given, (error) => isCode(error, 'not-found'))
    assert.deepEqual(sent, [])
  })
})

describe('takeBack()', () => {
  const taken = ({ body }: { body: Body }) => (body as Revocation).entries.map(toBase64url)

  it('seals a first list', async () => {
    const { sent, deps } = dealing()
    await takeBack(deps, readGrants({ grants: [grant] })[0]!, signal)
    assert.deepEqual([sent[0]?.line, taken(sent[0]!)], ['PUT /revocations', [toBase64url(short)]])
  })

  it('carries on what its envelope says was taken back before, floor and all, whatever the hub says of it', async () => {
    const { sent, deps } = dealing([list([second], owner, 77)])
    await takeBack(deps, idOf(first), signal)
    assert.deepEqual(taken(sent[0]!), [idOf(second), idOf(first)])
    assert.equal((sent[0]!.body as Revocation).floor, 77)
  })

  it('seals nothing for what was taken back already', async () => {
    const { sent, deps } = dealing([list([first])])
    await takeBack(deps, idOf(first), signal)
    assert.deepEqual(sent, [])
  })

  it('refuses a list under its name that somebody else sealed: entries would be lost', async () => {
    const { sent, deps } = dealing([list([second], ed25519.signer(root))])
    await assert.rejects(takeBack(deps, idOf(first), signal), (error) => isCode(error, 'distrust'))
    assert.deepEqual(sent, [])
  })

  it('refuses more than a list holds', async () => {
    const { deps } = dealing([list(Array.from({ length: 80 }, () => systemRandom.bytes(8)))])
    await assert.rejects(takeBack(deps, idOf(first), signal), (error) => isCode(error, 'grants-full'))
  })
})

describe('what the hub tells of people', () => {
  it('is one grant for several keys, and held while any of them is', () => {
    const grants = [
      { ...grant, revoked: 5 },
      { ...grant, holder: idOf(second) },
    ]
    assert.deepEqual(
      readGrants({ grants }).map(({ holder, revoked }) => [holder, revoked]),
      [[idOf(second), false]],
    )
  })

  it('counts what is not said to hold as taken back', () => {
    const people = readPeople({
      people: [{ ...person, holders: [{ ...holder, revoked: 1_700_000_000_000 }] }],
    })
    assert.equal(people[0]?.keys[0]?.revoked, true)
  })

  for (const [what, read] of [
    ['people that are none', () => readPeople({ people: 'Bea' })],
    ['a person without phones', () => readPeople({ people: [{ ...person, holders: undefined }] })],
    ['an id that is too short', () => readPeople({ people: [{ ...person, id: 'AAAA' }] })],
    ['people without end', () => readPeople({ people: Array(1001).fill(person) })],
    ['a grant for a key that is none', () => readGrants({ grants: [{ ...grant, holder: 'Bea' }] })],
    ['a grant for a number of devices', () => readGrants({ grants: [{ ...grant, devices: 3 }] })],
    ['a grant of words', () => readGrants({ grants: [{ ...grant, what: ['unlock'] }] })],
    ['a grant by nobody', () => readGrants({ grants: [{ ...grant, by: undefined }] })],
  ] as const) {
    it(`is a bad answer with ${what}`, () => assert.throws(read, (error) => isCode(error, 'bad-answer')))
  }
})

describe('what is given', () => {
  const held = (number: number, may: Held['may']): Held => ({
    number,
    name: String(number),
    kind: 'property',
    may,
  })
  const thing = (...all: Held[]) => ({ affordances: new Map(all.map((each) => [each.name, each])) })
  const yes = { ok: true }

  it('is what the giver may do there, to look at or also to use', () => {
    const things = [
      thing(held(1, { read: yes, write: yes }), held(9, { invoke: yes })),
      thing(held(3, { read: yes })),
    ]
    const methods = (use: boolean) =>
      permissionsFor(things, use).map(({ affordance, methods }) => [affordance, methods])
    assert.deepEqual(methods(true), [
      [1, 5],
      [3, 1],
      [9, 2],
    ])
    assert.deepEqual(methods(false), [
      [1, 1],
      [3, 1],
    ])
  })

  it('passes on no more than there is: the narrower of each limit holds', () => {
    const [parent] = readGrants({
      grants: [
        {
          ...grant,
          lease: 3600,
          until: 9_000_000,
          from: 1_000_000,
          uses: 3,
          hours: [{ days: 1, from: 0, to: 60 }],
        },
      ],
    })
    const { hours, ...same } = passedOn(parent!, {})
    assert.deepEqual(hours, [{ days: 1, from: 0, to: 60 }])
    assert.deepEqual([same.leaseS, same.notBefore, same.expiresAt, same.uses], [3600, 1000, 9000, 3])
    const less = passedOn(parent!, { expiresAt: 5000, uses: 1, hours: [{ days: 1, from: 10, to: 20 }] })
    assert.deepEqual([less.expiresAt, less.uses, less.hours[0]?.from], [5000, 1, 10])
    assert.equal(passedOn({ ...parent!, lease: 0 }, {}).leaseS, 86_400)
  })

  it('names devices by key and groups by name', () => {
    assert.deepEqual(wireDevices([idOf(first), 'doors']), [first, 'doors'])
  })

  it('reads times of the day, the end of a day among them', () => {
    assert.deepEqual(
      [
        ['08:30', false],
        ['00:00', false],
        ['00:00', true],
        ['24:00', true],
        ['8:30', false],
        ['', true],
      ].map(([text, isEnd]) => readMinute(text as string, isEnd as boolean)),
      [510, 0, 1440, undefined, undefined, undefined],
    )
  })

  it('is said in words', () => {
    const [en, de] = [wordsOf('en'), wordsOf('de')]
    const [known] = readGrants({
      grants: [{ ...grant, uses: 2, used: 1, hours: [{ days: 31, from: 480, to: 1080 }] }],
    })
    assert.equal(sayHours(known!.hours, 'de'), 'Mo, Di, Mi, Do, Fr 08:00–18:00')
    assert.equal(
      sayWhat(
        [
          { affordance: 9, methods: 2 },
          { affordance: 3, methods: 1 },
        ],
        en,
      ),
      'Unlock, Temperature (look)',
    )
    assert.equal(
      sayWhere(['doors', idOf(first)], new Map(), de),
      'Gruppe doors, ein Gerät, das hier nicht zu sehen ist',
    )
    assert.deepEqual(sayLimits(known!, en, 'en').at(-1), 'used 1 of 2 times')
  })
})
