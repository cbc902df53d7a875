// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { isCode } from '../../../../daemon/base/error.ts'
import { systemRandom } from '../../../../daemon/base/random.ts'
import { ANEW_MS, Dialer, PATIENCE_MS } from '../../../../daemon/edge/onion/dial.ts'
import { ManualClock, settled } from '../../../support/manual-clock.ts'
import { CONNECTED, type FakeSocks, fakeSocks, refusal, type SocksAsked } from './fake-socks.ts'

const ADDRESS = '25njqamcweflpvkl73j4szahhihoc4xt3ktcgjnpaingr5yhkenl5sid.onion'

interface Bench {
  readonly clock: ManualClock
  readonly dialer: Dialer
  /** Addresses whose descriptors were to be fetched anew. */
  readonly renewed: readonly string[]
  dial(isolation?: string, attempts?: number, anew?: boolean): Promise<Socket>
  /** Waits until `count` attempts have come in all. */
  asked(count: number): Promise<void>
}

function bench(socks: FakeSocks, ready: () => Promise<void> = async () => {}): Bench {
  const clock = new ManualClock()
  const renewed: string[] = []
  const renew = (address: string) => void renewed.push(address)
  const dialer = new Dialer({ clock, random: systemRandom, ready, renew }, socks.path)
  return {
    clock,
    dialer,
    renewed,
    dial: (isolation = 'x', attempts = 5, anew = false) =>
      dialer.dial(ADDRESS, 80, { isolation, attempts, anew, signal: new AbortController().signal }),
    asked: async (count) => {
      while (socks.asked.length < count) await settled()
    },
  }
}

const pairOf = ({ username, password }: SocksAsked) => `${username} ${password}`

test('dial() begins a second attempt under a new isolation pair when the first stalls', async () => {
  await using socks = await fakeSocks((_asked, socket) => {
    if (socks.asked.length === 2) socket.write(CONNECTED)
  })
  const { clock, dial, asked } = bench(socks)
  const dialling = dial()
  await asked(1)
  await clock.pass(PATIENCE_MS[0]! - 1)
  assert.equal(socks.asked.length, 1)
  await clock.pass(1)
  await asked(2)
  ;(await dialling).destroy()
  assert.notEqual(pairOf(socks.asked[0]!), pairOf(socks.asked[1]!))
  assert.equal(clock.waiting, 0)
})

test('dial() lets a slow first attempt win while others run beside it', async () => {
  const streams: Socket[] = []
  await using socks = await fakeSocks((_asked, socket) => void streams.push(socket))
  const { clock, dial, asked } = bench(socks)
  const dialling = dial()
  await asked(1)
  await clock.pass(PATIENCE_MS[0]!)
  await asked(2)
  const dropped = new Promise((resolve) => streams[1]!.once('close', resolve))
  streams[0]!.write(CONNECTED)
  const stream = await dialling
  await dropped
  assert.equal(stream.destroyed, false)
  stream.destroy()
})

test('dial() keeps an isolation on the pair that worked', async () => {
  await using socks = await fakeSocks((_asked, socket) => {
    if (socks.asked.length > 1) socket.write(CONNECTED)
  })
  const { clock, dial, asked } = bench(socks)
  const dialling = dial()
  await asked(1)
  await clock.pass(PATIENCE_MS[0]!)
  ;(await dialling).destroy()
  ;(await dial()).destroy()
  assert.equal(pairOf(socks.asked[2]!), pairOf(socks.asked[1]!))
})

test('dial() anew leaves the pair that worked', async () => {
  await using socks = await fakeSocks((_asked, socket) => void socket.write(CONNECTED))
  const { dial } = bench(socks)
  for (let calls = 0; calls < 3; calls++) (await dial('x', 5, true)).destroy()
  assert.equal(new Set(socks.asked.map(pairOf)).size, 3)
})

test('dial() anew begins another attempt beside those that hang until one stands, and gives up after as many failures', async () => {
  const streams: Socket[] = []
  await using socks = await fakeSocks((_asked, socket) => void streams.push(socket))
  const { clock, dial, asked } = bench(socks)
  const dialling = dial('x', 2, true)
  for (let launched = 1; launched <= 8; launched++) {
    await asked(launched)
    await clock.pass(ANEW_MS)
  }
  await asked(9)
  for (const stream of streams.slice(0, 2)) stream.end(refusal(0xf3))
  // The deadline of the whole: nobody waits for the turn of another attempt any more.
  while (clock.waiting > 1) await settled()
  await clock.pass(ANEW_MS)
  streams[8]!.write(CONNECTED)
  ;(await dialling).destroy()
  assert.equal(socks.asked.length, 9)
  assert.equal(clock.waiting, 0)
})

