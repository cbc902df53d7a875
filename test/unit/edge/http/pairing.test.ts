// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { toBase64url } from '../../../../daemon/base/bytes.ts'
import { systemRandom } from '../../../../daemon/base/random.ts'
import type { Answer } from '../../../support/http-home.ts'
import { holderFrame, pairingFrame, pairingKeys } from '../../../support/papers.ts'
import { openPeopleHome, type PeopleHome } from '../../../support/people-home.ts'
import type { Sealer } from '../../../support/request.ts'
import { until } from '../../../support/until.ts'

const code = ({ status, json }: Answer) => [status, json.code]

let home: PeopleHome
let person: Uint8Array
beforeEach(async () => {
  home = await openPeopleHome()
  person = await home.person('eve')
})
afterEach(() => home[Symbol.asyncDispose]())

async function confirm(phone: Sealer): Promise<void> {
  const frame = holderFrame(home.owner, { key: phone.signer.key, person })
  const { status, text } = await home.send('PUT', `/holders/${phone.id}`, frame, home.owner)
  assert.equal(status, 200, text)
}

describe('a phone joins [SPEC 13.3 to 13.5]', () => {
  it('asks, waits, is confirmed, and may ask from then on', async () => {
    const { keys, path } = await home.pairing(person)
    const phone = home.newSealer()
    const watching = await home.watch(home.owner, path)
    await until('the pairing is open', () => watching.events('pairing').length === 1)
    const waiting = home.pair(path, phone, keys, '?wait=25')
    await until('the owner is told', () => watching.events('pairing').length === 2)
    await confirm(phone)
    const answer = await waiting
    await watching.ended
    assert.deepEqual([answer.status, answer.json.state], [200, 'confirmed'])
    const states = watching.events('pairing').map(({ state, key }) => [state, key])
    assert.deepEqual(states, [
      ['open', undefined],
      ['asked', phone.id],
      ['confirmed', phone.id],
    ])
    assert.equal((await home.get('/home', phone)).status, 200)
  })

  it('is told at once that it is not confirmed yet, and the same phone may ask again', async () => {
    const { keys, path } = await home.pairing(person)
    const phone = home.newSealer()
    for (const _ of [1, 2]) {
      const answer = await home.pair(path, phone, keys)
      assert.deepEqual([answer.status, answer.json.state], [202, 'unconfirmed'])
    }
    assert.deepEqual(code(await home.get('/home', phone)), [401, 'unauthorized'])
    await confirm(phone)
    assert.equal((await home.pair(path, phone, keys)).status, 200)
  })

  it('learns that it was declined, and nobody else may use the code then', async () => {
    const { keys, path } = await home.pairing(person)
    const phone = home.newSealer()
    const waiting = home.pair(path, phone, keys, '?wait=25')
    await until('it has asked', () => home.home.home.pairings.get(keys.pairing)!.key !== undefined)
    assert.equal((await home.delete(path, home.owner)).status, 204)
    assert.deepEqual(code(await waiting), [403, 'not-permitted'])
    assert.deepEqual(code(await home.pair(path, home.newSealer(), keys)), [409, 'permit-used'])
    assert.deepEqual(code(await home.delete(path, home.owner)), [409, 'conflict'])
  })

  it('an address of its own goes with it, and with no other phone', async () => {
    for (const name of ['eves', 'bobs']) await home.json('PUT', `/invitations/${name}`, {}, home.owner)
    const phones: Sealer[] = []
    for (const name of ['eves', 'bobs']) {
      const { keys, path } = await home.pairing(person, home.owner, name)
      const phone = home.newSealer()
      await home.pair(path, phone, keys)
      await confirm(phone)
      phones.push(phone)
    }
    await home.revoke(phones[0]!.signer.key)
    await until('it is withdrawn', () => home.home.withdrawn.length > 0)
    assert.deepEqual(home.home.withdrawn, ['invitation:eves'])
    assert.equal((await home.get('/home', phones[1]!)).status, 200)
  })

  it('all of it is in the log', async () => {
    const { keys, path } = await home.pairing(person)
    const phone = home.newSealer()
    await home.pair(path, phone, keys)
    await confirm(phone)
    const kinds = (await home.log('?who=eve')).map(({ kind }) => kind)
    assert.deepEqual(kinds, ['person', 'pairing', 'asked', 'holder'])
  })
})

