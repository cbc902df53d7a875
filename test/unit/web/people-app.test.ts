// SPDX-License-Identifier: GPL-3.0-or-later
/** The page's people, grants and links at a home of real desks: what the page seals is judged by who will judge it. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { toBase64url } from '../../../daemon/base/bytes.ts'
import { systemClock } from '../../../daemon/base/clock.ts'
import { systemRandom } from '../../../daemon/base/random.ts'
import { nativeEd25519 } from '../../../daemon/core/envelope/index.ts'
import { idOf, keyOf } from '../../../daemon/core/model/index.ts'
import { join } from '../../../daemon/web/join.ts'
import { Keep } from '../../../daemon/web/keep.ts'
import { passedOn, type Terms } from '../../../daemon/web/people.ts'
import { readPhoneCode } from '../../../daemon/web/phone-code.ts'
import { ask } from '../../support/http-home.ts'
import { holderFrame } from '../../support/papers.ts'
import { openPeopleHome, type PeopleHome } from '../../support/people-home.ts'
import { Sealer } from '../../support/request.ts'
import { fetchOver, MemoryStorage, type OpenPage, openPage } from './page-home.ts'

let home: PeopleHome
let page: OpenPage
beforeEach(async () => {
  home = await openPeopleHome()
  page = openPage(identity(), fetchOver(home.socketPath))
  await page.until(({ link }) => link.kind === 'live')
})
afterEach(async () => {
  page[Symbol.dispose]()
  await home[Symbol.asyncDispose]()
})

const identity = () => ({ root: keyOf(home.home.home.home), seed: home.home.ownerSeed, name: 'ada' })
const LIGHT = () => keyOf(home.home.light.id)
const terms = (more: Partial<Terms> = {}): Terms => ({
  devices: [LIGHT()],
  what: [{ affordance: 1, methods: 5 }],
  hours: [],
  ...more,
})

/** Bea with a phone, as the page knows her. */
async function bea() {
  const person = await home.person('Bea')
  const phone = await home.phone(person)
  await page.app.perform({ act: 'people' })
  const known = page.app.state().people.people.find(({ name }) => name === 'Bea')!
  return { phone, known }
}

/** Dan, who may pass on that the light is switched. */
async function mayPassOn() {
  const seed = systemRandom.bytes(32)
  const dan = new Sealer(nativeEd25519().signer(seed), home.home.home.home)
  const { key } = dan.signer
  const frame = holderFrame(home.owner, { key, person: await home.person('Dan') })
  assert.equal((await home.send('PUT', `/holders/${idOf(key)}`, frame, home.owner)).status, 200)
  const parent = await home.grant(dan, { what: [{ affordance: 1, methods: 5 }], share: 1 })
  return { seed, key, parent }
}

const mayOn = async (phone: Awaited<ReturnType<typeof bea>>['phone']) => {
  const { status } = await home.get('/things/porch-light/properties/on', phone)
  return status === 200
}

