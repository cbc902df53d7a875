// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { systemRandom } from '../../../daemon/base/random.ts'
import { Secret } from '../../../daemon/base/secret.ts'
import { hubCasOf } from '../../../daemon/config/generation-keys.ts'
import type { Receipt, Signer } from '../../../daemon/core/envelope/index.ts'
import { hubLeaf } from '../../../daemon/core/identity/certificates.ts'
import { idOf } from '../../../daemon/core/model/index.ts'
import type { Announced, Generation } from '../../../daemon/core/ports-generations.ts'
import { CODES, type Code } from '../../../schemas/gen/ts/codes.ts'
import {
  type CoreHome,
  HUB,
  LAMP,
  OTHER,
  OWNER,
  openCoreHome,
  ROOT,
  STRANGER,
} from '../../support/core-home.ts'
import { announcedBy, pinsFrame, WORDS } from '../../support/generations.ts'
import { sha256 } from '../../support/request.ts'
import { until } from '../../support/until.ts'

const [LAMP_ID, OTHER_ID] = [idOf(LAMP.key), idOf(OTHER.key)]
const next = (from: number, to = from + 1): Announced => announcedBy(ROOT, HUB.key, from, to)

const vaultOf = (home: CoreHome) => home.generations.vault
const standing = (home: CoreHome, id = LAMP_ID) =>
  home.core.generations.report().devices.find(({ device }) => device.id === id)?.standing

async function announce(home: CoreHome, what = next(vaultOf(home).present.generation)) {
  const verdict = await home.core.generations.announce(what, home.caller)
  assert(verdict.ok, verdict.ok ? '' : `${verdict.why} ${verdict.detail}`)
  return what
}

/** What the device says of the word on one generation. */
async function says(home: CoreHome, code: Code, pins: Uint8Array, by: Signer = LAMP): Promise<void> {
  const body = { command: sha256(pins), code: CODES[code], values: [] }
  await home.deviceDesk.receipt(idOf(by.key), home.fromDevice<Receipt>('receipt', body, by))
}

const inForce = (home: CoreHome, generation: number) =>
  until('the generation in force', () => vaultOf(home).present.generation === generation)

suite('a new generation of authorities', () => {
  test('comes in force at once where there is no device', async (t) => {
    const home = await openCoreHome(t)
    await announce(home)
    await inForce(home, 1)
    assert.deepEqual(home.kinds(), ['authorities', 'authorities'])
  })

  test('is told to connected devices at once, to others after their welcome, and waits for all', async (t) => {
    const home = await openCoreHome(t)
    await home.lamp()
    await home.lamp(OTHER, 'other')
    home.deviceDesk.gone(OTHER_ID, 'silent')
    const { steps } = await announce(home)
    const pins = steps[0]!.pins!
    assert.deepEqual(
      home.sent.map(({ device, frame }) => [device, frame]),
      [[LAMP_ID, pins]],
    )
    assert.deepEqual(home.deviceDesk.papers(OTHER_ID).at(-1), pins)
    await says(home, 'ca-announced', pins)
    assert.deepEqual([standing(home), standing(home, OTHER_ID)], ['announced', 'behind'])
    assert.equal(vaultOf(home).present.generation, 0)
    await says(home, 'ca-announced', pins, OTHER)
    await inForce(home, 1)
    assert.equal(vaultOf(home).announced, undefined)
  })

  test('waits for no device that was forgotten', async (t) => {
    const home = await openCoreHome(t)
    await home.lamp()
    await announce(home)
    assert.equal(vaultOf(home).present.generation, 0)
    await home.desk.forget(LAMP_ID, home.caller)
    await inForce(home, 1)
  })

  test('does not come when a device refuses it, unless an owner says so', async (t) => {
    const home = await openCoreHome(t)
    await home.lamp()
    const { steps } = await announce(home)
    await says(home, 'ca-unknown', steps[0]!.pins!)
    assert.equal(standing(home), 'refused')
    assert.equal(vaultOf(home).present.generation, 0)
    assert.deepEqual(await home.core.generations.enforce(home.caller), { ok: true, value: 1 })
    assert.equal(vaultOf(home).present.generation, 1)
    assert.deepEqual(
      vaultOf(home).former.map(({ generation }) => generation),
      [0],
      'what the device knows is kept for it',
    )
  })

  test('goes on where it was after the daemon began again', async (t) => {
    const home = await openCoreHome(t)
    await home.lamp()
    const { steps } = await announce(home)
    home.openCore()
    assert.deepEqual(home.deviceDesk.papers(LAMP_ID).at(-1), steps[0]!.pins)
    await home.state.confirmations.put({
      ...{ device: LAMP_ID, inForce: 0, announced: 1, code: CODES['ca-announced'], at: home.clock.now() },
    })
    home.openCore()
    home.core.generations.reconsider()
    await inForce(home, 1)
  })

  test('that was taken back is told to nobody any more', async (t) => {
    const home = await openCoreHome(t)
    await home.lamp()
    const { steps } = await announce(home)
    assert.deepEqual(await home.core.generations.abandon(home.caller), { ok: true, value: 1 })
    assert.ok(!home.deviceDesk.papers(LAMP_ID).includes(steps[0]!.pins!))
    await says(home, 'ca-announced', steps[0]!.pins!)
    assert.equal(vaultOf(home).present.generation, 0)
    assert.deepEqual([standing(home), vaultOf(home).announced], ['in-force', undefined])
    for (const act of ['abandon', 'enforce'] as const) {
      const again = await home.core.generations[act](home.caller)
      assert.equal(!again.ok && again.why, 'conflict', act)
    }
  })

  test('is kept beside the present one only as long as a device needs it', async (t) => {
    const home = await openCoreHome(t)
    await home.lamp()
    await home.lamp(OTHER, 'other')
    const { steps } = await announce(home)
    await home.core.generations.enforce(home.caller)
    await says(home, 'ok', steps[0]!.pins!)
    assert.equal(standing(home), 'in-force')
    assert.equal(vaultOf(home).former.length, 1)
    await says(home, 'ok', steps[0]!.pins!, OTHER)
    assert.equal(vaultOf(home).former.length, 0)
    assert.ok(!home.deviceDesk.papers(LAMP_ID).includes(steps[0]!.pins!), 'nobody is told twice')
  })

  test('that a device missed is told from the first word on, in their order', async (t) => {
    const home = await openCoreHome(t)
    await home.lamp()
    home.deviceDesk.gone(LAMP_ID, 'silent')
    const words: Uint8Array[] = []
    for (let round = 0; round < 3; round++) {
      words.push((await announce(home)).steps[0]!.pins!)
      await home.core.generations.enforce(home.caller)
    }
    assert.deepEqual(home.deviceDesk.papers(LAMP_ID).slice(-3), words)
    await says(home, 'ok', words[0]!)
    assert.deepEqual(home.deviceDesk.papers(LAMP_ID).slice(-2), words.slice(1))
    assert.deepEqual(
      vaultOf(home).former.map(({ generation }) => generation),
      [2, 1],
    )
  })

  test('that is in force is shown at once to a device that knows it as the next', async (t) => {
    const home = await openCoreHome(t)
    await home.lamp()
    const { steps } = await announce(home)
    await says(home, 'ca-announced', steps[0]!.pins!)
    assert.deepEqual(home.dropped, [])
    await inForce(home, 1)
    await says(home, 'ca-announced', steps[0]!.pins!)
    assert.deepEqual(home.dropped, [{ device: LAMP_ID, why: 'ca-announced' }])
  })

  test('may be several on, as after a restore', async (t) => {
    const home = await openCoreHome(t)
    await announce(home, next(0, 3))
    await inForce(home, 3)
    assert.deepEqual(vaultOf(home).hubCas, hubCasOf(WORDS, 3))
  })

  test('is not announced beside another one, and the same one only once', async (t) => {
    const home = await openCoreHome(t)
    await home.lamp()
    const { steps } = await announce(home)
    await announce(home, next(0))
    assert.equal(vaultOf(home).announced!.steps[0]!.pins, steps[0]!.pins)
    const other = await home.core.generations.announce(next(0, 2), home.caller)
    assert.equal(!other.ok && other.why, 'conflict')
  })
})

