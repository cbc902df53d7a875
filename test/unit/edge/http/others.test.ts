// SPDX-License-Identifier: GPL-3.0-or-later
/** What who came by an invitation is told of its addresses at other homes, and nobody else. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { toBase64url } from '../../../../daemon/base/bytes.ts'
import { systemClock } from '../../../../daemon/base/clock.ts'
import { sealEnvelope } from '../../../../daemon/core/envelope/index.ts'
import { onionAddress } from '../../../../daemon/core/identity/index.ts'
import { guestId } from '../../../../daemon/core/mesh/index.ts'
import { keyOf, type PartyId } from '../../../../daemon/core/model/index.ts'
import { ask, begin, newSigner, openTestHome, type TestHome } from '../../../support/http-home.ts'
import { holderFrame, newId, personFrame } from '../../../support/papers.ts'
import { Sealer } from '../../../support/request.ts'

const onion = newSigner().key
const clientKey = newSigner().key
let home: TestHome
let cabin: Sealer
/** Of the invitation. */
let guest: Uint8Array
let by: string
let lan: string

const offer = (...offers: { guest: Uint8Array; onion: Uint8Array; clientKey?: Uint8Array }[]) =>
  home.home.mesh.guests.heard(cabin.id, { word: 'offers', offers })

before(async () => {
  home = await openTestHome()
  cabin = new Sealer(newSigner(), home.home.home)
  const paper = sealEnvelope(
    { type: 'member', ...home.owner.claims(), name: 'cabin', key: keyOf(cabin.id) },
    home.owner.signer,
  )
  assert((await home.home.mesh.papers.takeMember(paper)).ok)
  const invited = await home.home.services.invite('watch', true, { origin: 'unix' })
  assert(invited.ok)
  guest = guestId(invited.value.address)
  by = (await home.unix({ origin: 'onion:invitation:watch' })).socketPath
  lan = (await home.unix({ origin: 'lan' })).socketPath
})
after(() => home[Symbol.asyncDispose]())

const picture = (socketPath: string, as: Sealer | undefined = home.owner) =>
  ask({ socketPath, path: '/home', as })

