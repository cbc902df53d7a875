// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { fromBase64url, toBase64url, utf8 } from '../../../../daemon/base/bytes.ts'
import { systemRandom } from '../../../../daemon/base/random.ts'
import type { Grant } from '../../../../daemon/core/envelope/index.ts'
import { keyOf } from '../../../../daemon/core/model/index.ts'
import { CODES } from '../../../../schemas/gen/ts/codes.ts'
import { type Answer, ask } from '../../../support/http-home.ts'
import { grantFrame, INVOKE, READ, WRITE } from '../../../support/papers.ts'
import { openPeopleHome, type PeopleHome } from '../../../support/people-home.ts'
import { type Sealer, sha256 } from '../../../support/request.ts'

const code = ({ status, json }: Answer) => [status, json.code]

let home: PeopleHome
beforeEach(async () => {
  home = await openPeopleHome()
})
afterEach(() => home[Symbol.asyncDispose]())

const newToken = () => `shallot_${toBase64url(systemRandom.bytes(32))}`
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** A grant for the hub's key, as a token wants it. */
function forHub(said: Partial<Grant> = {}, by: Sealer = home.owner): Uint8Array {
  const what = [
    { affordance: 1, methods: READ | WRITE },
    { affordance: 5, methods: INVOKE },
  ]
  return grantFrame(by, { key: keyOf(home.home.home.hub), what, ...said })
}

function put(
  name: string,
  token: string,
  grants: readonly Uint8Array[],
  as = home.owner,
  more = {},
): Promise<Answer> {
  const body = { digest: toBase64url(sha256(utf8(token))), grants: grants.map(toBase64url), ...more }
  return home.json('PUT', `/tokens/${name}`, body, as)
}

async function token(name = 'heating', said: Partial<Grant> = {}): Promise<string> {
  const text = newToken()
  const answer = await put(name, text, [forHub(said)])
  assert.equal(answer.status, 200, answer.text)
  return text
}

const turnOn = (text: string, value: unknown = true) =>
  home.json('PUT', '/things/porch-light/properties/on', value, undefined, bearer(text))

describe('a bearer token [SPEC 9.6]', () => {
  it('reads what its grants give, and nothing else', async () => {
    const text = await token()
    const td = await home.get('/things/porch-light', undefined, bearer(text))
    assert.deepEqual(Object.keys(td.json.properties!), ['on'])
    assert.deepEqual(td.json.securityDefinitions, { token: { scheme: 'bearer' } })
    assert.equal((await home.get('/things/porch-light/properties/on', undefined, bearer(text))).status, 200)
    const level = await home.get('/things/porch-light/properties/level', undefined, bearer(text))
    assert.deepEqual(code(level), [403, 'not-granted'])
    assert.deepEqual(code(await home.get('/status', undefined, bearer(text))), [403, 'forbidden'])
    assert.deepEqual(code(await home.get('/tokens', undefined, bearer(text))), [403, 'forbidden'])
  })

  it('commands with a value as JSON: the hub seals it by that grant, and the log says by which token', async () => {
    const text = await token()
    const answer = await turnOn(text)
    assert.deepEqual([answer.status, answer.json.stage], [200, 'done'])
    const command = (await home.log()).find(({ kind }) => kind === 'command')!
    assert.deepEqual(
      [command.origin, command.note, command.signer],
      ['token:heating', 'came by unix', home.home.home.hub],
    )
    const toggled = await ask({
      socketPath: home.socketPath,
      method: 'POST',
      path: '/things/porch-light/actions/toggle',
      headers: bearer(text),
    })
    assert.equal(toggled.status, 200)
  })

  it('ends as the device says: its code, or 504 when it says nothing', async () => {
    const text = await token()
    home.home.light.answers = CODES['device-fault']
    assert.equal((await turnOn(text)).json.code, 'device-fault')
  })

  it('acts by its own grants alone, though the hub holds others', async () => {
    const [reading, writing] = [newToken(), newToken()]
    await put('reading', reading, [forHub({ what: [{ affordance: 1, methods: READ }] })])
    await put('writing', writing, [forHub()])
    assert.deepEqual(code(await turnOn(reading)), [403, 'not-granted'])
    assert.equal((await turnOn(writing)).status, 200)
  })

  it('is gone when it is removed, and when its grant is taken back', async () => {
    const text = await token()
    const watching = await home.watch(undefined as never, '/events', bearer(text))
    assert.equal((await home.delete('/tokens/heating', home.owner)).status, 204)
    await watching.ended
    assert.deepEqual(code(await turnOn(text)), [401, 'unauthorized'])
    const again = await token('lights')
    const tokens = (await home.get('/tokens', home.owner)).json.tokens as unknown as { grants: string[] }[]
    await home.revoke(fromBase64url(tokens[0]!.grants[0]!)!)
    assert.deepEqual(code(await turnOn(again)), [404, 'not-found'])
  })

  it('outlives a restart', async () => {
    const text = await token()
    home.home.restart()
    await home.home.light.connect([1, 2, 5, 6])
    assert.equal((await turnOn(text)).status, 200)
  })

  it('one who may share makes one of what it passes on, and sees its own alone', async () => {
    const phone = await home.phone(await home.person('eve'))
    const parent = await home.grant(phone, { share: 1 })
    await token('ours')
    const text = newToken()
    const what = [{ affordance: 1, methods: READ | WRITE }]
    assert.equal((await put('theirs', text, [forHub({ parent, what }, phone)], phone)).status, 200)
    assert.equal((await turnOn(text)).status, 200)
    const seen = (await home.get('/tokens', phone)).json.tokens as unknown as { name: string }[]
    assert.deepEqual(
      seen.map(({ name }) => name),
      ['theirs'],
    )
    assert.deepEqual(code(await home.delete('/tokens/ours', phone)), [404, 'not-found'])
    assert.deepEqual(code(await put('ours', newToken(), [forHub({ parent, what }, phone)], phone)), [
      409,
      'conflict',
    ])
    await home.revoke(parent)
    assert.notEqual((await turnOn(text)).status, 200)
  })
})

