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
import { fromBase64url, toBase32 } from '../../daemon/base/bytes.ts'
import { systemClock } from '../../daemon/base/clock.ts'
import { systemRandom } from '../../daemon/base/random.ts'
import { derive, parseWords } from '../../daemon/core/identity/index.ts'
import { idOf } from '../../daemon/core/model/index.ts'
import { writeKey } from '../../daemon/web/identity.ts'
import type { PrivateTor } from '../../scripts/private-tor.ts'
import { violationsOf } from '../support/axe.ts'
import { complaintsOf, missingChromium, openChromium, type TestBrowser } from '../support/chromium.ts'
import { openClientTor } from '../support/client-tor.ts'
import { type LiveDevice, type LiveHome, openLiveHome, type Said } from '../support/home.ts'
import { privateTor } from '../support/private-tor.ts'
import { qrOnScreen } from '../support/qr.ts'
import { openSocksTap, type SocksTap } from '../support/socks-tap.ts'

const SMALL = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 1, hasTouch: true, isMobile: true }
const DOCS = join(import.meta.dirname, '../../.docs')
const KIB_MAX = 150

let network: PrivateTor
let home: LiveHome
let light: LiveDevice
let sensor: LiveDevice
let door: LiveDevice
let onion: string
let key: string
const stack = new AsyncDisposableStack()

