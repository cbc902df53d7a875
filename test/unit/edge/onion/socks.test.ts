// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { codeOf, isCode } from '../../../../daemon/base/error.ts'
import { SocksHandshake, socksConnect } from '../../../../daemon/edge/onion/socks.ts'
import { CONNECTED, fakeSocks, refusal } from './fake-socks.ts'

const pair = { username: 'user', password: 'pass' }
const handshake = () => new SocksHandshake('host.onion', 80, pair)
const connect = (path: string, signal = AbortSignal.timeout(30_000)) =>
  socksConnect(path, { host: 'host.onion', port: 80, pair }, signal)

/** Tor's half of a conversation that ends well. */
const METHOD = [5, 2]
const LOGIN = [1, 0]
const SAID = [...Buffer.from('hello')]
const WHOLE = Uint8Array.from([...METHOD, ...LOGIN, ...CONNECTED, ...SAID])

test('SocksHandshake says a username and a password, then asks for the host by name', () => {
  const talk = handshake()
  assert.deepEqual([...talk.hello], [5, 1, 2])
  assert.deepEqual(
    [...talk.push(Uint8Array.from(METHOD)).send],
    [1, 4, ...Buffer.from('user'), 4, ...Buffer.from('pass')],
  )
  assert.deepEqual(
    [...talk.push(Uint8Array.from(LOGIN)).send],
    [5, 1, 0, 3, 10, ...Buffer.from('host.onion'), 0, 80],
  )
  assert.deepEqual([...talk.push(CONNECTED).rest!], [])
})

test('SocksHandshake keeps what the service said first, wherever the bytes are cut', () => {
  for (let cut = 0; cut <= WHOLE.length; cut++) {
    const talk = handshake()
    const first = talk.push(WHOLE.subarray(0, cut))
    const heard = first.rest ? [...first.rest, ...WHOLE.subarray(cut)] : talk.push(WHOLE.subarray(cut)).rest
    assert.deepEqual([...heard!], SAID, `cut at ${cut}`)
  }
})

test('SocksHandshake reads replies of every address type', () => {
  for (const address of [
    [1, 127, 0, 0, 1],
    [3, 3, 97, 98, 99],
    [3, 0],
    [4, ...new Array<number>(16).fill(1)],
  ]) {
    const step = handshake().push(Uint8Array.from([...METHOD, ...LOGIN, 5, 0, 0, ...address, 0, 9, 7]))
    assert.deepEqual([...step.rest!], [7])
  }
})

test('SocksHandshake names every refusal tor knows, from its first two bytes', () => {
  const names: Record<number, string> = {
    1: 'not-served',
    2: 'not-allowed',
    3: 'network-unreachable',
    4: 'host-unreachable',
    5: 'port-refused',
    6: 'ttl-expired',
    7: 'not-supported',
    8: 'not-supported',
    9: 'socks-malformed',
    239: 'socks-malformed',
    240: 'no-descriptor',
    241: 'bad-descriptor',
    242: 'introduction-failed',
    243: 'rendezvous-failed',
    244: 'authorisation-missing',
    245: 'authorisation-wrong',
    246: 'bad-address',
    247: 'introduction-timeout',
    248: 'socks-malformed',
    255: 'socks-malformed',
  }
  for (const [code, name] of Object.entries(names)) {
    const reply = Uint8Array.from([...METHOD, ...LOGIN, ...refusal(Number(code)).subarray(0, 2)])
    assert.throws(
      () => handshake().push(reply),
      (error) => isCode(error, name),
      code,
    )
  }
})

test('SocksHandshake refuses another protocol at each step', () => {
  for (const bytes of [
    [4, 2],
    [5, 0],
    [5, 255],
    [...METHOD, 1, 1],
    [...METHOD, 5, 0],
    [...METHOD, ...LOGIN, 4, 0],
    [...METHOD, ...LOGIN, 5, 0, 1],
    [...METHOD, ...LOGIN, 5, 0, 0, 2],
    [...METHOD, ...LOGIN, 5, 0, 0, 0],
    [...Buffer.from('HTTP/1.1 400')],
  ]) {
    assert.throws(
      () => handshake().push(Uint8Array.from(bytes)),
      (error) => isCode(error, 'socks-malformed'),
    )
  }
})

test('SocksHandshake answers any bytes with a step or a named refusal', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 }),
      fc.boolean(),
      (chunks, begun) => {
        const talk = handshake()
        if (begun) talk.push(Uint8Array.from([...METHOD, ...LOGIN]))
        try {
          for (const chunk of chunks) if (talk.push(chunk).rest !== undefined) return
        } catch (error) {
          assert.ok(codeOf(error))
        }
      },
    ),
    { numRuns: 1000 },
  )
})

test('SocksHandshake refuses names and pairs that do not fit a SOCKS field', () => {
  const long = 'a'.repeat(256)
  for (const make of [
    () => new SocksHandshake(long, 80, pair),
    () => new SocksHandshake('', 80, pair),
    () => new SocksHandshake('h', 80, { ...pair, username: long }),
    () => new SocksHandshake('h', 80, { ...pair, password: '' }),
  ]) {
    assert.throws(make, (error) => isCode(error, 'bad-address'))
  }
})

test('socksConnect() hands over a stream that begins with the first byte said', async () => {
  await using socks = await fakeSocks((_asked, socket) => {
    socket.write(CONNECTED)
    socket.write('early ')
    socket.end('late')
  })
  const stream = await connect(socks.path)
  let heard = ''
  for await (const bytes of stream) heard += bytes
  assert.equal(heard, 'early late')
  assert.deepEqual(socks.asked, [{ username: 'user', password: 'pass', host: 'host.onion', port: 80 }])
})

test('socksConnect() leaves no listener of its own on the stream', async () => {
  await using socks = await fakeSocks((_asked, socket) => socket.write(CONNECTED))
  const stream = await connect(socks.path)
  for (const name of ['readable', 'data', 'error', 'close', 'connect']) {
    assert.equal(stream.listenerCount(name), 0, name)
  }
  stream.destroy()
})

test('socksConnect() is refused by name when tor cuts its reply at any offset', async () => {
  for (let length = 0; length < CONNECTED.length; length++) {
    await using socks = await fakeSocks((_asked, socket) => socket.end(CONNECTED.subarray(0, length)))
    await assert.rejects(connect(socks.path), (error) => isCode(error, 'socks-closed'), `cut at ${length}`)
  }
})

test('socksConnect() gives the cause tor names', async () => {
  await using socks = await fakeSocks((_asked, socket) => socket.end(refusal(0xf4)))
  await assert.rejects(connect(socks.path), (error) => isCode(error, 'authorisation-missing'))
})

test('socksConnect() finds no tor where none is', async () => {
  await assert.rejects(connect('/nowhere/socks'), (error) => isCode(error, 'tor-unreachable'))
})

test('socksConnect() ends with its signal, before and while tor is silent', async () => {
  await using socks = await fakeSocks(() => {})
  await assert.rejects(connect(socks.path, AbortSignal.abort(new Error('early'))), /early/)
  const cancel = new AbortController()
  const waiting = connect(socks.path, cancel.signal)
  while (socks.asked.length === 0) await new Promise((resolve) => setImmediate(resolve))
  cancel.abort(new Error('late'))
  await assert.rejects(waiting, /late/)
})