describe('what a token is refused', () => {
  it('a guessed one; after ten wrong tries also the right one; the log shows them', async () => {
    const text = await token()
    for (let i = 0; i < 10; i++) assert.deepEqual(code(await turnOn(newToken())), [401, 'unauthorized'])
    assert.deepEqual(code(await turnOn(text)), [429, 'too-many-tries'])
    const tries = (await home.log()).filter(({ kind, code }) => kind === 'refused' && code === 'unauthorized')
    assert.equal(tries.length, 10)
  })

  it('a form’s token as a bearer', async () => {
    const text = newToken()
    await put('page', text, [forHub()], home.owner, { form: true })
    assert.deepEqual(code(await turnOn(text)), [401, 'unauthorized'])
  })

  it('a sealed command beside it, and a value without it', async () => {
    const text = await token()
    const { light } = home.home
    const body = home.owner.command({ device: light.id, nonce: light.nonce, affordance: 1, value: true })
    const sealed = await ask({
      socketPath: home.socketPath,
      method: 'PUT',
      path: '/things/porch-light/properties/on',
      body,
      headers: { 'content-type': 'application/cose', ...bearer(text) },
    })
    assert.deepEqual(code(sealed), [415, 'unsupported-media-type'])
    const bare = await home.json('PUT', '/things/porch-light/properties/on', true)
    assert.deepEqual(code(bare), [401, 'unauthorized'])
    const asOwner = await home.json('PUT', '/things/porch-light/properties/on', true, home.owner)
    assert.deepEqual(code(asOwner), [415, 'unsupported-media-type'])
  })

  for (const value of ['on', 1, null, [true], { value: true }]) {
    it(`the value ${JSON.stringify(value)}`, async () => {
      assert.deepEqual(code(await turnOn(await token(), value)), [422, 'bad-value'])
    })
  }

  it('grants for another key, of somebody else, too many, or none', async () => {
    const key = home.newSealer().signer.key
    const many = Array.from({ length: 9 }, () => forHub())
    assert.deepEqual(code(await put('a', newToken(), [forHub({ key })])), [400, 'bad-request'])
    assert.deepEqual(code(await put('a', newToken(), many)), [400, 'bad-request'])
    assert.deepEqual(code(await put('a', newToken(), [])), [400, 'bad-request'])
    assert.deepEqual(code(await put('a/b'.replace('/', '%2F'), newToken(), [forHub()])), [400, 'bad-request'])
    const phone = await home.phone(await home.person('eve'))
    await home.grant(phone, { share: 1 })
    assert.deepEqual(code(await put('b', newToken(), [forHub()], phone)), [403, 'forbidden'])
  })

  it('one token under two names', async () => {
    const text = await token()
    assert.deepEqual(code(await put('other', text, [forHub()])), [409, 'conflict'])
  })
})