describe('who pairs not', () => {
  it('somebody without the secret, with the answer of one who knows no such pairing', async () => {
    const { keys, path } = await home.pairing(person)
    const wrong = { ...keys, hub: systemRandom.bytes(32) }
    assert.deepEqual(code(await home.pair(path, home.newSealer(), wrong)), [403, 'bad-proof'])
    const nowhere = pairingKeys(systemRandom.bytes(16))
    const other = `/pairings/${toBase64url(nowhere.pairing)}`
    assert.deepEqual(code(await home.pair(other, home.newSealer(), nowhere)), [404, 'permit-unknown'])
    assert.deepEqual(code(await home.pair('/pairings/x', home.newSealer(), keys)), [400, 'bad-request'])
  })

  it('a second phone with the same code', async () => {
    const { keys, path } = await home.pairing(person)
    await home.pair(path, home.newSealer(), keys)
    assert.deepEqual(code(await home.pair(path, home.newSealer(), keys)), [409, 'permit-used'])
  })

  it('one that guesses: after ten wrong tries not even the right code, and the log shows them', async () => {
    const { keys, path } = await home.pairing(person)
    for (let i = 0; i < 10; i++) {
      const wrong = { ...keys, hub: systemRandom.bytes(32) }
      assert.equal((await home.pair(path, home.newSealer(), wrong)).json.code, 'bad-proof')
    }
    assert.deepEqual(code(await home.pair(path, home.newSealer(), keys)), [429, 'too-many-tries'])
    const tries = (await home.log()).filter(({ kind, code }) => kind === 'refused' && code === 'bad-proof')
    assert.equal(tries.length, 10)
  })

  it('anything that is no pair, and a pair for another home', async () => {
    const { keys, path } = await home.pairing(person)
    const frames: [string, Promise<Answer>][] = [
      ['cbor-truncated', home.send('POST', `${path}/pair`, Uint8Array.of(0xd2))],
      ['unknown-signer', home.send('POST', `${path}/pair`, home.owner.request({ method: 'GET', path: '/' }))],
      ['wrong-audience', home.pair(path, home.newSealer(), keys, '', { audience: home.newSealer().id })],
    ]
    for (const [why, answer] of frames) assert.equal((await answer).json.code, why)
  })

  for (const [what, query] of [
    ['too long', '?wait=26'],
    ['not a number', '?wait=x'],
    ['twice', '?wait=1&wait=2'],
  ] as const) {
    it(`one that would wait ${what}`, async () => {
      const { keys, path } = await home.pairing(person)
      assert.deepEqual(code(await home.pair(path, home.newSealer(), keys, query)), [400, 'bad-request'])
    })
  }
})

describe('who opens no pairing', () => {
  it('a stranger, and a phone that may not share', async () => {
    assert.equal((await home.json('POST', '/pairings', {})).status, 401)
    const phone = await home.phone(person)
    assert.deepEqual(code((await home.pairing(person, phone)).answer), [403, 'forbidden'])
  })

  it('an owner for nobody, twice, too long, or with what is not bytes', async () => {
    const keys = pairingKeys(systemRandom.bytes(16))
    const open = (said: object, more: object = {}) => {
      const pairing = toBase64url(pairingFrame(home.owner, { pairing: keys.pairing, person, ...said }))
      return home.json('POST', '/pairings', { pairing, proof: toBase64url(keys.hub), ...more }, home.owner)
    }
    assert.deepEqual(code(await open({ person: systemRandom.bytes(8) })), [404, 'not-found'])
    const now = Math.floor(Date.now() / 1000)
    assert.deepEqual(code(await open({ expiresAt: now + 901 })), [400, 'bad-claims'])
    assert.deepEqual(code(await open({ expiresAt: now - 1 })), [409, 'expired'])
    assert.deepEqual(code(await open({}, { proof: '=' })), [400, 'bad-request'])
    assert.deepEqual(code(await open({}, { extra: 1 })), [400, 'bad-request'])
    assert.deepEqual(code(await open({}, { invitation: 'nobody' })), [404, 'not-found'])
    assert.equal((await open({})).status, 201)
    assert.deepEqual(code(await open({})), [409, 'conflict'])
  })

  it('one who may share sees and ends its own pairings alone', async () => {
    const phone = await home.phone(person)
    await home.grant(phone, { share: 1 })
    const theirs = await home.pairing(person)
    assert.deepEqual(code(await home.get(theirs.path, phone, { accept: 'application/json' })), [
      404,
      'permit-unknown',
    ])
    assert.deepEqual(code(await home.delete(theirs.path, phone)), [404, 'permit-unknown'])
    const guest = await home.person('sam', phone)
    const own = await home.pairing(guest, phone)
    assert.equal(own.answer.status, 201)
    const seen = await home.get(own.path, phone, { accept: 'application/json' })
    assert.deepEqual([seen.json.state, seen.json.name], ['open', 'phone'])
    assert.deepEqual(code((await home.pairing(person, phone)).answer), [403, 'forbidden'])
  })
})
