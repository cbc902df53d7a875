// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toBase64url } from '../../../daemon/base/bytes.ts'
import { systemRandom } from '../../../daemon/base/random.ts'
import { idOf, keyOf } from '../../../daemon/core/model/index.ts'
import { openApp } from '../../../daemon/web/app.ts'
import type { Identity } from '../../../daemon/web/identity.ts'
import { Keep } from '../../../daemon/web/keep.ts'
import { openTestHome, type TestHome } from '../../support/http-home.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { fetchOver, MemoryStorage, type OpenPage, openPage } from './page-home.ts'

type Change = (path: string, text: string) => string

const identityOf = (home: TestHome): Identity => ({
  root: keyOf(home.home.home),
  seed: home.ownerSeed,
  name: 'ada',
})

interface Opened {
  readonly home: TestHome
  readonly page: OpenPage
}

/** Opens a home and its page, runs the claim, closes both. */
async function visiting(claim: (opened: Opened) => Promise<void>, change?: (home: TestHome) => Change) {
  await using home = await openTestHome()
  const { socketPath } = await home.unix()
  using page = openPage(identityOf(home), fetchOver(socketPath, change?.(home)))
  await claim({ home, page })
}

const live = ({ page }: Opened) => page.until(({ link }) => link.kind === 'live')
const lost = async ({ page }: Opened) => {
  const { link } = await page.until((state) => state.link.kind === 'lost')
  return link.kind === 'lost' ? link.code : link.kind
}

describe('the page at an honest home', () => {
  it('shows every device, and hears what they report and when they go', () =>
    visiting(async (opened) => {
      const { things, me } = await live(opened)
      assert.deepEqual(
        [...things.values()].map(({ name }) => name),
        ['porch-light', 'weather'],
      )
      assert.equal(me?.kind, 'owner')
      const { home, page } = opened
      await home.sensor.report([{ affordance: 3, at: 5000, value: 2153 }])
      const warm = (value: unknown) =>
        page.until(
          ({ things }) => things.get(home.sensor.id)?.affordances.get('temperature')?.value === value,
        )
      await warm(21.53)
      await home.sensor.report([{ affordance: 3, at: 4000, value: 100 }])
      await home.sensor.report([{ affordance: 3, at: 6000, value: 2200 }])
      await warm(22)
      home.deviceDesk.gone(home.sensor.id, 'silent')
      await page.until(({ things }) => things.get(home.sensor.id)?.connected === false)
    }))

  it('switches a light, and is done with the device’s own receipt', () =>
    visiting(async (opened) => {
      await live(opened)
      assert.deepEqual(await opened.page.command('porch-light', 'on', true), ['done', undefined])
      const { things } = opened.page.app.state()
      assert.equal(things.get(opened.home.light.id)?.affordances.get('on')?.value, true)
      assert.deepEqual(await opened.page.command('porch-light', 'toggle'), ['done', undefined])
    }))

  it('tells a refusal by the device with its code', () =>
    visiting(async (opened) => {
      await live(opened)
      opened.home.light.answers = 164
      assert.deepEqual(await opened.page.command('porch-light', 'on', true), ['failed', 'device-fault'])
    }))

  it('refuses by itself what cannot be: a value out of range, an affordance that is not there', () =>
    visiting(async (opened) => {
      await live(opened)
      assert.deepEqual(await opened.page.command('porch-light', 'level', 101), ['failed', 'bad-value'])
      assert.deepEqual(await opened.page.command('porch-light', 'locked', true), [
        'failed',
        'no-such-affordance',
      ])
      assert.deepEqual(opened.home.light.got, [])
    }))

  it('seals once more for a device that was born anew in between', () =>
    visiting(async (opened) => {
      await live(opened)
      const { home, page } = opened
      home.light.restart()
      await home.light.connect([1, 2, 5, 6])
      await page.until(({ things }) => things.get(home.light.id)?.hello === undefined)
      assert.deepEqual(await page.command('porch-light', 'on', true), ['done', undefined])
    }))

  it('reads the past of a property, and what everybody did', () =>
    visiting(async (opened) => {
      await live(opened)
      const { home, page } = opened
      await page.command('porch-light', 'level', 40)
      await page.app.perform({ act: 'history', thing: home.light.id, property: 'level', since: 0 })
      assert.deepEqual(
        page.app.state().history?.samples?.map(({ value }) => value),
        [40],
      )
      await page.app.perform({ act: 'log', read: {} })
      const [act] = page.app.state().log.acts
      assert.deepEqual(
        [act?.kind, act?.asked, act?.code, act?.sealed],
        ['command', { name: 'level', value: 40 }, 'ok', true],
      )
    }))

  it('hears that there is more in the log when a device answers somebody', () =>
    visiting(async (opened) => {
      await live(opened)
      const { home, page } = opened
      await page.app.perform({ act: 'log', read: {} })
      const { news, acts } = page.app.state().log
      const { socketPath } = await home.unix()
      using other = openPage(identityOf(home), fetchOver(socketPath))
      await live({ home, page: other })
      await other.command('porch-light', 'level', 55)
      await page.until((state) => state.log.news > news)
      await page.app.perform({ act: 'log', read: 'newer' })
      const now = page.app.state().log.acts
      assert.deepEqual([now[0]?.asked, now[0]?.code], [{ name: 'level', value: 55 }, 'ok'])
      assert.deepEqual(now.slice(1), acts)
    }))

  it('shows the log of one person and one device, with what became of each command', () =>
    visiting(async (opened) => {
      await live(opened)
      const { home, page } = opened
      await page.command('porch-light', 'on', true)
      const shown = async (by: object) => {
        await page.app.perform({ act: 'log', read: by })
        return page.app.state().log.acts.map(({ kind, code }) => [kind, code])
      }
      const mine = await shown({ who: page.app.person.id, device: home.light.id })
      assert.deepEqual(mine, [['command', 'ok']])
      assert.deepEqual(await shown({ device: home.sensor.id, who: page.app.person.id }), [])
    }))

  it('is refused when its key is not known here', async () => {
    await using home = await openTestHome()
    const { socketPath } = await home.unix()
    const stranger = { ...identityOf(home), seed: systemRandom.bytes(32) }
    using page = openPage(stranger, fetchOver(socketPath))
    assert.equal(await lost({ home, page }), 'unknown-signer')
  })
})

