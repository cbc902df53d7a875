// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { toBase64url } from '../../../../daemon/base/bytes.ts'
import { systemClock } from '../../../../daemon/base/clock.ts'
import type { Answer } from '../../../support/http-home.ts'
import { INVOKE, READ, WRITE } from '../../../support/papers.ts'
import { openPeopleHome, type PeopleHome } from '../../../support/people-home.ts'
import type { Sealer } from '../../../support/request.ts'
import { until } from '../../../support/until.ts'

const code = ({ status, json }: Answer) => [status, json.code]

let home: PeopleHome
let person: Uint8Array
let phone: Sealer
beforeEach(async () => {
  home = await openPeopleHome()
  await home.home.light.report([{ affordance: 1, at: systemClock.now(), value: true }])
  await home.home.light.report([{ affordance: 2, at: systemClock.now(), value: 40 }])
  await home.home.sensor.report([{ affordance: 3, at: systemClock.now(), value: 2153 }])
  person = await home.person('eve')
  phone = await home.phone(person)
})
afterEach(() => home[Symbol.asyncDispose]())

/** The light's `on` to read and write, its `toggle` to invoke. */
function lightFor(devices = [home.home.light.sealer.signer.key]) {
  const what = [
    { affordance: 1, methods: READ | WRITE },
    { affordance: 5, methods: INVOKE },
  ]
  return { devices, what }
}

interface Picture {
  readonly me: Record<string, unknown>
  readonly things: readonly {
    readonly name: string
    readonly affordances: readonly Record<string, unknown>[]
  }[]
  readonly grants: readonly { readonly id: string }[]
  readonly people: readonly { readonly name: string }[]
}

async function pictureOf(as: Sealer): Promise<Picture> {
  return (await home.get('/home', as)).json as unknown as Picture
}

describe('GET /home [SPEC 9.4]', () => {
  it('shows a phone what it was granted and nothing else', async () => {
    const grant = await home.grant(phone, lightFor())
    const { me, things, grants, people } = await pictureOf(phone)
    assert.deepEqual([me.kind, me.key, me.person, me.share], ['holder', phone.id, toBase64url(person), false])
    assert.deepEqual(
      things.map(({ name }) => name),
      ['porch-light'],
    )
    const shown = things[0]!.affordances.map(({ name, value, may }) => ({ name, value, may }))
    const by = { ok: true, grant: toBase64url(grant) }
    assert.deepEqual(shown, [
      { name: 'on', value: true, may: { read: by, write: by } },
      { name: 'toggle', value: undefined, may: { invoke: by } },
    ])
    assert.deepEqual(
      [grants.map(({ id }) => id), people.map(({ name }) => name)],
      [[toBase64url(grant)], ['eve']],
    )
  })

  it('says why not at this hour, and withholds the value then', async () => {
    const now = Math.floor(systemClock.now() / 1000)
    await home.grant(phone, { ...lightFor(), notBefore: now + 3600, expiresAt: now + 7200 })
    const [on] = (await pictureOf(phone)).things[0]!.affordances
    const { read } = on!.may as { read: { ok: boolean; code: string } }
    assert.deepEqual([read.ok, read.code, on!.value], [false, 'grant-not-yet', undefined])
  })

  it('shows an owner everything, and somebody without grants an empty house', async () => {
    const all = await pictureOf(home.owner)
    assert.deepEqual([all.me.kind, all.me.share, all.things.length], ['owner', true, 2])
    const nothing = await pictureOf(phone)
    assert.deepEqual([nothing.things, nothing.grants], [[], []])
  })
})

describe('what a phone may not see is not there [SPEC 9.2]', () => {
  const hidden = [
    '/things/weather',
    '/things/weather/properties',
    '/things/weather/properties/temperature',
    '/things/weather/history?property=temperature',
    '/events?device=weather',
    '/log?device=weather',
    '/why?device=weather&affordance=temperature&operation=read',
  ]
  for (const path of hidden) {
    it(`GET ${path}`, async () => {
      await home.grant(phone, lightFor())
      assert.deepEqual(code(await home.get(path, phone)), [404, 'not-found'])
    })
  }

  it('nor a property of a thing that it may see, in any place', async () => {
    await home.grant(phone, lightFor())
    const all = await home.get('/things/porch-light/properties', phone)
    assert.deepEqual(Object.keys(all.json.properties!), ['on'])
    const td = await home.get('/things/porch-light', phone)
    assert.deepEqual(Object.keys(td.json.properties!), ['on'])
    assert.deepEqual(Object.keys(td.json.actions!), ['toggle'])
    assert.deepEqual(code(await home.get('/things/porch-light/properties/level', phone)), [
      403,
      'not-granted',
    ])
    const past = await home.get('/things/porch-light/history?property=level', phone)
    assert.deepEqual(code(past), [403, 'not-granted'])
  })

  const owners: [string, string][] = [
    ['GET', '/status'],
    ['GET', '/log/verify'],
    ['GET', '/invitations'],
    ['GET', '/exposures'],
    ['DELETE', '/things/porch-light'],
    ['DELETE', '/invitations/owner'],
    ['GET', '/tokens'],
  ]
  for (const [method, path] of owners) {
    it(`${method} ${path} is for owners, and the try is in the log`, async () => {
      await home.grant(phone, lightFor())
      const answer = method === 'GET' ? await home.get(path, phone) : await home.delete(path, phone)
      assert.deepEqual(code(answer), [403, 'forbidden'])
      const last = (await home.log()).at(-1)!
      assert.deepEqual([last.kind, last.code, last.signer], ['refused', 'forbidden', phone.id])
    })
  }
})

