// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { toBase64url, utf8 } from '../../../../daemon/base/bytes.ts'
import { systemRandom } from '../../../../daemon/base/random.ts'
import type { Grant } from '../../../../daemon/core/envelope/index.ts'
import { affordanceOf, keyOf } from '../../../../daemon/core/model/index.ts'
import { plainPage } from '../../../../daemon/edge/http/plain.ts'
import { type Answer, ask } from '../../../support/http-home.ts'
import { grantFrame, INVOKE, READ, WRITE } from '../../../support/papers.ts'
import { openPeopleHome, type PeopleHome } from '../../../support/people-home.ts'
import { sha256 } from '../../../support/request.ts'

let home: PeopleHome
beforeEach(async () => {
  home = await openPeopleHome()
})
afterEach(() => home[Symbol.asyncDispose]())

const WHAT = [
  { affordance: 1, methods: READ | WRITE },
  { affordance: 2, methods: READ },
  { affordance: 5, methods: INVOKE },
]

/** A link for a page without scripts. */
async function link(said: Partial<Grant> = {}, form = true): Promise<string> {
  const text = `shallot_${toBase64url(systemRandom.bytes(32))}`
  const grant = grantFrame(home.owner, { key: keyOf(home.home.home.hub), what: WHAT, ...said })
  const body = { digest: toBase64url(sha256(utf8(text))), grants: [toBase64url(grant)], form }
  const answer = await home.json('PUT', '/tokens/grandma', body, home.owner)
  assert.equal(answer.status, 200, answer.text)
  return `/form/${text}`
}

const open = (path: string, headers: Record<string, string> = {}) =>
  ask({ socketPath: home.socketPath, path, headers })

const send = (path: string, body: string, headers: Record<string, string> = {}): Promise<Answer> =>
  ask({
    socketPath: home.socketPath,
    method: 'POST',
    path,
    body,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  })

const thing = () => `things/${home.home.light.id}`

describe('a page without scripts [SPEC 9.6]', () => {
  it('shows what its grants give, as HTML without a script, in the language that is asked for', async () => {
    const path = await link()
    await home.home.light.report([{ affordance: 1, at: 5, value: true }])
    const { status, headers, text } = await open(path)
    assert.equal(status, 200)
    assert.match(headers['content-type']!, /^text\/html/)
    assert.match(headers['content-security-policy'] as string, /default-src 'none'.*form-action 'self'/)
    assert.doesNotMatch(text, /<script|javascript:|onclick/i)
    assert.match(text, /<h2>porch-light<\/h2>[\s\S]*On: on/)
    assert.doesNotMatch(text, /weather/)
    assert.match(
      (await open(path, { 'accept-language': 'de-DE,de;q=0.9' })).text,
      /<html lang="de">[\s\S]*An: an/,
    )
  })

  it('offers a form for what may be used alone', async () => {
    const { text } = await open(await link())
    const actions = [...text.matchAll(/action="[^"]*\/(properties|actions)\/(\w+)"/g)].map(
      ([, , name]) => name,
    )
    assert.deepEqual(actions, ['on', 'toggle'])
  })

  it('does what a form says by its grants, and tells on the page that follows how it ended', async () => {
    const path = await link()
    const done = await send(`${path}/${thing()}/properties/on`, 'value=true')
    assert.deepEqual([done.status, done.headers.location], [303, `${path}?said=ok`])
    assert.ok(home.home.light.got.length > 0)
    assert.match((await open(done.headers.location!)).text, /role="alert"><strong>Done\./)
    const toggled = await send(`${path}/${thing()}/actions/toggle`, 'value=')
    assert.equal(toggled.headers.location, `${path}?said=ok`)
  })

  for (const [what, to, body, said] of [
    ['what was not granted', 'properties/level', 'value=5', 'not-granted'],
    ['what the device does not have', 'properties/locked', 'value=true', 'no-such-affordance'],
    ['a value that is none', 'properties/on', 'value=maybe', 'bad-value'],
    ['an empty value', 'properties/on', 'value=', 'bad-value'],
    ['a value for what takes none', 'actions/toggle', 'value=5', 'bad-value'],
    ['more than a value', 'properties/on', 'value=true&also=1', 'bad-request'],
  ] as const) {
    it(`does nothing for ${what}: ${said}`, async () => {
      const path = await link()
      const { status, headers } = await send(`${path}/${thing()}/${to}`, body)
      assert.deepEqual([status, headers.location], [303, `${path}?said=${said}`])
      assert.deepEqual(home.home.light.got, [])
    })
  }

  it('does nothing for another device than its grants are for', async () => {
    const path = await link({ devices: [keyOf(home.home.light.id)] })
    const { headers } = await send(`${path}/things/${home.home.sensor.id}/actions/toggle`, '')
    assert.equal(headers.location, `${path}?said=not-found`)
  })

  it('does nothing for a page of another origin, or a form that comes from nowhere', async () => {
    const path = await link()
    for (const headers of [
      { origin: 'http://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
    ]) {
      const { status } = await send(`${path}/${thing()}/properties/on`, 'value=true', headers)
      assert.equal(status, 403, JSON.stringify(headers))
    }
    assert.deepEqual(home.home.light.got, [])
  })

  it('lets a browser name its own origin to us, and to nobody else', async () => {
    assert.equal((await open(await link())).headers['referrer-policy'], 'same-origin')
  })

  it('is not there for a token that is none, a bearer’s token, or one that was taken back', async () => {
    const path = await link()
    const bearers = await link({}, false)
    await home.delete('/tokens/grandma', home.owner)
    for (const dead of [path, bearers, `${path.slice(0, -1)}x`, '/form/x']) {
      assert.equal((await open(dead)).status, 401, dead)
      assert.equal((await send(`${dead}/${thing()}/properties/on`, 'value=true')).status, 401)
    }
    assert.deepEqual(home.home.light.got, [])
  })

  for (const path of ['?said=<b>', '?said=__proto__', '?said=ok&said=ok', '?value=1']) {
    it(`${path} is refused`, async () => assert.equal((await open((await link()) + path)).status, 400))
  }
})

describe('plainPage()', () => {
  it('takes names for text, whatever they look like', () => {
    const evil = `"><script>alert('1')</script>&amp;`
    const text = plainPage({
      path: '/form/x',
      name: evil,
      languages: '',
      things: [
        {
          id: 'A',
          name: evil,
          connected: true,
          rows: [1, 2, 6, 10].map((number) => ({ affordance: affordanceOf(number)!, mayUse: true })),
        },
      ],
    })
    assert.doesNotMatch(text, /<script|alert\('1'\)/)
    assert.ok(text.includes('&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;amp;'))
  })
})
