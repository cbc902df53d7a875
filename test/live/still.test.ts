// SPDX-License-Identifier: GPL-3.0-or-later
/** A picture's whole way: a real camera's firmware, a real daemon that is killed, and the command line that writes the file. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { fromBase64url } from '../../daemon/base/bytes.ts'
import { type LiveDevice, type LiveHome, openLiveHome } from '../support/home.ts'
import { sha256 } from '../support/request.ts'

const PLACE = 'i2c-30'

let home: LiveHome
let camera: LiveDevice
before(async () => {
  home = await openLiveHome({ linkPort: 25590 })
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
      // It rests a second after each try.
      for (;;) {
        const ran = await home.json(['look', ...args])
        if (ran.said.code === 'busy') continue
        assert.deepEqual([ran.exit, ran.said.code], [exit, code])
        return
      }
    })
})

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
