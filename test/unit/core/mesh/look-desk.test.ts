// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { toBase64url } from '../../../../daemon/base/bytes.ts'
import { type Clock, systemClock } from '../../../../daemon/base/clock.ts'
import { type Shown, showHere } from '../../../../daemon/core/mesh/index.ts'
import { idOf, type PartyId } from '../../../../daemon/core/model/index.ts'
import { addCamera, type FakeCamera, pictureOf } from '../../../support/camera.ts'
import { newSigner } from '../../../support/http-home.ts'
import { ManualClock } from '../../../support/manual-clock.ts'
import { INVOKE, READ } from '../../../support/papers.ts'
import { openPeopleHome, type PeopleHome } from '../../../support/people-home.ts'
import { Sealer, sha256 } from '../../../support/request.ts'

const PICTURE = pictureOf(37)
const COMMAND = new Uint8Array(32).fill(1)

let home: PeopleHome
let gate: FakeCamera
let seer: Sealer
let shutter: Sealer
/** Another daemon of the home, and one whose key holds a grant, as that of a script's token. */
const town = new Sealer(newSigner(), '' as PartyId)
const farm = new Sealer(newSigner(), '' as PartyId)

before(async () => {
  home = await openPeopleHome()
  gate = await addCamera(home.home, 'gate')
  seer = await home.phone(await home.person('eve'))
  shutter = await home.phone(await home.person('max'))
  const devices = [gate.sealer.signer.key]
  await home.grant(seer, { devices, what: [{ affordance: 30, methods: READ }] })
  await home.grant(farm, { devices, what: [{ affordance: 30, methods: READ }] })
  await home.grant(shutter, { devices, what: [{ affordance: 31, methods: INVOKE }] })
  gate.say(PICTURE, COMMAND)
  await gate.send(PICTURE)
})
after(async () => {
  // What was refused is in the log by now.
  await home.log()
  await home[Symbol.asyncDispose]()
})

interface Asked {
  readonly path?: string
  readonly as?: Sealer
  readonly request?: Uint8Array
  readonly device?: PartyId
  readonly from?: Sealer
  readonly elsewhere?: boolean
  readonly clock?: Clock
}

async function shown({ path = latest(), as = seer, from = town, clock = systemClock, ...asked }: Asked = {}) {
  const { devices, desk, authority, stills, feed } = home.home.home
  const show = showHere({
    ...{ clock, desk, authority, stills, feed, own: idOf(newSigner().key) },
    devices: asked.elsewhere ? { ...devices, get: () => undefined } : devices,
    nameOf: (member) => (member === town.id ? 'town' : 'cabin'),
  })
  const request = asked.request ?? as.request({ method: 'GET', path })
  const question = { word: 'look', number: 1, path, request, digest: new Uint8Array(), have: 0 } as const
  const answer = await show({ ...question, device: asked.device ?? gate.id }, from.id)
  return answer.ok ? answer.value : answer.why
}

const latest = () => `/things/${gate.id}/stills/latest`
const digestsOf = (answer: Shown | string) => {
  assert(typeof answer === 'object')
  const all = 'list' in answer ? answer.list.stills : [answer.still]
  return all.map(({ digest }) => toBase64url(digest))
}

