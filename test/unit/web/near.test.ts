// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toHex } from '../../../daemon/base/bytes.ts'
import { systemRandom } from '../../../daemon/base/random.ts'
import { serverNameOf } from '../../../daemon/core/direct.ts'
import { type Body, nativeEd25519, openEnvelope, sealEnvelope } from '../../../daemon/core/envelope/index.ts'
import { idOf, keyOf } from '../../../daemon/core/model/index.ts'
import { openTrust } from '../../../daemon/core/policy/index.ts'
import type { Held, Thing } from '../../../daemon/web/answers.ts'
import { Keep } from '../../../daemon/web/keep.ts'
import { Near } from '../../../daemon/web/near.ts'
import { Person } from '../../../daemon/web/person.ts'
import { progressKey } from '../../../daemon/web/state.ts'
import { CODES } from '../../../schemas/gen/ts/codes.ts'
import { ask, newSigner, openTestHome, type TestHome } from '../../support/http-home.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { sha256 } from '../../support/request.ts'
import { fetchOver, MemoryStorage, type OpenPage, openPage } from './page-home.ts'

const POINT = Uint8Array.from({ length: 65 }, (_, i) => (i === 0 ? 4 : i))
const LOOK = 31
const ORIGIN = 'https://hub.local:8080'

/** What the light's own server does with a request. */
type Own = (frame: Uint8Array, home: TestHome) => Response

const receipt: Own = (frame, { light }) =>
  new Response(Uint8Array.from(light.answerDirectly(frame)), {
    headers: { 'content-type': 'application/cose' },
  })
const away = () => {
  throw new TypeError('Failed to fetch')
}
const problem = (status: number, code: string) => new Response(JSON.stringify({ code }), { status })

interface Opened {
  readonly home: TestHome
  readonly page: OpenPage
  readonly world: { own: Own }
  /** The hub goes away, and comes back. */
  leave(): Promise<void>
  comeBack(): Promise<void>
  /** Of each request to a device: where it went. */
  readonly went: string[]
}

/** A home whose light has a server of its own, and the owner's page on its LAN face. */
async function visiting(claim: (opened: Opened) => Promise<void>) {
  await using home = await openTestHome()
  home.light.server = { port: 8443, key: POINT }
  await home.light.connect([1, 2, 5, 6, LOOK])
  let face = await home.unix({ origin: 'lan', name: 'lan.sock' })
  const { socketPath } = face
  const world: Opened['world'] = { own: receipt }
  const went: string[] = []
  const toHub = fetchOver(socketPath)
  const fetch: typeof globalThis.fetch = async (url, init) => {
    if (!String(url).startsWith('https:')) return toHub(url, init)
    went.push(String(url))
    assert.equal(new Headers(init?.headers).get('content-type'), 'application/cose')
    assert.equal(init?.credentials, 'omit')
    return world.own(init?.body as Uint8Array, home)
  }
  const identity = { root: keyOf(home.home.home), seed: home.ownerSeed, name: 'ada' }
  using page = openPage(identity, fetch, { origin: ORIGIN })
  await page.until(({ link }) => link.kind === 'live')
  await claim({
    home,
    page,
    world,
    went,
    leave: async () => face[Symbol.asyncDispose](),
    async comeBack() {
      face = await home.unix({ origin: 'lan', name: 'lan.sock' })
      page.app.retry()
    },
  })
}

const progressOf = ({ home, page }: Opened, name: string) =>
  page.app.state().progress.get(progressKey(home.light.id, name))
const shownOf = ({ home, page }: Opened, name: string) =>
  page.app.state().things.get(home.light.id)?.affordances.get(name)?.value

function bodyOf(frame: Uint8Array): Body {
  const anybody = { sizeMax: 1024, accepts: () => true, isAudience: () => true }
  const opened = openEnvelope(frame, anybody, nativeEd25519())
  assert(opened.ok)
  return opened.value.body
}

describe('GET /home tells where a device has a server of its own [SPEC 9.4]', () => {
  it('on the LAN face, of devices that have one, and nowhere else', () =>
    visiting(async ({ home }) => {
      const at = async (origin: string) => {
        const { socketPath } = await home.unix({ origin, name: `asked-${origin.replaceAll(':', '-')}.sock` })
        const { json } = await ask({ socketPath, path: '/home', as: home.owner })
        return (json.things as unknown as { name: string; direct?: string }[]).map(({ name, direct }) => [
          name,
          direct,
        ])
      }
      const own = `https://${serverNameOf(home.light.id)}:8443`
      assert.match(own, /^https:\/\/[0-9a-f]{16}\.local:8443$/)
      assert.deepEqual(await at('lan'), [
        ['porch-light', own],
        ['weather', undefined],
      ])
      for (const origin of ['unix', 'onion:invitation:phone'])
        assert.deepEqual(await at(origin), [
          ['porch-light', undefined],
          ['weather', undefined],
        ])
    }))
})

