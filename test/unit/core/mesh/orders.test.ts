// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Channel } from '../../../../daemon/base/channel.ts'
import { no, type Verdict, yes } from '../../../../daemon/base/error.ts'
import {
  type Frame,
  type Message,
  openEnvelope,
  type Receipt,
  type Signer,
} from '../../../../daemon/core/envelope/index.ts'
import { ORDERS_MAX, Orders, type TalkWord } from '../../../../daemon/core/mesh/index.ts'
import { idOf } from '../../../../daemon/core/model/index.ts'
import type { Delivery, Stage } from '../../../../daemon/core/router/index.ts'
import type { Code } from '../../../../schemas/gen/ts/codes.ts'
import { CODES } from '../../../../schemas/gen/ts/codes.ts'
import { ManualClock, settled } from '../../../support/manual-clock.ts'
import { CABIN, ed25519, HOME, LAMP, STRANGER, seal, TOWN } from '../../../support/mesh-papers.ts'
import { sha256 } from '../../../support/request.ts'

const [town, cabin, lamp] = [TOWN, CABIN, LAMP].map(({ key }) => idOf(key)) as [
  ReturnType<typeof idOf>,
  ReturnType<typeof idOf>,
  ReturnType<typeof idOf>,
]
const COMMAND = new Uint8Array([1, 2, 3])
const NOTHING = new Uint8Array()

function receiptOf(command: Frame, code = 0, by: Signer = LAMP): Message<Receipt> {
  const frame = seal({ type: 'receipt', command: sha256(command), code, values: [] }, by)
  const opened = openEnvelope(frame, { sizeMax: 1024, accepts: () => true, isAudience: () => true }, ed25519)
  assert(opened.ok)
  return opened.value as Message<Receipt>
}

/** One side: what it said, and what its home does with a command. */
function openOrders(
  carryOut: (command: Frame) => Promise<Verdict<Delivery, Code>> = async () => no('not-found'),
) {
  const clock = new ManualClock()
  const said: TalkWord[] = []
  const carried: Frame[] = []
  const orders = new Orders({
    ...{ clock, ed25519, home: HOME },
    say: (_peer, word) => void said.push(word),
    carryOut: (_device, command) => {
      carried.push(command)
      return carryOut(command)
    },
  })
  return { clock, orders, said, carried }
}

const stageWord = (stage: string, number = 1, code = 0, receipt: Frame = NOTHING) =>
  ({ word: 'stage', number, stage, code, receipt }) as TalkWord & { word: 'stage' }

async function stagesOf(sent: Promise<Verdict<Delivery, Code>>): Promise<string[]> {
  const delivery = await sent
  assert(delivery.ok)
  const stages: string[] = []
  for await (const stage of delivery.value) stages.push(stage.stage)
  return stages
}

describe('a command for a device of another home [SPEC 14.4]', () => {
  it('goes there as it is, and ends with the receipt of that device for exactly this command', async () => {
    const { orders, said, clock } = openOrders()
    const sent = orders.send(cabin, lamp, COMMAND, clock.now() + 30_000)
    assert.deepEqual(said, [{ word: 'order', number: 1, device: lamp, command: COMMAND }])
    orders.heardStage(cabin, stageWord('at-hub'))
    orders.heardStage(cabin, stageWord('at-device'))
    orders.heardStage(cabin, stageWord('done', 1, 0, receiptOf(COMMAND).frame))
    assert.deepEqual(await stagesOf(sent), ['at-hub', 'at-device', 'done'])
  })

  for (const [what, receipt] of [
    ['another device', receiptOf(COMMAND, 0, STRANGER).frame],
    ['the daemon itself', receiptOf(COMMAND, 0, CABIN).frame],
    ['the device, for another command', receiptOf(new Uint8Array([9])).frame],
    ['nobody', NOTHING],
  ] as const) {
    it(`is not done by a receipt of ${what}`, async () => {
      const { orders, clock } = openOrders()
      const sent = orders.send(cabin, lamp, COMMAND, clock.now() + 1000)
      orders.heardStage(cabin, stageWord('at-hub'))
      orders.heardStage(cabin, stageWord('done', 1, 0, receipt))
      clock.advance(1001)
      orders.tick()
      assert.deepEqual(await stagesOf(sent), ['at-hub', 'expired'])
    })
  }

  it('is done by the true receipt, also after a false one', async () => {
    const { orders, clock } = openOrders()
    const sent = orders.send(cabin, lamp, COMMAND, clock.now() + 1000)
    orders.heardStage(cabin, stageWord('done', 1, 0, receiptOf(COMMAND, 0, STRANGER).frame))
    orders.heardStage(cabin, stageWord('done', 1, 0, receiptOf(COMMAND).frame))
    assert.deepEqual(await stagesOf(sent), ['done'])
  })

  it('is not answered by a third daemon, nor for an order that was never given', async () => {
    const { orders, clock } = openOrders()
    const sent = orders.send(cabin, lamp, COMMAND, clock.now() + 1000)
    orders.heardStage(town, stageWord('done', 1, 0, receiptOf(COMMAND).frame))
    orders.heardStage(cabin, stageWord('done', 7, 0, receiptOf(COMMAND).frame))
    clock.advance(1001)
    orders.tick()
    assert.deepEqual(await stagesOf(sent), ['expired'])
  })

  it('brings the refusal of the other home', async () => {
    const { orders, clock } = openOrders()
    const sent = orders.send(cabin, lamp, COMMAND, clock.now() + 1000)
    orders.heardStage(cabin, stageWord('not-taken', 1, CODES['queue-full']))
    assert.deepEqual(await sent, no('queue-full'))
  })

  it('is given again when the way stands again, and told once', async () => {
    const { orders, said, clock } = openOrders()
    const sent = orders.send(cabin, lamp, COMMAND, clock.now() + 30_000)
    orders.heardStage(cabin, stageWord('at-hub'))
    orders.connected(cabin)
    orders.connected(town)
    assert.equal(said.length, 2)
    orders.heardStage(cabin, stageWord('at-hub'))
    orders.heardStage(cabin, stageWord('done', 1, 0, receiptOf(COMMAND).frame))
    assert.deepEqual(await stagesOf(sent), ['at-hub', 'done'])
  })

  it('waits for at most so many answers', async () => {
    const { orders, clock } = openOrders()
    for (let at = 0; at < ORDERS_MAX; at++) orders.send(cabin, lamp, COMMAND, clock.now() + 1000)
    assert.deepEqual(await orders.send(cabin, lamp, COMMAND, clock.now() + 1000), no('queue-full'))
  })
})

