// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { describe, it } from 'node:test'
import { systemClock } from '../../../../daemon/base/clock.ts'
import { Log } from '../../../../daemon/base/log.ts'
import { answerTo, discoveryLabel } from '../../../../daemon/edge/discovery/answer.ts'
import { openDiscovery } from '../../../../daemon/edge/discovery/index.ts'

const ROOT = new Uint8Array(32).fill(7)
const LABEL = discoveryLabel(ROOT)
const SRV = 33

function question(label = LABEL, type = SRV, service = '_shallot._tcp.local', flags = 0): Buffer {
  const labels = [label, ...service.split('.')].map((part) =>
    Buffer.from([part.length, ...Buffer.from(part)]),
  )
  const header = Buffer.from([0x12, 0x34, flags, 0, 0, 1, 0, 0, 0, 0, 0, 0])
  return Buffer.concat([header, ...labels, Buffer.of(0, 0, type, 0, 1)])
}

const answer = (asked: Uint8Array) => answerTo(asked, LABEL, '192.168.7.9', 8883)

describe('answerTo() [SPEC 6.8]', () => {
  it('answers who asks for exactly this home, with its port and address', () => {
    const said = answer(question())!
    assert.equal(said.readUInt16BE(0), 0x1234, 'the id is the question’s')
    assert.equal(said[2]! & 0x80, 0x80)
    assert.ok(said.includes(Buffer.of(8883 >> 8, 8883 & 255)))
    assert.deepEqual([...said.subarray(-4)], [192, 168, 7, 9])
  })

  it('reads names without regard to case', () => {
    assert.ok(answer(question(LABEL.toUpperCase())))
  })

  for (const [what, asked] of [
    ['another home', question(discoveryLabel(new Uint8Array(32)))],
    ['the whole service: nobody learns which homes are here', question('x'.repeat(16))],
    ['another service', question(LABEL, SRV, '_airplay._tcp.local')],
    ['an address', question(LABEL, 1)],
    ['an answer', question(LABEL, SRV, '_shallot._tcp.local', 0x84)],
    ['a question cut short', question().subarray(0, -1)],
    ['a byte more', Buffer.concat([question(), Buffer.of(0)])],
    ['nothing', Buffer.alloc(0)],
    ['a header alone', question().subarray(0, 12)],
  ] as const)
    it(`has no answer to ${what}`, () => assert.equal(answer(asked), undefined))
})

describe('a hub on the LAN', () => {
  const deps = { clock: systemClock, log: new Log(systemClock, () => {}) }
  const options = {
    root: ROOT,
    port: 8883,
    addresses: () => ['10.0.0.5', '127.0.0.1'],
    listen: { host: '127.0.0.1', port: 0 },
  }

  /** What comes back within a while. */
  async function ask(port: number, ...datagrams: Uint8Array[]): Promise<Buffer[]> {
    const socket = createSocket('udp4')
    const heard: Buffer[] = []
    socket.on('message', (message) => heard.push(message))
    for (const datagram of datagrams)
      await new Promise((sent) => socket.send(datagram, port, '127.0.0.1', sent))
    for (let waited = 0; waited < 20 && heard.length === 0; waited++) await systemClock.sleep(20)
    await systemClock.sleep(50)
    await new Promise<void>((closed) => socket.close(closed))
    return heard
  }

  it('says where it is, by the address nearest to who asks', async () => {
    await using hub = await openDiscovery(deps, options, new AbortController().signal)
    const [said] = await ask(hub.port, question())
    assert.deepEqual([...said!.subarray(-4)], [127, 0, 0, 1])
  })

  it('is silent to what is not for it, and when it is on no LAN', async () => {
    await using hub = await openDiscovery(deps, options, new AbortController().signal)
    assert.deepEqual(await ask(hub.port, question('0'.repeat(16)), Buffer.from('hello')), [])
    const alone = { ...options, addresses: () => [] }
    await using lonely = await openDiscovery(deps, alone, new AbortController().signal)
    assert.deepEqual(await ask(lonely.port, question()), [])
  })

  it('does not call back whom it has just sent to another daemon of the home [SPEC 14.7]', async () => {
    const away = { ...options, ignores: (address: string) => address === '127.0.0.1' }
    await using hub = await openDiscovery(deps, away, new AbortController().signal)
    assert.deepEqual(await ask(hub.port, question()), [])
  })

  it('answers a flood no more than twenty times a second', async () => {
    await using hub = await openDiscovery(deps, options, new AbortController().signal)
    const heard = await ask(hub.port, ...Array.from({ length: 60 }, () => question()))
    assert.ok(heard.length >= 1 && heard.length <= 40, `${heard.length}`)
  })

  it('hears the group that devices ask', async () => {
    const { listen: _, ...onTheGroup } = options
    await using hub = await openDiscovery(deps, onTheGroup, new AbortController().signal)
    assert.equal(hub.port, 5353)
  })
})