describe('a page on the LAN asks the device itself [SPEC 18]', () => {
  it('and is done with its receipt, without the hub', () =>
    visiting(async (opened) => {
      const { home, page, went } = opened
      assert.deepEqual(await page.command('porch-light', 'on', true), ['done', undefined])
      assert.deepEqual([progressOf(opened, 'on')?.direct, shownOf(opened, 'on')], [true, true])
      assert.deepEqual(went, [`https://${serverNameOf(home.light.id)}:8443/command`])
      assert.deepEqual([home.light.asked.length, home.light.got.length], [1, 0])
    }))

  it('once more, for the life that the device says, when it was born anew', () =>
    visiting(async (opened) => {
      const { home, page } = opened
      home.light.restart()
      assert.deepEqual(await page.command('porch-light', 'on', true), ['done', undefined])
      assert.deepEqual(await page.command('porch-light', 'on', false), ['done', undefined])
      assert.deepEqual([home.light.asked.length, home.light.got.length], [3, 0])
    }))

  it('and takes its refusal for the last word', () =>
    visiting(async (opened) => {
      const { home, page } = opened
      home.light.answers = CODES['device-fault']
      assert.deepEqual(await page.command('porch-light', 'on', true), ['failed', 'device-fault'])
      assert.deepEqual([home.light.asked.length, home.light.got.length], [1, 0])
    }))

  for (const [what, own] of [
    ['does not answer', away],
    ['refuses without a seal', () => problem(401, 'unknown-grant')],
    ['has no room', () => problem(503, 'busy')],
    ['answers with more than an envelope', () => new Response(new Uint8Array(1025))],
  ] as const)
    it(`gives the hub the very same bytes when the device ${what}`, () =>
      visiting(async (opened) => {
        const { home, page, world } = opened
        let first: Uint8Array | undefined
        world.own = (frame) => {
          first ??= frame
          return own()
        }
        assert.deepEqual(await page.command('porch-light', 'on', true), ['done', undefined])
        assert.deepEqual(
          [progressOf(opened, 'on')?.direct, home.light.got.map(toHex)],
          [false, [toHex(first!)]],
        )
      }))

  it('but asks the hub for a picture: that is where it is kept', () =>
    visiting(async (opened) => {
      const { home, page } = opened
      assert.deepEqual(await page.command('porch-light', 'look'), ['done', undefined])
      assert.deepEqual([progressOf(opened, 'look')?.direct, home.light.asked.length], [false, 0])
    }))

  it('leaves a silent device to the hub for a while', () =>
    visiting(async ({ page, world, went }) => {
      world.own = away
      await page.command('porch-light', 'on', true)
      await page.command('porch-light', 'on', false)
      assert.equal(went.length, 1)
    }))

  it('does not claim to know what became of a command whose answer was lost', () =>
    visiting(async ({ home, page, world }) => {
      world.own = away
      home.light.answers = CODES.replayed
      assert.deepEqual(await page.command('porch-light', 'toggle'), ['failed', 'unknown-outcome'])
    }))

  for (const [what, own] of [
    ['for another command', (_frame, home) => receipt(commandOf(home), home)],
    ['that was changed', (frame, { light }) => new Response(flipped(light.answerDirectly(frame)))],
    ['of another device', (frame, home) => receiptOfSensor(frame, home)],
    ['that is no envelope', () => new Response('<html>')],
  ] as const satisfies readonly (readonly [string, Own])[])
    it(`believes no receipt ${what}`, () =>
      visiting(async ({ page, world }) => {
        world.own = own
        assert.deepEqual(await page.command('porch-light', 'on', true), ['failed', 'distrust'])
      }))
})

const commandOf = ({ owner, light }: TestHome) =>
  owner.command({ device: light.id, nonce: light.nonce, affordance: 1, operation: 'write', value: false })

function flipped(frame: Uint8Array): Uint8Array<ArrayBuffer> {
  const changed = Uint8Array.from(frame)
  changed[changed.length - 1]! ^= 1
  return changed
}

const receiptOfSensor: Own = (frame, { sensor }) =>
  new Response(
    Uint8Array.from(sensor.seal({ type: 'receipt', command: sha256(frame), code: 0, values: [] }).frame),
  )