test('dial() anew has the descriptor renewed while attempts hang, a minute apart, four times in a quarter of an hour', async () => {
  await using socks = await fakeSocks(() => {})
  const { clock, dial, asked, renewed } = bench(socks)
  const counts: number[] = []
  for (let calls = 0, launched = 0; calls < 4; calls++) {
    const hanging = assert.rejects(dial('x', 5, true))
    for (const end = clock.monotonic() + 120_000; clock.monotonic() < end; ) {
      await asked(++launched)
      await clock.pass(Math.min(ANEW_MS, end - clock.monotonic()))
    }
    await hanging
    launched = socks.asked.length
    counts.push(renewed.length)
  }
  assert.deepEqual([counts, new Set(renewed)], [[2, 4, 4, 4], new Set([ADDRESS])])
})

test('dial() has nothing renewed while attempts fail, or for who does not call anew', async () => {
  await using socks = await fakeSocks((_asked, socket) => socket.end(refusal(0xf2)))
  const { clock, dial, renewed } = bench(socks)
  for (const anew of [true, false]) {
    const failing = assert.rejects(dial('x', 1, anew))
    await turns()
    await clock.pass(100)
    await failing
  }
  await using hanging = await fakeSocks(() => {})
  const other = bench(hanging)
  const gone = assert.rejects(other.dial())
  for (let passed = 0; passed < 120; passed++) await other.clock.pass(1000)
  await gone
  assert.deepEqual([renewed, other.renewed], [[], []])
})

test('dial() gives different isolations different pairs and does not name them to tor', async () => {
  await using socks = await fakeSocks((_asked, socket) => socket.write(CONNECTED))
  const { dial } = bench(socks)
  for (const isolation of ['alice', 'bob', 'alice']) (await dial(isolation)).destroy()
  const [first, second, third] = socks.asked.map(pairOf)
  assert.notEqual(first, second)
  assert.equal(first, third)
  assert.doesNotMatch(`${first}${second}`, /alice|bob/)
})

test('dial() tries again after passing causes, each time on a new pair, and then throws the last', async () => {
  for (const code of [0x01, 0x04, 0x06, 0xf0, 0xf1, 0xf2, 0xf3, 0xf7]) {
    await using socks = await fakeSocks((_asked, socket) => socket.end(refusal(code)))
    const { clock, dial, asked } = bench(socks)
    const failing = assert.rejects(dial('x', 3))
    for (const count of [1, 2, 3]) {
      await asked(count)
      await turns()
      await clock.pass(2000)
    }
    await failing
    assert.equal(new Set(socks.asked.map(pairOf)).size, 3)
    assert.equal(clock.waiting, 0)
  }
})

test('dial() throws at once what another attempt cannot change', async () => {
  for (const [code, name] of [
    [0x02, 'not-allowed'],
    [0x05, 'port-refused'],
    [0x07, 'not-supported'],
    [0xf4, 'authorisation-missing'],
    [0xf5, 'authorisation-wrong'],
    [0xf6, 'bad-address'],
    [0x63, 'socks-malformed'],
  ] as const) {
    await using socks = await fakeSocks((_asked, socket) => socket.end(refusal(code)))
    await assert.rejects(bench(socks).dial(), (error) => isCode(error, name))
    assert.equal(socks.asked.length, 1)
  }
})

test('dial() ends by name after two minutes of silence', async () => {
  await using socks = await fakeSocks(() => {})
  const { clock, dial, asked } = bench(socks)
  const failing = assert.rejects(dial(), (error) => isCode(error, 'dial-timeout'))
  let patience = 0
  for (const [i, ms] of PATIENCE_MS.entries()) {
    await asked(i + 1)
    await clock.pass(ms)
    patience += ms
  }
  await asked(5)
  await clock.pass(120_000 - patience)
  await failing
  assert.equal(clock.waiting, 0)
})

test('dial() waits for tor to have a network, and stops waiting with its signal', async () => {
  await using socks = await fakeSocks((_asked, socket) => socket.write(CONNECTED))
  const { promise, resolve } = Promise.withResolvers<void>()
  const { dialer, dial } = bench(socks, () => promise)
  const cancel = new AbortController()
  const cancelled = dialer.dial(ADDRESS, 80, { isolation: 'x', signal: cancel.signal })
  cancel.abort(new Error('changed my mind'))
  await assert.rejects(cancelled, /changed my mind/)
  const dialling = dial()
  await turns()
  assert.equal(socks.asked.length, 0)
  resolve()
  ;(await dialling).destroy()
})

test('dial() refuses what is no onion address or port before tor hears of it', async () => {
  await using socks = await fakeSocks((_asked, socket) => socket.write(CONNECTED))
  const { dialer } = bench(socks)
  const options = { isolation: 'x', signal: new AbortController().signal }
  for (const [address, port] of [
    ['example.com', 80],
    ['127.0.0.1', 80],
    [ADDRESS.replace('25', '26'), 80],
    [ADDRESS, 0],
    [ADDRESS, 65_536],
    [ADDRESS, 80.5],
    [ADDRESS, Number.NaN],
  ] as const) {
    await assert.rejects(dialer.dial(address, port, options), (error) => isCode(error, 'bad-address'))
  }
  assert.equal(socks.asked.length, 0)
})

/** Lets what is under way on local sockets arrive. */
async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await settled()
}
