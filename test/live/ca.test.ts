// SPDX-License-Identifier: GPL-3.0-or-later
/** Authorities change under a home that is in use: its daemon, its CLI and real firmware, each a process (SPEC 16). */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { systemRandom } from '../../daemon/base/random.ts'
import { Secret } from '../../daemon/base/secret.ts'
import { loadOwner } from '../../daemon/config/keyring.ts'
import { wordsOf } from '../../daemon/core/identity/index.ts'
import { CODES } from '../../schemas/gen/ts/codes.ts'
import { type Firmware, startFirmware } from '../support/firmware.ts'
import { until } from '../support/firmware-home.ts'
import { type LiveDevice, type LiveHome, openLiveHome, type Said } from '../support/home.ts'

const ON_MAX = 240

let home: LiveHome
let porch: LiveDevice
let hall: LiveDevice
/** What runs of each now. */
let porchNow: Firmware
let hallNow: Firmware

before(async () => {
  home = await openLiveHome()
  porch = await home.enrol('porch', 'porch-light')
  hall = await home.enrol('hall', 'porch-light')
  porchNow = porch.firmware
  hallNow = hall.firmware
})
after(async () => {
  await porchNow?.[Symbol.asyncDispose]()
  await hallNow?.[Symbol.asyncDispose]()
  await home?.[Symbol.asyncDispose]()
})

interface Line {
  readonly name: string
  readonly standing: string
  readonly inForce: number
}

const rotate = (...args: string[]): Promise<Said> =>
  home.done(['ca', 'rotate', ...args], { input: home.words })

async function standings(of = home): Promise<Said & { readonly devices: readonly Line[] }> {
  return (await of.done(['ca', 'status'])) as Said & { readonly devices: readonly Line[] }
}

