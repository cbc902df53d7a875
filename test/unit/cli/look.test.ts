// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { toBase64url } from '../../../daemon/base/bytes.ts'
import { systemRandom } from '../../../daemon/base/random.ts'
import type { Signer } from '../../../daemon/core/envelope/index.ts'
import { jpegOf } from '../../../scripts/twins/jpeg.ts'
import { Account } from './as-user.ts'
import { ed25519, type FakeDevice, FakeHome, json, problem, sha256 } from './fake-home.ts'

const account = new Account()
const JPEG = Uint8Array.from(jpegOf(160, 120, (x, y) => x * 9 + y))
const OTHER = Uint8Array.from(jpegOf(160, 120, (x, y) => x + y * 9))
const [STILL, LOOK] = [30, 31]

let home: FakeHome
let gate: FakeDevice
/** What a hub shows, where it does not tell the truth. */
let lie: { still?: object; signer?: Signer; jpeg?: Uint8Array; coming?: object; told?: number } = {}
let file: string
let count = 0
before(async () => {
  const words = await account.init()
  home = await new FakeHome(words).listen(account.data)
  gate = home.device('gate', [STILL, LOOK])
  home.device('lamp', [1])
})
after(async () => {
  await home[Symbol.asyncDispose]()
  account[Symbol.dispose]()
})
beforeEach(() => {
  lie = {}
  gate.code = 0
  gate.values.set(STILL, JPEG.length)
  file = join(account.base, `picture-${++count}.jpg`)
  let rounds = 0
  home.twist = ({ path, answer }) => {
    if (path === '/things/gate/stills?limit=1') {
      json(answer, { stills: [] })
      return true
    }
    if (path === '/things/lamp/stills?limit=1') {
      problem(answer, 404, 'no-such-affordance')
      return true
    }
    if (path.startsWith(`/things/${gate.id}/stills?`)) {
      const command = new URLSearchParams(path.split('?')[1]).get('command')!
      const coming = { command, digest: 'AA', size: JPEG.length, got: 512, ...lie.coming }
      const isThere = rounds++ > 0 && !lie.coming
      json(answer, isThere ? { stills: [{ frame: toBase64url(sealed(command)) }] } : { stills: [], coming })
      return true
    }
    if (!path.startsWith(`/things/${gate.id}/stills/`)) return false
    answer.writeHead(200, { 'content-type': 'image/jpeg' }).end(lie.jpeg ?? JPEG)
    return true
  }
})

function sealed(command: string): Uint8Array {
  const body = { affordance: STILL, digest: sha256(JPEG), size: JPEG.length, at: 1_700_000_000_000 }
  const asked = Uint8Array.fromBase64(command, { alphabet: 'base64url' })
  return gate.seal({ type: 'still', ...body, command: asked, ...lie.still }, lie.signer)
}

const look = (...more: string[]) => account.jsonWithin(['look', 'gate', '--out', file, ...more])

describe('shallot look', () => {
  test('writes what the device sealed, and shows the proof to scripts', async () => {
    const { exit, said } = await look()
    assert.equal(exit, 0)
    assert.deepEqual(Uint8Array.from(readFileSync(file)), JPEG)
    const { picture, verified, code } = said as {
      picture: Record<string, unknown>
      verified: boolean
      code: string
    }
    assert.deepEqual(
      [verified, code, picture.size, picture.digest],
      [true, 'ok', JPEG.length, toBase64url(sha256(JPEG))],
    )
  })

  test('says to people what it did', async () => {
    const { exit, out } = await account.run(['look', 'gate', '--out', file])
    assert.equal(exit, 0)
    assert.match(out, /bytes, taken 2023-11-14T\S+ \(sealed by gate, verified\)/)
  })

  test('leaves a file alone that is there, and asks nothing of the camera', async () => {
    writeFileSync(file, 'mine')
    const before = home.commands.length
    const { exit, said } = await look()
    assert.deepEqual([exit, said.code, readFileSync(file, 'utf8')], [2, 'usage', 'mine'])
    file = join(account.base, 'nowhere', 'one.jpg')
    assert.deepEqual([(await look()).exit, home.commands.length], [2, before])
  })

  const lies: [string, () => typeof lie, string][] = [
    ['another picture than was sealed', () => ({ jpeg: OTHER }), 'still-digest'],
    ['half of it', () => ({ jpeg: JPEG.subarray(0, 300) }), 'still-digest'],
    ['nothing', () => ({ jpeg: new Uint8Array() }), 'still-digest'],
    [
      'one that another device sealed',
      () => ({ signer: ed25519.signer(systemRandom.bytes(32)) }),
      'unknown-signer',
    ],
    ['one that an owner sealed', () => ({ signer: home.owner }), 'unknown-signer'],
    ['one of another command', () => ({ still: { command: sha256(JPEG) } }), 'bad-answer'],
    ['one of another size than the receipt said', () => ({ still: { size: 9 } }), 'bad-answer'],
    ['one of another property', () => ({ still: { affordance: LOOK } }), 'bad-answer'],
    ['one for another home', () => ({ still: { audience: gate.id } }), 'wrong-audience'],
    ['that it came out of order', () => ({ coming: { code: 'still-digest' } }), 'still-digest'],
    ['that another took its place', () => ({ coming: { code: 'still-replaced' } }), 'still-replaced'],
    ['a place that is none', () => ({ coming: { got: 'much' } }), 'bad-answer'],
  ]
  for (const [what, how, code] of lies)
    test(`writes nothing and ends with ${code} when the hub shows ${what}`, async () => {
      lie = how()
      const { exit, said } = await look()
      assert.deepEqual([exit, said.code, existsSync(file)], [3, code, false])
    })

  test('ends with the device’s own code when it took no picture', async () => {
    gate.code = 164
    const { exit, said } = await look()
    assert.deepEqual([exit, said.code], [3, 'device-fault'])
  })

  test('ends with no-such-affordance for what is no camera', async () => {
    const { exit, said } = await account.jsonWithin(['look', 'lamp', '--out', file])
    assert.deepEqual([exit, said.code], [5, 'no-such-affordance'])
  })

  test('ends with the refusal, and takes no picture, when somebody may not see it', async () => {
    home.twist = ({ path, answer }) => {
      if (!path.includes('/stills')) return false
      problem(answer, 403, 'not-granted')
      return true
    }
    const before = home.commands.length
    const { exit, said } = await look()
    assert.deepEqual([exit, said.code, home.commands.length], [3, 'not-granted', before])
  })
})
