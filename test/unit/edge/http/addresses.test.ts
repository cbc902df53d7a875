// SPDX-License-Identifier: GPL-3.0-or-later
/** Onion addresses for phones that somebody lets in who is no owner (SPEC 9.3, 13.3). */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { toBase64url } from '../../../../daemon/base/bytes.ts'
import { systemClock } from '../../../../daemon/base/clock.ts'
import { systemRandom } from '../../../../daemon/base/random.ts'
import type { Answer } from '../../../support/http-home.ts'
import { holderFrame, newId, pairingFrame, pairingKeys } from '../../../support/papers.ts'
import { openPeopleHome, type PeopleHome } from '../../../support/people-home.ts'
import type { Sealer } from '../../../support/request.ts'
import { until } from '../../../support/until.ts'

const code = ({ status, json }: Answer) => [status, json.code]

let home: PeopleHome
beforeEach(async () => {
  home = await openPeopleHome()
})
afterEach(() => home[Symbol.asyncDispose]())

/** Somebody with a phone who may pass on, and a person whom they brought in. */
async function sharer(name = 'sam') {
  const phone = await home.phone(await home.person(name))
  await home.grant(phone, { share: 1 })
  return { phone, guest: await home.person(`${name}'s guest`, phone) }
}

async function opened(by: Sealer, person: Uint8Array, said: object = {}, more: object = { address: true }) {
  const keys = pairingKeys(systemRandom.bytes(16))
  const frame = pairingFrame(by, { pairing: keys.pairing, person, name: 'Gäst’s Phone', ...said })
  const body = { pairing: toBase64url(frame), proof: toBase64url(keys.hub), ...more }
  const answer = await home.json('POST', '/pairings', body, by)
  return {
    answer,
    keys,
    path: `/pairings/${toBase64url(keys.pairing)}`,
    invitation: answer.json.invitation! as string,
  }
}

async function letIn(by: Sealer, person: Uint8Array) {
  const { keys, path, invitation } = await opened(by, person)
  const phone = home.newSealer()
  assert.equal((await home.pair(path, phone, keys)).status, 202)
  const frame = holderFrame(by, { key: phone.signer.key, person })
  assert.equal((await home.send('PUT', `/holders/${phone.id}`, frame, by)).status, 200)
  return { phone, invitation }
}

const invitations = async () =>
  ((await home.get('/invitations', home.owner)).json as unknown as { name: string }[]).map(({ name }) => name)
const isWithdrawn = (name: string) =>
  until(`${name} is withdrawn`, () => home.home.withdrawn.includes(`invitation:${name}`))

describe('an address for a phone that is let in', () => {
  it('is made for one who may pass on; owners see it, and the log says who had it made', async () => {
    const { phone, guest } = await sharer()
    const { answer, invitation } = await opened(phone, guest)
    assert.equal(answer.status, 201)
    assert.match(answer.json.address!, /^[a-z2-7]{56}\.onion$/)
    assert.match(invitation, /^g-st-s-phone-[0-9a-f]{16}$/)
    assert.deepEqual(await invitations(), [invitation])
    const [entry] = (await home.log()).filter(({ kind }) => kind === 'invited')
    assert.deepEqual([entry!.signer, entry!.note], [phone.id, `invitation:${invitation}`])
  })

  it('is made for an owner, too', async () => {
    const { answer, invitation } = await opened(home.owner, await home.person('eve'))
    assert.equal(answer.status, 201)
    assert.deepEqual(await invitations(), [invitation])
  })

  it('goes with its phone, when an owner takes that back', async () => {
    const { phone, guest } = await sharer()
    const { phone: taken, invitation } = await letIn(phone, guest)
    await letIn(phone, guest)
    await home.revoke(taken.signer.key)
    await isWithdrawn(invitation)
    assert.equal((await invitations()).length, 1)
  })

  it('goes when who let it in is taken back', async () => {
    const { phone, guest } = await sharer()
    const { invitation } = await letIn(phone, guest)
    await home.revoke(phone.signer.key)
    await isWithdrawn(invitation)
  })

  it('goes at once with a pairing that is declined, and when nobody came in time', async () => {
    const { phone, guest } = await sharer()
    const declined = await opened(phone, guest)
    assert.equal((await home.delete(declined.path, phone)).status, 204)
    await isWithdrawn(declined.invitation)
    const expiresAt = Math.floor(systemClock.now() / 1000) + 1
    const late = await opened(phone, guest, { expiresAt })
    const tidy = () => home.home.home.desk.pairings.tidy()
    const kept = await opened(phone, guest)
    await until('it is too late', () => systemClock.now() > expiresAt * 1000)
    tidy()
    await isWithdrawn(late.invitation)
    assert.deepEqual(await invitations(), [kept.invitation])
  })

  it('stays, when it was an owner’s own before, and its pairing comes to nothing', async () => {
    await home.json('PUT', '/invitations/owner', {}, home.owner)
    const { path } = await opened(home.owner, await home.person('eve'), {}, { invitation: 'owner' })
    assert.equal((await home.delete(path, home.owner)).status, 204)
    assert.deepEqual([await invitations(), home.home.withdrawn], [['owner'], []])
  })

  it('may be taken back by who let the phone in, and by nobody else who passes on', async () => {
    const { phone, guest } = await sharer()
    const other = await sharer('tom')
    const { invitation } = await opened(phone, guest)
    await home.json('PUT', '/invitations/owner', {}, home.owner)
    for (const [name, by] of [
      [invitation, other.phone],
      ['owner', phone],
      ['nobody', phone],
    ] as const) {
      assert.deepEqual(code(await home.delete(`/invitations/${name}`, by)), [404, 'not-found'])
    }
    assert.equal((await home.delete(`/invitations/${invitation}`, phone)).status, 204)
    assert.deepEqual(await invitations(), ['owner'])
  })
})

