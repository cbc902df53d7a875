// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The phone page in a real browser: Debian's Chromium, through real Tor and on the LAN, with a real daemon and the light's
 * firmware. It also makes the pictures of the README, when asked: SHALLOT_PICTURES=1.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { fromBase64url } from '../../daemon/base/bytes.ts'
import { derive, parseWords } from '../../daemon/core/identity/index.ts'
import { writeKey } from '../../daemon/web/identity.ts'
import type { PrivateTor } from '../../scripts/private-tor.ts'
import { violationsOf } from '../support/axe.ts'
import { complaintsOf, missingChromium, openChromium, type TestBrowser } from '../support/chromium.ts'
import { openClientTor } from '../support/client-tor.ts'
import { type LiveDevice, type LiveHome, openLiveHome, type Said } from '../support/home.ts'
import { privateTor } from '../support/private-tor.ts'
import { openSocksTap, type SocksTap } from '../support/socks-tap.ts'

const SMALL = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 1, hasTouch: true, isMobile: true }
const DOCS = join(import.meta.dirname, '../../.docs')
const KIB_MAX = 150

let network: PrivateTor
let home: LiveHome
let light: LiveDevice
let sensor: LiveDevice
let onion: string
let key: string
const stack = new AsyncDisposableStack()

before(async () => {
  network = stack.use(await privateTor())
  home = stack.use(await openLiveHome({ network, linkPort: 25580 }))
  light = stack.use(await home.enrol('porch-light', 'porch-light'))
  sensor = stack.use(await home.enrol('balcony', 'weather'))
  const invited: Said = await home.done(['onion', 'invite', 'phone', '--no-auth'])
  onion = invited.address as string
  key = ownersKey()
})
after(() => stack[Symbol.asyncDispose]())

/** What a person keeps who is an owner: their key as a personal link's fragment. */
function ownersKey(): string {
  const words = parseWords(home.words)
  assert(words.ok)
  const root = JSON.parse(readFileSync(join(home.owner, 'home.json'), 'utf8')).home as string
  return writeKey({
    root: fromBase64url(root)!,
    seed: derive(words.value, 'owner/0').reveal(),
    name: "Ada's phone",
  })
}

async function openPage(
  { browser }: TestBrowser,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; complaints: string[]; asked: Set<string> }> {
  const context = await browser.newContext({ ...SMALL, locale: 'en-GB', ...options })
  const page = await context.newPage()
  const asked = new Set<string>()
  context.on('request', (request) => asked.add(new URL(request.url()).host))
  return { page, complaints: complaintsOf(page), asked }
}

/** What Debian's Chromium asks for by itself, page or no page; the network here has no way to them. */
const BROWSERS_OWN = new Set(['update.googleapis.com:443', 'accounts.google.com:443'])
const isPages = ({ target }: { target: string }) => !BROWSERS_OWN.has(target)

const lamp = () => Number(readFileSync(join(light.firmware.directory, 'world', 'output-1'), 'utf8'))
const isLive = (page: Page) => page.getByText('Live', { exact: true }).waitFor({ timeout: 60_000 })

