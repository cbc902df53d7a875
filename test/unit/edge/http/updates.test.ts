// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { toBase64url } from '../../../../daemon/base/bytes.ts'
import { writeImageFile } from '../../../../daemon/core/updates/index.ts'
import { type Ask, ask, newSigner, openTestHome, type TestHome } from '../../../support/http-home.ts'
import { fakeImage, fakeManifest } from '../../../support/image.ts'
import { Sealer } from '../../../support/request.ts'

const IMAGE = fakeImage({}, 100_000)
const MANIFEST = fakeManifest(IMAGE, newSigner())
const FILE = writeImageFile(MANIFEST, IMAGE)
const DIGEST = toBase64url(Uint8Array.from(createHash('sha256').update(MANIFEST).digest()))
const octets = { 'content-type': 'application/octet-stream' }
const json = { 'content-type': 'application/json' }

describe('updates over HTTP [SPEC 9.3, 15.8]', () => {
  let home: TestHome
  let socketPath: string
  const owned = (options: Omit<Ask, 'socketPath'>) => ask({ socketPath, as: home.owner, ...options })
  const part = (at: number, until: number, query = `at=${at}&size=${FILE.length}`, digest = DIGEST) =>
    owned({
      method: 'PUT',
      path: `/images/${digest}?${query}`,
      body: FILE.subarray(at, until),
      headers: octets,
    })
  const begin = (body: object) =>
    owned({ method: 'POST', path: '/rollouts', body: JSON.stringify(body), headers: json })

  before(async () => {
    home = await openTestHome()
    socketPath = (await home.unix()).socketPath
  })
  after(() => home[Symbol.asyncDispose]())

  it('are for owners alone', async () => {
    const stranger = new Sealer(newSigner(), home.home.home)
    for (const [method, path] of [
      ['GET', '/rollouts'],
      ['GET', '/rollouts/1'],
      ['DELETE', '/rollouts/1'],
      ['POST', '/rollouts'],
      ['PUT', `/images/${DIGEST}`],
    ] as const) {
      const body = method === 'POST' || method === 'PUT' ? '{}' : undefined
      const headers = method === 'PUT' ? octets : method === 'POST' ? json : {}
      for (const as of [undefined, stranger]) {
        const answer = await ask({ socketPath, method, path, as, headers, ...(body && { body }) })
        assert.equal(answer.status, 401, `${method} ${path}`)
      }
    }
  })

  it('an image comes in parts that are no larger than any request may be', async () => {
    assert.equal((await part(0, 70_000)).status, 413)
    assert.deepEqual((await part(0, 60_000)).json, { image: DIGEST, got: 60_000, size: FILE.length })
    assert.deepEqual((await part(60_000, FILE.length)).json, {
      image: DIGEST,
      got: FILE.length,
      size: FILE.length,
    })
  })

  for (const [what, code, answer] of [
    ['a name that is no digest', 'bad-request', () => part(0, 10, 'at=0&size=10', 'AAAA')],
    [
      'a part that nothing came before',
      'bad-request',
      () => part(5, 10, 'at=5&size=10', toBase64url(new Uint8Array(32))),
    ],
    ['a place that is no number', 'bad-request', () => part(0, 10, 'at=x&size=10')],
    ['a size beyond any image', 'bad-request', () => part(0, 10, 'at=0&size=9000000')],
    ['a parameter that there is not', 'bad-request', () => part(0, 10, 'at=0&size=10&now=1')],
    [
      'another type of body',
      'unsupported-media-type',
      () => owned({ method: 'PUT', path: `/images/${DIGEST}`, body: '{}', headers: json }),
    ],
    [
      'an image that is not here',
      'not-found',
      () => begin({ image: toBase64url(new Uint8Array(32)), target: 'porch-light' }),
    ],
    ['a target that is not here', 'not-found', () => begin({ image: DIGEST, target: 'garage' })],
    ['a target that is no name', 'bad-request', () => begin({ image: DIGEST, target: 7 })],
    [
      'stages that are no list',
      'bad-request',
      () => begin({ image: DIGEST, target: 'porch-light', stages: 1 }),
    ],
    [
      'a stage of a half',
      'bad-request',
      () => begin({ image: DIGEST, target: 'porch-light', stages: [0.5] }),
    ],
    [
      'a member that there is not',
      'bad-request',
      () => begin({ image: DIGEST, target: 'porch-light', at: 1 }),
    ],
    ['a roll-out that there is not', 'not-found', () => owned({ path: '/rollouts/7' })],
    ['a number that is none', 'not-found', () => owned({ path: '/rollouts/-1' })],
    ['the end of one that there is not', 'not-found', () => owned({ method: 'DELETE', path: '/rollouts/9' })],
  ] as [string, string, () => ReturnType<typeof owned>][])
    it(`refuse ${what}: ${code}`, async () => {
      assert.equal((await answer()).json.code, code)
    })

  it('a roll-out can be begun, looked at and stopped, once', async () => {
    const begun = await begin({ image: DIGEST, target: 'porch-light' })
    assert.equal(begun.status, 201, begun.text)
    const { id, state, image, devices } = begun.json as unknown as {
      id: number
      state: string
      image: string
      devices: { name: string; stage: number }[]
    }
    assert.deepEqual([state, image], ['running', DIGEST])
    assert.deepEqual(
      devices.map(({ name, stage }) => [name, stage]),
      [['porch-light', 0]],
    )
    const asJson = { accept: 'application/json' }
    assert.equal((await owned({ path: `/rollouts/${id}`, headers: asJson })).json.id, id)
    assert.equal((await begin({ image: DIGEST, target: 'porch-light' })).json.code, 'rollout-open')
    assert.equal((await owned({ method: 'DELETE', path: `/rollouts/${id}` })).json.state, 'stopped')
    assert.equal((await owned({ method: 'DELETE', path: `/rollouts/${id}` })).json.code, 'conflict')
  })
})