describe('a page whose hub is gone [SPEC 18]', () => {
  it('shows how devices stand by what they say themselves, and commands them', () =>
    visiting(async (opened) => {
      const { home, page, world } = opened
      home.light.stands = [{ affordance: 2, at: Date.now(), value: 77 }]
      await opened.leave()
      await page.until(({ link }) => link.kind === 'lost')
      await page.until(({ near }) => near.has(home.light.id))
      assert.equal(shownOf(opened, 'level'), 77)
      const asked = bodyOf(home.light.asked[0]!)
      assert(asked.type === 'command')
      assert.deepEqual([asked.operation, asked.affordance, asked.value], ['read', 0, undefined])
      assert.deepEqual(await page.command('porch-light', 'on', true), ['done', undefined])
      assert.equal(progressOf(opened, 'on')?.direct, true)
      world.own = away
      assert.deepEqual(await page.command('porch-light', 'on', true), ['failed', 'unreachable'])
      await opened.comeBack()
      const { near } = await page.until(({ link }) => link.kind === 'live')
      assert.equal(near.size, 0)
    }))
})

describe('Near asks one device [SPEC 18]', () => {
  const ed25519 = nativeEd25519()
  const [root, device] = [newSigner(), newSigner()]
  const origin = `https://${serverNameOf(idOf(device.key))}:8443`
  const trusted = openTrust(root.key, [], ed25519)
  assert(trusted.ok)
  const believed = { trust: trusted.value, ed25519 }
  const [A, B] = [new Uint8Array(8).fill(0xa), new Uint8Array(8).fill(0xb)]
  const EPOCH = new Uint8Array(8).fill(1)
  const said = (sequence: number) => ({ audience: idOf(root.key), sealedAt: 0, epoch: EPOCH, sequence })
  const hello: Body = {
    type: 'hello',
    ...said(0),
    board: 'host',
    firmware: 'l',
    affordances: [7, 8, 9],
    lost: 0,
  }
  const held = (number: number, name: string, grant: Uint8Array): [string, Held] => [
    name,
    { number, name, kind: 'property', may: { read: { ok: true, grant } } },
  ]
  const thing: Thing = {
    id: idOf(device.key),
    name: 'door',
    connected: true,
    since: 0,
    direct: origin,
    nonce: EPOCH,
    hello: sealEnvelope(hello, device),
    affordances: new Map([
      held(7, 'locked', A),
      held(8, 'closed', B),
      held(13, 'jammed', A),
      ['unlock', { number: 9, name: 'unlock', kind: 'action', may: { invoke: { ok: true, grant: A } } }],
    ]),
  }
  const setUp = (fetch: typeof globalThis.fetch) => {
    const clock = new ManualClock()
    const identity = { root: root.key, seed: new Uint8Array(32).fill(3), name: 'sitter' }
    const person = new Person({ clock, random: systemRandom, keep: new Keep(new MemoryStorage()) }, identity)
    return { clock, near: new Near({ clock, fetch, person }) }
  }
  const { signal } = new AbortController()

  it('once by each grant that lets this person read, and by none that does not', async () => {
    const asked: unknown[] = []
    const { near } = setUp(async (_url, init) => {
      const frame = init!.body as Uint8Array
      const body = bodyOf(frame)
      assert(body.type === 'command')
      asked.push([body.operation, body.affordance, body.grant])
      const affordance = body.grant![0] === 0xa ? 7 : 8
      const values = [{ affordance, at: 9, value: true }]
      const receipt: Body = {
        type: 'receipt',
        ...said(asked.length),
        command: sha256(frame),
        code: 0,
        values,
      }
      return new Response(Uint8Array.from(sealEnvelope(receipt, device)))
    })
    const values = await near.read(thing, believed, signal)
    assert.deepEqual(asked, [
      ['read', 0, A],
      ['read', 0, B],
    ])
    assert.deepEqual(
      values?.map(({ property }) => property),
      ['locked', 'closed'],
    )
  })

  it('and waits no longer than it must, nor reads more than it must', async () => {
    const silent = setUp(
      (_url, init) =>
        new Promise((_, reject) => init!.signal!.addEventListener('abort', () => reject(new Error('over')))),
    )
    const asking = silent.near.read(thing, believed, signal)
    await silent.clock.advance(2500)
    assert.equal(await asking, undefined)
    assert.deepEqual([silent.near.reaches(thing, false), silent.near.reaches(thing, true)], [false, true])
    await silent.clock.advance(60_000)
    assert.equal(silent.near.reaches(thing, false), true)

    let pieces = 0
    const endless = setUp(
      async () =>
        new Response(
          new ReadableStream({
            pull(stream) {
              pieces++
              stream.enqueue(new Uint8Array(512))
            },
          }),
        ),
    )
    assert.equal(await endless.near.read(thing, believed, signal), undefined)
    assert.ok(pieces < 10, `${pieces} pieces`)
  })
})