describe('who gets no address for a phone', () => {
  it('one who has let in eight already, also when asking for many at once; the log says so', async () => {
    const { phone, guest } = await sharer()
    const answers = await Promise.all(Array.from({ length: 12 }, () => opened(phone, guest)))
    const statuses = answers.map(({ answer }) => answer.status).sort()
    assert.deepEqual(statuses, [...Array(8).fill(201), ...Array(4).fill(429)])
    assert.equal((await invitations()).length, 8)
    const refused = (await home.log()).filter(({ kind }) => kind === 'refused')
    assert.deepEqual(
      refused.map(({ signer, code }) => [signer, code]),
      Array(4).fill([phone.id, 'too-many-requests']),
    )
    const other = await sharer('tom')
    assert.equal((await opened(other.phone, other.guest)).answer.status, 201)
    assert.equal((await opened(home.owner, guest)).answer.status, 201)
    await home.delete(answers.find(({ answer }) => answer.status === 201)!.path, phone)
    assert.equal((await opened(phone, guest)).answer.status, 201)
  })

  it('anybody, when all who pass on have let in sixty-four', async () => {
    for (let each = 0; each < 8; each++) {
      const { phone, guest } = await sharer(`sam ${each}`)
      await Promise.all(Array.from({ length: 8 }, () => opened(phone, guest)))
    }
    const { phone, guest } = await sharer('tom')
    assert.deepEqual(code((await opened(phone, guest)).answer), [429, 'too-many-requests'])
    assert.equal((await opened(home.owner, guest)).answer.status, 201)
  })

  it('one who may not pass on, or for a person whom somebody else brought in', async () => {
    const person = await home.person('eve')
    const plain = await home.phone(person)
    assert.deepEqual(code((await opened(plain, person)).answer), [403, 'forbidden'])
    const { phone } = await sharer()
    assert.deepEqual(code((await opened(phone, person)).answer), [403, 'forbidden'])
    assert.deepEqual(code((await opened(phone, newId())).answer), [404, 'not-found'])
    assert.deepEqual(await invitations(), [])
  })

  it('one who names phone and pairing so that another’s invitation is meant: that stays, and stays unknown', async () => {
    const { phone, guest } = await sharer()
    const pairing = newId()
    const name = `x-${Buffer.from(pairing).toString('hex')}`
    const body = { authorised: false }
    assert.equal((await home.json('PUT', `/invitations/${name}`, body, home.owner)).status, 200)
    const { answer } = await opened(phone, guest, { name: 'X', pairing })
    assert.deepEqual([...code(answer), /onion/.test(answer.text)], [409, 'conflict', false])
    assert.deepEqual(code(await home.delete(`/invitations/${name}`, phone)), [404, 'not-found'])
    home.home.home.desk.pairings.tidy()
    assert.deepEqual([await invitations(), home.home.withdrawn], [[name], []])
  })

  it('one whose right to pass on was taken back', async () => {
    const phone = await home.phone(await home.person('sam'))
    const grant = await home.grant(phone, { share: 1 })
    const guest = await home.person('guest', phone)
    await home.revoke(grant)
    assert.deepEqual(code((await opened(phone, guest)).answer), [403, 'forbidden'])
    assert.deepEqual(await invitations(), [])
  })

  it('who asks for it in another way, or names an address that is another’s', async () => {
    const { phone, guest } = await sharer()
    await home.json('PUT', '/invitations/owner', {}, home.owner)
    for (const [more, status] of [
      [{ address: false }, 400],
      [{ address: 1 }, 400],
      [{ address: 'x.onion' }, 400],
      [{ address: true, invitation: 'owner' }, 400],
      [{ invitation: 'owner' }, 403],
    ] as const) {
      assert.equal((await opened(phone, guest, {}, more)).answer.status, status, JSON.stringify(more))
    }
    assert.equal((await home.json('PUT', '/invitations/mine', {}, phone)).status, 403)
    assert.equal((await home.get('/invitations', phone)).status, 403)
    assert.deepEqual(await invitations(), ['owner'])
  })
})
