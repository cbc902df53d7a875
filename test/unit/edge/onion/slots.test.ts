// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Slots } from '../../../../daemon/edge/onion/slots.ts'
import { settled } from '../../../support/manual-clock.ts'

const never = new AbortController().signal

test('take() gives out no more slots than there are, first come first served', async () => {
  const slots = new Slots(2)
  const order: number[] = []
  const held = await Promise.all([slots.take(never), slots.take(never)])
  for (const n of [1, 2]) slots.take(never).then(() => order.push(n))
  await settled()
  assert.deepEqual(order, [])
  held[0]![Symbol.dispose]()
  await settled()
  assert.deepEqual(order, [1])
})

test('a slot returned twice is returned once', async () => {
  const slots = new Slots(1)
  const slot = await slots.take(never)
  slot[Symbol.dispose]()
  slot[Symbol.dispose]()
  await slots.take(never)
  let second = false
  slots.take(never).then(() => {
    second = true
  })
  await settled()
  assert.equal(second, false)
})

test('who stops waiting loses its place and takes nobody else from the queue', async () => {
  const slots = new Slots(1)
  const slot = await slots.take(never)
  const cancel = new AbortController()
  const cancelled = slots.take(cancel.signal)
  const next = slots.take(never)
  cancel.abort(new Error('no longer'))
  await assert.rejects(cancelled, /no longer/)
  slot[Symbol.dispose]()
  await next
  await assert.rejects(slots.take(cancel.signal), /no longer/)
})