describe('GET /events, filtered', () => {
  it('a phone hears of what it may read, begins with the picture, and is told when its rights change', async () => {
    await home.grant(phone, lightFor())
    const watching = await home.watch(phone, '/events?home=1')
    await until('the picture', () => watching.events('home').length === 1)
    await home.home.sensor.report([{ affordance: 3, at: systemClock.now(), value: 1 }])
    await home.home.light.report([
      { affordance: 2, at: systemClock.now(), value: 7 },
      { affordance: 1, at: systemClock.now(), value: false },
    ])
    await home.grant(phone)
    await until('rights', () => watching.events('rights').length === 1)
    const readings = watching.events('reading') as { values: { property: string; value: unknown }[] }[]
    assert.deepEqual(
      readings.map(({ values }) => values.map(({ property, value }) => [property, value])),
      [[['on', false]]],
    )
    watching.close()
  })

  it('nobody hears of another’s commands but owners', async () => {
    const grant = await home.grant(phone)
    const other = await home.phone(person, home.owner, 'tablet')
    await home.grant(other)
    const [owner, own, others] = await Promise.all([home.owner, phone, other].map((as) => home.watch(as)))
    await home.turnOn(phone, grant)
    await until('the owner hears', () => owner!.events('receipt').length === 1)
    await until('who did it hears', () => own!.events('receipt').length === 1)
    await until('the other sees the light', () => others!.events('reading').length === 1)
    assert.deepEqual(others!.events('receipt'), [])
    for (const each of [owner!, own!, others!]) each.close()
  })
})

describe('GET /log [SPEC 9.7]', () => {
  it('a phone sees what it did, and what was done to things it may read', async () => {
    const grant = await home.grant(phone)
    const blind = await home.phone(await home.person('sam'), home.owner, 'blind')
    const theirs = await home.grant(blind, { what: [{ affordance: 1, methods: WRITE }] })
    await home.turnOn(phone, grant)
    await home.turnOn(blind, theirs)
    const kindsFor = async (as: Sealer) => {
      const answer = await home.get('/log', as)
      const entries = answer.json.entries as unknown as { kind: string; person?: { name: string } }[]
      return entries.filter(({ kind }) => kind === 'command').map(({ person }) => person?.name)
    }
    assert.deepEqual(await kindsFor(phone), ['eve', 'sam'])
    assert.deepEqual(await kindsFor(blind), ['sam'])
  })

  it('finds by name, by person, by key and by owner, and in time', async () => {
    const grant = await home.grant(phone)
    await home.turnOn(phone, grant)
    for (const who of ['eve', toBase64url(person), phone.id, 'phone']) {
      const kinds = (await home.log(`?who=${encodeURIComponent(who)}`)).map(({ kind }) => kind)
      assert.ok(kinds.includes('command'), who)
    }
    const byOwner = (await home.log('?who=ada')).map(({ kind }) => kind)
    assert.ok(byOwner.includes('granted') && !byOwner.includes('command'))
    assert.deepEqual(await home.log(`?who=eve&since=${systemClock.now() + 1000}`), [])
    assert.deepEqual(await home.log('?who=eve&until=1000'), [])
    assert.deepEqual(code(await home.get('/log?who=nobody', home.owner)), [404, 'not-found'])
  })
})

describe('GET /why', () => {
  const asked = '/why?device=porch-light&affordance=on&operation=write'

  it('says by which grant, and for others only to owners', async () => {
    const grant = await home.grant(phone)
    const own = await home.get(asked, phone)
    assert.deepEqual([own.json.allowed, own.json.grant], [true, toBase64url(grant)])
    const byOwner = await home.get(`${asked}&holder=${toBase64url(person)}`, home.owner)
    assert.deepEqual([byOwner.json.allowed, byOwner.json.grant], [true, toBase64url(grant)])
    assert.deepEqual(code(await home.get(`${asked}&holder=${home.owner.id}`, phone)), [403, 'forbidden'])
  })

  it('says why not, with each grant that was tried', async () => {
    const now = Math.floor(systemClock.now() / 1000)
    await home.grant(phone, { name: 'later', notBefore: now + 60, expiresAt: now + 120 })
    await home.grant(phone, { name: 'reading', what: [{ affordance: 1, methods: READ }] })
    const { json } = await home.get(`${asked}&holder=${phone.id}`, home.owner)
    assert.deepEqual([json.allowed, json.code], [false, 'grant-not-yet'])
    const tried = json.tried as unknown as { name: string; code: string }[]
    assert.deepEqual(
      tried.map(({ name, code }) => [name, code]),
      [
        ['later', 'grant-not-yet'],
        ['reading', 'not-granted'],
      ],
    )
    const later = await home.get(`${asked}&holder=${phone.id}&at=${(now + 90) * 1000}`, home.owner)
    assert.equal(later.json.allowed, true)
  })

  for (const [query, status, why] of [
    ['operation=fly&affordance=on', 400, 'bad-request'],
    ['operation=write&affordance=wings', 404, 'no-such-affordance'],
    ['operation=write&affordance=on&holder=AAAAAAAAAAA', 404, 'not-found'],
    ['operation=write&affordance=on&at=-1', 400, 'bad-request'],
  ] as const) {
    it(`refuses ${query}`, async () => {
      assert.deepEqual(code(await home.get(`/why?device=porch-light&${query}`, home.owner)), [status, why])
    })
  }
})
