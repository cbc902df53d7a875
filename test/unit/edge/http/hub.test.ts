// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import { fromBase64url, toBase64url } from '../../../../daemon/base/bytes.ts'
import { systemClock } from '../../../../daemon/base/clock.ts'
import { systemRandom } from '../../../../daemon/base/random.ts'
import { type Enrolment, type Permit, sealEnvelope } from '../../../../daemon/core/envelope/index.ts'
import { type Ask, ask, begin, newSigner, openTestHome, type TestHome } from '../../../support/http-home.ts'
import { ManualClock } from '../../../support/manual-clock.ts'
import { Sealer } from '../../../support/request.ts'
import { until } from '../../../support/until.ts'

describe('enrolments, onion services and the hub over HTTP [SPEC 7, 9.3, 10]', () => {
  let home: TestHome
  let socketPath: string
  const jsonType = { 'content-type': 'application/json' }
  const owned = (options: Omit<Ask, 'socketPath'>) => ask({ socketPath, as: home.owner, ...options })
  const permitFrame = (permit: Uint8Array, name: string, by = home.owner, lifetimeS = 900) => {
    const claims = by.claims()
    const body: Permit = { type: 'permit', ...claims, name, permit, expiresAt: claims.sealedAt + lifetimeS }
    return sealEnvelope(body, by.signer)
  }
  const hand = (frame: Uint8Array, proof = systemRandom.bytes(32)) =>
    owned({
      method: 'POST',
      path: '/enrolments',
      body: JSON.stringify({ permit: toBase64url(frame), proof: toBase64url(proof) }),
      headers: jsonType,
    })

  before(async () => {
    home = await openTestHome()
    socketPath = (await home.unix()).socketPath
  })
  after(() => home[Symbol.asyncDispose]())

  it('a permit goes in once, and its state is told as events until it is used', async () => {
    const permit = systemRandom.bytes(8)
    const frame = permitFrame(permit, 'garden')
    const opened = await hand(frame)
    assert.deepEqual([opened.status, opened.headers.location], [201, `/enrolments/${toBase64url(permit)}`])
    assert.equal((await hand(frame)).status, 409)
    const path = `/enrolments/${toBase64url(permit)}`
    const { answer } = await begin({ socketPath, path, as: home.owner })
    const told: string[] = []
    answer.setEncoding('utf8').on('data', (part) => told.push(part))
    while (!told.join('').includes('"open"')) await systemClock.sleep(5)
    const key = newSigner().key
    const device = {
      id: new Sealer({ key, sign: () => new Uint8Array() }, home.owner.home).id,
      name: 'garden',
      board: 'host',
      firmware: 'light 1',
      affordances: [1],
      permit,
      enrol: Uint8Array.of(1, 2),
      enrolled: Uint8Array.of(3, 4),
    }
    await home.deviceDesk.enrolled(device)
    await new Promise((resolve) => answer.once('end', resolve))
    assert.match(told.join(''), /event: enrolment\ndata: .*"state":"used".*"enrol":"AQI","enrolled":"AwQ"/)
    const once = await owned({ path, headers: { accept: 'application/json' } })
    assert.deepEqual([once.json.state, once.json.device], ['used', device.id])
    assert.doesNotMatch(once.text, /proof/)

    const record: Enrolment = { type: 'enrolment', ...home.owner.claims(), name: 'garden', key, permit }
    const confirmed = await owned({
      method: 'PUT',
      path: `${path}/record`,
      body: sealEnvelope(record, home.owner.signer),
      headers: { 'content-type': 'application/cose' },
    })
    assert.deepEqual(confirmed.json, { id: device.id, name: 'garden' })
    assert.ok(home.home.devices.get(device.id)!.record)
  })

  it('a permit that runs out while somebody watches is told, and the stream ends', async () => {
    const clock = new ManualClock(systemClock.now())
    await using slow = await openTestHome({}, undefined, undefined, clock)
    const { socketPath } = await slow.unix()
    const permit = systemRandom.bytes(8)
    const body = JSON.stringify({
      permit: toBase64url(permitFrame(permit, 'late', slow.owner)),
      proof: toBase64url(systemRandom.bytes(32)),
    })
    const path = `/enrolments/${toBase64url(permit)}`
    const as = slow.owner
    await ask({ socketPath, as, method: 'POST', path: '/enrolments', body, headers: jsonType })
    const { answer } = await begin({ socketPath, as, path })
    let told = ''
    answer.setEncoding('utf8').on('data', (part) => {
      told += part
    })
    await until('it is told as open', () => told.includes('"open"'))
    clock.advance(901_000)
    await once(answer, 'end')
    assert.match(told, /"state":"open".*"state":"expired"/s)
  })

  const stranger = () => new Sealer(newSigner(), home.owner.home)
  for (const [what, status, code, body] of [
    [
      'a stranger’s permit',
      403,
      'unknown-signer',
      () => [permitFrame(systemRandom.bytes(8), 'x', stranger()), systemRandom.bytes(32)],
    ],
    [
      'the name of another device',
      409,
      'name-taken',
      () => [permitFrame(systemRandom.bytes(8), 'weather'), systemRandom.bytes(32)],
    ],
    [
      'a life too long',
      400,
      'bad-claims',
      () => [permitFrame(systemRandom.bytes(8), 'x', home.owner, 901), systemRandom.bytes(32)],
    ],
    [
      'a short proof key',
      400,
      'bad-request',
      () => [permitFrame(systemRandom.bytes(8), 'x'), systemRandom.bytes(31)],
    ],
    ['no envelope', 400, 'bad-request', () => [new Uint8Array(), systemRandom.bytes(32)]],
  ] as const) {
    it(`POST /enrolments refuses ${what}: ${status} ${code}`, async () => {
      const [frame, proof] = body() as [Uint8Array, Uint8Array]
      const answer = await hand(frame, proof)
      assert.deepEqual([answer.status, answer.json.code], [status, code])
    })
  }

  for (const permit of ['AAAAAAAAAAA', 'AAAA', '-', 'A'.repeat(200)]) {
    it(`GET /enrolments/${permit.slice(0, 20)} of no permit is 404`, async () => {
      assert.equal((await owned({ path: `/enrolments/${permit}` })).json.code, 'permit-unknown')
    })
  }

  it('an invitation gives an address and its key, the same again, and goes', async () => {
    const invited = await owned({ method: 'PUT', path: '/invitations/phone' })
    assert.equal(invited.status, 200)
    assert.match(invited.json.address!, /\.onion$/)
    assert.equal(fromBase64url(invited.json.clientKey!)!.length, 32)
    assert.equal((await owned({ method: 'PUT', path: '/invitations/phone' })).text, invited.text)
    const listed = await owned({ path: '/invitations' })
    assert.equal((listed.json as unknown as object[]).length, 1)
    assert.doesNotMatch(listed.text, /clientKey/)
    assert.equal((await owned({ method: 'DELETE', path: '/invitations/phone' })).status, 204)
    assert.equal((await owned({ method: 'DELETE', path: '/invitations/phone' })).status, 404)
  })

  it('a renewed invitation tells by its old address where it is now, until somebody comes by the new one', async () => {
    await owned({ method: 'PUT', path: '/invitations/watch' })
    const old = (await home.unix({ origin: 'onion:invitation:watch' })).socketPath
    const by = (socketPath: string) => ask({ socketPath, path: '/home', as: home.owner })
    assert.equal((await by(old)).headers['shallot-moved'], undefined)
    const renewed = await owned({ method: 'POST', path: '/invitations/watch/renewal' })
    assert.equal(renewed.status, 200)
    const answer = await by(old)
    assert.equal(answer.headers['shallot-moved'], '1')
    assert.deepEqual(answer.json.moved, {
      address: renewed.json.address,
      clientKey: renewed.json.clientKey,
    })
    const elsewhere = await owned({ path: '/home' })
    assert.deepEqual([elsewhere.headers['shallot-moved'], elsewhere.json.moved], [undefined, undefined])
    const twice = await owned({ method: 'POST', path: '/invitations/watch/renewal' })
    assert.deepEqual([twice.status, twice.json.code], [409, 'conflict'])
    const present = (await home.unix({ origin: 'onion:invitation:watch~1' })).socketPath
    assert.equal((await ask({ socketPath: present, path: '/home' })).status, 401)
    assert.equal((await by(old)).headers['shallot-moved'], '1')
    assert.equal((await by(present)).status, 200)
    await owned({ method: 'PUT', path: '/invitations/watch' })
    assert.ok(home.withdrawn.includes('invitation:watch'))
    assert.equal((await owned({ method: 'DELETE', path: '/invitations/watch' })).status, 204)
  })

  it('an invitation that is not there cannot be renewed', async () => {
    assert.equal((await owned({ method: 'POST', path: '/invitations/nobody/renewal' })).status, 404)
  })

  it('an invitation withdrawn by its own address is answered before it goes', async () => {
    await owned({ method: 'PUT', path: '/invitations/tablet' })
    const own = (await home.unix({ origin: 'onion:invitation:tablet' })).socketPath
    const answer = await ask({
      socketPath: own,
      method: 'DELETE',
      path: '/invitations/tablet',
      as: home.owner,
    })
    assert.equal(answer.status, 202)
    assert.ok(home.withdrawn.includes('invitation:tablet'))
  })

  for (const [path, body, status] of [
    ['/invitations/phone', '{"authorised":1}', 400],
    ['/invitations/phone', '{"authorized":true}', 400],
    ['/invitations/phone', '[]', 400],
    ['/invitations/-phone', undefined, 400],
    [`/invitations/${'x'.repeat(33)}`, undefined, 400],
    ['/exposures/nobody', undefined, 404],
    ['/exposures/weather', '{"authorised":null}', 400],
  ] as const) {
    it(`PUT ${path.slice(0, 30)} ${body ?? ''} is ${status}`, async () => {
      const sent = body === undefined ? {} : { body, headers: jsonType }
      assert.equal((await owned({ method: 'PUT', path, ...sent })).status, status)
    })
  }

  it('a device is exposed without a key when asked so, refuses the other way, and is hidden by name', async () => {
    const body = '{"authorised":false}'
    const exposed = await owned({ method: 'PUT', path: '/exposures/weather', body, headers: jsonType })
    assert.deepEqual([exposed.json.name, exposed.json.clientKey], [home.sensor.id, undefined])
    assert.equal((await owned({ method: 'PUT', path: '/exposures/weather' })).status, 409)
    assert.equal((await owned({ method: 'DELETE', path: '/exposures/weather' })).status, 204)
    assert.equal((await owned({ method: 'DELETE', path: '/exposures/weather' })).status, 404)
    assert.equal((await owned({ method: 'DELETE', path: '/exposures/nobody' })).status, 404)
  })

  it('a device that is forgotten loses its address, too', async () => {
    const other = await openTestHome()
    await using _other = other
    const path = (await other.unix()).socketPath
    await ask({ socketPath: path, method: 'PUT', path: '/exposures/weather', as: other.owner })
    assert.equal(
      (await ask({ socketPath: path, method: 'DELETE', path: '/things/weather', as: other.owner })).status,
      204,
    )
    assert.equal((await ask({ socketPath: path, path: '/things/weather', as: other.owner })).status, 404)
    assert.deepEqual(other.withdrawn, [`device:${other.sensor.id}`])
  })

  it('GET /status tells how the hub is', async () => {
    const { json } = await owned({ path: '/status' })
    assert.equal(json.home, home.owner.home)
    assert.deepEqual(json.devices, { connected: 2, known: 2 })
    assert.ok(Array.isArray(json.services))
  })

  it('GET /log pages backwards, and refuses what it does not know', async () => {
    const { json } = await owned({ path: '/log?limit=2' })
    const entries = json.entries as unknown as { index: number; hash: string }[]
    assert.equal(entries.length, 2)
    const before = await owned({ path: `/log?limit=1&before=${entries[0]!.index}` })
    assert.equal((before.json.entries as unknown as { index: number }[])[0]!.index, entries[0]!.index - 1)
    for (const query of [
      'limit=0',
      'limit=1001',
      'before=0',
      'before=x',
      'device=nobody&limit=1',
      'after=1',
    ]) {
      assert.ok((await owned({ path: `/log?${query}` })).status >= 400, query)
    }
  })

  it('GET /log/verify tells the length and head of the chain', async () => {
    const { json } = await owned({ path: '/log/verify' })
    assert.equal(json.entries, (await home.home.journal.verify()).entries)
    assert.equal(fromBase64url(json.head!)!.length, 32)
  })
})
