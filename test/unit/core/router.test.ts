// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  type Command,
  type Message,
  nativeEd25519,
  openEnvelope,
  type Receipt,
} from '../../../daemon/core/envelope/index.ts'
import { idOf, type PartyId } from '../../../daemon/core/model/index.ts'
import { judge } from '../../../daemon/core/policy/index.ts'
import type { Delivery, Stage } from '../../../daemon/core/router/index.ts'
import { CODES, type Code } from '../../../schemas/gen/ts/codes.ts'
import { COMMANDS_WAITING_MAX } from '../../../schemas/gen/ts/wire.ts'
import { type CoreHome, LAMP, OTHER, openCoreHome } from '../../support/core-home.ts'
import { sha256 } from '../../support/request.ts'

const [DEVICE, ANOTHER] = [idOf(LAMP.key), idOf(OTHER.key)]
const everything = { sizeMax: 1024, accepts: () => true, isAudience: () => true }

class Bench {
  readonly home: CoreHome

  constructor(home: CoreHome) {
    this.home = home
  }

  get router() {
    return this.home.router
  }

  /** Delivers a command that ends `lifetimeS` from now. */
  deliver(lifetimeS = 30, device: PartyId = DEVICE) {
    const { home } = this
    const frame = home.command({ expiresAt: home.now + lifetimeS })
    const opened = openEnvelope(frame, everything, nativeEd25519())
    assert(opened.ok)
    const judged = judge(
      opened.value as Message<Command>,
      home.state.devices.get(DEVICE)!,
      home.authority.about(home.state.devices.get(DEVICE)!),
    )
    assert(judged.ok)
    const digest = sha256(frame)
    return { frame, digest, verdict: home.router.deliver(judged.value, device, digest) }
  }

  delivered(lifetimeS = 30, device: PartyId = DEVICE) {
    const { verdict, ...rest } = this.deliver(lifetimeS, device)
    assert(verdict.ok)
    return { ...rest, delivery: verdict.value }
  }

  receipt(command: Uint8Array, code = 0): Message<Receipt> {
    return this.home.fromDevice<Receipt>('receipt', { command, code, values: [] })
  }
}

async function bench(t: TestContext): Promise<Bench> {
  const home = await openCoreHome(t)
  await home.lamp()
  return new Bench(home)
}

async function stagesOf(delivery: Delivery): Promise<readonly Stage[]> {
  const stages: Stage[] = []
  for await (const stage of delivery) stages.push(stage)
  return stages
}

const names = async (delivery: Delivery) => (await stagesOf(delivery)).map(({ stage }) => stage)

test('a delivery ends with `done` and the receipt of code 0', async (t) => {
  const b = await bench(t)
  const { delivery, digest } = b.delivered()
  b.router.got(DEVICE, digest.subarray(0, 8))
  b.router.answered(DEVICE, b.receipt(digest))
  assert.deepEqual(await names(delivery), ['at-hub', 'at-device', 'done'])
  assert.equal(b.router.waiting(DEVICE), 0)
})

for (const [number, code] of [
  [CODES['not-permitted'], 'not-permitted'],
  [CODES.replayed, 'replayed'],
  [CODES['device-fault'], 'device-fault'],
  [59_999, 'device-fault'],
] as [number, Code][]) {
  test(`a receipt of code ${number} ends it with \`refused\`: ${code}`, async (t) => {
    const b = await bench(t)
    const { delivery, digest } = b.delivered()
    b.router.answered(DEVICE, b.receipt(digest, number))
    const last = (await stagesOf(delivery)).at(-1)
    assert.deepEqual(last?.stage === 'refused' && last.code, code)
  })
}

test('a receipt for a command that nobody sent ends nothing', async (t) => {
  const b = await bench(t)
  b.delivered()
  b.router.answered(DEVICE, b.receipt(new Uint8Array(32)))
  assert.equal(b.router.waiting(DEVICE), 1)
})

test('what another device notes or answers counts for nothing', async (t) => {
  const b = await bench(t)
  const { delivery, digest } = b.delivered(1)
  b.router.got(ANOTHER, digest.subarray(0, 8))
  b.router.answered(ANOTHER, b.receipt(digest))
  b.router.forgotten(ANOTHER)
  b.home.clock.advance(1500)
  assert.deepEqual(await names(delivery), ['at-hub', 'expired'])
})