describe('addresses at other homes [SPEC 14.9]', () => {
  it('are none before another home offers one; the mark says so', async () => {
    const answer = await picture(by)
    assert.deepEqual([answer.json.others, answer.headers['shallot-others']], [[], '0'])
  })

  it('are told to who came by the invitation, with the client key, under another mark', async () => {
    await offer({ guest, onion, clientKey })
    const answer = await picture(by)
    assert.deepEqual(answer.json.others, [
      { home: 'cabin', address: onionAddress(onion), clientKey: toBase64url(clientKey) },
    ])
    assert.match(answer.headers['shallot-others'] as string, /^[0-9a-f]{16}$/)
    assert.equal(answer.json.host, undefined)
  })

  it('are told on the LAN to the one key that came by the invitation', async () => {
    const answer = await picture(lan)
    assert.equal((answer.json.others as unknown as object[]).length, 1)
    assert.equal(answer.headers['shallot-others'], undefined)
  })

  it('are not told to strangers, nor by another invitation, a device’s own face, or a guest’s address', async () => {
    const stranger = await picture(by, new Sealer(newSigner(), home.home.home))
    assert.equal(stranger.status, 401)
    assert.doesNotMatch(stranger.text, /onion/)
    await home.home.services.invite('other', true, { origin: 'unix' })
    const other = await home.unix({ origin: 'onion:invitation:other' })
    assert.deepEqual((await picture(other.socketPath)).json.others, [])
    const only = await home.unix({ origin: `onion:device:${home.light.id}`, only: home.light.id })
    const ofDevice = await picture(only.socketPath)
    assert.deepEqual([ofDevice.status, ofDevice.json.others], [200, undefined])
    const lent = await home.home.services.lend(`guest:${toBase64url(guest)}`, true, { origin: 'mesh' })
    assert(lent)
    const asGuest = await home.unix({ origin: `onion:guest:${toBase64url(guest)}` })
    const told = await picture(asGuest.socketPath)
    assert.deepEqual([told.json.others, told.headers['shallot-others']], [[], undefined])
  })

  it('come with whose guest it is, at the other home', async () => {
    await home.home.mesh.guests.heard(cabin.id, { word: 'guests', guests: [{ guest, authorised: true }] })
    const asGuest = await home.unix({ origin: `onion:guest:${toBase64url(guest)}` })
    const told = await picture(asGuest.socketPath)
    assert.deepEqual(told.json.host, { home: 'cabin', connected: false })
  })

  it('are told to owners with the invitation, without its key; and so is whose guest has one here', async () => {
    const eve = new Sealer(newSigner(), home.home.home)
    const person = newId()
    const { people } = home.home.desk
    const ada = { id: home.owner.id, name: 'ada', kind: 'owner', origin: 'unix' } as const
    assert((await people.person(personFrame(home.owner, { name: 'eve', person }), person, ada)).ok)
    const phone = { key: eve.signer.key, person, name: 'phone' }
    assert((await people.holder(holderFrame(home.owner, phone), eve.id, ada)).ok)
    const [hers, anybodys, owners] = [
      new Uint8Array(16).fill(1),
      new Uint8Array(16).fill(2),
      new Uint8Array(16).fill(3),
    ]
    const items = [
      { guest: hers, authorised: true, key: eve.id },
      { guest: anybodys, authorised: true },
      { guest: owners, authorised: true, key: home.owner.id },
    ]
    await home.home.mesh.guests.heard(cabin.id, { word: 'guests', guests: items })
    for (const { guest: each } of items)
      assert(await home.home.services.lend(`guest:${toBase64url(each)}`, true, { origin: 'mesh' }))
    await offer({ guest, onion, clientKey })
    const { socketPath } = await home.unix()
    const asked = async (path: string) => (await ask({ socketPath, path, as: home.owner })).json as never
    const { services } = (await asked('/status')) as { services: Record<string, unknown>[] }
    const of = (service: string) => services.find((each) => each.service === service)!
    const ofGuest = (each: Uint8Array) => {
      const { home: at, who } = of(`guest:${toBase64url(each)}`)
      return [at, who]
    }
    assert.deepEqual(ofGuest(hers), ['cabin', 'eve, phone'])
    assert.deepEqual(ofGuest(anybodys), ['cabin', undefined])
    assert.deepEqual(ofGuest(owners), ['cabin', 'ada'])
    const others = [{ home: 'cabin', address: onionAddress(onion) }]
    assert.deepEqual([of('invitation:watch').others, of('invitation:other').others], [others, undefined])
    const invitations = (await asked('/invitations')) as Record<string, unknown>[]
    assert.deepEqual(invitations.find(({ name }) => name === 'watch')?.others, others)
    // What cabin does not ask for any more is nobody's.
    await home.home.mesh.guests.heard(cabin.id, { word: 'guests', guests: [] })
    const { services: after } = (await asked('/status')) as { services: Record<string, unknown>[] }
    assert.deepEqual(
      after.filter((each) => each.home !== undefined),
      [],
    )
  })

  it('are an event when they change, to who watches by the invitation alone', async () => {
    const watched = async (socketPath: string): Promise<string> => {
      const { answer, sent } = await begin({ socketPath, path: '/events?home=1', as: home.owner })
      let text = ''
      for await (const part of answer.setEncoding('utf8')) {
        text += part
        if (/event: (?:others|rights)/.test(text)) break
      }
      sent.destroy()
      return text
    }
    const other = await home.unix({ origin: 'onion:invitation:other' })
    const watchers = [watched(by), watched(other.socketPath)]
    // Each has its picture before something changes.
    while (home.home.feed.watchers < 2) await new Promise((resolve) => setImmediate(resolve))
    await offer()
    // So that who hears of nothing ends, too.
    home.home.feed.publish({ event: 'rights', at: systemClock.now() })
    const [told, untold] = await Promise.all(watchers)
    assert.match(told!, /event: others\ndata: \{"here":"[^"]+","others":\[\]\}/)
    assert.doesNotMatch(untold!, /event: others/)
  })

  it('of who is no member count for nothing', async () => {
    const stranger = new Sealer(newSigner(), home.home.home).id as PartyId
    await home.home.mesh.guests.heard(stranger, { word: 'offers', offers: [{ guest, onion }] })
    assert.deepEqual((await picture(by)).json.others, [])
  })
})
