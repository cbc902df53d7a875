// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { toBase64url } from '../../../daemon/base/bytes.ts'
import { isCode } from '../../../daemon/base/error.ts'
import { readEntries } from '../../../daemon/web/acts.ts'
import { readEvent, readHistory, readPicture, readProblem, readStage } from '../../../daemon/web/answers.ts'
import { sayName } from '../../../daemon/web/kind.ts'
import { readGrants, readPeople } from '../../../daemon/web/people.ts'

const ID = toBase64url(new Uint8Array(32).fill(7))
const held = { number: 1, name: 'on', kind: 'property', value: true, at: 5, may: { read: { ok: true } } }
const thing = { id: ID, name: 'porch', connected: true, since: 1, affordances: [held] }
const picture = {
  me: { kind: 'holder', name: 'Bea', share: false },
  home: ID,
  hub: ID,
  owners: [],
  revocations: [],
  people: [{ id: 'AAAAAAAAAAA', name: 'Bea' }],
  things: [thing],
}

const isBadAnswer = (error: unknown) => isCode(error, 'bad-answer')
const withThing = (change: object) => JSON.stringify({ ...picture, things: [{ ...thing, ...change }] })
const withHeld = (change: object) => withThing({ affordances: [{ ...held, ...change }] })

describe('readPicture() [SPEC 9.4]', () => {
  it('reads what it is given, and passes over what it does not know', () => {
    const read = readPicture(JSON.stringify({ ...picture, weather: 'fine' }))
    assert.deepEqual(read.things[0]?.affordances.get('on')?.value, true)
    assert.equal(read.people.get('AAAAAAAAAAA'), 'Bea')
  })

  it('keeps a name as it is: text, whatever it looks like', () => {
    const name = '<img src=x onerror=alert(1)>'
    assert.equal(readPicture(withThing({ name })).things[0]?.name, name)
  })

  it('tells two devices of one name apart by the home that they are in', () => {
    const things = [thing, { ...thing, home: 'cabin' }]
    const read = readPicture(JSON.stringify({ ...picture, things }))
    assert.deepEqual(read.things.map(sayName), ['porch', 'cabin/porch'])
    assert.throws(() => readPicture(withThing({ home: 5 })), isBadAnswer)
  })

  for (const [what, text] of [
    ['no JSON', '<!doctype html>'],
    ['a list', '[]'],
    ['null', 'null'],
    ['nobody', JSON.stringify({ ...picture, me: null })],
    ['a home that is no id', JSON.stringify({ ...picture, home: 'home' })],
    ['a home in a second spelling', JSON.stringify({ ...picture, home: `${ID.slice(0, -1)}9` })],
    ['owners without end', JSON.stringify({ ...picture, owners: Array(65).fill({}) })],
    ['lists without end', JSON.stringify({ ...picture, revocations: Array(66).fill({ frame: 'AAAA' }) })],
    ['a list without its envelope', JSON.stringify({ ...picture, revocations: [{}] })],
    ['things without end', JSON.stringify({ ...picture, things: Array(1001).fill(thing) })],
    ['things that are a map', JSON.stringify({ ...picture, things: { 0: thing } })],
    ['a thing without a name', withThing({ name: undefined })],
    ['a server somewhere else', withThing({ direct: 'https://example.com' })],
    ['a server without TLS', withThing({ direct: 'http://0123456789abcdef.local:8443' })],
    ['a server with a path', withThing({ direct: 'https://0123456789abcdef.local:8443/x' })],
    ['a server with a name before it', withThing({ direct: 'https://a@0123456789abcdef.local' })],
    ['a server under another name', withThing({ direct: 'https://0123456789abcdef.local.example.com' })],
    ['a server with a port beyond', withThing({ direct: 'https://0123456789abcdef.local:123456' })],
    ['a server that is a list', withThing({ direct: ['https://0123456789abcdef.local'] })],
    ['a name that is a number', withThing({ name: 5 })],
    ['a name without end', withThing({ name: 'x'.repeat(5000) })],
    ['a hello that is no base64url', withThing({ hello: '!!' })],
    ['a presence that is a word', withThing({ connected: 'yes' })],
    ['affordances without end', withThing({ affordances: Array(65).fill(held) })],
    ['a value that is an object', withHeld({ value: { toString: 'x' } })],
    ['a value that is text', withHeld({ value: '<b>1</b>' })],
    ['no rights at all', withHeld({ may: undefined })],
    ['a right that is a word', withHeld({ may: { write: 'yes' } })],
    ['a right without a yes or no', withHeld({ may: { write: {} } })],
  ] as const) {
    it(`${what} is a bad answer`, () => assert.throws(() => readPicture(text), isBadAnswer))
  }
})