test('`at-device` is told once, however often the device notes the arrival', async (t) => {
  const b = await bench(t)
  const { delivery, digest } = b.delivered()
  for (let n = 0; n < 20; n++) b.router.got(DEVICE, digest.subarray(0, 8))
  b.router.answered(DEVICE, b.receipt(digest))
  b.router.answered(DEVICE, b.receipt(digest))
  assert.deepEqual(await names(delivery), ['at-hub', 'at-device', 'done'])
})

test('a note with the wrong digest is not believed', async (t) => {
  const b = await bench(t)
  const { delivery, digest } = b.delivered(1)
  const wrong = Uint8Array.from(digest.subarray(0, 8))
  wrong[7]! ^= 1
  b.router.got(DEVICE, wrong)
  b.home.clock.advance(1500)
  assert.deepEqual(await names(delivery), ['at-hub', 'expired'])
})

test('a command expires at its own time, not before, and it is told whether it had arrived', async (t) => {
  const b = await bench(t)
  const late = b.delivered(20)
  const reached = b.delivered(10)
  b.router.got(DEVICE, reached.digest.subarray(0, 8))
  b.home.clock.advance(9_000)
  assert.equal(b.router.waiting(DEVICE), 2)
  b.home.clock.advance(1_500)
  assert.equal(b.router.waiting(DEVICE), 1)
  b.home.clock.advance(10_000)
  const ends = [await stagesOf(reached.delivery), await stagesOf(late.delivery)].map((all) => all.at(-1)!)
  assert.deepEqual(
    ends.map((end) => [end.stage, end.stage === 'expired' && end.reached]),
    [
      ['expired', true],
      ['expired', false],
    ],
  )
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(b.home.kinds(), ['expired', 'expired'])
})

test('a receipt that comes after the end changes nothing', async (t) => {
  const b = await bench(t)
  const { delivery, digest } = b.delivered(1)
  b.home.clock.advance(2_000)
  b.router.answered(DEVICE, b.receipt(digest))
  assert.deepEqual(await names(delivery), ['at-hub', 'expired'])
})

test('when the device says hello, what waits goes out again, oldest first, and nothing of others', async (t) => {
  const b = await bench(t)
  const first = b.delivered()
  const done = b.delivered()
  const second = b.delivered()
  b.delivered(30, ANOTHER)
  b.router.answered(DEVICE, b.receipt(done.digest))
  b.home.sent.length = 0
  b.router.connected(DEVICE)
  assert.deepEqual(
    b.home.sent.map(({ device, frame }) => [device, frame]),
    [
      [DEVICE, first.frame],
      [DEVICE, second.frame],
    ],
  )
})

test('refuses one more than may wait for a device, and takes one for another: queue-full', async (t) => {
  const b = await bench(t)
  for (let n = 0; n < COMMANDS_WAITING_MAX; n++) b.delivered()
  assert.equal(b.router.hasRoom(DEVICE), false)
  const more = b.deliver().verdict
  assert.equal(more.ok ? 'taken' : more.why, 'queue-full')
  assert.equal(b.home.sent.length, COMMANDS_WAITING_MAX)
  b.delivered(30, ANOTHER)
})

test('there is room again once one has ended', async (t) => {
  const b = await bench(t)
  const all = Array.from({ length: COMMANDS_WAITING_MAX }, () => b.delivered())
  b.router.answered(DEVICE, b.receipt(all[3]!.digest))
  assert(b.router.hasRoom(DEVICE))
  b.delivered()
  assert.equal(b.router.hasRoom(DEVICE), false)
})

test('forgotten() ends everything that waits for the device and sends nothing again', async (t) => {
  const b = await bench(t)
  const both = [b.delivered(), b.delivered()]
  b.router.forgotten(DEVICE)
  for (const { delivery } of both) assert.deepEqual(await names(delivery), ['at-hub', 'expired'])
  b.home.sent.length = 0
  b.router.connected(DEVICE)
  assert.deepEqual(b.home.sent, [])
})

test('a reader that goes away does not stop the delivery', async (t) => {
  const b = await bench(t)
  const { delivery, digest } = b.delivered()
  for await (const _first of delivery) break
  b.router.got(DEVICE, digest.subarray(0, 8))
  b.router.answered(DEVICE, b.receipt(digest))
  assert.equal(b.router.waiting(DEVICE), 0)
})
