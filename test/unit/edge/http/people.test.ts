// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { toBase64url } from '../../../../daemon/base/bytes.ts'
import type { Answer } from '../../../support/http-home.ts'
import {
  enrolmentFrame,
  grantFrame,
  holderFrame,
  newId,
  personFrame,
  READ,
  revocationFrame,
  WRITE,
} from '../../../support/papers.ts'
import { openPeopleHome, type PeopleHome } from '../../../support/people-home.ts'
import type { Sealer } from '../../../support/request.ts'
import { until } from '../../../support/until.ts'

const code = ({ status, json }: Answer) => [status, json.code]
const id = toBase64url

let home: PeopleHome
beforeEach(async () => {
  home = await openPeopleHome()
})
afterEach(() => home[Symbol.asyncDispose]())

describe('a person, a phone, a grant [SPEC 9.3, 12, 13]', () => {
  it('a phone does what it was granted, and the log says who, by which grant', async () => {
    const person = await home.person('eve')
    const phone = await home.phone(person)
    const grant = await home.grant(phone)
    assert.equal(await home.turnOn(phone, grant), 'done')
    const command = (await home.log('?who=eve')).find(({ kind }) => kind === 'command')!
    assert.deepEqual(command.person, { id: id(person), name: 'eve' })
    assert.deepEqual([command.grant, command.chain, command.origin], [id(grant), [id(grant)], 'unix'])
    const receipt = (await home.log('?who=eve')).find(({ kind }) => kind === 'receipt')!
    assert.deepEqual([receipt.code, receipt.command], ['ok', command.command])
  })

  it('the device is sent the chain before the command, parents first, and not a second time', async () => {
    const phone = await home.phone(await home.person('eve'))
    const guest = home.newSealer()
    const first = await home.grant(phone, { share: 1 })
    const second = await home.grant(guest, { parent: first }, phone)
    assert.equal(await home.turnOn(guest, second), 'done')
    assert.equal(await home.turnOn(guest, second), 'done')
    const frames = home.home.home.authority.grants.list().map(({ frame }) => frame)
    assert.deepEqual(home.home.light.got.slice(0, 2), frames)
    assert.equal(home.home.light.got.length, 4)
  })

  it('the chain goes again, once, to a device that says it does not know the grant', async () => {
    const phone = await home.phone(await home.person('eve'))
    const grant = await home.grant(phone)
    home.home.light.forgetful = 1
    assert.equal(await home.turnOn(phone, grant), 'done')
    assert.equal(home.home.light.got.length, 4)
    home.home.light.forgetful = 2
    assert.equal(await home.turnOn(phone, grant), 'refused')
  })

  it('papers outlive a restart, each opened again', async () => {
    const phone = await home.phone(await home.person('eve'))
    const grant = await home.grant(phone)
    home.home.restart()
    await home.home.light.connect([1, 2, 5, 6])
    assert.equal(await home.turnOn(phone, grant), 'done')
  })

  it('uses are counted by the hub, and given back when the device refuses', async () => {
    const phone = await home.phone(await home.person('eve'))
    const grant = await home.grant(phone, { uses: 1 })
    home.home.light.answers = 164
    assert.equal(await home.turnOn(phone, grant), 'refused')
    home.home.light.answers = 0
    assert.equal(await home.turnOn(phone, grant), 'done')
    assert.equal(await home.turnOn(phone, grant), 'uses-spent')
    home.home.restart()
    await home.home.light.connect([1, 2, 5, 6])
    assert.equal(await home.turnOn(phone, grant), 'uses-spent')
  })

  it('PUT /things/{id}/record puts a device into groups, and grants for them reach it', async () => {
    const phone = await home.phone(await home.person('eve'))
    const grant = await home.grant(phone, { devices: ['upstairs'] })
    assert.equal(await home.turnOn(phone, grant), 'not-found')
    const { light } = home.home
    const record = enrolmentFrame(home.owner, {
      key: light.sealer.signer.key,
      name: 'porch-light',
      groups: ['upstairs'],
    })
    assert.equal((await home.send('PUT', '/things/porch-light/record', record, home.owner)).status, 200)
    assert.equal(await home.turnOn(phone, grant), 'done')
  })

  it('PUT /things/{id}/record refuses an older record, and one of another device', async () => {
    const { light, sensor } = home.home
    const of = (key: Uint8Array) => enrolmentFrame(home.owner, { key, name: 'porch-light' })
    const older = of(light.sealer.signer.key)
    assert.equal(
      (await home.send('PUT', '/things/porch-light/record', of(light.sealer.signer.key), home.owner)).status,
      200,
    )
    assert.deepEqual(code(await home.send('PUT', '/things/porch-light/record', older, home.owner)), [
      409,
      'replayed',
    ])
    const other = of(sensor.sealer.signer.key)
    assert.deepEqual(code(await home.send('PUT', '/things/porch-light/record', other, home.owner)), [
      400,
      'bad-request',
    ])
  })
})

