// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { toBase64url } from '../../../../daemon/base/bytes.ts'
import { systemRandom } from '../../../../daemon/base/random.ts'
import { keyOf } from '../../../../daemon/core/model/index.ts'
import { announcedBy } from '../../../support/generations.ts'
import { type Ask, ask, newSigner, openTestHome, type TestHome } from '../../../support/http-home.ts'
import { Sealer } from '../../../support/request.ts'

describe('the hub’s authorities over HTTP [SPEC 16.6]', () => {
  let home: TestHome
  let socketPath: string
  const owned = (options: Omit<Ask, 'socketPath'>) => ask({ socketPath, as: home.owner, ...options })
  const put = (body: unknown, as: Sealer = home.owner) =>
    owned({
      method: 'PUT',
      path: '/ca',
      as,
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    })
  /** What an owner hands in. */
  const sound = (to = 1) => {
    const { steps, deviceCaSeed } = announcedBy(home.root.signer, keyOf(home.home.hub), 0, to)
    const told = steps.map(({ generation, pins, hubLeaf, deviceCa }) => ({
      generation,
      pins: toBase64url(pins!),
      hubLeaf: toBase64url(hubLeaf),
      deviceCa: toBase64url(deviceCa),
    }))
    return { steps: told, deviceCa: toBase64url(deviceCaSeed.reveal()) }
  }

  before(async () => {
    home = await openTestHome()
    socketPath = (await home.unix()).socketPath
    for (const device of [home.light, home.sensor]) device.answers = 'nothing'
  })
  after(() => home[Symbol.asyncDispose]())

  it('are told to an owner: where they are, and where each device is', async () => {
    const { status, json } = await owned({ path: '/ca' })
    const { generation, devices, hub, kept, announced } = json as Record<string, unknown>
    assert.equal(status, 200)
    assert.deepEqual([generation, hub, kept, announced], [0, home.home.hub, [], undefined])
    const standings = (devices as { standing: string }[]).map(({ standing }) => standing)
    assert.deepEqual([...new Set(standings)], ['in-force'])
  })

  it('are nobody else’s business', async () => {
    const stranger = new Sealer(newSigner(), home.owner.home)
    for (const [method, path] of [
      ['GET', '/ca'],
      ['DELETE', '/ca'],
      ['POST', '/ca/force'],
    ] as const) {
      assert.equal((await ask({ socketPath, method, path })).status, 401)
      assert.equal((await ask({ socketPath, method, path, as: stranger })).status, 401)
    }
    assert.equal((await put(sound(), stranger)).status, 401)
  })

  const bad: readonly (readonly [string, (whole: ReturnType<typeof sound>) => unknown])[] = [
    ['no steps', ({ deviceCa }) => ({ deviceCa })],
    ['no key', ({ steps }) => ({ steps })],
    ['a key that is short', (whole) => ({ ...whole, deviceCa: whole.deviceCa.slice(2) })],
    ['something more', (whole) => ({ ...whole, now: true })],
    ['a step with something more', (whole) => ({ ...whole, steps: [{ ...whole.steps[0], hub: 'x' }] })],
    ['a step that is none', (whole) => ({ ...whole, steps: ['x'] })],
    ['a number that is none', (whole) => ({ ...whole, steps: [{ ...whole.steps[0], generation: '1' }] })],
    [
      'a leaf of 513 bytes',
      (whole) => ({ ...whole, steps: [{ ...whole.steps[0], hubLeaf: 'A'.repeat(684) }] }),
    ],
  ]
  for (const [what, spoil] of bad)
    it(`with ${what} are a bad request`, async () => {
      const { status, json } = await put(spoil(sound()))
      assert.deepEqual([status, json.code], [400, 'bad-request'])
    })

  it('that the root did not seal are refused, and nothing is announced', async () => {
    const whole = sound()
    const forged = { ...whole, steps: [{ ...whole.steps[0], pins: toBase64url(systemRandom.bytes(200)) }] }
    assert.equal((await put(forged)).json.code, 'unknown-signer')
    assert.equal((await owned({ method: 'DELETE', path: '/ca' })).json.code, 'conflict')
    assert.equal((await owned({ method: 'POST', path: '/ca/force' })).json.code, 'conflict')
  })

  it('are announced, refused beside another, taken back, and in force when an owner will not wait', async () => {
    assert.deepEqual((await put(sound())).json, { generation: 1 })
    assert.equal(((await owned({ path: '/ca' })).json as Record<string, unknown>).announced, 1)
    assert.equal((await put(sound(2))).status, 409)
    assert.deepEqual((await owned({ method: 'DELETE', path: '/ca' })).json, { generation: 1 })
    await put(sound())
    assert.deepEqual((await owned({ method: 'POST', path: '/ca/force' })).json, { generation: 1 })
    const { generation, pins, kept } = (await owned({ path: '/ca' })).json as Record<string, unknown>
    assert.deepEqual([generation, kept], [1, [{ generation: 0, taken: 0 }]])
    assert.equal(typeof pins, 'string')
  })
})
