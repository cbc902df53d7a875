// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { toBase64url } from '../../../daemon/base/bytes.ts'
import { systemRandom } from '../../../daemon/base/random.ts'
import { type Enrolment, openEnvelope } from '../../../daemon/core/envelope/index.ts'
import { idOf } from '../../../daemon/core/model/index.ts'
import { Account } from './as-user.ts'
import { type Asked, ed25519, FakeHome, json } from './fake-home.ts'

const account = new Account()
const HERE = ed25519.signer(systemRandom.bytes(32))
const TOWN = ed25519.signer(systemRandom.bytes(32))
let home: FakeHome
let listed: object[]
let put: { path: string; body: Uint8Array } | undefined

before(async () => {
  home = await new FakeHome(await account.init()).listen(account.data)
})
after(async () => {
  await home[Symbol.asyncDispose]()
  account[Symbol.dispose]()
})
beforeEach(() => {
  home.devices.length = 0
  listed = []
  put = undefined
  home.twist = ({ method, path, body, answer }: Asked) => {
    if (!path.startsWith('/mesh/devices')) return false
    if (method === 'PUT') put = { path, body }
    json(answer, { own: idOf(HERE.key), devices: listed })
    return true
  }
})

/** A device that the daemon called `home` has, by nobody's word but that one's unless `record` says more. */
function there(name: string, where: string, change: Partial<{ record: Uint8Array; hub: string }> = {}) {
  const device = home.device(name)
  const told = { id: device.id, name, hub: idOf(TOWN.key), home: where, record: device.record(), ...change }
  listed.push({ ...told, record: toBase64url(told.record) })
  return device
}

function sealed(): Enrolment {
  assert(put, 'nothing was handed in')
  const accepts = (_body: unknown, signer: Uint8Array) => idOf(signer) === idOf(home.owner.key)
  const opened = openEnvelope(put.body, { sizeMax: 1024, accepts, isAudience: () => true }, ed25519)
  assert(opened.ok && opened.value.body.type === 'enrolment')
  return opened.value.body
}

const adopt = (...args: string[]) => account.jsonWithin(['device', 'adopt', ...args])

test('device adopt seals a record that names the daemon here, for the same key', async () => {
  const light = there('porch-light', 'hub')
  const { exit, said } = await adopt('porch-light')
  assert.deepEqual([exit, said.was], [0, 'hub'])
  assert.equal(put?.path, `/mesh/devices/${light.id}`)
  const { name, key, hub, permit } = sealed()
  assert.deepEqual(
    [name, idOf(key), idOf(hub!), permit],
    ['porch-light', light.id, idOf(HERE.key), new Uint8Array(8)],
  )
})

test('of two of one name the one that is elsewhere is meant, or the one whose home is said', async () => {
  home.device('door')
  listed.push({ id: home.devices[0]!.id, name: 'door', record: toBase64url(home.devices[0]!.record()) })
  const town = there('door', 'hub')
  assert.equal((await adopt('door')).exit, 0)
  assert.equal(put?.path, `/mesh/devices/${town.id}`)
  const cabin = there('door', 'cabin')
  const { exit, said } = await adopt('door')
  assert.deepEqual([exit, said.code], [3, 'conflict'])
  assert.equal((await adopt('cabin/door', '--name', 'back-door')).exit, 0)
  assert.deepEqual([put?.path, sealed().name], [`/mesh/devices/${cabin.id}`, 'back-door'])
})

test('one that is given here already is not sealed again', async () => {
  const light = home.device('porch-light')
  const record = light.seal(
    {
      type: 'enrolment',
      name: 'porch-light',
      key: light.signer.key,
      permit: new Uint8Array(8),
      hub: HERE.key,
    },
    home.owner,
  )
  listed.push({ id: light.id, name: 'porch-light', hub: idOf(HERE.key), record: toBase64url(record) })
  assert.equal((await adopt('porch-light')).exit, 0)
  assert.equal(put, undefined)
})

for (const [what, code, record] of [
  ['sealed by a stranger', 'unknown-signer', (light) => light.record('x', light.signer.key, HERE)],
  ['of another device', 'unknown-signer', (light) => light.record('x', TOWN.key)],
  ['that is noise', 'cbor-truncated', () => new Uint8Array([0xd2])],
] as [string, string, (light: ReturnType<typeof there>) => Uint8Array][])
  test(`nothing is sealed from a record ${what}`, async () => {
    const light = home.device('porch-light')
    listed.push({
      id: light.id,
      name: 'porch-light',
      hub: idOf(TOWN.key),
      record: toBase64url(record(light)),
    })
    const { exit, said } = await adopt('porch-light')
    assert.deepEqual([exit === 0, said.code, put], [false, code, undefined])
  })

test('what nobody tells of, or no owner confirmed, cannot be taken over', async () => {
  const { said } = await adopt('nobody')
  assert.equal(said.code, 'not-found')
  const light = home.device('porch-light')
  listed.push({ id: light.id, name: 'porch-light', hub: idOf(TOWN.key) })
  const unconfirmed = await adopt('porch-light')
  assert.deepEqual([unconfirmed.said.code, put], ['unconfirmed', undefined])
  assert.equal((await adopt('porch-light', '--name', 'a/b')).said.code, 'usage')
})