describe('what is refused of papers', () => {
  it('a person by a stranger, by a phone that may not share, and under another id', async () => {
    const phone = await home.phone(await home.person('eve'))
    const person = newId()
    const by = (sealer = home.owner) => personFrame(sealer, { name: 'mallory', person })
    const path = `/people/${id(person)}`
    assert.equal((await home.send('PUT', path, by())).status, 401)
    assert.deepEqual(code(await home.send('PUT', path, by(phone), phone)), [403, 'forbidden'])
    assert.deepEqual(code(await home.send('PUT', path, by(phone), home.owner)), [403, 'unknown-signer'])
    assert.deepEqual(code(await home.send('PUT', `/people/${id(newId())}`, by(), home.owner)), [
      400,
      'bad-request',
    ])
  })

  for (const name of ['<b>\u202eevil', 'a/b', '\n', ' eve', 'x\0']) {
    it(`a person called ${JSON.stringify(name)}`, async () => {
      const person = newId()
      const frame = personFrame(home.owner, { name, person })
      const answer = await home.send('PUT', `/people/${id(person)}`, frame, home.owner)
      assert.deepEqual(code(answer), [400, 'bad-claims'])
    })
  }

  it('markup in a name stays text: JSON says what it is, with nosniff', async () => {
    const name = '<img src=x onerror=alert(1)>'
    await home.person(name)
    const answer = await home.get('/people', home.owner)
    assert.match(answer.headers['content-type']!, /^application\/json/)
    assert.equal(answer.headers['x-content-type-options'], 'nosniff')
    assert.equal((answer.json.people as unknown as { name: string }[])[0]!.name, name)
  })

  it('an older paper in place of a newer one', async () => {
    const person = newId()
    const path = `/people/${id(person)}`
    const older = personFrame(home.owner, { name: 'eve', person })
    const newer = personFrame(home.owner, { name: 'eva', person })
    assert.equal((await home.send('PUT', path, newer, home.owner)).status, 200)
    assert.deepEqual(code(await home.send('PUT', path, older, home.owner)), [409, 'replayed'])
  })

  it('a holder of nobody, and one whose key was taken back', async () => {
    const phone = home.newSealer()
    const put = (person: Uint8Array) =>
      home.send(
        'PUT',
        `/holders/${phone.id}`,
        holderFrame(home.owner, { key: phone.signer.key, person }),
        home.owner,
      )
    assert.deepEqual(code(await put(newId())), [404, 'not-found'])
    await home.revoke(phone.signer.key)
    assert.deepEqual(code(await put(await home.person('eve'))), [403, 'grant-revoked'])
  })

  it('a key that is somebody else’s, by one who may only pass on', async () => {
    const phone = await home.phone(await home.person('eve'))
    await home.grant(phone, { share: 1 })
    const guest = await home.person('sam', phone)
    const theirs = home.newSealer()
    await home.grant(theirs)
    for (const { id, signer } of [home.owner, theirs]) {
      const frame = holderFrame(phone, { key: signer.key, person: guest })
      assert.deepEqual(code(await home.send('PUT', `/holders/${id}`, frame, phone)), [403, 'forbidden'])
    }
  })

  it('a grant that is wider than what it is passed on from', async () => {
    const phone = await home.phone(await home.person('eve'))
    const parent = await home.grant(phone, { share: 1, what: [{ affordance: 1, methods: READ }] })
    const guest = home.newSealer()
    const wider = grantFrame(phone, {
      key: guest.signer.key,
      parent,
      what: [{ affordance: 1, methods: READ | WRITE }],
    })
    const answer = await home.send('POST', '/grants', wider, phone)
    assert.equal(answer.json.code, 'grant-wider')
    assert.equal((await home.log()).at(-1)!.code, 'grant-wider')
  })

  it('a revocation by a stranger, and an older list', async () => {
    const stranger = home.newSealer()
    const forged = revocationFrame(stranger, [home.owner.signer.key])
    assert.deepEqual(code(await home.send('PUT', '/revocations', forged)), [403, 'unknown-signer'])
    const older = revocationFrame(home.owner, [newId()])
    await home.revoke(newId())
    assert.deepEqual(code(await home.send('PUT', '/revocations', older)), [409, 'replayed'])
    const codes = (await home.log()).map((entry) => entry.code)
    assert.ok(codes.includes('unknown-signer') && codes.includes('replayed'))
  })
})