describe('a command that another home passes on [SPEC 14.4]', () => {
  const order = (number: number, command = COMMAND) =>
    ({ word: 'order', number, device: lamp, command }) as TalkWord & { word: 'order' }

  it('is carried out once, however often it is given, and answered each time', async () => {
    const stages = new Channel<Stage>(8)
    stages.push({ stage: 'at-hub', at: 1 })
    stages.push({ stage: 'done', at: 2, receipt: receiptOf(COMMAND) })
    stages.close()
    const { orders, said, carried } = openOrders(async () => yes(stages))
    await orders.heardOrder(cabin, order(1))
    await orders.heardOrder(cabin, order(8))
    assert.equal(carried.length, 1)
    assert.deepEqual(
      said.map((word) => word.word === 'stage' && [word.number, word.stage]),
      [
        [1, 'at-hub'],
        [1, 'done'],
        [8, 'at-hub'],
        [8, 'done'],
      ],
    )
  })

  it('is told in one turn when it is done at once', async () => {
    const stages = new Channel<Stage>(8)
    const { orders, said, clock } = openOrders(async () => yes(stages))
    const done = orders.heardOrder(cabin, order(1))
    stages.push({ stage: 'at-hub', at: 1 })
    await settled()
    clock.advance(19)
    stages.push({ stage: 'at-device', at: 2 })
    await settled()
    assert.equal(said.length, 0)
    stages.push({ stage: 'done', at: 3, receipt: receiptOf(COMMAND) })
    stages.close()
    await done
    await clock.pass(1000)
    assert.deepEqual(
      said.map((word) => word.word === 'stage' && word.stage),
      ['at-hub', 'at-device', 'done'],
    )
  })

  it('is told how far it is within 20 ms when it takes longer, each stage once', async () => {
    const stages = new Channel<Stage>(8)
    const { orders, said, clock } = openOrders(async () => yes(stages))
    const done = orders.heardOrder(cabin, order(1))
    for (const stage of ['at-hub', 'at-device'] as const) {
      stages.push({ stage, at: 1 })
      await clock.pass(20)
    }
    assert.deepEqual(said, [stageWord('at-hub'), stageWord('at-device')])
    stages.push({ stage: 'expired', at: 9, reached: true })
    stages.close()
    await done
    assert.deepEqual(said.slice(2), [stageWord('expired-reached')])
  })

  it('is told once to who asks again in between, under the new number', async () => {
    const stages = new Channel<Stage>(8)
    const { orders, said, clock } = openOrders(async () => yes(stages))
    const done = orders.heardOrder(cabin, order(1))
    stages.push({ stage: 'at-hub', at: 1 })
    await settled()
    await orders.heardOrder(cabin, order(2))
    await clock.pass(1000)
    assert.deepEqual(said, [stageWord('at-hub', 2)])
    stages.close()
    await done
  })

  it('that is refused here is answered with the code', async () => {
    const { orders, said } = openOrders(async () => no('not-permitted'))
    await orders.heardOrder(cabin, order(1))
    assert.deepEqual(said, [stageWord('not-taken', 1, CODES['not-permitted'])])
  })

  it('is forgotten a minute after its end, not before', async () => {
    const { orders, clock, carried } = openOrders(async () => no('not-permitted'))
    await orders.heardOrder(cabin, order(1))
    clock.advance(59_000)
    orders.tick()
    await orders.heardOrder(cabin, order(2))
    clock.advance(2000)
    orders.tick()
    await orders.heardOrder(cabin, order(3))
    assert.equal(carried.length, 2)
  })

  it('finds room however many were answered just before', async () => {
    const { orders, carried } = openOrders(async () => no('not-permitted'))
    for (let at = 0; at < 3 * ORDERS_MAX; at++)
      await orders.heardOrder(cabin, order(at, new Uint8Array([at, 1])))
    assert.equal(carried.length, 3 * ORDERS_MAX)
  })

  it('finds no room when too many are under way', async () => {
    const { orders, said } = openOrders(() => new Promise(() => {}))
    for (let at = 0; at < ORDERS_MAX; at++) orders.heardOrder(cabin, order(at, new Uint8Array([at])))
    await orders.heardOrder(cabin, order(999, new Uint8Array([200])))
    assert.deepEqual(said, [stageWord('not-taken', 999, CODES['queue-full'])])
  })
})