before(async () => {
  network = stack.use(await privateTor())
  home = stack.use(await openLiveHome({ network }))
  light = stack.use(await home.enrol('porch-light', 'porch-light'))
  sensor = stack.use(await home.enrol('balcony', 'weather'))
  door = stack.use(await home.enrol('front-door', 'front-door'))
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

const PAGE = join(import.meta.dirname, '../../.build/web/page.html')

/** An address that no tor has to find: its requests are answered in the browser. */
const playedOnion = () => `${toBase32(systemRandom.bytes(35))}.onion`

const pictureOf = (root: Uint8Array) => ({
  me: { kind: 'holder', name: 'Bea', share: false },
  ...{ home: idOf(root), hub: idOf(root), owners: [], revocations: [], people: [], things: [] },
})

const farThing = (root: Uint8Array) => ({
  ...{ id: idOf(root), name: 'lamp', home: 'town', connected: false, since: 1, affordances: [] },
  unreachable: systemClock.now(),
})

async function openPage(
  { browser }: TestBrowser,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; complaints: string[]; asked: Set<string> }> {
  const context = await browser.newContext({ ...SMALL, locale: 'en-GB', ...options })
  context.setDefaultTimeout(60_000)
  const page = await context.newPage()
  const asked = new Set<string>()
  context.on('request', (request) => asked.add(new URL(request.url()).host))
  return { page, complaints: complaintsOf(page), asked }
}

/** As a person does, who tries again when the browser says that it could not connect. */
async function visit(page: Page, address: string): Promise<void> {
  const failed = await page.goto(address, { timeout: 90_000 }).then(
    () => '',
    (error: Error) => error.message,
  )
  if (!failed) return
  if (!failed.includes('ERR_SOCKS_CONNECTION_FAILED')) throw new Error(failed)
  console.log('  Tor did not get there at once')
  await page.goto(address, { timeout: 90_000 })
}

const outputOf = ({ firmware }: LiveDevice) =>
  Number(readFileSync(join(firmware.directory, 'world', 'output-1'), 'utf8'))
const isLive = (page: Page) => page.getByText('Live', { exact: true }).waitFor()

describe('the phone page in Chromium', { skip: missingChromium, timeout: 600_000 }, () => {
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
    await visit(page, `http://${onion}/#${key}`)
    await isLive(page)
    const { streams } = tap
    const bytes = streams.reduce((sum, { up, down }) => sum + up + down, 0)
    const roundTrips = tap.roundTrips(onion)
    console.log(
      `  page to live state: ${(bytes / 1024).toFixed(1)} KiB, ${roundTrips} round trips, ${streams.length} connections`,
    )
    await hasNoSecretInAddress(page)
    assert(roundTrips <= 3, `${roundTrips} round trips`)
    assert(bytes <= KIB_MAX * 1024, `${bytes} bytes`)
    assert.deepEqual([...asked], [onion])
    assert.deepEqual([...new Set(streams.map(({ target }) => target))], [`${onion}:80`])
    assert.deepEqual(complaints, [])
    await page.context().close()
  })

  it('switches the light through Tor, shows the stages, and hears what others do', async () => {
    const { page, complaints } = await openPage(far)
    await visit(page, `http://${onion}/#${key}`)
    const toggle = page.getByRole('switch', { name: 'porch-light: On' })
    await toggle.click()
    await page.getByText('done', { exact: true }).first().waitFor()
    assert.equal(await toggle.getAttribute('aria-checked'), 'true')
    assert.notEqual(outputOf(light), 0)
    await home.done(['set', 'porch-light', 'on', 'false'])
    await switched(page, 'false')
    sensor.firmware.connect('i2c-44', 'sht3x temperature=22.75 humidity=45')
    await page.getByText('22.8 °C').waitFor()
    assert.deepEqual(complaints, [])
    await page.context().close()
  })

  it('lets a phone in from the text of its code, and shows and does what it was granted, and nothing else', async () => {
    await home.done(['person', 'add', 'sitter'])
    await home.done(['grant', 'sitter', 'porch-light', 'on'])
    await home.done(['grant', 'sitter', 'front-door', 'locked', 'closed'])
    await home.done(['grant', 'sitter', 'front-door', 'unlock', '--uses', '1', '--until', '1d'])
    const shown = await home.done(['phone', 'add', "sitter's phone", '--person', 'sitter', '--no-wait'])
    const { page, complaints, asked } = await openPage(far)
    await gotoWhenThere(page, shown.url as string)
    const digits = (await page.locator('.match').innerText()).replace(' ', '')
    await hasNoSecretInAddress(page)
    await page.getByText('Waiting for the owner').waitFor()
    assert.deepEqual(await violationsOf(page), [])
    await home.done(['phone', 'add', "sitter's phone", '--confirm', '--yes-if', digits])
    const toggle = page.getByRole('switch', { name: 'porch-light: On' })
    await toggle.waitFor()
    // What was promised is handed over grant by grant.
    await page.getByRole('article', { name: 'front-door' }).waitFor()
    assert.deepEqual(
      await Promise.all(
        ['article', 'slider', 'switch'].map((role) => page.getByRole(role as 'article').count()),
      ),
      [2, 0, 1],
    )
    const before = await toggle.getAttribute('aria-checked')
    await toggle.click()
    await switched(page, before === 'true' ? 'false' : 'true')
    assert.equal(outputOf(door), 0)
    const card = page.getByRole('article', { name: 'front-door' })
    await card.getByRole('button', { name: 'Unlock for 5 s' }).click()
    await card.getByText('done', { exact: true }).waitFor()
    assert.notEqual(outputOf(door), 0)
    await card.getByText('unlocked', { exact: true }).waitFor()
    await card.getByRole('button', { name: 'Unlock for 5 s' }).click()
    await card
      .getByRole('status')
      .getByText('Not done. Your permission was used as often as it may be.')
      .waitFor()
    // A browser complains of every refusal.
    assert.match(complaints.splice(0).join(), /^[^,]*status of 403[^,]*$/)
    await page.reload()
    await isLive(page)
    await toggle.waitFor()
    await home.done(['revoke', 'person:sitter'])
    await page.getByText('There are no devices here yet.').waitFor()
    assert.deepEqual([...asked], [shown.address])
    assert.deepEqual(complaints, [])
    await home.done(['phone', 'revoke', "sitter's phone", '--yes'])
    await page.getByText('No connection').waitFor()
    await page.context().close()
  })

  it('lets an owner let a phone in, give it something and take it back, page to page', async () => {
    const owner = await openPage(far)
    await visit(owner.page, `http://${onion}/#${key}`)
    await owner.page.getByRole('link', { name: 'People' }).click()
    await owner.page.getByLabel('Their name').fill('Bea')
    await owner.page.getByLabel('Name of the phone').fill('Bea’s phone')
    await owner.page.getByRole('button', { name: 'Show the code' }).click()
    const link = await owner.page.getByLabel('Or send this link').inputValue()
    assert.equal(await qrOnScreen(owner.page.locator('.qr')), link)
    assert.deepEqual(await violationsOf(owner.page), [])
    const guest = await openPage(far, { locale: 'de-DE' })
    await gotoWhenThere(guest.page, link)
    const digits = await guest.page.locator('.match').innerText()
    await owner.page.getByText(digits).waitFor()
    await owner.page.getByRole('button', { name: 'Yes, let it in' }).click()
    await guest.page.getByText('Hier gibt es noch keine Geräte').waitFor()
    await owner.page.getByRole('button', { name: 'Give: Bea' }).click()
    await owner.page.getByLabel('Where').selectOption({ label: 'porch-light' })
    assert.deepEqual(await violationsOf(owner.page), [])
    await owner.page.getByRole('button', { name: 'Give', exact: true }).click()
    const toggle = guest.page.getByRole('switch', { name: 'porch-light: An' })
    const before = await toggle.getAttribute('aria-checked')
    await toggle.click()
    await switched(guest.page, before === 'true' ? 'false' : 'true')
    await owner.page.getByRole('button', { name: /^Take back: Bea$/ }).click()
    await owner.page.getByRole('button', { name: /^Really take back: Bea$/ }).click()
    await toggle.waitFor({ state: 'detached' })
    await guestOfGuest(owner.page, guest.page)
    assert.deepEqual([owner.complaints, guest.complaints], [[], []])
    await owner.page.context().close()
    await guest.page.context().close()
  })

  /** Bea, who may pass on what she was given, lets Cem in by an address of his own, and gives him that. */
  async function guestOfGuest(owner: Page, bea: Page): Promise<void> {
    await owner.getByRole('button', { name: 'Give: Bea' }).click()
    await owner.getByLabel('Where').selectOption({ label: 'porch-light' })
    await owner.getByLabel('may be passed on').check()
    await owner.getByRole('button', { name: 'Give', exact: true }).click()
    await bea.getByRole('switch', { name: 'porch-light: An' }).waitFor()
    await bea.getByRole('link', { name: 'Personen' }).click()
    await bea.getByLabel('Der Name').fill('Cem')
    await bea.getByLabel('Name des Telefons').fill('Cems Telefon')
    await bea.getByRole('button', { name: 'Den Code zeigen' }).click()
    const link = await bea.getByLabel('Oder schicke diesen Link').inputValue()
    const cem = await openPage(far)
    await gotoWhenThere(cem.page, link)
    const digits = await cem.page.locator('.match').innerText()
    await bea.getByText(digits).waitFor()
    await bea.getByRole('button', { name: 'Ja, hereinlassen' }).click()
    await cem.page.getByText('There are no devices here yet.').waitFor()
    await bea.getByRole('button', { name: 'Erlauben: Cem' }).click()
    await bea.getByRole('button', { name: 'Erlauben', exact: true }).click()
    await cem.page.getByRole('switch', { name: 'porch-light: On' }).waitFor()
    assert.deepEqual([cem.complaints, [...cem.asked].length], [[], 1])
    const list = await home.done(['onion', 'list'])
    const addresses = (list.invitations as Said[]).map(({ address }) => address)
    assert(addresses.includes([...cem.asked][0]))
    await bea.getByRole('link', { name: 'Geräte' }).click()
    await cem.page.context().close()
  }

  it('gives a link to a page that works with scripts off, does that alone, and ends', async () => {
    const owner = await openPage(far)
    await visit(owner.page, `http://${onion}/#${key}`)
    await owner.page.getByRole('link', { name: 'This phone' }).click()
    await owner.page.getByRole('checkbox', { name: 'porch-light' }).check()
    await owner.page.getByRole('button', { name: 'Make a link' }).click()
    const link = await owner.page.getByLabel('The link, shown once').inputValue()
    const checked = await openPage(far)
    await checked.page.goto(link)
    assert.deepEqual(await violationsOf(checked.page), [])
    const bare = await openPage(far, { javaScriptEnabled: false })
    await bare.page.goto(link)
    assert.equal(await bare.page.getByText('front-door').count(), 0)
    for (const [button, isLit] of [
      ['on: On: porch-light', true],
      ['off: On: porch-light', false],
    ] as const) {
      await bare.page.getByRole('button', { name: button }).click()
      await bare.page.getByText('Done.').waitFor()
      assert.equal(outputOf(light) > 0, isLit)
    }
    await owner.page.getByRole('button', { name: /^Take back: page-/ }).click()
    await owner.page.getByRole('button', { name: /^Take back: page-/ }).waitFor({ state: 'detached' })
    assert.equal((await bare.page.goto(link))?.status(), 401)
    assert.deepEqual([...bare.asked], [onion])
    assert.deepEqual([owner.complaints, checked.complaints], [[], []])
    for (const { page } of [owner, checked, bare]) await page.context().close()
  })

  it('goes to another address when its own is renewed, is known there as before, and the old one ends', async () => {
    const invited = await home.done(['onion', 'invite', 'tablet', '--no-auth'])
    const { page, complaints, asked } = await openPage(far)
    await gotoWhenThere(page, `http://${invited.address}/#${key}`)
    await isLive(page)
    const { address } = await home.done(['onion', 'renew', 'tablet'])
    await page.getByText(String(address), { exact: true }).waitFor({ timeout: 90_000 })
    assert.deepEqual(await violationsOf(page), [])
    await page.getByRole('button', { name: 'Go to the new address' }).click()
    await page.waitForURL(`http://${address}/`, { timeout: 90_000 })
    await isLive(page)
    await hasNoSecretInAddress(page)
    assert.equal(await page.getByRole('button', { name: 'Go to the new address' }).count(), 0)
    await page.reload()
    await isLive(page)
    await page.getByRole('switch', { name: 'porch-light: On' }).waitFor()
    const { services } = (await home.done(['status'])) as { services: Said[] }
    const left = services.map((each) => each.address)
    assert.deepEqual([left.includes(address), left.includes(invited.address)], [true, false])
    assert.deepEqual([...asked], [invited.address, address])
    assert.deepEqual(complaints, [])
    await page.context().close()
  })

  it('goes on by another home when its own does not answer, with its key and the way back, and back again', async () => {
    // Both homes are played: what counts is the page, which two origins serve.
    const html = readFileSync(PAGE, 'utf8')
    const [town, cabin] = [playedOnion(), playedOnion()]
    const root = systemRandom.bytes(32)
    const identity = { root, seed: systemRandom.bytes(32), name: 'Bea' }
    let isDown = false
    const { page } = await openPage(far)
    const play = (onion: string, told: () => object) =>
      page.context().route(`http://${onion}/**`, (route) => {
        if (onion === town && isDown) return route.abort('connectionrefused')
        if (new URL(route.request().url()).pathname === '/')
          return route.fulfill({ contentType: 'text/html', body: html })
        const picture = { ...pictureOf(root), ...told() }
        const body = `event: home\ndata: ${JSON.stringify(picture)}\n\n`
        return route.fulfill({ contentType: 'text/event-stream', body })
      })
    await play(town, () => ({ here: 'town', others: [{ home: 'cabin', address: cabin }] }))
    await play(cabin, () => ({
      ...{ here: 'cabin', others: [], host: { home: 'town', connected: !isDown } },
      things: isDown ? [farThing(root)] : [],
    }))
    await page.goto(`http://${town}/#${writeKey(identity)}`)
    await isLive(page)
    isDown = true
    await page.getByText('This home does not answer.').waitFor()
    assert.deepEqual(await violationsOf(page), [])
    await page.getByRole('button', { name: 'Go on by cabin' }).click()
    await page.waitForURL(`http://${cabin}/`)
    await isLive(page)
    await page.getByText('town cannot be reached, last heard').waitFor()
    await page.reload()
    await isLive(page)
    await hasNoSecretInAddress(page)
    isDown = false
    await page.getByText('town answers again.').waitFor()
    assert.deepEqual(await violationsOf(page), [])
    await page.getByRole('button', { name: 'Back to town' }).click()
    await page.waitForURL(`http://${town}/`)
    await isLive(page)
    await page.getByRole('link', { name: 'This phone' }).click()
    await page.getByRole('button', { name: 'Go on by cabin' }).waitFor()
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
    await page.getByText('done', { exact: true }).nth(1).waitFor()
    assert.deepEqual([...asked], [new URL(home.lan).host])
    assert.deepEqual(complaints, [])
  })

  it('brings a key back by a link and by a file, under a passphrase that must be right', async () => {
    const ca = fromBase64url((await home.done(['status'])).webCa as string)!
    await using near = await openChromium({ ca })
    const { page, complaints } = await openPage(near)
    await page.goto(`${home.lan}/#${key}`)
    await page.getByRole('link', { name: 'This phone' }).click()
    await page.getByLabel('Passphrase (may be empty)').fill('röd räv på sju hav')
    await page.getByRole('button', { name: 'Make link and file' }).click()
    const link = await page.getByLabel('Personal link').inputValue()
    const saved = page.waitForEvent('download')
    await page.getByRole('link', { name: 'Save as a file' }).click()
    const file = await (await saved).path()
    await page.getByRole('button', { name: 'Forget the key on this device' }).click()
    await page.getByRole('button', { name: 'Yes, forget' }).click()
    await page.getByLabel('Or choose the file').setInputFiles(file)
    const passphrase = page.getByLabel('Passphrase', { exact: true })
    await passphrase.fill('röd räv på sju berg')
    await page.getByRole('button', { name: 'Unlock' }).click()
    await page.getByText('This passphrase does not open the key.').waitFor()
    assert.deepEqual(await violationsOf(page), [])
    await passphrase.fill('röd räv på sju hav')
    await page.getByRole('button', { name: 'Unlock' }).click()
    await isLive(page)
    const fresh = await openPage(near)
    await fresh.page.goto(link)
    await fresh.page.getByText('Or choose the file').waitFor()
    assert.equal(await fresh.page.evaluate('localStorage.length'), 0)
    assert.deepEqual([complaints, fresh.complaints], [[], []])
  })

  it('shows names as text, whatever they look like', async () => {
    const evil = '<img src=x onerror=alert(1)>'
    const ca = fromBase64url((await home.done(['status'])).webCa as string)!
    await using near = await openChromium({ ca })
    const { page, complaints } = await openPage(near)
    page.on('dialog', (dialog) => complaints.push(dialog.message()))
    await home.done(['device', 'rename', 'balcony', evil])
    await page.goto(`${home.lan}/#${key}`)
    await page.getByRole('link', { name: evil, exact: true }).waitFor()
    await page.getByRole('link', { name: 'Who did what' }).click()
    await page.locator('.log li').filter({ hasText: evil }).first().waitFor()
    assert.equal(await page.locator('img').count(), 0)
    assert.deepEqual(complaints, [])
    await home.done(['device', 'rename', evil, 'balcony'])
  })

  it('renames a person by keyboard, and the log tells of it', async () => {
    await home.done(['person', 'add', 'Cleo'])
    const ca = fromBase64url((await home.done(['status'])).webCa as string)!
    await using near = await openChromium({ ca })
    const { page, complaints } = await openPage(near)
    await page.goto(`${home.lan}/#${key}`)
    await page.getByRole('link', { name: 'People' }).click()
    await page.getByRole('button', { name: 'Rename: Cleo' }).press('Enter')
    await page.getByLabel('New name').fill('Clea')
    assert.deepEqual(await violationsOf(page), [])
    await page.getByLabel('New name').press('Enter')
    await page.getByRole('region', { name: 'Clea' }).waitFor()
    assert.equal(await page.evaluate('document.activeElement.ariaLabel'), 'Rename: Clea')
    await page.getByRole('link', { name: 'Who did what' }).click()
    await page.locator('.log li').filter({ hasText: 'Clea' }).first().waitFor()
    assert.deepEqual(complaints, [])
  })

  it('has no fault that axe knows, in light and dark, in English and German, on every view', async () => {
    const ca = fromBase64url((await home.done(['status'])).webCa as string)!
    await using near = await openChromium({ ca })
    for (const [colorScheme, locale, people, log, me] of [
      ['light', 'en-GB', 'People', 'Who did what', 'This phone'],
      ['dark', 'de-DE', 'Personen', 'Wer tat was', 'Dieses Telefon'],
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
      await page.getByRole('link', { name: people }).click()
      await page.locator('.card h3').first().waitFor()
      assert.deepEqual(await violationsOf(page), [], `people ${colorScheme}`)
      await page.getByRole('link', { name: log }).click()
      await page.locator('.log li').first().waitFor()
      await picture(page, `page-log-${colorScheme}`)
      assert.deepEqual(await violationsOf(page), [], `log ${colorScheme}`)
      await page.getByRole('link', { name: me }).click()
      await page.locator('form button').first().click()
      await page.locator('textarea').waitFor()
      assert.deepEqual(await violationsOf(page), [], `me ${colorScheme}`)
      assert.deepEqual(complaints, [])
      await page.context().close()
    }
  })
})

/** Where the page was open already, it hears of a new address by an event, a moment after the address changed. */
async function hasNoSecretInAddress(page: Page): Promise<void> {
  await page.waitForFunction('location.hash === ""', undefined)
}

/** A fresh address is findable some seconds after it was made. */

async function gotoWhenThere(page: Page, link: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await page.goto(link)
      return
    } catch (error) {
      if (tries >= 10) throw error
      await page.waitForTimeout(2000)
    }
  }
}

async function switched(page: Page, to: 'true' | 'false'): Promise<void> {
  await page.locator(`[role=switch][aria-checked=${to}]`).waitFor()
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

/** Those that the README shows. */
const PICTURES = new Set(['page-things-light', 'page-log-dark'])

async function picture(page: Page, name: string): Promise<void> {
  if (process.env.SHALLOT_PICTURES !== '1' || !PICTURES.has(name)) return
  await page.screenshot({ path: join(DOCS, `${name}.png`) })
}
