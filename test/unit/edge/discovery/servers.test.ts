// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { Resolver } from 'node:dns/promises'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { systemClock } from '../../../../daemon/base/clock.ts'
import { Log } from '../../../../daemon/base/log.ts'
import { openDiscovery } from '../../../../daemon/edge/discovery/index.ts'
import { serversAnswer } from '../../../../daemon/edge/discovery/servers.ts'

const LABEL = '0123456789abcdef'
const OTHER = 'fedcba9876543210'
const [A, AAAA, ANY] = [1, 28, 255]
const ALONE = 0x8000
const here = (label: string) => (label === LABEL ? '192.168.1.77' : undefined)

const nameOf = (...labels: string[]) =>
  Buffer.concat([...labels, ''].map((label) => Buffer.from([label.length, ...Buffer.from(label)])))
const NAME = nameOf(LABEL, 'local')
const pointer = (to: number) => Buffer.of(0xc0 | (to >> 8), to & 255)

function asking(name: Buffer, type = A, kind = 1): Buffer {
  const tail = Buffer.alloc(4)
  tail.writeUInt16BE(type, 0)
  tail.writeUInt16BE(kind, 2)
  return Buffer.concat([name, tail])
}

function datagram(
  questions: readonly Buffer[],
  { flags = 0, count = questions.length, rest = '' } = {},
): Buffer {
  const header = Buffer.alloc(12)
  header.writeUInt16BE(0x1234, 0)
  header.writeUInt16BE(flags, 2)
  header.writeUInt16BE(count, 4)
  return Buffer.concat([header, ...questions, Buffer.from(rest)])
}

const answer = (asked: Uint8Array, isLegacy = false) => serversAnswer(asked, here, isLegacy)
/** An A record of the device's, to be kept for an hour, in place of any other. */
const RECORD = Buffer.concat([NAME, Buffer.from('00018001' + '00000e10' + '0004' + 'c0a8014d', 'hex')])
const NSEC = Buffer.concat([
  NAME,
  Buffer.from('002f8001' + '00000e10' + '001b', 'hex'),
  NAME,
  Buffer.of(0, 1, 0x40),
])

describe('serversAnswer() [SPEC 18.1, RFC 6762]', () => {
  it('tells the group the address, and that there is no other', () => {
    const said = answer(datagram([asking(NAME)]))!
    assert.equal(said.toGroup, true)
    assert.deepEqual(
      said.bytes,
      Buffer.concat([Buffer.from('000084000000000200000000', 'hex'), RECORD, NSEC]),
    )
  })

  it('tells it to who asked alone, if that is wanted', () => {
    assert.equal(answer(datagram([asking(NAME, A, 1 | ALONE)]))?.toGroup, false)
    assert.equal(answer(datagram([asking(NAME, A, 1 | ALONE), asking(NAME, AAAA)]))?.toGroup, true)
  })

  it('says at once that there is no AAAA', () => {
    const said = answer(datagram([asking(NAME, AAAA)]))!.bytes
    assert.deepEqual(said.subarray(12), NSEC)
  })

  it('takes several questions, names by pointer, any case, and what follows the questions', () => {
    const both = datagram([asking(nameOf(LABEL.toUpperCase(), 'Local'), AAAA), asking(pointer(12))], {
      rest: 'more',
    })
    assert.deepEqual(answer(both)?.bytes.subarray(12), Buffer.concat([RECORD, NSEC]))
    const among = datagram([
      asking(nameOf('printer', 'local')),
      asking(Buffer.concat([nameOf(LABEL).subarray(0, -1), pointer(20)]), ANY),
    ])
    assert.deepEqual(answer(among)?.bytes.subarray(12), Buffer.concat([RECORD, NSEC]))
  })

  for (const [what, asked] of [
    ['a device that is not here', datagram([asking(nameOf(OTHER, 'local'))])],
    ['another name', datagram([asking(nameOf('printer', 'local'))])],
    ['a name below', datagram([asking(nameOf('x', LABEL, 'local'))])],
    ['a name elsewhere', datagram([asking(nameOf(LABEL, 'example'))])],
    ['the label alone', datagram([asking(nameOf(LABEL))])],
    ['another class', datagram([asking(NAME, A, 3)])],
    ['an answer', datagram([asking(NAME)], { flags: 0x8400 })],
    ['another operation', datagram([asking(NAME)], { flags: 0x2800 })],
    ['a question that is not there', datagram([asking(NAME)], { count: 2 })],
    ['no question', datagram([])],
    ['questions without end', datagram(Array(9).fill(asking(NAME)))],
    ['a pointer to itself', datagram([asking(pointer(12))])],
    ['a pointer ahead', datagram([asking(pointer(18)), asking(NAME)])],
    ['pointers in a ring', datagram([asking(Buffer.concat([Buffer.of(1, 0x61), pointer(12)]))])],
    ['a label beyond the end', datagram([Buffer.of(63, 0x61)], { count: 1 })],
    ['a label of a kind that there is not', datagram([asking(Buffer.of(0x41, 0x61, 0))])],
    ['a name cut short', datagram([NAME.subarray(0, 10)], { count: 1 })],
    ['a header alone', datagram([], { count: 1 })],
    ['nothing', Buffer.alloc(0)],
  ] as const)
    it(`has no answer to ${what}`, () => {
      assert.equal(answer(asked), undefined)
      assert.equal(answer(asked, true), undefined)
    })

  it('neither fails nor answers, whatever comes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.boolean(), (bytes, isLegacy) => {
        assert.equal(answer(bytes, isLegacy), undefined)
        answer(Buffer.concat([datagram([], { count: 2 }), bytes]), isLegacy)
      }),
    )
  })
})

describe('a hub that is asked for a device’s server', () => {
  const deps = { clock: systemClock, log: new Log(systemClock, () => {}) }
  const options = {
    root: new Uint8Array(32).fill(7),
    port: 8883,
    addresses: () => ['127.0.0.1'],
    listen: { host: '127.0.0.1', port: 0 },
    serverAt: here,
  }

  it('is understood by a resolver that knows nothing of mDNS', async () => {
    await using hub = await openDiscovery(deps, options, new AbortController().signal)
    const resolver = new Resolver({ timeout: 5000, tries: 3 })
    resolver.setServers([`127.0.0.1:${hub.port}`])
    assert.deepEqual(await resolver.resolve4(`${LABEL}.local`, { ttl: true }), [
      { address: '192.168.1.77', ttl: 10 },
    ])
    await assert.rejects(resolver.resolve6(`${LABEL}.local`), { code: 'ENODATA' })
  })
})