suite('what is handed in as the next generation is refused', () => {
  const changed = (change: Partial<Generation>): Announced => {
    const { steps, deviceCaSeed } = next(0)
    return { steps: [{ ...steps[0]!, ...change }], deviceCaSeed }
  }
  const leafUnder = (generation: number, key = HUB.key) => {
    const { steps } = announcedBy(ROOT, key, generation - 1, generation)
    return steps[0]!.hubLeaf
  }
  const cases: readonly (readonly [string, Code, () => Announced])[] = [
    [
      'sealed by an owner',
      'unknown-signer',
      () => changed({ pins: pinsFrame(OWNER, 1, { audience: idOf(ROOT.key) }) }),
    ],
    [
      'sealed by the hub itself',
      'unknown-signer',
      () => changed({ pins: pinsFrame(HUB, 1, { audience: idOf(ROOT.key) }) }),
    ],
    [
      'for another home',
      'unknown-signer',
      () => changed({ pins: pinsFrame(ROOT, 1, { audience: idOf(OWNER.key) }) }),
    ],
    ['without the root’s word', 'unknown-signer', () => changed({ pins: undefined })],
    ['noise', 'unknown-signer', () => changed({ pins: systemRandom.bytes(200) })],
    ['the present one again', 'conflict', () => announcedBy(ROOT, HUB.key, -1, 0)],
    ['one too far on', 'conflict', () => next(1)],
    ['of another number than its word', 'conflict', () => changed({ generation: 2 })],
    [
      'under a CA that no device knows',
      'ca-unknown',
      () => changed({ pins: pinsFrame(ROOT, 1, { hubCas: [STRANGER.key, OWNER.key] }) }),
    ],
    [
      'with a leaf for another key',
      'certificate-profile',
      () => changed({ hubLeaf: leafUnder(1, STRANGER.key) }),
    ],
    ['with a leaf under another CA', 'certificate-profile', () => changed({ hubLeaf: leafUnder(2) })],
    [
      'with a leaf of a stranger',
      'certificate-profile',
      () => changed({ hubLeaf: hubLeaf(STRANGER, HUB.key, systemRandom.bytes(8)) }),
    ],
    ['with no leaf', 'certificate-profile', () => changed({ hubLeaf: new Uint8Array(9) })],
    [
      'with another device CA’s key',
      'bad-request',
      () => ({ steps: next(0).steps, deviceCaSeed: new Secret(systemRandom.bytes(32)) }),
    ],
    ['of no step', 'bad-request', () => ({ steps: [], deviceCaSeed: next(0).deviceCaSeed })],
    ['of seventeen steps', 'bad-request', () => next(0, 17)],
  ]
  for (const [what, why, make] of cases)
    test(`${what}: ${why}`, async (t) => {
      const home = await openCoreHome(t)
      const verdict = await home.core.generations.announce(make(), home.caller)
      assert.equal(!verdict.ok && verdict.why, why)
      assert.deepEqual([vaultOf(home).announced, vaultOf(home).present.generation], [undefined, 0])
      assert.deepEqual(home.kinds(), ['refused'])
    })
})
