// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Ask, ask, openTestHome, type TestHome } from '../../../support/http-home.ts'

describe('the form of requests and answers [SPEC 9.1]', () => {
  let home: TestHome
  let socketPath: string
  const owned = (options: Omit<Ask, 'socketPath'>) => ask({ socketPath, as: home.owner, ...options })

  before(async () => {
    home = await openTestHome({ unprovenBurst: 1e6, faceUnprovenBurst: 1e6 })
    socketPath = (await home.unix({ hosts: ['Home.Onion'] })).socketPath
  })
  after(() => home[Symbol.asyncDispose]())

  it('every answer, good or bad, forbids caches, sniffing, referrers, frames and scripts', async () => {
    for (const path of ['/things', '/nowhere', '/.well-known/shallot']) {
      const { headers } = await owned({ path })
      assert.equal(headers['cache-control'], 'no-store')
      assert.equal(headers['x-content-type-options'], 'nosniff')
      assert.equal(headers['referrer-policy'], 'no-referrer')
      assert.match(String(headers['content-security-policy']), /default-src 'none'/)
      assert.equal(headers['access-control-allow-origin'], undefined)
    }
  })

  for (const [method, path, allow] of [
    ['POST', '/things', 'GET, HEAD'],
    ['PUT', '/things/weather', 'GET, HEAD, PATCH, DELETE'],
    ['DELETE', '/things/porch-light/properties/on', 'GET, HEAD, PUT'],
    ['GET', '/things/porch-light/actions/toggle', 'POST'],
    ['HEAD', '/things/porch-light/actions/toggle', 'POST'],
    ['OPTIONS', '/things', 'GET, HEAD'],
    ['TRACE', '/status', 'GET, HEAD'],
    ['PROPFIND', '/status', 'GET, HEAD'],
    ['POST', '/.well-known/shallot', 'GET, HEAD'],
    ['GET', '/enrolments', 'POST'],
  ] as const) {
    it(`${method} ${path} is 405, and Allow says ${allow}`, async () => {
      const { status, headers } = await owned({ method, path })
      assert.deepEqual([status, headers.allow], [405, allow])
    })
  }

  for (const [what, options] of [
    [
      'a command as JSON',
      { method: 'PUT', path: '/things/porch-light/properties/on', type: 'application/json' },
    ],
    ['a command without a type', { method: 'PUT', path: '/things/porch-light/properties/on' }],
    ['a form', { method: 'PATCH', path: '/things/weather', type: 'application/x-www-form-urlencoded' }],
    ['a name in COSE', { method: 'PATCH', path: '/things/weather', type: 'application/cose' }],
    ['text', { method: 'POST', path: '/enrolments', type: 'text/plain' }],
  ] as const) {
    it(`refuses ${what}: 415`, async () => {
      const headers = 'type' in options ? { 'content-type': options.type } : {}
      const { status, json } = await owned({
        method: options.method,
        path: options.path,
        body: '{}',
        headers,
      })
      assert.deepEqual([status, json.code], [415, 'unsupported-media-type'])
    })
  }

  it('refuses a compressed body: 415', async () => {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
    assert.equal((await owned({ method: 'PATCH', path: '/things/weather', body: '{}', headers })).status, 415)
  })

  it('refuses a body where none belongs, and none where one does: 400', async () => {
    assert.equal((await owned({ path: '/things', body: 'x' })).status, 400)
    assert.equal((await owned({ method: 'DELETE', path: '/things/weather', body: '{}' })).status, 400)
    assert.equal((await owned({ method: 'PATCH', path: '/things/weather' })).status, 400)
    assert.ok(home.home.devices.named('weather'))
  })

  for (const body of [
    '',
    '{',
    '[]',
    'null',
    '"x"',
    '{}',
    '{"name":1}',
    '{"name":""}',
    '{"name":" x"}',
    '{"name":"a\\u0000b"}',
    '{"name":"a/b"}',
    '{"name":"\\u202egnp"}',
    '{"name":"\\ud800"}',
    `{"name":"${'x'.repeat(65)}"}`,
    `{"name":"${'A'.repeat(43)}"}`,
    '{"name":"x","title":"y"}',
    '{"name":"x","__proto__":{}}',
    '\ufeff{"name":1}',
    '['.repeat(60_000),
  ]) {
    it(`PATCH refuses ${JSON.stringify(body.slice(0, 40))}: 400`, async () => {
      const headers = { 'content-type': 'application/json' }
      const { status, json } = await owned({ method: 'PATCH', path: '/things/weather', body, headers })
      assert.deepEqual([status, json.code], [400, 'bad-request'])
    })
  }

  it('PATCH refuses a body that is not UTF-8', async () => {
    const body = Buffer.concat([Buffer.from('{"name":"'), Buffer.of(0xff), Buffer.from('"}')])
    const headers = { 'content-type': 'application/json' }
    assert.equal((await owned({ method: 'PATCH', path: '/things/weather', body, headers })).status, 400)
  })

  it('PATCH renames, and refuses a name that is taken', async () => {
    const headers = { 'content-type': 'application/json; charset=utf-8' }
    const rename = (name: string) =>
      owned({ method: 'PATCH', path: `/things/${home.sensor.id}`, body: JSON.stringify({ name }), headers })
    assert.equal((await rename('Wetter – Süd')).json.name, 'Wetter – Süd')
    assert.equal((await owned({ path: `/things/${encodeURIComponent('Wetter – Süd')}` })).status, 200)
    const taken = await rename('porch-light')
    assert.deepEqual([taken.status, taken.json.code], [409, 'name-taken'])
    assert.equal((await rename('weather')).status, 200)
  })

  it('a body larger than 64 KiB is refused: 413, by its length or as it comes', async () => {
    const headers = { 'content-type': 'application/json' }
    const body = Buffer.alloc(65_537, 0x20)
    const told = await owned({ method: 'PATCH', path: '/things/weather', body, headers })
    assert.deepEqual([told.status, told.json.code], [413, 'payload-too-large'])
    const chunked = { ...headers, 'transfer-encoding': 'chunked' }
    const streamed = await owned({ method: 'PATCH', path: '/things/weather', body, headers: chunked })
    assert.equal(streamed.status, 413)
  })

  for (const host of [
    'localhost',
    'LOCALHOST:80',
    '127.0.0.1',
    '192.168.1.2:8443',
    '[::1]:443',
    'hub.local',
    'my_hub.local:8443',
    'hub.home.arpa',
    'home.onion',
  ]) {
    it(`Host ${host} is ours`, async () => {
      assert.equal((await owned({ path: '/things', headers: { host } })).status, 200)
    })
  }
  for (const host of [
    'example.org',
    'localhost.example.org',
    'local',
    '.local',
    'other.onion',
    '[::1',
    'a b',
    '127.0.0.1.nip.io',
    'x@localhost',
    'localhost:port',
  ]) {
    it(`Host ${JSON.stringify(host)} is not: 421`, async () => {
      assert.equal((await owned({ path: '/things', headers: { host } })).status, 421)
    })
  }

  it('a target longer than a request can seal is refused before anybody is asked for a proof', async () => {
    const { status } = await ask({ socketPath, path: `/${'x'.repeat(1024)}` })
    assert.equal(status, 400)
  })

  it('our own fault is 500 with a code and none of its text, and the diary has it', async () => {
    await using broken = await openTestHome({}, (real) => ({
      ...real,
      status() {
        throw new Error('secret path /root/keys')
      },
    }))
    const path = (await broken.unix()).socketPath
    const { status, text, json } = await ask({ socketPath: path, path: '/status', as: broken.owner })
    assert.deepEqual([status, json.code], [500, 'internal'])
    assert.doesNotMatch(text, /secret|keys|Error/)
    assert.equal(broken.lines.at(-1)!.fields.message, 'secret path /root/keys')
  })
})
