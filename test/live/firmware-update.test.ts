// SPDX-License-Identifier: GPL-3.0-or-later
/** Updates as an owner does them: `shallot firmware`, a daemon, and lights that boot what they were sent [SPEC 15]. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { type LiveDevice, type LiveHome, openLiveHome, type Said } from '../support/home.ts'
import { imageOf } from '../support/update-home.ts'

const NAMES = ['attic', 'barn', 'cellar'] as const
const PROGRAM = 'porch-light'

let home: LiveHome
const lights: LiveDevice[] = []
before(async () => {
  home = await openLiveHome()
  for (const name of NAMES) lights.push(await home.enrol(name, PROGRAM))
  await home.done(['group', 'add', 'lights', ...NAMES])
})
after(async () => {
  for (const light of lights) await light[Symbol.asyncDispose]()
  await home?.[Symbol.asyncDispose]()
})

/** An image file in the place where the CLI runs; `spoil` changes the program before it is sealed. */
async function sealed(sequence: number, spoil: (image: Uint8Array) => void = () => {}, more: string[] = []) {
  const image = imageOf('host', PROGRAM, { version: `0.${sequence}.0`, sequence })
  spoil(image)
  const program = join(home.place, `program-${sequence}`)
  writeFileSync(program, image)
  const said = await home.done(['firmware', 'seal', program, ...more])
  return { image, file: said.file as string, said }
}

type Standing = { name: string; sequence: number; standing: string; firmware: string }

async function standings(): Promise<Record<string, string>> {
  const { devices } = (await home.done(['firmware', 'status'])) as { devices: Standing[] }
  return Object.fromEntries(devices.map(({ name, sequence, standing }) => [name, `${sequence} ${standing}`]))
}

const everywhere = (words: string) => Object.fromEntries(NAMES.map((name) => [name, words]))

suite('shallot firmware', () => {
  test('push goes to nobody who does not believe the key of the image', async () => {
    const { file } = await sealed(2)
    const pushed = await home.json(['firmware', 'push', 'attic', file])
    assert.equal(pushed.exit, 3)
    assert.equal(pushed.said.code, 'no-release-key')
    assert.match(String(pushed.said.next), /shallot firmware trust attic [\w-]{43}/)
    const { devices } = await home.done(['firmware', 'trust', 'lights'])
    assert.equal((devices as unknown[]).length, NAMES.length)
  })

  test('push to a group goes in stages, one after another, to the end, and shows how far it is', async () => {
    const { file } = await sealed(2)
    const lines: Said[] = []
    const pushed = await home.json(['firmware', 'push', 'lights', file, '--stage', '1,1'], {
      onLine: (line) => lines.push(JSON.parse(line)),
    })
    assert.equal(pushed.exit, 0, pushed.out)
    assert.equal(pushed.said.state, 'done')
    type Line = { devices: { stage: number; state: string; got: number }[] }
    const shown = lines.filter(({ stage }) => stage === 'progress') as unknown as Line[]
    for (const { devices } of shown) {
      const stages = devices
        .filter(({ state }) => state !== 'waiting' && state !== 'done')
        .map((d) => d.stage)
      const done = devices.filter(({ state }) => state === 'done').map((d) => d.stage)
      assert.ok(new Set(stages).size <= 1, 'one stage at a time')
      for (const stage of new Set(stages))
        assert.equal(
          done.filter((each) => each < stage).length,
          devices.filter((d) => d.stage < stage).length,
        )
    }
    assert.ok(shown.some(({ devices }) => devices.some(({ state, got }) => state === 'receiving' && got > 0)))
    assert.deepEqual(
      [0, 1, 2].map((stage) => shown.at(-1)!.devices.filter((d) => d.stage === stage).length),
      [1, 1, 1],
    )
    assert.deepEqual(await standings(), everywhere('2 steady'))
    const told = await home.run(['firmware', 'status'])
    assert.match(told.out, /attic +porch-light 0\.2\.0 +host +2 +steady/)
    assert.match(told.out, /porch-light 0\.2\.0 to lights: done, 3 of 3 done/)
  })

  test('push halts by itself when the first comes back, and the others keep what they run', async () => {
    const { file } = await sealed(3, (image) => image.fill(0, 0, 4))
    const pushed = await home.json(['firmware', 'push', 'lights', file])
    assert.equal(pushed.exit, 3)
    assert.equal(pushed.said.code, 'update-returned')
    const after = await standings()
    assert.deepEqual(
      Object.values(after).toSorted(),
      ['2 returned', '2 steady', '2 steady'],
      'one has tried it',
    )
    const again = await home.json(['firmware', 'push', 'lights', file])
    assert.equal(again.said.code, 'replayed', 'and does not try it again')
    const { out } = await home.run(['log', 'show', '--limit', '6'])
    assert.match(out, /halted/)
  })

  test('a daemon that is killed on the way goes on where the devices are', async () => {
    const { file } = await sealed(4)
    await home.done(['firmware', 'push', 'lights', file, '--stage', '3', '--no-wait'])
    await home.kill()
    await home.start()
    const deadline = Date.now() + 60_000
    let said: Said = {}
    while (Date.now() < deadline) {
      const { rollouts } = (await home.done(['firmware', 'status'])) as { rollouts: Said[] }
      said = rollouts.at(-1)!
      if (said.state !== 'running') break
    }
    assert.equal(said.state, 'done')
    assert.deepEqual(await standings(), everywhere('4 steady'))
  })

  test('stop stops it: who was not offered it keeps what it runs', async () => {
    const { file } = await sealed(5)
    await lights.at(-1)!.firmware.kill()
    await home.done(['firmware', 'push', 'cellar', file, '--no-wait'])
    const second = await home.json(['firmware', 'push', 'lights', file])
    assert.equal(second.said.code, 'rollout-open')
    const stopped = await home.done(['firmware', 'stop'])
    assert.equal(stopped.state, 'stopped')
    assert.equal((await home.json(['firmware', 'stop'])).exit, 5)
  })

  test('a file that was changed is refused before it is handed in', async () => {
    const { file } = await sealed(6)
    const path = join(home.place, file)
    const bytes = readFileSync(path)
    const spoilt: [string, Buffer][] = [
      ['image-digest', Buffer.from(bytes).fill(0xaa, 5000, 5010)],
      ['bad-request', bytes.subarray(0, bytes.length - 1)],
      ['bad-request', Buffer.from('not an image file')],
    ]
    for (const [code, content] of spoilt) {
      writeFileSync(path, content)
      const pushed = await home.json(['firmware', 'push', 'attic', file])
      assert.equal(pushed.said.code, code)
      assert.notEqual(pushed.exit, 0)
    }
  })

  test('an image for another board is refused by the device itself', async () => {
    const { file } = await sealed(7, (image) => {
      const at = Buffer.from(image.buffer).indexOf('host/porch-light')
      image.set(Buffer.from('esp1'), at)
    })
    const pushed = await home.json(['firmware', 'push', 'attic', file])
    assert.deepEqual([pushed.exit, pushed.said.code], [3, 'wrong-class'])
  })
})
