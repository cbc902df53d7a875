// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The page on the hub's LAN face and a device with a server of its own (SPEC 18): a real daemon, the light's firmware, and Debian's
 * Chromium, which trusts the home's web CA and finds `.local` names on this machine.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import { fromBase64url } from '../../daemon/base/bytes.ts'
import { serverNameOf } from '../../daemon/core/direct.ts'
import { derive, parseWords } from '../../daemon/core/identity/index.ts'
import { type PartyId, parseId } from '../../daemon/core/model/index.ts'
import { writeKey } from '../../daemon/web/identity.ts'
import { complaintsOf, missingChromium, openChromium } from '../support/chromium.ts'
import { type LiveDevice, type LiveHome, openLiveHome, type Said } from '../support/home.ts'

const stack = new AsyncDisposableStack()
let home: LiveHome
let light: LiveDevice

before(async () => {
  home = stack.use(await openLiveHome({ linkPort: 25680 }))
  light = stack.use(await home.enrol('porch-light', 'porch-light', { SHALLOT_DOOR: '0' }))
})
after(() => stack[Symbol.asyncDispose]())

/** The owner's key as a personal link's fragment. */
function ownersKey(): string {
  const words = parseWords(home.words)
  assert(words.ok)
  const root = JSON.parse(readFileSync(join(home.owner, 'home.json'), 'utf8')).home as string
  const seed = derive(words.value, 'owner/0').reveal()
  return writeKey({ root: fromBase64url(root)!, seed, name: 'Ada' })
}

const output = () => Number(readFileSync(join(light.firmware.directory, 'world', 'output-1'), 'utf8'))
const said = (page: Page, text: string) => page.getByText(text, { exact: true }).first().waitFor()

describe('a page on the LAN and a device’s own server', { skip: missingChromium, timeout: 300_000 }, () => {
  it('the device is set by itself while the hub is there, and the hub’s log says by whom; it goes on when the hub is gone', async () => {
    const ca = fromBase64url((await home.done(['status'])).webCa as string)!
    await using chromium = await openChromium({ ca, local: true })
    const context = await chromium.browser.newContext({ locale: 'en-GB' })
    context.setDefaultTimeout(60_000)
    const page = await context.newPage()
    const complaints = complaintsOf(page)
    const asked = new Set<string>()
    context.on('request', (request) => {
      if (request.method() !== 'GET') asked.add(new URL(request.url()).hostname)
    })

    await page.goto(`${home.lan}/#${ownersKey()}`)
    await said(page, 'Live')
    const toggle = page.getByRole('switch', { name: 'porch-light: On' })
    await toggle.click()
    await said(page, 'done, without the hub')
    assert.equal(await toggle.getAttribute('aria-checked'), 'true')
    assert.notEqual(output(), 0)
    assert.deepEqual([...asked], [serverNameOf(parseId(light.id) as PartyId)])
    assert.deepEqual(complaints, [])
    const { entries } = await logWith('act')
    const act = entries.find(({ kind }) => kind === 'act')!
    assert.deepEqual([act.origin, act.by, act.code ?? 'ok', act.device], ['direct', 'owner', 'ok', light.id])

    await home.stop()
    await said(page, 'No connection')
    await said(page, 'reached without the hub')
    await toggle.click()
    await page.locator('[role=switch][aria-checked=false]').waitFor()
    await said(page, 'done, without the hub')
    assert.equal(output(), 0)
  })
})

/** The log, as soon as it has an entry of this kind: the device tells the hub after it has answered. */
async function logWith(kind: string): Promise<{ entries: Said[] }> {
  const late = AbortSignal.timeout(60_000)
  for (;;) {
    const log = (await home.done(['log'])) as { entries: Said[] }
    if (log.entries.some((entry) => entry.kind === kind)) return log
    late.throwIfAborted()
  }
}
