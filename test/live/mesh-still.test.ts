// SPDX-License-Identifier: GPL-3.0-or-later
/** A picture between two homes: a real camera's firmware in one, asked for in the other, through real tor; command line and page. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fromBase64url } from '../../daemon/base/bytes.ts'
import { derive, parseWords } from '../../daemon/core/identity/index.ts'
import { writeKey } from '../../daemon/web/identity.ts'
import type { PrivateTor } from '../../scripts/private-tor.ts'
import { complaintsOf, missingChromium, openChromium } from '../support/chromium.ts'
import { type LiveDevice, type LiveHome, openLiveHome, type Said } from '../support/home.ts'
import { privateTor } from '../support/private-tor.ts'
import { sha256 } from '../support/request.ts'

const PLACE = 'i2c-30'

let network: PrivateTor
let town: LiveHome
let cabin: LiveHome
let camera: LiveDevice

before(async () => {
  network = await privateTor()
  town = await openLiveHome({ network })
  cabin = await openLiveHome({ network, words: town.words, as: 'cabin' })
  camera = await cabin.enrol('gate', 'camera')
  let joined: Promise<Said> | undefined
  await town.done(['mesh', 'invite'], {
    onLine: (line) => {
      const { stage, code } = JSON.parse(line)
      if (stage === 'code') joined = cabin.done(['mesh', 'join', code])
    },
  })
  await joined!
  await eventually('the camera is seen', async () =>
    ((await town.done(['device', 'list'])).devices as Said[]).some(
      ({ name, home, connected }) => name === 'gate' && home === 'cabin' && connected,
    ),
  )
})
after(async () => {
  await camera?.[Symbol.asyncDispose]()
  await cabin?.[Symbol.asyncDispose]()
  await town?.[Symbol.asyncDispose]()
  await network?.[Symbol.asyncDispose]()
})

async function eventually(what: string, holds: () => Promise<boolean>, tries = 120): Promise<void> {
  for (let round = 0; round < tries; round++) {
    if (await holds()) return
    await sleep(1000)
  }
  assert.fail(what)
}

const connected = (home: LiveHome, name: string, is: boolean) =>
  eventually(`${name} is ${is ? 'connected' : 'away'}`, async () =>
    ((await home.done(['mesh', 'status'])).members as Said[]).some(
      (each) => each.name === name && each.connected === is,
    ),
  )

/** A script's key, of the owner's home, as somebody who was granted so much has it. */
async function keyFor(name: string, what: readonly string[]) {
  const file = join(town.place, `${name}.key`)
  await town.done(['token', 'add', name, 'cabin/gate', ...what, '--away', '--out', file])
  const environment = {
    SHALLOT_OWNER: join(town.place, 'nobody'),
    SHALLOT_IDENTITY: file,
  }
  return (args: readonly string[]) => town.json([...args], { environment })
}

suite('shallot look, for a camera in another home', () => {
  test('has a picture taken there, and writes here what the device sealed', {
    timeout: 240_000,
  }, async () => {
    camera.firmware.connect(PLACE, 'ov2640 size=65536')
    const said = await town.done(['look', 'cabin/gate', '--out', 'far.jpg'])
    const { size, digest } = said.picture as { size: number; digest: string }
    const jpeg = readFileSync(join(town.place, 'far.jpg'))
    assert.deepEqual([said.verified, size, jpeg.length], [true, 65_536, 65_536])
    assert.deepEqual(sha256(jpeg), fromBase64url(digest))
    // Kept where it was taken, and told and shown from there.
    const listed = (await town.done(['look', 'cabin/gate', '--list'])).pictures as { digest: string }[]
    assert.deepEqual(
      listed.map((each) => each.digest),
      [digest],
    )
    await town.done(['look', 'cabin/gate', `--id=${digest}`, '--out', 'again.jpg'])
    assert.deepEqual(readFileSync(join(town.place, 'again.jpg')), jpeg)
  })

  test('unreachable, and nothing is written, while that home is away; and again when it is back', {
    timeout: 240_000,
  }, async () => {
    await cabin.kill()
    await connected(town, 'cabin', false)
    const { exit, said } = await town.json(['look', 'cabin/gate', '--out', 'none.jpg'])
    assert.deepEqual([exit, said.code], [4, 'unreachable'])
    assert.match(said.message as string, /cabin, which was last heard \d+ (?:s|min) ago/)
    await cabin.start()
    await connected(town, 'cabin', true)
    await eventually(
      'a picture is taken again',
      async () => (await town.json(['look', 'cabin/gate', '--out', `back-${Date.now()}.jpg`])).exit === 0,
      20,
    )
  })

  test('who was granted it sees it in both homes; who was not is refused, and so is who lost it', {
    timeout: 240_000,
  }, async () => {
    const seer = await keyFor('seer', ['still', 'look'])
    const taker = await keyFor('taker', ['look'])
    const seen = async () =>
      (await seer(['look', 'cabin/gate', '--out', `seer-${Date.now()}.jpg`])).exit === 0
    await eventually('the other home has heard of the grant', seen, 30)
    const { exit, said } = await taker(['look', 'cabin/gate', '--out', 'taken.jpg'])
    assert.deepEqual([exit, said.code], [3, 'not-granted'])
    await town.done(['token', 'remove', 'seer', '--yes'])
    const after = await seer(['look', 'cabin/gate', '--out', 'after.jpg'])
    assert.notEqual(after.exit, 0)
  })
})

suite('the phone page in Chromium', { skip: missingChromium }, () => {
  test('has a picture taken in another home, and shows it when it is what the camera sealed', {
    timeout: 240_000,
  }, async () => {
    camera.firmware.connect(PLACE, 'ov2640 size=20000')
    const ca = fromBase64url((await town.done(['status'])).webCa as string)!
    await using near = await openChromium({ ca })
    const context = await near.browser.newContext({ locale: 'en-GB', viewport: { width: 360, height: 740 } })
    const page = await context.newPage()
    page.setDefaultTimeout(90_000)
    const complaints = complaintsOf(page)
    await page.goto(`${town.lan}/#${ownersKey()}`)
    await page.getByRole('link', { name: /gate/ }).click()
    const image = page.getByRole('img', { name: /gate saw, / })
    await image.waitFor()
    const before = await image.getAttribute('src')
    await page.getByRole('button', { name: /^Take a picture: / }).click()
    const deadline = AbortSignal.timeout(90_000)
    while ((await image.getAttribute('src')) === before) deadline.throwIfAborted()
    await page.getByText(/^Taken .* Sealed by the camera, checked here\.$/).waitFor()
    assert.deepEqual(complaints, [])
  })
})

/** What a person keeps who is an owner: their key as a personal link's fragment. */
function ownersKey(): string {
  const words = parseWords(town.words)
  assert(words.ok)
  const root = JSON.parse(readFileSync(join(town.owner, 'home.json'), 'utf8')).home as string
  return writeKey({ root: fromBase64url(root)!, seed: derive(words.value, 'owner/0').reveal(), name: 'ada' })
}
