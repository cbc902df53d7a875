// SPDX-License-Identifier: GPL-3.0-or-later
/** Whom the page believes when the hub does not say what root and owners took back, and what it hears as it happens. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toBase32, toBase64url } from '../../../daemon/base/bytes.ts'
import { systemRandom } from '../../../daemon/base/random.ts'
import { keyOf } from '../../../daemon/core/model/index.ts'
import { ask } from '../../support/http-home.ts'
import { enrolmentFrame, grantFrame, revocationFrame } from '../../support/papers.ts'
import { openPeopleHome, type PeopleHome } from '../../support/people-home.ts'
import type { Sealer } from '../../support/request.ts'
import { fetchOver, MemoryStorage, type OpenPage, openPage } from './page-home.ts'

const ONION = `${toBase32(systemRandom.bytes(35))}.onion`
const NEXT = `${toBase32(systemRandom.bytes(35))}.onion`

type Picture = Record<string, unknown> & {
  owners: { key: string; name: string; frame: string }[]
  revocations: { frame: string }[]
  things: { name: string; record?: string }[]
}
type Edit = (picture: Picture) => void

/** What the hub makes of each picture, as long as it is set. */
class Hub {
  edit: Edit | undefined
  readonly change = (path: string, text: string): string =>
    path.startsWith('/events') && this.edit
      ? text.replace(/^data: (\{"me".*)$/m, (_, json) => {
          const picture = JSON.parse(json) as Picture
          this.edit!(picture)
          return `data: ${JSON.stringify(picture)}`
        })
      : text
}

interface Visit {
  readonly home: PeopleHome
  readonly hub: Hub
  /** One more visit with the same browser. */
  readonly open: (origin?: string) => OpenPage
  /** Somebody whom the root makes an owner. */
  readonly second: Sealer
}

async function visiting(claim: (visit: Visit) => Promise<void>): Promise<void> {
  await using home = await openPeopleHome()
  const hub = new Hub()
  const storage = new MemoryStorage()
  const identity = { root: keyOf(home.home.home.home), seed: home.home.ownerSeed, name: 'ada' }
  const second = home.newSealer()
  const frame = home.home.ownerFrame(second, 'bob')
  assert.equal((await home.send('PUT', `/owners/${second.id}`, frame)).status, 200)
  using stack = new DisposableStack()
  const open = (origin = `http://${ONION}`) =>
    stack.use(openPage(identity, fetchOver(home.socketPath, hub.change), { storage, origin }))
  await claim({ home, hub, open, second })
}

const live = (page: OpenPage) => page.until(({ link }) => link.kind === 'live')
const owners = async (page: OpenPage) => (await live(page)).owners.map(({ name }) => name)
const lostTo = async (page: OpenPage) => {
  const { link } = await page.until((state) => state.link.kind === 'lost')
  return link.kind === 'lost' && link.code
}
const unmake = (home: PeopleHome, ...keys: readonly Uint8Array[]) =>
  home.send('PUT', '/revocations', revocationFrame(home.home.root, keys))

describe('whom the page takes for an owner', () => {
  it('nobody whom the root took back, though the hub shows them still', () =>
    visiting(async ({ home, hub, open, second }) => {
      assert.deepEqual(await owners(open()), ['ada', 'bob'])
      const shown: Picture['owners'] = []
      hub.edit = (picture) => void shown.push(...picture.owners)
      await live(open())
      await unmake(home, second.signer.key)
      hub.edit = (picture) => {
        picture.owners = shown
      }
      assert.deepEqual(await owners(open()), ['ada'])
    }))

  it('nobody who was seen to be taken back before, though the hub hides the list now', () =>
    visiting(async ({ home, hub, open, second }) => {
      let before: Picture | undefined
      hub.edit = (picture) => {
        before ??= picture
      }
      await live(open())
      await unmake(home, second.signer.key)
      assert.deepEqual(await owners(open()), ['ada'])
      hub.edit = (picture) => Object.assign(picture, { owners: before!.owners, revocations: [] })
      assert.deepEqual(await owners(open()), ['ada'])
    }))

  it('again somebody whom a later list of the root leaves out', () =>
    visiting(async ({ home, open, second }) => {
      await unmake(home, second.signer.key)
      assert.deepEqual(await owners(open()), ['ada'])
      await unmake(home)
      assert.deepEqual(await owners(open()), ['ada', 'bob'])
    }))

  it('and hears of it while it is open', () =>
    visiting(async ({ home, open, second }) => {
      const page = open()
      assert.deepEqual(await owners(page), ['ada', 'bob'])
      await unmake(home, second.signer.key)
      await page.until((state) => state.owners.length === 1)
    }))

  for (const [what, edit] of [
    ['a list that nobody sealed', (frame: Uint8Array) => frame.with(-1, frame.at(-1)! ^ 1)],
    ['a list that is none', () => Uint8Array.of(0xd2, 0x84)],
  ] as const) {
    it(`does not go on with a home that shows ${what}`, () =>
      visiting(async ({ home, hub, open }) => {
        const forged = edit(revocationFrame(home.home.root, [keyOf(home.owner.id)]))
        hub.edit = ({ revocations }) => revocations.push({ frame: toBase64url(forged) })
        assert.equal(await lostTo(open()), 'distrust')
      }))
  }

  it('is not moved by the list of somebody who is no owner, nor by an older one', () =>
    visiting(async ({ home, hub, open, second }) => {
      const stranger = home.newSealer()
      const lists = [revocationFrame(stranger, [home.owner.signer.key]), revocationFrame(home.home.root, [])]
      await unmake(home, second.signer.key)
      assert.deepEqual(await owners(open()), ['ada'])
      hub.edit = ({ revocations }) =>
        revocations.push(...lists.map((frame) => ({ frame: toBase64url(frame) })))
      assert.deepEqual(await owners(open()), ['ada'])
    }))
})

describe('what hangs from somebody whom the root took back', () => {
  it('a device that they confirmed is shown as unconfirmed, not as false, and obeys', () =>
    visiting(async ({ home, open, second }) => {
      const { light } = home.home
      const record = enrolmentFrame(second, { key: keyOf(light.id), name: 'porch-light' })
      const put = await home.send('PUT', `/things/${light.id}/record`, record, second)
      assert.equal(put.status, 200, put.text)
      const stands = async (page: OpenPage) =>
        (await page.until((s) => s.standing.size === 2)).standing.get(light.id)
      assert.equal((await stands(open()))?.kind, 'confirmed')
      await unmake(home, second.signer.key)
      const page = open()
      assert.equal((await stands(page))?.kind, 'unconfirmed')
      assert.deepEqual(await page.command('porch-light', 'on', true), ['done', undefined])
    }))

  it('grants and phones that were taken back are shown so, though the hub says otherwise', () =>
    visiting(async ({ home, open }) => {
      const person = await home.person('Bea')
      const phone = await home.phone(person)
      const id = await home.grant(phone)
      const page = open()
      await live(page)
      const [grants, people] = [await home.get('/grants', home.owner), await home.get('/people', home.owner)]
      await home.revoke(phone.signer.key, id)
      const lying = (path: string, text: string) =>
        path === '/grants' ? grants.text : path === '/people' ? people.text : text
      const identity = { root: keyOf(home.home.home.home), seed: home.home.ownerSeed, name: 'ada' }
      using told = openPage(identity, fetchOver(home.socketPath, lying))
      await live(told)
      await told.app.perform({ act: 'people' })
      const state = told.app.state().people
      assert.deepEqual([state.grants[0]?.revoked, state.people[0]?.keys[0]?.revoked], [true, true])
    }))

  it('what an owner gave before a floor is out', () =>
    visiting(async ({ home, open }) => {
      const phone = await home.phone(await home.person('Bea'))
      const frame = grantFrame(home.owner, { key: phone.signer.key })
      assert.equal((await home.send('POST', '/grants', frame, home.owner)).status, 201)
      const { text } = await home.get('/grants', home.owner)
      const floor = Math.floor(Date.now() / 1000) + 60
      await home.send('PUT', '/revocations', revocationFrame(home.owner, [], { floor }))
      const identity = { root: keyOf(home.home.home.home), seed: home.home.ownerSeed, name: 'ada' }
      using told = openPage(
        identity,
        fetchOver(home.socketPath, (path, said) => (path === '/grants' ? text : said)),
      )
      await live(told)
      await told.app.perform({ act: 'people' })
      assert.equal(told.app.state().people.grants[0]?.revoked, true)
      await live(open())
    }))
})

describe('what the page hears as it happens', () => {
  it('another name of a device, and that one is gone', () =>
    visiting(async ({ home, open }) => {
      const page = open()
      await live(page)
      await home.json('PATCH', '/things/weather', { name: 'balcony' }, home.owner)
      await page.until(({ things }) => things.get(home.home.sensor.id)?.name === 'balcony')
      assert.equal((await home.delete('/things/balcony', home.owner)).status, 204)
      await page.until(({ things }) => !things.has(home.home.sensor.id))
    }))
})

describe('another address for this phone [SPEC 10.4]', () => {
  const moveTo = (hub: Hub, address: unknown) => {
    hub.edit = (picture) => Object.assign(picture, { moved: { address } })
  }

  it('is heard with the first picture', () =>
    visiting(async ({ hub, open }) => {
      moveTo(hub, NEXT)
      assert.equal((await live(open())).moved?.address, NEXT)
    }))

  it('is heard while the page is open, when it is reachable', () =>
    visiting(async ({ home }) => {
      await home.json('PUT', '/invitations/watch', {}, home.owner)
      const { socketPath } = await home.home.unix({ origin: 'onion:invitation:watch' })
      const identity = { root: keyOf(home.home.home.home), seed: home.home.ownerSeed, name: 'ada' }
      using page = openPage(identity, fetchOver(socketPath), { origin: `http://${ONION}` })
      assert.equal((await live(page)).moved, undefined)
      const { socketPath: here, owner: as } = home
      const path = '/invitations/watch/renewal'
      const { status, json } = await ask({ socketPath: here, method: 'POST', path, as })
      assert.equal(status, 200)
      home.home.home.feed.publish({
        event: 'onion',
        at: 1,
        service: 'invitation:watch~1',
        status: 'reachable',
      })
      const { moved } = await page.until((state) => state.moved !== undefined)
      assert.deepEqual(
        [moved!.address, moved!.clientKey && toBase64url(moved!.clientKey)],
        [json.address, json.clientKey],
      )
    }))

  for (const [what, address, origin] of [
    ['the one where it is', ONION, undefined],
    ['one for a page on the LAN', NEXT, 'https://192.168.1.5:8443'],
  ] as const) {
    it(`is not ${what}`, () =>
      visiting(async ({ hub, open }) => {
        moveTo(hub, address)
        assert.equal((await live(open(origin))).moved, undefined)
      }))
  }

  for (const address of [
    'evil.example',
    `${NEXT}.evil.example`,
    `${NEXT}@evil.example`,
    `${NEXT}:81`,
    `${NEXT}/x`,
    7,
  ]) {
    it(`is not ${String(address).slice(-20)}`, () =>
      visiting(async ({ hub, open }) => {
        moveTo(hub, address)
        assert.equal(await lostTo(open()), 'bad-answer')
      }))
  }
})