describe('the phone page in Chromium', { skip: missingChromium, timeout: 300_000 }, () => {
  let tap: SocksTap
  let far: TestBrowser

  before(async () => {
    const torrc = home.joining(network, 'phone')
    const tor = stack.use(await openClientTor(torrc, join(home.place, 'phone-tor')))
    tap = stack.use(await openSocksTap(tor.socksPort))
    far = stack.use(await openChromium({ socksPort: tap.port }))
  })

  it('is live through Tor within three round trips and 150 KiB, and asks nobody but the onion', async () => {
    const { page, complaints, asked } = await openPage(far)
    await page.goto(`http://${onion}/#${key}`, { timeout: 90_000 })
    await isLive(page)
    const streams = tap.streams.filter(isPages)
    const bytes = streams.reduce((sum, { up, down }) => sum + up + down, 0)
    const roundTrips = tap.roundTrips(onion)
    console.log(
      `  page to live state: ${(bytes / 1024).toFixed(1)} KiB, ${roundTrips} round trips, ${streams.length} connections`,
    )
    assert.equal(new URL(page.url()).hash, '', 'the key stayed in the address')
    assert(roundTrips <= 3, `${roundTrips} round trips`)
    assert(bytes <= KIB_MAX * 1024, `${bytes} bytes`)
    assert.deepEqual([...asked], [onion])
    assert.deepEqual([...new Set(streams.map(({ target }) => target))], [`${onion}:80`])
    assert.deepEqual(complaints, [])
    await page.context().close()
  })

  it('switches the light through Tor, shows the stages, and hears what others do', async () => {
    const { page, complaints } = await openPage(far)
    await page.goto(`http://${onion}/#${key}`, { timeout: 90_000 })
    const toggle = page.getByRole('switch', { name: 'porch-light: On' })
    await toggle.click()
    await page.getByText('done', { exact: true }).first().waitFor({ timeout: 30_000 })
    assert.equal(await toggle.getAttribute('aria-checked'), 'true')
    assert.notEqual(lamp(), 0)
    await home.done(['set', 'porch-light', 'on', 'false'])
    await switched(page, 'false')
    sensor.firmware.connect('i2c-44', 'sht3x temperature=22.75 humidity=45')
    await page.getByText('22.8 °C').waitFor({ timeout: 20_000 })
    assert.deepEqual(complaints, [])
    await page.context().close()
  })

  it('works on the LAN under the home’s own CA, by keyboard alone', async () => {
    const ca = fromBase64url((await home.done(['status'])).webCa as string)!
    await using near = await openChromium({ ca })
    const { page, complaints, asked } = await openPage(near)
    await page.goto(`${home.lan}/#${key}`)
    await isLive(page)
    const toggle = page.getByRole('switch', { name: 'porch-light: On' })
    await focusByTab(page, 'porch-light: On')
    const before = await toggle.getAttribute('aria-checked')
    await page.keyboard.press('Space')
    await switched(page, before === 'true' ? 'false' : 'true')
    await focusByTab(page, 'porch-light: Brightness')
    await page.keyboard.press('ArrowLeft')
    await page.getByText('done', { exact: true }).nth(1).waitFor({ timeout: 20_000 })
    assert.deepEqual([...asked], [new URL(home.lan).host])
    assert.deepEqual(complaints, [])
  })

  it('has no fault that axe knows, in light and dark, in English and German, on every view', async () => {
    const ca = fromBase64url((await home.done(['status'])).webCa as string)!
    await using near = await openChromium({ ca })
    for (const [colorScheme, locale, log, me] of [
      ['light', 'en-GB', 'Who did what', 'This phone'],
      ['dark', 'de-DE', 'Wer tat was', 'Dieses Telefon'],
    ] as const) {
      const { page, complaints } = await openPage(near, { colorScheme, locale })
      await page.goto(home.lan)
      await page.getByRole('textbox').waitFor()
      assert.deepEqual(await violationsOf(page), [], `stranger ${colorScheme}`)
      await page.getByRole('textbox').fill(key)
      await page.locator('button[type=submit]').click()
      await page.getByRole('switch').waitFor()
      await picture(page, `page-things-${colorScheme}`)
      assert.deepEqual(await violationsOf(page), [], `things ${colorScheme}`)
      await page.getByRole('link', { name: 'balcony' }).click()
      await page.locator('figure.plot').waitFor()
      await picture(page, `page-thing-${colorScheme}`)
      assert.deepEqual(await violationsOf(page), [], `thing ${colorScheme}`)
      await page.getByRole('link', { name: log }).click()
      await page.locator('.log li').first().waitFor()
      await picture(page, `page-log-${colorScheme}`)
      assert.deepEqual(await violationsOf(page), [], `log ${colorScheme}`)
      await page.getByRole('link', { name: me }).click()
      await page.locator('form button').click()
      await page.locator('textarea').waitFor()
      assert.deepEqual(await violationsOf(page), [], `me ${colorScheme}`)
      assert.deepEqual(complaints, [])
      await page.context().close()
    }
  })
})

async function switched(page: Page, to: 'true' | 'false'): Promise<void> {
  await page.locator(`[role=switch][aria-checked=${to}]`).waitFor({ timeout: 20_000 })
}

/** Presses Tab, as often as it takes, until what has the focus is called so. */
async function focusByTab(page: Page, label: string): Promise<void> {
  for (let presses = 0; presses < 30; presses++) {
    await page.keyboard.press('Tab')
    const focused = await page.evaluate(
      "document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent",
    )
    if (focused === label) return
  }
  assert.fail(`no Tab led to ${label}`)
}

async function picture(page: Page, name: string): Promise<void> {
  if (process.env.SHALLOT_PICTURES !== '1') return
  await page.screenshot({ path: join(DOCS, `${name}.png`) })
}
