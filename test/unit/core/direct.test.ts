// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { directOriginOf, pageOrigins, serverNameOf } from '../../../daemon/core/direct.ts'
import { type Body, nativeEd25519, sealEnvelope } from '../../../daemon/core/envelope/index.ts'
import { type Device, idOf } from '../../../daemon/core/model/index.ts'

const signer = nativeEd25519().signer(new Uint8Array(32).fill(4))
const POINT = new Uint8Array(65).fill(4)

function deviceWith(port: number | undefined, change: Partial<Device> = {}): Device {
  const id = idOf(signer.key)
  const body: Body = {
    type: 'hello',
    audience: id,
    sealedAt: 0,
    epoch: new Uint8Array(8),
    sequence: 0,
    board: 'host',
    firmware: 'light 1',
    affordances: [1],
    lost: 0,
    ...(port !== undefined && { direct: { port, key: POINT } }),
  }
  const about = { board: 'host', firmware: 'light 1', affordances: [1], enrolledAt: 0, lost: 0 }
  const presence = { connected: true, since: 0, hello: sealEnvelope(body, signer) }
  return { id, name: 'porch', ...about, presence, ...change }
}

describe('the origin of a device’s own server [SPEC 18.1]', () => {
  const label = createHash('sha256').update(signer.key).digest('hex').slice(0, 16)

  it('is its name and port, as a browser writes it', () => {
    assert.equal(serverNameOf(idOf(signer.key)), `${label}.local`)
    assert.equal(directOriginOf(deviceWith(8443)), `https://${label}.local:8443`)
    assert.equal(directOriginOf(deviceWith(443)), `https://${label}.local`)
  })

  for (const [what, device] of [
    ['without a server', deviceWith(undefined)],
    ['of another home', deviceWith(8443, { home: 'cabin' })],
    ['that was never heard', deviceWith(8443, { presence: { connected: false, since: 0 } })],
    ['whose hello was damaged', deviceWith(8443, { presence: { connected: false, since: 0, hello: POINT } })],
  ] as const)
    it(`is nowhere for a device ${what}`, () => assert.equal(directOriginOf(device), undefined))
})

describe('the origins whose pages may ask [SPEC 18.2]', () => {
  it('are at most four: the one that people are told, then names, then addresses', () => {
    const names = ['192.168.1.20', '10.0.0.5', 'fd00::1', 'hub.local', 'localhost', '127.0.0.1']
    assert.deepEqual(pageOrigins(names, 8080), [
      'https://192.168.1.20:8080',
      'https://hub.local:8080',
      'https://localhost:8080',
      'https://10.0.0.5:8080',
    ])
  })

  it('are as a browser writes them, each once', () => {
    assert.deepEqual(pageOrigins(['FD00:0:0::1', 'fd00::1', 'Hub.local'], 443), [
      'https://[fd00::1]',
      'https://hub.local',
    ])
    assert.deepEqual(pageOrigins([], 443), [])
  })

  it('leave out what a device cannot hold, and what is none', () => {
    assert.deepEqual(pageOrigins(['fe80::1%eth0', 'hub.local'], 8080), ['https://hub.local:8080'])
    assert.deepEqual(pageOrigins(['hub.local', `${'h'.repeat(60)}.local`], 8080), ['https://hub.local:8080'])
  })
})
