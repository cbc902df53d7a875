// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * What an attacker tries at a home's API: each is refused by its code, and the owner can see the try in the log of acts. What only
 * a device can refuse is in test/live/front-door.test.ts, the guessing of codes in pairing.test.ts and tokens.test.ts.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { toBase64url } from '../../../../daemon/base/bytes.ts'
import { idOf, type PartyId } from '../../../../daemon/core/model/index.ts'
import { ask, newSigner } from '../../../support/http-home.ts'
import { DAY_S, grantFrame, newId, personFrame, READ, WRITE } from '../../../support/papers.ts'
import { openPeopleHome, type PeopleHome } from '../../../support/people-home.ts'
import { Sealer } from '../../../support/request.ts'

describe('an attack is refused, and is in the log', () => {
  let home: PeopleHome
  let phone: Sealer
  let person: Uint8Array
  let grant: Uint8Array
  before(async () => {
    home = await openPeopleHome({ unprovenBurst: 1e6, faceUnprovenBurst: 1e6 })
    person = await home.person('eve')
    phone = await home.phone(person)
    grant = await home.grant(phone, { share: 1 })
  })
  after(() => home[Symbol.asyncDispose]())

  /** The latest entry, which must be a refusal. */
  async function logged(code: string, origin = 'unix'): Promise<Record<string, unknown>> {
    const last = (await home.log('?limit=1')).at(-1)!
    assert.deepEqual([last.kind, last.code, last.origin], ['refused', code, origin])
    return last
  }
  const send = (header: Uint8Array, path = '/things') =>
    ask({
      socketPath: home.socketPath,
      path,
      headers: { authorization: `Shallot ${Buffer.from(header).toString('base64url')}` },
    })
  const put = (body: Uint8Array, path = '/things/porch-light/properties/on', as?: Sealer) =>
    home.send('PUT', path, body, as)
  const command = (said: object, by = phone) =>
    by.command({
      device: home.home.light.id,
      nonce: home.home.light.nonce,
      affordance: 1,
      value: true,
      ...said,
    })

  describe('widen a chain', () => {
    const both = [1, 2].map((affordance) => ({ affordance, methods: READ | WRITE }))
    for (const [what, code, said] of [
      ['more to do', 'grant-wider', { what: [...both, { affordance: 5, methods: 2 }] }],
      ['a later end', 'grant-wider', { expiresAt: Math.floor(Date.now() / 1000) + 2 * DAY_S }],
      ['no end', 'grant-wider', { expiresAt: undefined as never }],
      ['one more link', 'grant-chain', { share: 1 }],
      ['two more links', 'grant-chain', { share: 2 }],
      ['a parent that somebody else holds', 'grant-chain', { parent: newId() }],
    ] as const) {
      it(`by ${what}: ${code}`, async () => {
        const frame = grantFrame(phone, { key: newSigner().key, parent: grant, ...said })
        assert.equal((await home.send('POST', '/grants', frame, phone)).json.code, code)
        assert.equal((await logged(code)).signer, phone.id)
      })
    }

    it('by the id of another grant: conflict', async () => {
      const other = await home.grant(home.newSealer())
      const frame = grantFrame(phone, { key: newSigner().key, parent: grant, id: other })
      assert.equal((await home.send('POST', '/grants', frame, phone)).json.code, 'conflict')
      await logged('conflict')
    })

    it('by an owner’s seal that is none: unknown-signer', async () => {
      const frame = grantFrame(phone, { key: phone.signer.key })
      assert.equal((await home.send('POST', '/grants', frame, phone)).json.code, 'unknown-signer')
      await logged('unknown-signer')
    })
  })

  describe('take all the room there is', () => {
    it('for grants: grants-full after 256, and an owner still grants', async () => {
      const greedy = await home.phone(person, home.owner, 'greedy phone')
      const parent = await home.grant(greedy, { share: 1 })
      for (let count = 0; count < 256; count++) await home.grant(home.newSealer(), { parent }, greedy)
      const frame = grantFrame(greedy, { key: newSigner().key, parent })
      assert.equal((await home.send('POST', '/grants', frame, greedy)).json.code, 'grants-full')
      await logged('grants-full')
      await home.grant(home.newSealer())
      await home.revoke(parent)
    })

    it('for people: too-many-requests after 256, also when each was removed again', async () => {
      const greedy = await home.phone(person, home.owner, 'another phone')
      await home.grant(greedy, { share: 1 })
      for (let count = 0; count < 256; count++) {
        const id = await home.person(`friend ${count}`, greedy)
        assert.equal((await home.delete(`/people/${toBase64url(id)}`, greedy)).status, 204)
      }
      const frame = personFrame(greedy, { name: 'one more', person: new Uint8Array(8) })
      assert.equal((await put(frame, '/people/AAAAAAAAAAA', greedy)).json.code, 'too-many-requests')
      await logged('too-many-requests')
    })
  })

  describe('use something twice, or elsewhere', () => {
    it('the same request: replayed', async () => {
      const header = phone.request({ method: 'GET', path: '/things' })
      assert.equal((await send(header)).status, 200)
      const again = await send(header)
      assert.deepEqual([again.status, again.json.reason], [401, 'replayed'])
      assert.equal((await logged('replayed')).signer, phone.id)
    })

    it('a request for something else than was sealed: unauthorized', async () => {
      const header = phone.request({ method: 'GET', path: '/things' })
      assert.equal((await send(header, '/people')).status, 401)
      await logged('unauthorized')
    })

    it('the same command: replayed', async () => {
      const frame = command({ grant })
      assert.equal((await put(frame)).status, 200)
      assert.equal((await put(frame)).json.code, 'replayed')
      await logged('replayed')
    })

    it('a command for another device: wrong-audience', async () => {
      const frame = command({ grant, device: home.home.sensor.id })
      const { json } = await put(frame)
      assert.equal(json.code, 'wrong-audience')
      await logged('wrong-audience')
    })

    it('a command for another property than the one it is sent to: bad-request', async () => {
      assert.equal((await put(command({ grant, affordance: 2, value: 1 }))).json.code, 'bad-request')
      await logged('bad-request')
    })

    it('a command for an earlier life of the device: stale-nonce', async () => {
      assert.equal((await put(command({ grant, nonce: new Uint8Array(8) }))).json.code, 'stale-nonce')
      await logged('stale-nonce')
    })

    it('a request for another home: wrong-audience', async () => {
      const elsewhere = new Sealer(phone.signer, idOf(newSigner().key) as PartyId)
      const answer = await send(elsewhere.request({ method: 'GET', path: '/things' }))
      assert.equal(answer.json.reason, 'wrong-audience')
      await logged('wrong-audience')
    })

    it('a grant for another home: wrong-audience', async () => {
      const elsewhere = new Sealer(home.owner.signer, idOf(newSigner().key) as PartyId)
      const frame = grantFrame(elsewhere, { key: phone.signer.key })
      assert.equal((await home.send('POST', '/grants', frame, home.owner)).json.code, 'wrong-audience')
      await logged('wrong-audience')
    })

    it('a command by a grant of somebody else: unknown-signer, by whom it claims to be', async () => {
      const thief = home.newSealer()
      assert.equal((await put(command({ grant }, thief))).json.reason, 'unknown-signer')
      assert.match((await logged('unknown-signer')).note as string, new RegExp(thief.id))
    })

    it('a command with one bit turned: bad-signature', async () => {
      const frame = command({ grant })
      frame[frame.length - 1]! ^= 1
      assert.equal((await put(frame)).json.reason, 'bad-signature')
      await logged('bad-signature')
    })
  })

  describe('lie about the time', () => {
    for (const [what, code, sealedAt, expiresAt] of [
      ['that has passed', 'expired', -100, -10],
      ['that has not come', 'not-yet', 3600, 3660],
    ] as const) {
      it(`with a request of a time ${what}: ${code}`, async () => {
        const now = Math.floor(Date.now() / 1000)
        const times = { sealedAt: now + sealedAt, expiresAt: now + expiresAt }
        const answer = await send(phone.request({ method: 'GET', path: '/things', ...times }))
        assert.equal(answer.json.reason, code)
        await logged(code)
      })
    }
  })

  describe('come back', () => {
    it('as a phone that was taken back: grant-revoked, for a request and for a command', async () => {
      const lost = await home.phone(person, home.owner, 'lost phone')
      const held = await home.grant(lost)
      await home.revoke(lost.signer.key)
      assert.equal((await home.get('/things', lost)).json.reason, 'grant-revoked')
      assert.match((await logged('grant-revoked')).note as string, /lost phone/)
      assert.equal((await put(command({ grant: held }, lost))).json.reason, 'grant-revoked')
      await logged('grant-revoked')
    })

    it('as nobody: a request by a key that no owner brought in is unknown-signer', async () => {
      assert.equal((await home.get('/things', home.newSealer())).json.reason, 'unknown-signer')
      await logged('unknown-signer')
    })
  })

  describe('come by the wrong way', () => {
    it('a name that was made to point at us: 421', async () => {
      const headers = { host: 'evil.example', origin: 'http://evil.example' }
      assert.equal((await home.get('/status', home.owner, headers)).status, 421)
      await logged('forbidden')
    })

    it('a page of another origin: forbidden', async () => {
      const { json } = await home.get('/status', home.owner, { origin: 'http://evil.example' })
      assert.equal(json.code, 'forbidden')
      await logged('forbidden')
    })

    it('one device’s address, asked for another device, or for more than devices: not-found', async () => {
      const { light } = home.home
      const origin = `onion:device:${light.id}`
      const face = await home.home.unix({ origin, only: light.id })
      for (const path of ['/things/weather', '/people']) {
        const answer = await ask({ socketPath: face.socketPath, path, as: home.owner })
        assert.equal(answer.status, 404)
        await logged('forbidden', origin)
      }
    })
  })

  describe('a name with markup or control characters', () => {
    const markup = '<img src=x onerror=alert(1)>'
    it('is text, in every answer', async () => {
      const id = newId()
      const frame = personFrame(home.owner, { name: markup, person: id })
      assert.equal((await put(frame, `/people/${toBase64url(id)}`, home.owner)).status, 200)
      const answer = await home.get('/people', home.owner)
      assert.match(String(answer.headers['content-type']), /^application\/json/)
      assert.equal(answer.headers['x-content-type-options'], 'nosniff')
      assert.ok(answer.text.includes(JSON.stringify(markup)))
    })

    for (const name of ['a\u0000b', 'a\u001b[2Jb', 'a\u202eb', 'a\nb']) {
      it(`is refused for ${JSON.stringify(name)}: bad-claims`, async () => {
        const id = newId()
        const frame = personFrame(home.owner, { name, person: id })
        assert.equal((await put(frame, `/people/${toBase64url(id)}`, home.owner)).json.code, 'bad-claims')
        await logged('bad-claims')
      })
    }
  })

  it('and after all that the log is whole', async () => {
    assert.equal((await home.get('/log/verify', home.owner)).json.broken, undefined)
  })
})
