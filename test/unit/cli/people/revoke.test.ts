// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { beforeEach, suite, test } from 'node:test'
import { toHex } from '../../../../daemon/base/bytes.ts'
import { systemRandom } from '../../../../daemon/base/random.ts'
import type { Signer } from '../../../../daemon/core/envelope/index.ts'
import { idOf } from '../../../../daemon/core/model/index.ts'
import { open } from '../fake-people.ts'
import { setStage } from './stage.ts'

const stage = setStage()

suite('revoke', () => {
  let phone: Signer
  beforeEach(async () => {
    await stage.done('person add sitter')
    phone = stage.people.phone('phone', 'sitter')
  })
  const entries = () => stage.people.revocations.at(-1)!.body.entries.map(toHex)

  test('a grant: its id, in a list that rises', async () => {
    const one = await stage.done('grant sitter front-door unlock')
    const two = await stage.done('grant sitter front-door locked')
    assert.equal((await stage.done(`revoke ${one.grant.id}`)).told, 2)
    await stage.done(`revoke ${two.grant.id}`)
    assert.deepEqual(
      entries(),
      stage.people.grants.map(({ body }) => toHex(body.id)),
    )
    const [first, second] = stage.people.revocations
    assert.ok(second!.body.sequence > first!.body.sequence)
  })

  test('never loses an entry, also when the home shows an older list or none', async () => {
    const one = await stage.done('grant sitter front-door unlock')
    await stage.done(`revoke ${one.grant.id}`)
    stage.people.revocations.length = 0
    const two = await stage.done('grant sitter front-door locked')
    await stage.done(`revoke ${two.grant.id}`)
    assert.equal(entries().length, 2)
  })

  test('takes over what another machine of this owner took back', async () => {
    const other = systemRandom.bytes(8)
    const frame = stage.people.seal({ type: 'revocation', entries: [other], floor: 7 }, stage.home.owner)
    stage.people.revocations.push(open(frame, 'revocation'))
    const { grant } = await stage.done('grant sitter front-door unlock')
    await stage.done(`revoke ${grant.id}`)
    assert.ok(entries().includes(toHex(other)))
    assert.equal(stage.people.revocations.at(-1)!.body.floor, 7)
  })

  test('is not undone by what another machine of this owner sealed in a home that was cut off', async () => {
    const { grant } = await stage.done('grant sitter front-door unlock')
    await stage.done(`revoke ${grant.id}`)
    const other = systemRandom.bytes(8)
    const frame = stage.people.seal(
      { type: 'revocation', entries: [other], sequence: Date.now() + 1000 },
      stage.home.owner,
    )
    stage.people.revocations.push(open(frame, 'revocation'))
    const before = stage.people.revocations.length
    await stage.done('grants')
    assert.deepEqual(entries().length, 2)
    assert.ok(entries().includes(toHex(other)))
    await stage.done('grants')
    assert.equal(stage.people.revocations.length, before + 1)
  })

  test('leaves the lists of others alone', async () => {
    const stranger = stage.people.seal(
      { type: 'revocation', entries: [systemRandom.bytes(8)] },
      stage.home.root,
    )
    stage.people.revocations.push(open(stranger, 'revocation'))
    const { grant } = await stage.done('grant sitter front-door unlock')
    await stage.done(`revoke ${grant.id}`)
    assert.equal(entries().length, 1)
  })

  test('a person: all that was granted, codes included, and what was promised; the phone stays', async () => {
    await stage.done('grant sitter front-door unlock')
    await stage.done('pin set sitter front-door --pin 482913')
    await stage.done('revoke sitter')
    assert.equal(entries().length, 2)
    assert.ok(!entries().includes(toHex(phone.key)))
  })

  test('a phone: its key and its address; another phone keeps both', async () => {
    stage.people.phone('tablet', 'sitter')
    await stage.done('revoke phone --yes')
    assert.deepEqual(entries(), [toHex(phone.key)])
    const { phones } = await stage.done('phone list')
    assert.deepEqual(
      phones.map(({ name }: { name: string }) => name),
      ['tablet'],
    )
  })

  test('asks nobody without a terminal, and does nothing then', async () => {
    await stage.refused('revoke phone', 2, 'usage')
    await stage.refused('phone revoke phone', 2, 'usage')
    await stage.refused('person remove sitter', 2, 'usage')
    assert.equal(stage.people.revocations.length, 0)
  })

  test('an id that begins like a flag is named as any other', async () => {
    const texts = ['-46sGqlTAtg', '-56sGqlTAtg']
    const ids = texts.map((text) => Uint8Array.fromBase64(text, { alphabet: 'base64url' }))
    const body = {
      type: 'grant',
      name: 'x',
      devices: [],
      what: [{ affordance: 1, methods: 1 }],
      leaseS: 0,
    }
    for (const id of ids)
      stage.people.grants.push(
        open(stage.people.seal({ ...body, id, key: phone.key }, stage.home.owner), 'grant'),
      )
    await stage.done(`revoke ${texts[0]}`)
    await stage.done(`revoke grant:${texts[1]}`)
    assert.deepEqual(entries().toSorted(), ids.map(toHex).toSorted())
  })

  test('a person and a phone of one name are told apart', async () => {
    stage.people.phone('sitter', 'sitter')
    await stage.done('grant sitter front-door unlock')
    await stage.refused('revoke sitter', 3, 'conflict')
    await stage.done('revoke person:sitter')
    assert.deepEqual(entries(), [toHex(stage.people.grants[0]!.body.id)])
  })

  test('what is not there is exit 5', async () => {
    await stage.refused('revoke grant:phone', 5, 'not-found')
    await stage.refused('revoke nobody', 5, 'not-found')
    await stage.refused('revoke AAAAAAAAAAA', 5, 'not-found')
    await stage.refused('revoke', 2, 'usage')
  })

  const fill = (count: number, of: (at: number) => object = () => ({})) => {
    const ids = Array.from({ length: count }, () => systemRandom.bytes(8))
    for (const [at, id] of ids.entries()) {
      const body = {
        type: 'grant',
        name: 'x',
        id,
        devices: [],
        what: [{ affordance: 1, methods: 1 }],
        leaseS: 0,
      }
      const frame = stage.people.seal({ ...body, key: phone.key, ...of(at) }, stage.home.owner)
      stage.people.grants.push(open(frame, 'grant'))
    }
    stage.people.revocations.push(
      open(stage.people.seal({ type: 'revocation', entries: ids }, stage.home.owner), 'revocation'),
    )
  }

  test('a full list leaves out grants that have ended, and only those', async () => {
    fill(80, (at) => (at < 5 ? { expiresAt: 1_700_000_000 } : {}))
    const { grant } = await stage.done('grant sitter front-door unlock')
    await stage.done(`revoke ${grant.id}`)
    const { body, frame } = stage.people.revocations.at(-1)!
    assert.equal(body.entries.length, 76)
    assert.ok(frame.length <= 1024)
  })

  test('a list that is full of what could still be used is refused, with what to do; nothing is lost', async () => {
    fill(80)
    const { grant } = await stage.done('grant sitter front-door unlock')
    const { next } = await stage.refused(`revoke ${grant.id}`, 3, 'grants-full')
    assert.match(next, /revoke --start-over/)
    assert.equal(stage.people.revocations.length, 1)
  })

  test('--start-over keeps what it cannot know to be its own', async () => {
    const other = systemRandom.bytes(8)
    stage.people.revocations.push(
      open(stage.people.seal({ type: 'revocation', entries: [other] }, stage.home.owner), 'revocation'),
    )
    await stage.done('revoke --start-over')
    assert.deepEqual(entries(), [toHex(other)])
  })

  test('--start-over keeps what another owner copied under the same id: this floor does not reach it', async () => {
    const { grant } = await stage.done('grant sitter front-door unlock')
    const [own] = stage.people.grants
    const { audience: _a, sealedAt: _s, epoch: _e, sequence: _q, ...body } = own!.body
    const tablet = stage.people.phone('tablet', 'sitter')
    const copy = stage.people.seal({ ...body, key: tablet.key }, stage.people.owner('anna'))
    stage.people.grants.unshift(open(copy, 'grant'))
    await stage.done(`revoke ${grant.id}`)
    await stage.done('revoke --start-over')
    assert.deepEqual(entries(), [toHex(own!.body.id)])
  })

  test('--start-over takes over what another owner copied, so that its uses stay one count', async () => {
    await stage.done('grant sitter front-door unlock --uses 2 --until 1d')
    const [own] = stage.people.grants
    const { audience: _a, sealedAt: _s, epoch: _e, sequence: _q, ...body } = own!.body
    const tablet = stage.people.phone('tablet', 'sitter')
    const copy = stage.people.seal({ ...body, key: tablet.key }, stage.people.owner('anna'))
    stage.people.grants.push(open(copy, 'grant'))
    await stage.done('revoke --start-over')
    const anew = stage.people.grants.slice(2)
    assert.deepEqual(
      anew.map((grant) => [idOf(grant.signer), idOf(grant.body.key!)]),
      [phone, tablet].map(({ key }) => [idOf(stage.home.owner.key), idOf(key)]),
    )
    assert.equal(new Set(anew.map((grant) => toHex(grant.body.id))).size, 1)
    assert.deepEqual(entries(), [toHex(own!.body.id)])
  })

  test('--start-over seals what holds anew, voids the rest by the floor, and keeps keys', async () => {
    fill(60, () => ({ sealedAt: 1_700_000_000 }))
    await stage.done('grant sitter front-door unlock')
    const living = stage.people.grants.at(-1)!.body
    const tablet = stage.people.phone('tablet', 'sitter')
    await stage.done('revoke tablet --yes')
    const before = stage.people.grants.length
    const { sealed, entries: left } = await stage.done('revoke --start-over')
    const { body } = stage.people.revocations.at(-1)!
    assert.deepEqual([sealed, left, body.entries.map(toHex)], [1, 1, [toHex(tablet.key)]])
    const anew = stage.people.grants.slice(before)
    assert.deepEqual(
      anew.map(({ body }) => [body.what, idOf(body.key!)]),
      [[living.what, idOf(living.key!)]],
    )
    assert.notEqual(toHex(anew[0]!.body.id), toHex(living.id))
    assert.ok(anew[0]!.body.sealedAt >= body.floor!)
    assert.ok(stage.people.grants[0]!.body.sealedAt < body.floor!)
  })
})
