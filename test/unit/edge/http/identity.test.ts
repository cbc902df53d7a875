// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { toBase64url } from '../../../../daemon/base/bytes.ts'
import { systemClock } from '../../../../daemon/base/clock.ts'
import { ask, newSigner, openTestHome, type TestHome } from '../../../support/http-home.ts'
import { Sealer } from '../../../support/request.ts'

describe('who asks the HTTP API [SPEC 9.2]', () => {
  let home: TestHome
  let socketPath: string
  const now = () => Math.floor(systemClock.now() / 1000)
  const withHeader = (authorization: string, path = '/things') =>
    ask({ socketPath, path, headers: { authorization } })

  before(async () => {
    home = await openTestHome({ unprovenBurst: 1e6, faceUnprovenBurst: 1e6 })
    socketPath = (await home.unix()).socketPath
  })
  after(() => home[Symbol.asyncDispose]())

  it('tells a stranger the home’s id and this hub’s boot time, and nothing else', async () => {
    const { status, json } = await ask({ socketPath, path: '/.well-known/shallot' })
    assert.equal(status, 200)
    assert.deepEqual(json, { home: home.owner.home, bootedAt: home.home.bootedAt })
  })

  for (const [method, path] of [
    ['GET', '/things'],
    ['GET', '/things/porch-light'],
    ['GET', '/things/nobody'],
    ['GET', '/things/porch-light/properties'],
    ['GET', '/things/porch-light/properties/on'],
    ['GET', '/things/porch-light/history?property=on'],
    ['DELETE', '/things/porch-light'],
    ['GET', '/events'],
    ['GET', '/enrolments/AAAAAAAAAAA'],
    ['GET', '/invitations'],
    ['DELETE', '/invitations/phone'],
    ['PUT', '/invitations/phone'],
    ['GET', '/exposures'],
    ['PUT', '/exposures/porch-light'],
    ['DELETE', '/exposures/porch-light'],
    ['GET', '/status'],
    ['GET', '/log'],
    ['GET', '/log/verify'],
    ['GET', '/.well-known/wot'],
  ] as const) {
    it(`${method} ${path} without proof is 401, with a challenge`, async () => {
      const { status, json, headers } = await ask({ socketPath, method, path })
      assert.deepEqual(
        [status, json.code, headers['www-authenticate']],
        [401, 'unauthorized', 'Shallot, Bearer'],
      )
    })
  }

  const sealed = (change: object = {}, by = home.owner) =>
    by.authorization({ method: 'GET', path: '/things', ...change })
  const cases: readonly [string, string | undefined, () => string][] = [
    ['another method', undefined, () => sealed({ method: 'DELETE' })],
    ['another path', undefined, () => sealed({ path: '/status' })],
    ['the path with a query', undefined, () => sealed({ path: '/things?x=1' })],
    ['another spelling of the path', undefined, () => sealed({ path: '/%74hings' })],
    ['another body', undefined, () => sealed({ body: Uint8Array.of(1) })],
    [
      'another home',
      'wrong-audience',
      () => sealed({ audience: new Sealer(newSigner(), home.owner.home).id }),
    ],
    ['a time gone by', 'expired', () => sealed({ sealedAt: now() - 120 })],
    ['a time to come', 'not-yet', () => sealed({ sealedAt: now() + 400 })],
    ['a life too long', 'bad-claims', () => sealed({ lifetimeS: 121 })],
    ['a stranger’s key', 'unknown-signer', () => sealed({}, new Sealer(newSigner(), home.owner.home))],
    [
      'a broken signature',
      'bad-signature',
      () => broken(home.owner.request({ method: 'GET', path: '/things' })),
    ],
    [
      'a command in its place',
      'unknown-signer',
      () =>
        `Shallot ${toBase64url(home.owner.command({ device: home.light.id, nonce: home.light.nonce, affordance: 1, value: true }))}`,
    ],
    ['random bytes', 'wrong-tag', () => `Shallot ${toBase64url(Uint8Array.of(0x00, 0x01))}`],
    [
      'a truncated envelope',
      'cbor-truncated',
      () => `Shallot ${toBase64url(home.owner.request({ method: 'GET', path: '/things' }).subarray(0, -9))}`,
    ],
    [
      'trailing bytes',
      'cbor-trailing',
      () =>
        `Shallot ${toBase64url(Buffer.concat([home.owner.request({ method: 'GET', path: '/things' }), Buffer.of(0)]))}`,
    ],
    ['padded base64', undefined, () => `${sealed()}=`],
    ['characters outside base64url', undefined, () => 'Shallot a+b/'],
    ['nothing after the scheme', undefined, () => 'Shallot '],
    ['another scheme', undefined, () => sealed().replace('Shallot', 'Bearer')],
    ['two proofs', undefined, () => `${sealed()}, ${sealed()}`],
  ]
  for (const [what, reason, authorization] of cases) {
    it(`refuses a proof with ${what}: 401${reason ? ` because ${reason}` : ''}`, async () => {
      const { status, json } = await withHeader(authorization())
      assert.deepEqual([status, json.code, json.reason], [401, 'unauthorized', reason])
    })
  }

  it('refuses the same request a second time: replayed', async () => {
    const proof = sealed()
    assert.equal((await withHeader(proof)).status, 200)
    const { status, json } = await withHeader(proof)
    assert.deepEqual([status, json.reason], [401, 'replayed'])
  })

  it('a body that was changed on the way is refused', async () => {
    const as = home.owner
    const headers = {
      'content-type': 'application/json',
      authorization: as.authorization({
        method: 'PATCH',
        path: '/things/weather',
        body: Buffer.from('{"name":"a"}'),
      }),
    }
    const { status } = await ask({
      socketPath,
      method: 'PATCH',
      path: '/things/weather',
      body: '{"name":"b"}',
      headers,
    })
    assert.equal(status, 401)
    assert.ok(home.home.devices.named('weather'))
  })

  it('a refusal to a stranger is the same for a device that exists and one that does not', async () => {
    const [known, unknown] = await Promise.all([
      ask({ socketPath, path: '/things/porch-light' }),
      ask({ socketPath, path: '/things/porch-lamp' }),
    ])
    assert.equal(known.text, unknown.text)
  })

  it('strangers who fail too often are told to wait, and somebody proven is served all the while', async () => {
    await using strict = await openTestHome({
      unprovenBurst: 5,
      unprovenPerS: 0,
      faceUnprovenBurst: 5,
      faceUnprovenPerS: 0,
    })
    const path = (await strict.unix()).socketPath
    const { Agent, request } = await import('node:http')
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const proven = () =>
      new Promise<number>((resolve, reject) => {
        const authorization = strict.owner.authorization({ method: 'GET', path: '/things' })
        request(
          { socketPath: path, path: '/things', agent, headers: { host: 'localhost', authorization } },
          (answer) => {
            answer.resume().once('end', () => resolve(answer.statusCode!))
          },
        )
          .once('error', reject)
          .end()
      })
    assert.equal(await proven(), 200)
    const statuses = []
    for (let i = 0; i < 8; i++) statuses.push((await ask({ socketPath: path, path: '/things' })).status)
    assert.deepEqual(statuses, [401, 401, 401, 401, 401, 429, 429, 429])
    const refused = await ask({ socketPath: path, path: '/things', as: strict.owner })
    assert.deepEqual([refused.json.code, refused.headers['retry-after']], ['too-many-requests', '1'])
    for (let i = 0; i < 8; i++) assert.equal(await proven(), 200)
    agent.destroy()
  })
})

function broken(frame: Uint8Array): string {
  const other = Uint8Array.from(frame)
  other[other.length - 40]! ^= 1
  return `Shallot ${toBase64url(other)}`
}
