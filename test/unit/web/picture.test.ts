// SPDX-License-Identifier: GPL-3.0-or-later
/** The page shows of a camera what that camera sealed, and nothing else [SPEC 19]. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toBase64url } from '../../../daemon/base/bytes.ts'
import { systemRandom } from '../../../daemon/base/random.ts'
import { keyOf } from '../../../daemon/core/model/index.ts'
import { pictureKey } from '../../../daemon/web/state.ts'
import { addCamera, type FakeCamera, pictureOf } from '../../support/camera.ts'
import { openTestHome, type TestHome } from '../../support/http-home.ts'
import { sha256 } from '../../support/request.ts'
import { fetchOver, type OpenPage, openPage } from './page-home.ts'

const [FIRST, SECOND] = [pictureOf(37), pictureOf(53)]
/** Enough of it for some to be told before all of it is there. */
const LARGE = Uint8Array.of(0xff, 0xd8, ...systemRandom.bytes(20_000), 0xff, 0xd9)
const NOBODYS = new Uint8Array(32).fill(1)

interface Opened {
  readonly home: TestHome
  readonly page: OpenPage
  readonly gate: FakeCamera
}

type Fetch = typeof globalThis.fetch

async function visiting(
  claim: (opened: Opened) => Promise<void>,
  lie: (fetch: Fetch) => Fetch = (fetch) => fetch,
) {
  await using home = await openTestHome()
  const gate = await addCamera(home, 'gate')
  const { socketPath } = await home.unix()
  const identity = { root: keyOf(home.home.home), seed: home.ownerSeed, name: 'ada' }
  using page = openPage(identity, lie(fetchOver(socketPath)))
  await page.until(({ link }) => link.kind === 'live')
  await claim({ home, page, gate })
}

const viewOf = ({ page, gate }: Opened) => page.app.state().pictures.get(pictureKey(gate.id, 'still'))
const load = ({ page, gate }: Opened) =>
  page.app.perform({ act: 'picture', thing: gate.id, property: 'still' })
const keep = async ({ gate }: Opened, picture: Uint8Array) => {
  gate.say(picture, NOBODYS)
  await gate.send(picture)
}

describe('a picture on the page', () => {
  it('is the newest that the hub has, once it is what the camera sealed', () =>
    visiting(async (opened) => {
      await load(opened)
      assert.deepEqual([viewOf(opened)?.stage, viewOf(opened)?.picture], ['there', undefined])
      await keep(opened, FIRST)
      await load(opened)
      assert.deepEqual([viewOf(opened)?.picture?.jpeg, viewOf(opened)?.picture?.at], [FIRST, 1000])
    }))

  it('follows when somebody else has another taken', () =>
    visiting(async (opened) => {
      await keep(opened, FIRST)
      await load(opened)
      await keep(opened, SECOND)
      await opened.page.until(() => viewOf(opened)?.picture?.jpeg.length === SECOND.length)
      assert.deepEqual(viewOf(opened)?.picture?.jpeg, SECOND)
    }))

  it('that was asked for by a button is waited for, as it comes', () =>
    visiting(async (opened) => {
      const { page, gate } = opened
      let command: Uint8Array | undefined
      gate.changes = (frame) => {
        command = sha256(frame)
        return [{ affordance: 30, at: 1000, value: LARGE.length }]
      }
      const done = page.command('gate', 'look')
      await page.until(() => viewOf(opened)?.stage === 'coming')
      gate.say(LARGE, command!)
      await gate.send(LARGE, 0, 10_240)
      await page.until(() => viewOf(opened)?.got !== undefined)
      await gate.send(LARGE, 10_240)
      assert.deepEqual(await done, ['done', undefined])
      assert.deepEqual(viewOf(opened)?.picture?.jpeg, LARGE)
    }))

  it('of which more is coming is asked for again', () => {
    let goes = 0
    const slowly =
      (fetch: Fetch): Fetch =>
      (path, init) => {
        if (!String(path).includes('/stills/') || ++goes > 2) return fetch(path, init)
        return Promise.resolve(Response.json({ code: 'busy' }, { status: 503 }))
      }
    return visiting(async (opened) => {
      await keep(opened, FIRST)
      await load(opened)
      assert.deepEqual([viewOf(opened)?.picture?.jpeg, goes], [FIRST, 3])
    }, slowly)
  })
})

describe('a hub that lies about a picture', () => {
  /** Answers with this in place of what the home would say. */
  const instead =
    (part: string, answer: (path: string, honest: () => Promise<Response>) => Promise<Response>) =>
    (fetch: Fetch): Fetch =>
    (path, init) => {
      const text = String(path)
      return text.includes(part) ? answer(text, () => fetch(path, init)) : fetch(path, init)
    }
  const bytes = (jpeg: Uint8Array) => async () => new Response(Uint8Array.from(jpeg))
  const withFrame =
    (frame: (honest: string) => string) => async (_path: string, honest: () => Promise<Response>) => {
      const { stills } = (await (await honest()).json()) as { stills: { frame: string }[] }
      return Response.json({ stills: stills.map((one) => ({ ...one, frame: frame(one.frame) })) })
    }
  const lies: [string, (fetch: Fetch) => Fetch, string][] = [
    ['other bytes', instead('/stills/', bytes(SECOND)), 'distrust'],
    ['half of it', instead('/stills/', bytes(FIRST.subarray(0, 99))), 'distrust'],
    ['more than any picture has', instead('/stills/', bytes(new Uint8Array(65_537))), 'bad-answer'],
    ['a page in its place', instead('/stills/', bytes(new TextEncoder().encode('<html>'))), 'distrust'],
    [
      'an envelope of nobody',
      instead(
        '/stills?',
        withFrame(() => toBase64url(systemRandom.bytes(200))),
      ),
      'distrust',
    ],
    [
      'an envelope with another bit',
      instead(
        '/stills?',
        withFrame(
          (honest) => `${honest.slice(0, -9)}${honest.at(-9) === 'A' ? 'B' : 'A'}${honest.slice(-8)}`,
        ),
      ),
      'distrust',
    ],
    ['no list', instead('/stills?', async () => Response.json({ stills: 'many' })), 'bad-answer'],
  ]
  for (const [what, lie, code] of lies)
    it(`shows nothing, and says ${code}: ${what}`, () =>
      visiting(async (opened) => {
        await keep(opened, FIRST)
        await load(opened)
        const view = viewOf(opened)
        assert.deepEqual([view?.stage, view?.code, view?.picture], ['failed', code, undefined])
      }, lie))
})
