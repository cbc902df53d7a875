// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Frame, Sample, Signer } from '../../../../daemon/core/envelope/index.ts'
import { FarThings, type ThingWord, withFar } from '../../../../daemon/core/mesh/index.ts'
import { idOf } from '../../../../daemon/core/model/index.ts'
import type { DeviceBook } from '../../../../daemon/core/ports.ts'
import {
  ADA,
  CABIN,
  ed25519,
  LAMP,
  MemoryBook,
  STRANGER,
  seal,
  TOWN,
  TRUST,
} from '../../../support/mesh-papers.ts'

const [town, cabin, lamp] = [TOWN, CABIN, LAMP].map(({ key }) => idOf(key)) as [
  ReturnType<typeof idOf>,
  ReturnType<typeof idOf>,
  ReturnType<typeof idOf>,
]
const EPOCH = new Uint8Array(8).fill(3)
const NONE = new Uint8Array()

const helloOf = (by: Signer): Frame =>
  seal({ type: 'hello', board: 'host', firmware: '1', affordances: [1, 2], lost: 0 }, by, 0, { epoch: EPOCH })
const readingOf = (by: Signer, sequence: number, values: readonly Sample[], epoch = EPOCH): Frame =>
  seal({ type: 'reading', values }, by, sequence, { epoch })
const recordOf = (by: Signer, key = LAMP.key): Frame =>
  seal({ type: 'enrolment', name: 'porch', key, permit: new Uint8Array(8) }, by)
const on = (value: boolean, at = 1): Sample => ({ affordance: 1, at, value })

const WORD: ThingWord = {
  ...{ word: 'thing', device: lamp, name: 'porch', board: 'host', firmware: '1', affordances: [1, 2] },
  ...{ connected: true, since: 5, lost: 0, hello: helloOf(LAMP), record: recordOf(ADA) },
  readings: [readingOf(LAMP, 1, [on(true)])],
}

function openFar(book = new MemoryBook(), isRevoked: (key: Uint8Array) => boolean = () => false) {
  return { book, far: new FarThings({ trust: TRUST, ed25519, book, isRevoked }) }
}

