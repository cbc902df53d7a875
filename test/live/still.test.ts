// SPDX-License-Identifier: GPL-3.0-or-later
/** A picture's whole way: a real camera's firmware, a real daemon that is killed, and the command line that writes the file. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { fromBase64url } from '../../daemon/base/bytes.ts'
import { derive, parseWords } from '../../daemon/core/identity/index.ts'
import { writeKey } from '../../daemon/web/identity.ts'
import { violationsOf } from '../support/axe.ts'
import { complaintsOf, missingChromium, openChromium } from '../support/chromium.ts'
import { type LiveDevice, type LiveHome, openLiveHome } from '../support/home.ts'
import { ownPort } from '../support/ports.ts'
import { sha256 } from '../support/request.ts'

const PLACE = 'i2c-30'

let home: LiveHome
let camera: LiveDevice
before(async () => {
  home = await openLiveHome({ linkPort: await ownPort() })
  camera = await home.enrol('gate', 'camera')
})
after(async () => {
  await camera?.[Symbol.asyncDispose]()
  await home?.[Symbol.asyncDispose]()
})

interface Listed {
  readonly digest: string
  readonly size: number
  readonly command: string
}

/** The pictures that the daemon which runs now has. */
async function kept(): Promise<readonly Listed[]> {
  await using stack = new AsyncDisposableStack()
  const { api } = await home.api(stack)
  return ((await api.get('/things/gate/stills')) as { stills: Listed[] }).stills
}

/** The pictures, once there are more. */
async function untilMore(count: number): Promise<readonly Listed[]> {
  const deadline = AbortSignal.timeout(60_000)
  for (;;) {
    const now = await kept()
    if (now.length > count) return now
    deadline.throwIfAborted()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function picture(said: Record<string, unknown>) {
  const { file, ...rest } = said.picture as { file: string; size: number; digest: string }
  return { ...rest, path: join(home.place, file), jpeg: readFileSync(join(home.place, file)) }
}

suite('shallot look', () => {
  test('has a picture taken, and writes what the device sealed to a file of its owner alone', async () => {
    const { path, jpeg, size, digest } = picture(await home.done(['look', 'gate', '--out', 'one.jpg']))
    assert.deepEqual([jpeg.length, sha256(jpeg)], [size, fromBase64url(digest)])
    assert.deepEqual([jpeg.readUInt16BE(0), jpeg.readUInt16BE(jpeg.length - 2)], [0xffd8, 0xffd9])
    assert.equal(statSync(path).mode & 0o777, 0o600)
  })

  test('names the file by device and time, and says so', async () => {
    camera.firmware.connect(PLACE, 'ov2640 size=65536')
    const { exit, out, err } = await home.run(['look', 'gate'])
    assert.equal(exit, 0, err)
    const [, file] =
      /^(gate-\d{8}-\d{6}\.jpg): 65536 bytes, taken \S+ \(sealed by gate, verified\)$/m.exec(out) ?? []
    assert.ok(file && readdirSync(home.place).includes(file), out)
    assert.equal(statSync(join(home.place, file)).size, 65_536)
  })

  for (const [what, part, args, exit, code] of [
    ['a sensor that gives no frame', 'ov2640 fault=asleep', ['gate'], 3, 'device-fault'],
    ['a picture that is too large', 'ov2640 size=70000', ['gate'], 3, 'device-fault'],
  ] as const)
    test(`ends with ${code}: ${what}`, async () => {
      camera.firmware.connect(PLACE, part)
      const ran = await home.json(['look', ...args])
      assert.deepEqual([ran.exit, ran.said.code], [exit, code])
    })
})

suite('the phone page in Chromium', { skip: missingChromium }, () => {
  test('has a picture taken by a button, and shows it when it is what the camera sealed', async () => {
    camera.firmware.connect(PLACE, 'ov2640 size=20000')
    const ca = fromBase64url((await home.done(['status'])).webCa as string)!
    await using near = await openChromium({ ca })
    const context = await near.browser.newContext({ locale: 'en-GB', viewport: { width: 360, height: 740 } })
    const page = await context.newPage()
    page.setDefaultTimeout(60_000)
    const complaints = complaintsOf(page)
    await page.goto(`${home.lan}/#${ownersKey()}`)
    // On the card there is a button, and no picture is fetched.
    await page.getByRole('button', { name: 'Take a picture: gate' }).waitFor()
    assert.equal(await page.locator('img').count(), 0)
    await page.getByRole('link', { name: 'gate' }).click()
    const image = page.getByRole('img', { name: /^What gate saw, / })
    await image.waitFor()
    const before = await image.getAttribute('src')
    await page.getByRole('button', { name: 'Take a picture: gate' }).click()
    const deadline = AbortSignal.timeout(60_000)
    while ((await image.getAttribute('src')) === before) deadline.throwIfAborted()
    await page.getByText(/^Taken .* Sealed by the camera, checked here\.$/).waitFor()
    const shown = await image.evaluate((img) => {
      const { complete, naturalWidth, naturalHeight } = img as unknown as Record<string, unknown>
      return [complete, naturalWidth, naturalHeight]
    })
    assert.deepEqual(shown, [true, 160, 120])
    const [newest] = await kept()
    assert.equal(newest!.size, 20_000)
    assert.deepEqual(await violationsOf(page), [])
    assert.deepEqual(complaints, [])
  })
})

/** What a person keeps who is an owner: their key as a personal link's fragment. */
function ownersKey(): string {
  const words = parseWords(home.words)
  assert(words.ok)
  const root = JSON.parse(readFileSync(join(home.owner, 'home.json'), 'utf8')).home as string
  return writeKey({ root: fromBase64url(root)!, seed: derive(words.value, 'owner/0').reveal(), name: 'ada' })
}

suite('a daemon that is killed', () => {
  test('has every picture that it acknowledged, and gets what was on its way', async () => {
    camera.firmware.connect(PLACE, 'ov2640 size=60000')
    const before = await kept()
    assert.ok(before.length >= 2)
    for (;;) if ((await home.json(['invoke', 'gate', 'look'])).exit === 0) break
    await home.kill()
    await home.start()
    assert.deepEqual((await kept()).slice(-before.length), before)
    // The camera sends what the daemon did not have, from the beginning.
    const now = await untilMore(before.length)
    assert.equal(now.length, before.length + 1)
    assert.equal(now[0]!.size, 60_000)
    await home.kill()
    await home.start()
    assert.deepEqual(await kept(), now)
  })
})
