// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toHex } from '../../../daemon/base/bytes.ts'
import { serverNameOf } from '../../../daemon/core/direct.ts'
import { type Body, nativeEd25519, openEnvelope } from '../../../daemon/core/envelope/index.ts'
import { keyOf } from '../../../daemon/core/model/index.ts'
import { progressKey } from '../../../daemon/web/state.ts'
import { CODES } from '../../../schemas/gen/ts/codes.ts'
import { ask, openTestHome, type TestHome } from '../../support/http-home.ts'
import { sha256 } from '../../support/request.ts'
import { fetchOver, type OpenPage, openPage } from './page-home.ts'

const POINT = Uint8Array.from({ length: 65 }, (_, i) => (i === 0 ? 4 : i))
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
  await home.light.connect([1, 2, 5, 6])
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