describe('people and grants, from the page to the desks', () => {
  it('gives a phone what it may do, and takes it back', async () => {
    const { phone, known } = await bea()
    assert.equal(await mayOn(phone), false)
    await page.app.perform({ act: 'give', to: known, terms: terms() })
    const { grants, failed } = page.app.state().people
    assert.deepEqual(
      [failed, grants.map(({ person, what }) => [person, what])],
      [undefined, [[known.id, [{ affordance: 1, methods: 5 }]]]],
    )
    assert.equal(await mayOn(phone), true)
    await page.app.perform({ act: 'take-back', what: grants[0]! })
    assert.equal(page.app.state().people.failed, undefined)
    assert.equal(await mayOn(phone), false)
  })

  it('takes a phone back, and with it all that it may', async () => {
    const { phone, known } = await bea()
    await page.app.perform({ act: 'give', to: known, terms: terms() })
    await page.app.perform({ act: 'take-back', what: known.keys[0]!.key })
    const again = page.app.state().people.people.find(({ name }) => name === 'Bea')!
    assert.equal(again.keys[0]?.revoked, true)
    assert.equal((await home.get('/home', phone)).status, 401)
  })

  it('removes somebody of whom nothing holds any more, and nobody else', async () => {
    const { known } = await bea()
    const remove = () => page.app.perform({ act: 'remove-person', id: known.id })
    const names = () => page.app.state().people.people.map(({ name }) => name)
    await remove()
    assert.deepEqual([page.app.state().people.failed, names()], ['conflict', ['Bea']])
    await page.app.perform({ act: 'take-back', what: known.keys[0]!.key })
    await remove()
    assert.deepEqual([page.app.state().people.failed, names()], [undefined, []])
  })

  it('gives somebody another name, and nothing else changes', async () => {
    const { phone, known } = await bea()
    await page.app.perform({ act: 'give', to: known, terms: terms() })
    await page.app.perform({ act: 'rename-person', id: known.id, name: 'Beatrix' })
    const { people, failed } = page.app.state().people
    assert.deepEqual(
      [failed, people.map(({ id, name, keys }) => [id, name, keys.map(({ key }) => key)])],
      [undefined, [[known.id, 'Beatrix', [phone.id]]]],
    )
    assert.equal(await mayOn(phone), true)
    await page.until(({ names }) => names.get(known.id) === 'Beatrix')
  })

  it('lets nobody but an owner rename whom somebody else added', async () => {
    const { known } = await bea()
    const { seed } = await mayPassOn()
    using dan = openPage({ ...identity(), seed, name: 'Dan' }, fetchOver(home.socketPath))
    await dan.until(({ link }) => link.kind === 'live')
    await dan.app.perform({ act: 'rename-person', id: known.id, name: 'Dan’s' })
    assert.notEqual(dan.app.state().people.failed, undefined)
    await page.app.perform({ act: 'people' })
    const names = page.app.state().people.people.map(({ name }) => name)
    assert.deepEqual(names.toSorted(), ['Bea', 'Dan'])
  })

  it('lets one who passes on let a phone in by an address of its own, and take that back', async () => {
    const { seed, key } = await mayPassOn()
    using guest = openPage({ ...identity(), seed, name: 'Dan' }, fetchOver(home.socketPath))
    await guest.until(({ link }) => link.kind === 'live')
    void guest.app.perform({ act: 'invite', phone: { person: { name: 'Eve' }, name: 'Eve’s phone' } })
    const { guest: invited } = await guest.until((state) => state.guest.kind === 'invited')
    const code = readPhoneCode(invited.kind === 'invited' ? invited.link.split('#')[1]! : '')
    assert(code.ok)
    const phone = { clock: systemClock, random: systemRandom, keep: new Keep(new MemoryStorage()) }
    const joined = join(
      { ...phone, fetch: fetchOver(home.socketPath) },
      code.value,
      systemRandom.bytes(32),
      () => {},
      new AbortController().signal,
    )
    await guest.until(({ guest }) => guest.kind === 'invited' && guest.match !== undefined)
    await guest.app.perform({ act: 'admit' })
    assert.equal((await joined).name, 'Eve’s phone')
    const held = () => guest.app.state().people.people.find(({ name }) => name === 'Eve')?.keys[0]
    assert.deepEqual([held()?.by, typeof held()?.invitation], [idOf(key), 'string'])
    await guest.app.perform({ act: 'withdraw', invitation: held()!.invitation! })
    assert.deepEqual([guest.app.state().people.failed, held()?.invitation], [undefined, undefined])
  })

  it('gives what may be passed on', async () => {
    const { phone, known } = await bea()
    await page.app.perform({ act: 'give', to: known, terms: terms({ share: 1 }) })
    assert.equal(page.app.state().people.grants[0]?.share, 1)
    assert.match((await home.get('/home', phone)).text, /"share":true/)
  })

  it('tells why something was not taken: more uses than days to count them in', async () => {
    const { known } = await bea()
    await page.app.perform({ act: 'give', to: known, terms: terms({ uses: 1 }) })
    assert.equal(page.app.state().people.failed, 'bad-claims')
  })

  it('lets a guest pass on what may be passed on, and no more', async () => {
    const { known } = await bea()
    const { seed, parent } = await mayPassOn()
    using guest = openPage({ ...identity(), seed, name: 'Dan' }, fetchOver(home.socketPath))
    const { me } = await guest.until(({ link }) => link.kind === 'live')
    assert.deepEqual([me?.kind, me?.share], ['holder', true])
    await guest.app.perform({ act: 'people' })
    const own = guest.app.state().people.grants.find(({ id }) => id === toBase64url(parent))!
    const child = passedOn(own, {})
    await guest.app.perform({ act: 'give', to: known, terms: child })
    assert.equal(guest.app.state().people.failed, undefined)
    await guest.app.perform({
      act: 'give',
      to: known,
      terms: { ...child, what: [{ affordance: 5, methods: 2 }] },
    })
    assert.equal(guest.app.state().people.failed, 'grant-wider')
  })
})

describe('links to pages without scripts', () => {
  const open = (link: string) => ask({ socketPath: home.socketPath, path: new URL(link).pathname })

  it('are made, open what they are for alone, and end', async () => {
    await page.app.perform({ act: 'make-form', terms: [terms()] })
    const { made, names, failed } = page.app.state().forms
    assert.deepEqual([failed, names.length], [undefined, 1])
    const { status, text } = await open(made!)
    assert.equal(status, 200)
    assert.match(text, /porch-light/)
    assert.doesNotMatch(text, /weather/)
    await page.app.perform({ act: 'end-form', name: names[0]! })
    assert.deepEqual(page.app.state().forms.names, [])
    assert.equal(page.app.state().forms.made, undefined)
    assert.equal((await open(made!)).status, 401)
  })
})