describe('other answers', () => {
  it('an event of a kind that is not known is passed over, one that is known must be right', () => {
    assert.equal(readEvent('gossip', 'not even JSON'), undefined)
    assert.throws(() => readEvent('reading', '{"device":"x","values":[]}'), isBadAnswer)
    assert.throws(() => readEvent('presence', `{"device":"${ID}","connected":1,"at":1}`), isBadAnswer)
  })

  it('what may have changed everything makes the page begin anew', () => {
    for (const event of ['enrolment', 'lagged', 'rights']) {
      assert.deepEqual(readEvent(event, '{}'), { event: 'changed' })
    }
  })

  for (const line of [
    '{}',
    '{"stage":"gone"}',
    '{"stage":"done"}',
    '{"stage":"refused","receipt":5}',
    'true',
  ]) {
    it(`the stage ${line} is a bad answer`, () => assert.throws(() => readStage(line), isBadAnswer))
  }

  it('a history with a value that is none is a bad answer', () => {
    const samples = [{ property: 'on', value: null, at: 1 }]
    assert.throws(() => readHistory({ samples }), isBadAnswer)
  })

  it('a refusal with a code that nobody knows has none', () => {
    assert.deepEqual(readProblem('{"code":"__proto__","detail":"x"}').code, undefined)
    assert.deepEqual(readProblem('<html>').code, undefined)
    assert.equal(readProblem('{"code":"outside-hours"}').code, 'outside-hours')
  })

  it('a log says of an envelope that it is not sealed when nobody sealed it', () => {
    const entry = { index: 1, at: 1, kind: 'command', signer: ID, frame: 'AAAA', command: 'AAAA' }
    const [act] = readEntries({ entries: [entry] }, undefined)
    assert.equal(act?.sealed, false)
    assert.throws(() => readEntries({ entries: [{ ...entry, index: 'first' }] }, undefined), isBadAnswer)
  })
})

describe('whatever a hub answers', () => {
  const READERS: Readonly<Record<string, (value: unknown) => unknown>> = {
    readPicture: (value) => readPicture(JSON.stringify(value)),
    readReading: (value) => readEvent('reading', JSON.stringify(value)),
    readPresence: (value) => readEvent('presence', JSON.stringify(value)),
    readStage: (value) => readStage(JSON.stringify(value)),
    readProblem: (value) => readProblem(JSON.stringify(value)),
    readHistory,
    readEntries: (value) => readEntries(value, undefined),
    readPeople,
    readGrants,
  }

  /** Reads it, or refuses it with the one code there is for that. */
  const isAnswered = (read: (value: unknown) => unknown, value: unknown): boolean => {
    try {
      read(value)
      return true
    } catch (error) {
      return isBadAnswer(error)
    }
  }

  for (const [name, read] of Object.entries(READERS)) {
    it(`${name} reads it or says bad-answer`, () => {
      fc.assert(
        fc.property(fc.jsonValue(), (value) => isAnswered(read, value)),
        { numRuns: 300 },
      )
    })
  }

  it('readPicture does so, too, when one member of a good answer was put in the place of another', () => {
    const text = JSON.stringify(picture)
    const members = [...text.matchAll(/"[^"]*":|\[|\{/g)].map(({ index, 0: found }) => index + found.length)
    fc.assert(
      fc.property(fc.constantFrom(...members), fc.jsonValue(), fc.nat({ max: 8 }), (at, value, cut) => {
        const changed = `${text.slice(0, at)}${JSON.stringify(value)},${text.slice(at + cut)}`
        return isAnswered((said) => readPicture(said as string), changed)
      }),
      { numRuns: 1000 },
    )
  })
})