describe('devices of another home [SPEC 14.4]', () => {
  it('are shown with what they and their owner sealed', async () => {
    const { far } = openFar()
    assert.equal(await far.take(cabin, WORD), true)
    const { member, device, twin } = far.get(lamp)!
    assert.deepEqual([member, device.name, device.presence.connected], [cabin, 'porch', true])
    assert.deepEqual([device.presence.nonce, device.record], [EPOCH, WORD.record])
    assert.deepEqual(twin.reported, [on(true)])
  })

  for (const [what, change] of [
    ['a hello that another key sealed', { hello: helloOf(STRANGER) }],
    ['a hello that is none', { hello: new Uint8Array([1, 2, 3]) }],
  ] as const) {
    it(`have no nonce by ${what}`, async () => {
      const { far } = openFar()
      await far.take(cabin, { ...WORD, ...change })
      assert.equal(far.get(lamp)!.device.presence.nonce, undefined)
    })
  }

  for (const [what, record] of [
    ['a stranger', recordOf(STRANGER)],
    ['the daemon that shows it', recordOf(CABIN)],
    ['an owner, for another key', recordOf(ADA, STRANGER.key)],
  ] as const) {
    it(`are not confirmed by a record of ${what}`, async () => {
      const { far } = openFar()
      await far.take(cabin, { ...WORD, record })
      assert.equal(far.get(lamp)!.device.record, undefined)
    })
  }

  it('are not shown by a daemon that an owner took them from [SPEC 14.7]', async () => {
    const book = new MemoryBook()
    const far = new FarThings({ trust: TRUST, ed25519, book, isRevoked: () => false, hubOf: () => town })
    assert.equal(await far.take(town, WORD), true)
    assert.equal(await far.take(cabin, WORD), false)
    assert.equal(far.get(lamp)!.member, town)
  })

  it('report nothing that they did not seal', async () => {
    const { far } = openFar()
    await far.take(cabin, { ...WORD, readings: [readingOf(CABIN, 9, [on(true)])] })
    assert.deepEqual(far.get(lamp)!.twin.reported, [])
    assert.equal(await far.reading(cabin, lamp, readingOf(STRANGER, 2, [on(true)])), undefined)
    assert.equal(await far.reading(cabin, town, readingOf(TOWN, 2, [on(true)])), undefined)
    assert.equal(await far.reading(town, lamp, readingOf(LAMP, 2, [on(true)])), undefined)
  })

  it('report the last of a boot, whatever the order in which it came', async () => {
    const { far } = openFar()
    await far.take(cabin, { ...WORD, readings: [] })
    for (const sequence of [3, 1, 2])
      await far.reading(cabin, lamp, readingOf(LAMP, sequence, [on(sequence === 3)]))
    assert.deepEqual(far.get(lamp)!.twin.reported, [on(true)])
    await far.reading(cabin, lamp, readingOf(LAMP, 1, [on(false)], new Uint8Array(8).fill(4)))
    assert.deepEqual(far.get(lamp)!.twin.reported, [on(false)])
  })

  it('have each signature checked once, however often they are told of', async () => {
    let checks = 0
    const counting = {
      ...ed25519,
      verify: (...of: Parameters<typeof ed25519.verify>) => {
        checks++
        return ed25519.verify(...of)
      },
    }
    const far = new FarThings({
      trust: TRUST,
      ed25519: counting,
      book: new MemoryBook(),
      isRevoked: () => false,
    })
    await far.take(cabin, WORD)
    for (let sequence = 2; sequence < 12; sequence++)
      await far.reading(cabin, lamp, readingOf(LAMP, sequence, [on(true)]))
    far.away(cabin)
    assert.equal(checks, 3 + 10, 'hello, record and reading, and each reading that came')
  })

  it('keep no more messages than stand behind what is reported', async () => {
    const { far, book } = openFar()
    await far.take(cabin, WORD)
    for (let sequence = 2; sequence < 50; sequence++)
      await far.reading(cabin, lamp, readingOf(LAMP, sequence, [on(true)]))
    assert(book.things()[0]!.word.length < 2000)
  })

  it('are there after a restart, but not taken to be connected', async () => {
    const { far, book } = openFar()
    await far.take(cabin, WORD)
    const { device, twin } = openFar(book).far.get(lamp)!
    assert.deepEqual([device.presence.connected, twin.reported], [false, [on(true)]])
  })

  it('are not connected when there is no way to their home', async () => {
    const { far } = openFar()
    await far.take(cabin, WORD)
    assert.deepEqual(far.away(cabin), [lamp])
    assert.equal(far.get(lamp)!.device.presence.connected, false)
    assert.deepEqual(far.away(cabin), [])
  })

  it('go with the daemon that was removed, and with a device that was taken back', async () => {
    const { far, book } = openFar()
    await far.take(cabin, WORD)
    await far.forget(cabin)
    assert.deepEqual([far.list(), book.things()], [[], []])
    const { far: strict } = openFar(new MemoryBook(), (key) => idOf(key) === lamp)
    assert.equal(await strict.take(cabin, WORD), false)
  })

  it('are where they were last shown to be', async () => {
    const { far } = openFar()
    await far.take(cabin, WORD)
    await far.take(town, WORD)
    assert.deepEqual(
      far.list().map(({ member }) => member),
      [town],
    )
  })

  it('are at most so many for one home', async () => {
    const { far } = openFar()
    const key = new Uint8Array(32)
    for (let at = 0; at < 1030; at++) {
      new DataView(key.buffer).setUint32(0, at)
      const { hello, record, readings } = { hello: NONE, record: NONE, readings: [] }
      await far.take(cabin, { ...WORD, device: idOf(key), hello, record, readings })
    }
    assert.equal(far.list().length, 1024)
  })
})

describe('one list of all devices', () => {
  const here = { id: idOf(STRANGER.key), name: 'porch' }
  const book = {
    get: (id: string) => (id === here.id ? here : undefined),
    named: (name: string) => (name === here.name ? here : undefined),
    list: () => [here],
  } as unknown as DeviceBook

  it('means ours by the bare name, and the other by its home', async () => {
    const { far } = openFar()
    await far.take(cabin, WORD)
    const all = withFar(book, { far, nameOf: () => 'cabin', isMember: () => true })
    assert.deepEqual([all.named('porch')?.id, all.named('cabin/porch')?.id], [here.id, lamp])
    assert.deepEqual(
      [all.named('town/porch'), all.named('cabin/'), all.named('/porch')],
      [undefined, undefined, undefined],
    )
    assert.deepEqual(
      all.list().map(({ home }) => home),
      [undefined, 'cabin'],
    )
  })

  it('leaves a bare name that two other homes have to nobody', async () => {
    const { far } = openFar()
    await far.take(cabin, { ...WORD, name: 'shed' })
    await far.take(town, { ...WORD, device: idOf(CABIN.key), name: 'shed' })
    const all = withFar(book, {
      far,
      nameOf: (member) => (member === cabin ? 'cabin' : 'town'),
      isMember: () => true,
    })
    assert.equal(all.named('shed'), undefined)
    assert.equal(all.named('town/shed')?.id, idOf(CABIN.key))
  })

  it('shows nothing of a daemon from the moment it is none of the home any more', async () => {
    const { far } = openFar()
    await far.take(cabin, { ...WORD, name: 'shed' })
    let isMember = true
    const all = withFar(book, { far, nameOf: () => 'cabin', isMember: () => isMember })
    assert.equal(all.list().length, 2)
    isMember = false
    assert.deepEqual([all.list().length, all.get(lamp), all.named('shed')], [1, undefined, undefined])
  })
})