describe('a question for pictures that another daemon passes on [SPEC 19.6]', () => {
  it('is answered to who may see them, by whatever the device is called there', async () => {
    for (const named of [gate.id, 'gate', 'cabin%2Fgate'])
      for (const what of ['', `/${toBase64url(sha256(PICTURE))}`, '/latest?property=still'])
        assert.deepEqual(
          digestsOf(await shown({ path: `/things/${named}/stills${what}` })),
          [toBase64url(sha256(PICTURE))],
          named + what,
        )
  })

  it('is answered to owners, and to the daemon itself by the grants that its key holds', async () => {
    assert.equal(digestsOf(await shown({ as: home.owner })).length, 1)
    assert.equal(digestsOf(await shown({ from: farm, request: new Uint8Array() })).length, 1)
  })

  it('waits for a picture, but not as long as its client would', async () => {
    const clock = new ManualClock()
    const path = `/things/gate/stills?wait=25&command=${toBase64url(new Uint8Array(32))}`
    const asked = shown({ path, clock })
    const answer = async () =>
      Promise.race([asked, new Promise<string>((open) => setImmediate(open, 'open'))])
    await clock.pass(3999)
    assert.equal(await answer(), 'open')
    await clock.pass(1)
    assert.deepEqual(digestsOf((await answer()) as Shown), [])
  })

  const refusals: [string, () => Asked, string][] = [
    ['a key that nobody knows', () => ({ as: home.newSealer() }), 'unknown-signer'],
    ['nobody, from a daemon whose key holds no grant', () => ({ request: new Uint8Array() }), 'not-found'],
    ['what is no request', () => ({ request: new Uint8Array(9) }), 'wrong-tag'],
    ['who may take but not see them', () => ({ as: shutter }), 'not-granted'],
    [
      'a request that was sealed for something else',
      () => ({ request: seer.request({ method: 'GET', path: '/home' }) }),
      'unauthorized',
    ],
    [
      'one that was sealed to do something',
      () => ({ request: seer.request({ method: 'DELETE', path: latest() }) }),
      'unauthorized',
    ],
    [
      'one with a body',
      () => ({ request: seer.request({ method: 'GET', path: latest(), body: new Uint8Array(1) }) }),
      'unauthorized',
    ],
    [
      'one of another home',
      () => ({ request: seer.request({ method: 'GET', path: latest(), audience: town.id }) }),
      'wrong-audience',
    ],
    [
      'an old one',
      () => ({ request: seer.request({ method: 'GET', path: latest(), sealedAt: 1_700_000_000 }) }),
      'expired',
    ],
    ['another path', () => ({ path: '/home' }), 'bad-request'],
    ['a path of more', () => ({ path: `${latest()}/more` }), 'bad-request'],
    ['an unknown parameter', () => ({ path: `${latest()}?command=AAAA` }), 'bad-request'],
    ['no digest', () => ({ path: '/things/gate/stills/first' }), 'not-found'],
    [
      'a digest of which there is nothing',
      () => ({ path: `/things/gate/stills/${toBase64url(COMMAND)}` }),
      'not-found',
    ],
    ['a name that it has not', () => ({ path: '/things/yard/stills/latest' }), 'unauthorized'],
    ['a name in another home', () => ({ path: '/things/farm%2Fgate/stills/latest' }), 'unauthorized'],
    [
      'another device than the request',
      () => ({ device: home.home.light.id, as: home.owner }),
      'unauthorized',
    ],
    ['a device that is not here any more', () => ({ elsewhere: true }), 'still-elsewhere'],
    [
      'a device that takes none',
      () => ({ device: home.home.light.id, path: '/things/porch-light/stills/latest', as: home.owner }),
      'no-such-affordance',
    ],
  ]
  for (const [what, asked, code] of refusals)
    it(`is refused with ${code}: ${what}`, async () => assert.equal(await shown(asked()), code))

  it('is refused when it is passed on a second time', async () => {
    const request = seer.request({ method: 'GET', path: latest() })
    assert.equal(digestsOf(await shown({ request })).length, 1)
    assert.equal(await shown({ request }), 'replayed')
  })

  it('is refused when who sealed it was taken back since', async () => {
    const gone = await home.phone(await home.person('gone'))
    await home.grant(gone, { devices: [gate.sealer.signer.key], what: [{ affordance: 30, methods: READ }] })
    assert.equal(digestsOf(await shown({ as: gone })).length, 1)
    await home.revoke(gone.signer.key)
    assert.equal(await shown({ as: gone }), 'grant-revoked')
  })
})