/** Asks until the home says so: nobody knows how long a loaded machine takes. */
async function reached(
  what: string,
  holds: (said: Awaited<ReturnType<typeof standings>>) => boolean,
  of = home,
) {
  for (let tries = 0; tries < ON_MAX; tries++) {
    const said = await standings(of)
    if (holds(said)) return said
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
  assert.fail(`${what} did not come about: ${JSON.stringify(await standings(of))}`)
}

const allAt = (generation: number) => (said: Awaited<ReturnType<typeof standings>>) =>
  said.generation === generation && said.devices.every(({ inForce }) => inForce === generation)

async function obeys(name: string, of = home): Promise<void> {
  const set = await of.done(['set', name, 'on', 'true', '--within', '1m'])
  assert.equal(set.code, 'ok')
}

async function leaves(device: LiveDevice, firmware: Firmware): Promise<void> {
  await firmware.kill()
  await reached(`${device.name} away`, ({ devices }) =>
    devices.some(
      (each) => each.name === device.name && !(each as unknown as { connected: boolean }).connected,
    ),
  )
}

async function comes(device: LiveDevice): Promise<Firmware> {
  const { directory } = device.firmware
  return startFirmware({ port: 'host', program: 'porch-light', directory })
}

suite('authorities in generations', () => {
  test('are in the first one, and nobody is behind', async () => {
    const said = await standings()
    assert.deepEqual([said.generation, said.behind, said.announced], [0, 0, undefined])
    assert.deepEqual(said.devices.map(({ name }) => name).toSorted(), ['hall', 'porch'])
  })

  test('do not change by other words, nor by none', async () => {
    const other = wordsOf(new Secret(systemRandom.bytes(32))).reveal()
    const strange = await home.json(['ca', 'rotate'], { input: other })
    assert.deepEqual([strange.exit, strange.said.code], [3, 'wrong-audience'])
    const none = await home.json(['ca', 'rotate'], { input: '' })
    assert.deepEqual([none.exit, none.said.code], [2, 'bad-words'])
    assert.equal((await home.json(['ca', 'rotate', '--abort'])).said.code, 'conflict')
    assert.equal((await standings()).announced, undefined)
  })

  test('wait for a device that is away, also through a kill of the daemon', async () => {
    await leaves(hall, hallNow)
    assert.equal((await rotate('--no-wait')).generation, 1)
    const waiting = await reached('porch knows the next', ({ devices }) =>
      devices.some(({ name, standing }) => name === 'porch' && standing === 'announced'),
    )
    assert.deepEqual([waiting.generation, waiting.announced, waiting.behind], [0, 1, 1])
    await home.kill()
    await home.start()
    const after = await standings()
    assert.deepEqual([after.generation, after.announced, after.behind], [0, 1, 1])
    await obeys('porch')
  })

  test('announced and taken back, change nothing', async () => {
    const { stage, generation } = await rotate('--abort')
    assert.deepEqual([stage, generation], ['aborted', 1])
    await home.restart()
    const said = await standings()
    assert.deepEqual([said.generation, said.announced, said.behind], [0, undefined, 0])
    await obeys('porch')
  })

  test('come in force when the owner does not wait, and who returns later is let in', async () => {
    const { stage, generation } = await rotate('--now', '--yes')
    assert.deepEqual([stage, generation], ['in-force', 1])
    await porchNow.line(/^hub CA changed$/)
    await porchNow.line(/^certificate renewed 0$/)
    await obeys('porch')
    hallNow = await comes(hall)
    await hallNow.line(/^hub CA changed$/)
    await reached('all in the second generation', allAt(1))
    await obeys('hall')
  })

  test('leave no key of the first generation with the daemon, and the owner’s codes have the new pins', async () => {
    assert.ok(!existsSync(join(home.data, 'device-ca.key')))
    const kept = JSON.parse(readFileSync(join(home.data, 'generations.json'), 'utf8'))
    await reached(
      'nothing older kept',
      () => JSON.parse(readFileSync(join(home.data, 'generations.json'), 'utf8')).former.length === 0,
    )
    assert.equal(kept.present.generation, 1)
    assert.equal(loadOwner(home.owner).generation, 1)
  })

  test('change again right after; what was waited for goes on after a kill by itself', async () => {
    await leaves(hall, hallNow)
    assert.equal((await rotate('--no-wait')).generation, 2)
    await home.kill()
    await home.start()
    hallNow = await comes(hall)
    await reached('all in the third generation', allAt(2))
    await obeys('porch')
    await obeys('hall')
  })

  test('let in a device that was away while they changed twice', async () => {
    await leaves(hall, hallNow)
    await rotate('--now', '--yes')
    await rotate('--now', '--yes')
    await porchNow.line(/^hub CA changed$/)
    await home.kill()
    await home.start()
    hallNow = await comes(hall)
    await hallNow.line(/^hub CA changed$/)
    await hallNow.line(/^connected$/)
    await reached('all in the fifth generation', allAt(4))
    await obeys('porch')
    await obeys('hall')
  })

  test('are found by a home that was made again from its words alone', async () => {
    await porchNow.kill()
    await hallNow.kill()
    await home.stop()
    await using again = await openLiveHome({ linkPort: home.linkPort, words: home.words })
    hallNow = await comes(hall)
    await until('the device', () =>
      again.diary.some((line) => line.includes('"device-opened"')) ? true : undefined,
    )
    await obeys('hall', again)
    const refused = hallNow.lines.filter((line) => line === `link ended -${CODES['tls-bad-chain']}`)
    assert.ok(
      refused.length <= 8,
      `${refused.length} tries for the four generations that this home has forgotten`,
    )
    const restored = await standings(again)
    assert.equal(restored.generation, 0)
    const rotated = await again.done(['ca', 'rotate', '--yes'], { input: home.words })
    assert.deepEqual([rotated.stage, rotated.generation], ['in-force', 4])
    await reached('where it was', allAt(4), again)
    await obeys('hall', again)
  })
})
