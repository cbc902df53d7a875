// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { fromBase64url, toBase64url } from '../../../../daemon/base/bytes.ts'
import { ask, askCommand, lines, openTestHome, type TestHome } from '../../../support/http-home.ts'

describe('things over HTTP [SPEC 8, 9.3]', () => {
  let home: TestHome
  let socketPath: string
  const get = (path: string) => ask({ socketPath, path, as: home.owner })

  before(async () => {
    home = await openTestHome()
    socketPath = (await home.unix()).socketPath
  })
  after(() => home[Symbol.asyncDispose]())

  it('GET /things lists a Thing Description of each device', async () => {
    const { status, json } = await get('/things')
    assert.equal(status, 200)
    const things = json as unknown as { title: string; id: string }[]
    assert.deepEqual(things.map(({ title }) => title).sort(), ['porch-light', 'weather'])
    assert.equal(things[0]!.id, `urn:shallot:${home.light.id}`)
  })

  it('GET /things/{id} takes an id or a name, and answers as td+json with the base the client used', async () => {
    const byName = await get('/things/porch-light')
    const byId = await get(`/things/${home.light.id}`)
    assert.equal(byName.text, byId.text)
    assert.equal(byName.headers['content-type'], 'application/td+json')
    assert.equal(byName.json.base, 'http://localhost/')
  })

  it('/.well-known/wot points to /things', async () => {
    const { status, headers } = await get('/.well-known/wot')
    assert.deepEqual([status, headers.location], [307, '/things'])
  })

  it('GET properties answers values in people’s numbers, with what sealing a command takes', async () => {
    await home.sensor.report([{ affordance: 3, at: 1_700_000_000_000, value: 2153 }])
    const { json } = await get('/things/weather/properties')
    assert.deepEqual(json.properties, {
      temperature: { affordance: 3, value: 21.53, at: 1_700_000_000_000 },
      humidity: { affordance: 4 },
    })
    assert.equal(json.id, home.sensor.id)
    assert.equal(json.nonce, toBase64url(home.sensor.nonce))
    assert.ok(fromBase64url(json.hello!)!.length > 64)
    assert.equal(json.connected, true)
  })

  it('GET properties/{name} answers one', async () => {
    const { json } = await get('/things/weather/properties/temperature')
    assert.equal(json.value, 21.53)
    assert.equal(json.affordance, 3)
  })

  it('GET history answers stored samples, the newest within the limit', async () => {
    for (const [at, value] of [
      [1_700_000_001_000, 2200],
      [1_700_000_002_000, 2250],
    ] as const) {
      await home.sensor.report([{ affordance: 3, at, value }])
    }
    const { json } = await get('/things/weather/history?property=temperature&since=1700000000500&limit=1')
    assert.deepEqual(json.samples, [{ property: 'temperature', value: 22.5, at: 1_700_000_002_000 }])
  })

  for (const [path, status, code] of [
    ['/things/nobody', 404, 'not-found'],
    ['/things/nobody/properties', 404, 'not-found'],
    ['/things/weather/properties/on', 404, 'no-such-affordance'],
    ['/things/porch-light/properties/toggle', 404, 'no-such-affordance'],
    ['/things/weather/properties/constructor', 404, 'no-such-affordance'],
    ['/things/weather/history', 404, 'no-such-affordance'],
    ['/things/weather/history?property=temperature&limit=0', 400, 'bad-request'],
    ['/things/weather/history?property=temperature&limit=10001', 400, 'bad-request'],
    ['/things/weather/history?property=temperature&limit=1e3', 400, 'bad-request'],
    ['/things/weather/history?property=temperature&limit=-1', 400, 'bad-request'],
    ['/things/weather/history?property=temperature&since=99999999999999999', 400, 'bad-request'],
    ['/things/weather/history?property=temperature&property=on', 400, 'bad-request'],
    ['/things/weather/history?property=temperature&until=3', 400, 'bad-request'],
    ['/things/weather?x=1', 400, 'bad-request'],
    ['/things/%ff', 400, 'bad-request'],
    ['/things/%', 400, 'bad-request'],
    ['/things/weather/history?property=%ff', 400, 'bad-request'],
    ['/things/', 404, 'not-found'],
    ['/things/weather/', 404, 'not-found'],
    ['//things', 404, 'not-found'],
    ['/', 404, 'not-found'],
    ['/things/..', 404, 'not-found'],
  ] as const) {
    it(`GET ${path} is refused: ${status} ${code}`, async () => {
      const { status: got, json, headers } = await get(path)
      assert.deepEqual([got, json.code], [status, code])
      assert.equal(headers['content-type'], 'application/problem+json')
      assert.deepEqual(
        Object.keys(json).filter((key) => !['detail', 'reason'].includes(key)),
        ['type', 'title', 'status', 'code'],
      )
    })
  }

  it('PUT a property with a sealed command tells every stage, the last with the sealed receipt', async () => {
    const { id, nonce } = home.light
    const body = home.owner.command({ device: id, nonce, affordance: 1, value: true })
    const answer = await askCommand({
      socketPath,
      path: '/things/porch-light/properties/on',
      body,
      as: home.owner,
    })
    assert.equal(answer.status, 200)
    assert.equal(answer.headers['content-type'], 'application/x-ndjson')
    const stages = lines(answer.text)
    assert.deepEqual(
      stages.map(({ stage }) => stage),
      ['at-hub', 'at-device', 'done'],
    )
    const last = stages.at(-1) as unknown as { receipt: string; values: { on: { value: boolean } } }
    assert.equal(last.values.on.value, true)
    assert.equal(fromBase64url(last.receipt)![0], 0xd2)
  })
})
