// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { ask } from '../../../support/http-home.ts'
import { pairFrame, pairingKeys, revocationFrame } from '../../../support/papers.ts'
import { openPeopleHome, type PeopleHome } from '../../../support/people-home.ts'

describe('a page of another origin in somebody’s browser [SPEC 9.2]', () => {
  let home: PeopleHome
  before(async () => {
    home = await openPeopleHome()
  })
  after(() => home[Symbol.asyncDispose]())

  const foreign: Record<string, string>[] = [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'https://localhost' },
    { origin: 'http://localhost:8443' },
    { origin: 'http://localhost.evil.example' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ]
  for (const headers of foreign) {
    it(`is refused with ${JSON.stringify(headers)}, though an owner sealed it, and it is in the log`, async () => {
      const answer = await home.get('/status', home.owner, headers)
      assert.deepEqual([answer.status, answer.json.code], [403, 'forbidden'])
      const last = (await home.log()).at(-1)!
      assert.deepEqual([last.kind, last.code, last.origin], ['refused', 'forbidden', 'unix'])
    })
  }

  it('may not bring the browser to send what says by itself who sealed it either', async () => {
    const keys = pairingKeys(new Uint8Array(16))
    const bodies: [string, string, Uint8Array][] = [
      ['PUT', '/revocations', revocationFrame(home.owner, [])],
      ['POST', '/pairings/AAAAAAAAAAA/pair', pairFrame(home.newSealer(), keys)],
    ]
    for (const [method, path, body] of bodies) {
      const headers = { 'content-type': 'application/cose', origin: 'https://evil.example' }
      const answer = await ask({ socketPath: home.socketPath, method, path, body, headers })
      assert.equal(answer.json.code, 'forbidden')
    }
  })

  it('our own page is let in: same origin, and what a person typed', async () => {
    for (const headers of [
      { origin: 'http://localhost' },
      { 'sec-fetch-site': 'same-origin' },
      { 'sec-fetch-site': 'none' },
    ]) {
      assert.equal((await home.get('/status', home.owner, headers as Record<string, string>)).status, 200)
    }
  })

  it('a name that was made to point at us (DNS rebinding) is no name of ours', async () => {
    const headers = { host: 'evil.example', origin: 'http://evil.example' }
    assert.equal((await home.get('/status', home.owner, headers)).status, 421)
  })
})

describe('one device’s onion asked for more [SPEC 9.1]', () => {
  it('serves that device alone, to everybody', async () => {
    await using home = await openPeopleHome()
    const { light } = home.home
    const face = await home.home.unix({ only: light.id })
    const phone = await home.phone(await home.person('eve'))
    await home.grant(phone)
    for (const as of [home.owner, phone]) {
      const get = async (path: string) => (await ask({ socketPath: face.socketPath, path, as })).status
      assert.equal(await get('/things/porch-light/properties'), 200)
      assert.equal(await get('/things/weather'), 404)
      for (const path of [
        '/people',
        '/grants',
        '/log',
        '/owners',
        '/revocations',
        '/tokens',
        '/why?device=weather',
      ])
        assert.equal(await get(path), 404, path)
      const picture = await ask({ socketPath: face.socketPath, path: '/home', as })
      const names = (picture.json.things as unknown as { name: string }[]).map(({ name }) => name)
      assert.deepEqual(names, ['porch-light'])
      assert.deepEqual(picture.json.people, [])
    }
  })
})