describe('what was taken back', () => {
  it('a key asks and commands no more, its streams end at once, and the log says that it tried', async () => {
    const person = await home.person('eve')
    const [phone, other] = [await home.phone(person), await home.phone(person, home.owner, 'tablet')]
    const grant = await home.grant(phone)
    const watching = await home.watch(phone)
    const others = await home.watch(other)
    const revoked = await home.revoke(phone.signer.key)
    assert.deepEqual([revoked.status, revoked.json.told], [200, 2])
    await watching.ended
    assert.equal(others.isOpen, true)
    others.close()
    assert.deepEqual(code(await home.get('/home', phone)), [401, 'unauthorized'])
    assert.equal(await home.turnOn(phone, grant), 'grant-revoked')
    assert.equal((await home.get('/home', other)).status, 200)
    const refused = (await home.log()).filter(
      ({ kind, code }) => kind === 'refused' && code === 'grant-revoked',
    )
    assert.equal(refused.length, 2)
    assert.equal(refused[0]!.signer, phone.id)
  })

  it('reaches connected devices at once', async () => {
    const frame = revocationFrame(home.owner, [newId()])
    assert.equal((await home.send('PUT', '/revocations', frame)).json.told, 2)
    await until('it is at the light', () => home.home.light.got.length > 0)
    assert.deepEqual(home.home.light.got, [frame])
  })

  it('a grant passed on ends with the one that it hangs from', async () => {
    const phone = await home.phone(await home.person('eve'))
    const guest = home.newSealer()
    const parent = await home.grant(phone, { share: 1 })
    const child = await home.grant(guest, { parent }, phone)
    await home.revoke(parent)
    assert.equal(await home.turnOn(guest, child), 'unknown-grant')
  })

  it('is still shown to owners among the grants, and to nobody else', async () => {
    const phone = await home.phone(await home.person('eve'))
    const [gone, held] = [await home.grant(phone), await home.grant(phone)]
    await home.revoke(gone)
    const seen = async (as: Sealer) => {
      const { grants } = (await home.get('/grants', as)).json as unknown as {
        grants: { id: string; revoked: boolean }[]
      }
      return grants.map((grant) => [grant.id, grant.revoked])
    }
    for (const _ of [1, 2]) {
      assert.deepEqual(await seen(home.owner), [
        [id(held), false],
        [id(gone), true],
      ])
    }
    assert.deepEqual(await seen(phone), [[id(held), false]])
  })

  it('stays so over a restart', async () => {
    const phone = await home.phone(await home.person('eve'))
    const grant = await home.grant(phone)
    await home.revoke(phone.signer.key)
    home.home.restart()
    await home.home.light.connect([1, 2, 5, 6])
    assert.equal(await home.turnOn(phone, grant), 'grant-revoked')
    assert.equal((await home.get('/home', phone)).status, 401)
  })

  it('a person goes when none of its keys holds any more, and the log keeps the name', async () => {
    const person = await home.person('eve')
    const phone = await home.phone(person)
    const grant = await home.grant(phone)
    await home.turnOn(phone, grant)
    const path = `/people/${id(person)}`
    assert.deepEqual(code(await home.delete(path, home.owner)), [409, 'conflict'])
    await home.revoke(phone.signer.key)
    assert.equal((await home.delete(path, home.owner)).status, 204)
    assert.deepEqual((await home.get('/people', home.owner)).json.people, [])
    assert.deepEqual(code(await home.delete(path, home.owner)), [404, 'not-found'])
    const command = (await home.log()).find(({ kind }) => kind === 'command')!
    assert.equal((command.person as { name: string }).name, 'eve')
  })
})

describe('owners, by the root’s word', () => {
  it('one is added without anybody asking, and asks from then on', async () => {
    const second = home.newSealer()
    const frame = home.home.ownerFrame(second, 'bob')
    assert.equal((await home.send('PUT', `/owners/${second.id}`, frame)).status, 200)
    assert.equal((await home.get('/status', second)).status, 200)
    await until('the light knows', () => home.home.light.got.length > 0)
    assert.deepEqual(home.home.light.got.at(-1), frame)
    home.home.restart()
    assert.equal((await home.get('/status', second)).status, 200)
  })

  it('one is removed by the root’s list, with all that it sealed', async () => {
    const second = home.newSealer()
    await home.send('PUT', `/owners/${second.id}`, home.home.ownerFrame(second, 'bob'))
    const phone = await home.phone(await home.person('eve', second), second)
    const grant = await home.grant(phone, {}, second)
    assert.equal(await home.turnOn(phone, grant), 'done')
    const list = revocationFrame(home.home.root, [second.signer.key])
    assert.equal((await home.send('PUT', '/revocations', list)).status, 200)
    assert.equal((await home.get('/status', second)).status, 401)
    assert.equal((await home.get('/home', phone)).status, 401)
    assert.notEqual(await home.turnOn(phone, grant), 'done')
    const again = await home.send('PUT', `/owners/${second.id}`, home.home.ownerFrame(second, 'bob'))
    assert.deepEqual(code(again), [403, 'grant-revoked'])
  })

  it('nobody becomes one by an owner’s seal, or under another key', async () => {
    const second = home.newSealer()
    const frame = home.home.ownerFrame(second, 'bob', home.owner)
    assert.deepEqual(code(await home.send('PUT', `/owners/${second.id}`, frame)), [403, 'unknown-signer'])
    const other = home.home.ownerFrame(second, 'bob')
    assert.deepEqual(code(await home.send('PUT', `/owners/${home.newSealer().id}`, other)), [
      400,
      'bad-request',
    ])
  })
})