/** Puts something else in the place of a member of the first picture. */
const inPicture =
  (edit: (picture: Record<string, never>, home: TestHome) => void) =>
  (home: TestHome): Change => {
    return (path, text) =>
      path.startsWith('/events')
        ? text.replace(/^data: (\{"me".*)$/m, (_, json) => {
            const picture = JSON.parse(json)
            edit(picture, home)
            return `data: ${JSON.stringify(picture)}`
          })
        : text
  }

type Told = { name: string; hello: string; nonce: string; record?: string }
const thingsIn = (picture: Record<string, never>) => picture.things as unknown as Told[]

describe('the page at a home that ends its stream', () => {
  const root = systemRandom.bytes(32)
  const picture = {
    me: { kind: 'holder', name: 'Bea', share: false },
    home: idOf(root),
    hub: idOf(root),
    ...{ owners: [], revocations: [], people: [], things: [] },
  }
  const stream = () => new Response(`event: home\ndata: ${JSON.stringify(picture)}\n\n`)

  /** @param answers  to one question after the other; the last to all that follow */
  function opened(...answers: (() => Response | Promise<Response>)[]) {
    const clock = new ManualClock()
    const over = new AbortController()
    const fetch = (async () =>
      (answers.length > 1 ? answers.shift()! : answers[0]!)()) as typeof globalThis.fetch
    const keep = new Keep(new MemoryStorage())
    const deps = { clock, random: systemRandom, keep, fetch, origin: 'http://localhost' }
    const app = openApp(deps, { root, seed: systemRandom.bytes(32), name: 'Bea' }, over.signal)
    return { clock, kind: () => app.state().link.kind, [Symbol.dispose]: () => over.abort() }
  }

  it('stays live when it answers again, and is not when it does not', async () => {
    using page = opened(stream, stream, () => new Promise(() => {}))
    await page.clock.pass(500)
    assert.equal(page.kind(), 'live')
    await page.clock.pass(5000)
    assert.equal(page.kind(), 'live')
    await page.clock.pass(7000)
    assert.equal(page.kind(), 'connecting')
  })
})

describe('the page at a hostile hub', () => {
  it('does not believe another home at the address', () =>
    visiting(
      async (opened) => assert.equal(await lost(opened), 'distrust'),
      inPicture((picture) => {
        picture.home = toBase64url(systemRandom.bytes(32)) as never
      }),
    ))

  it('does not believe an owner whom the root did not make', () =>
    visiting(
      async (opened) => assert.equal(await lost(opened), 'distrust'),
      inPicture((picture) => {
        const [owner] = picture.owners as unknown as { frame: string }[]
        owner!.frame = owner!.frame.replace(/..$/, (end) => (end === 'AA' ? 'BA' : 'AA'))
      }),
    ))

  it('sends no command on the hello of another device', () =>
    visiting(
      async (opened) => {
        await live(opened)
        assert.deepEqual(await opened.page.command('porch-light', 'on', true), ['failed', 'distrust'])
        assert.deepEqual([opened.home.light.got, opened.home.sensor.got], [[], []])
        const { standing } = await opened.page.until((state) => state.standing.size === 2)
        assert.equal(standing.get(opened.home.light.id)?.kind, 'distrusted')
      },
      inPicture((picture) => {
        const [light, sensor] = thingsIn(picture)
        light!.hello = sensor!.hello
      }),
    ))

  it('sends no command for a nonce that is not the one in the hello', () =>
    visiting(
      async (opened) => {
        await live(opened)
        assert.deepEqual(await opened.page.command('porch-light', 'on', true), ['failed', 'distrust'])
      },
      inPicture((picture) => {
        for (const thing of thingsIn(picture)) thing.nonce = toBase64url(systemRandom.bytes(8))
      }),
    ))

  it('does not take a record that no owner sealed for a confirmation', () =>
    visiting(
      async (opened) => {
        await live(opened)
        const { standing } = await opened.page.until((state) => state.standing.size === 2)
        assert.equal(standing.get(opened.home.light.id)?.kind, 'distrusted')
      },
      inPicture((picture) => {
        for (const thing of thingsIn(picture)) thing.record = thing.hello
      }),
    ))

  const inStages = (edit: (text: string) => string) => (): Change => (path, text) =>
    path.includes('/properties/') ? edit(text) : text

  for (const [what, edit, code] of [
    ['says done without a receipt', () => '{"stage":"done"}\n', 'bad-answer'],
    ['shows a receipt that is none', () => '{"stage":"done","receipt":"0oRA"}\n', 'distrust'],
    ['says done when the device refused', (text: string) => text.replace('"refused"', '"done"'), 'distrust'],
    ['tells of stages without end', () => '{"stage":"at-hub"}\n'.repeat(20), 'bad-answer'],
    ['ends in the middle', () => '{"stage":"at-hub"}\n', 'unknown-outcome'],
    ['answers with something that is no JSON', () => '<script>alert(1)</script>\n', 'bad-answer'],
    [
      'says that it expired after it had reached the device',
      () => '{"stage":"expired","reached":true}\n',
      'unknown-outcome',
    ],
    ['says that it expired', () => '{"stage":"expired","reached":false}\n', 'expired'],
  ] as const) {
    it(`does not take a command for done when the hub ${what}`, () =>
      visiting(async (opened) => {
        await live(opened)
        opened.home.light.answers = 164
        assert.deepEqual(await opened.page.command('porch-light', 'on', true), ['failed', code])
      }, inStages(edit)))
  }

  it('does not take the receipt of an earlier command for this one', () => {
    let earlier: string | undefined
    return visiting(
      async (opened) => {
        await live(opened)
        assert.deepEqual(await opened.page.command('porch-light', 'on', true), ['done', undefined])
        assert.deepEqual(await opened.page.command('porch-light', 'on', false), ['failed', 'distrust'])
      },
      () => (path, text) => {
        if (!path.includes('/properties/')) return text
        const before = earlier
        earlier = /^.*"done".*$/m.exec(text)?.[0] ?? earlier
        return before ? `${before}\n` : text
      },
    )
  })
})
