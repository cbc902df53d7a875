// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, suite, test } from 'node:test'
import { toBase64url, toHex } from '../../../../daemon/base/bytes.ts'
import { systemRandom } from '../../../../daemon/base/random.ts'
import { idOf } from '../../../../daemon/core/model/index.ts'
import { ed25519 } from '../fake-home.ts'
import { open } from '../fake-people.ts'
import { setStage } from './stage.ts'

const stage = setStage()

suite('person', () => {
  test('add seals a name for a fresh id, as the owner', async () => {
    const { person } = await stage.done('person add sitter')
    const [sealed] = stage.people.people
    assert.equal(toBase64url(sealed!.body.person), person.id)
    assert.deepEqual([sealed!.body.name, idOf(sealed!.signer)], ['sitter', idOf(stage.home.owner.key)])
    assert.ok(stage.home.asked.includes(`PUT /people/${person.id}`))
  })

  test('list counts phones, grants and promises', async () => {
    await stage.done('person add sitter')
    await stage.done('grant sitter front-door unlock')
    assert.equal((await stage.done('person list')).people[0]?.promised, 1)
    stage.people.phone('phone', 'sitter')
    await stage.done('grant sitter front-door locked')
    const [row] = (await stage.done('person list')).people
    assert.ok(row)
    assert.deepEqual([row.name, row.phones, row.grants, row.promised], ['sitter', 1, 1, 1])
  })

  test('remove takes back every grant and every key before the person is forgotten', async () => {
    await stage.done('person add sitter')
    const phone = stage.people.phone('phone', 'sitter')
    await stage.done('grant sitter front-door unlock')
    await stage.done('pin set sitter front-door --pin 482913')
    await stage.done('person remove sitter --yes')
    const { entries } = stage.people.revocations.at(-1)!.body
    const ids = stage.people.grants.map(({ body }) => toHex(body.id))
    assert.deepEqual(new Set(entries.map(toHex)), new Set([...ids, toHex(phone.key)]))
    const order = stage.home.asked.filter((line) => /^PUT \/revocations|^DELETE \/people/.test(line))
    assert.match(order[0]!, /PUT/)
    assert.match(order.at(-1)!, /DELETE/)
  })

  test('a name that is taken, empty or not printable is refused', async () => {
    await stage.done('person add sitter')
    await stage.refused('person add sitter', 3, 'name-taken')
    for (const name of ['', ' x', 'a/b', 'a\u0000b', 'a\u001b[2Jb', 'a\u202eb', 'x'.repeat(65)]) {
      await stage.refused(['person', 'add', name], 2, 'usage')
    }
    assert.equal(stage.people.people.length, 1)
  })

  test('markup in a name is text: it is kept as it is and shown as it is', async () => {
    const name = '<img src=x onerror=alert(1)>'
    await stage.done(['person', 'add', name])
    assert.equal(stage.people.people[0]!.body.name, name)
    assert.match((await stage.account.within(['person', 'list'])).out, /<img src=x onerror=alert\(1\)>/)
  })

  test('a person whom only the hub knows is refused: no owner sealed the name', async () => {
    const stranger = ed25519.signer(systemRandom.bytes(32))
    const frame = stage.people.seal({ type: 'person', name: 'sitter', person: new Uint8Array(8) }, stranger)
    stage.people.people.push(open(frame, 'person'))
    await stage.refused('grant sitter front-door unlock', 3, 'unknown-signer')
  })
})

suite('grant', () => {
  beforeEach(() => stage.done('person add sitter'))

  test('seals one copy for each phone of the person, under one id', async () => {
    const phones = [stage.people.phone('phone', 'sitter'), stage.people.phone('tablet', 'sitter')]
    const { grant, promised } = await stage.done('grant sitter front-door unlock')
    assert.equal(promised, false)
    assert.deepEqual(
      new Set(stage.people.grants.map(({ body }) => idOf(body.key!))),
      new Set(phones.map(({ key }) => idOf(key))),
    )
    for (const { body, signer } of stage.people.grants) {
      assert.equal(toBase64url(body.id), grant.id)
      assert.equal(idOf(signer), idOf(stage.home.owner.key))
      assert.deepEqual(body.what, [{ affordance: 9, methods: 2 }])
      assert.deepEqual(
        body.devices.map((each) => toBase64url(each as Uint8Array)),
        [idOf(stage.deviceKey('front-door'))],
      )
      assert.deepEqual(
        [body.leaseS, body.share, body.uses, body.hours],
        [86_400, undefined, undefined, undefined],
      )
    }
  })

  test('carries hours, times, uses, sharing and lease', async () => {
    stage.people.phone('phone', 'sitter')
    const line = [
      'grant',
      'sitter',
      'front-door',
      'unlock',
      'locked',
      '--hours',
      'Mon-Fri 08:00-18:00',
      '--uses',
      '3',
    ]
    await stage.done([
      ...line,
      '--from',
      '2027-01-01',
      '--until',
      '2027-01-31',
      '--may-share',
      '--lease',
      '3d',
    ])
    const { body } = stage.people.grants[0]!
    assert.deepEqual(
      body.what.map(({ affordance }) => affordance),
      [7, 9],
    )
    assert.deepEqual(body.hours, [{ days: 31, from: 480, to: 1080 }])
    assert.deepEqual([body.uses, body.share, body.leaseS], [3, 1, 259_200])
    // Midnight in Berlin.
    assert.deepEqual(
      [body.notBefore, body.expiresAt],
      [Date.UTC(2026, 11, 31, 23) / 1000, Date.UTC(2027, 0, 31, 23) / 1000],
    )
  })

  test('--lease none is a grant for the day the hub is dead', async () => {
    stage.people.phone('phone', 'sitter')
    await stage.done('grant sitter front-door unlock --lease none')
    assert.equal(stage.people.grants[0]!.body.leaseS, 0)
  })

  test('everything is not given away where one device is called that', async () => {
    stage.home.device('everything', [1])
    await stage.refused('grant sitter everything all', 3, 'conflict')
    await stage.done('grant sitter device:everything on')
  })

  test('everything is a grant that names no device', async () => {
    stage.people.phone('phone', 'sitter')
    await stage.done('grant sitter everything all')
    assert.deepEqual(stage.people.grants[0]!.body.devices, [])
    assert.equal(stage.people.grants[0]!.body.what.length, 8)
  })

  test('for somebody without a phone it is promised: nothing is sealed, and it is kept for the owner alone', async () => {
    const { promised, grant } = await stage.done('grant sitter front-door unlock')
    assert.equal(promised, true)
    assert.equal(stage.people.grants.length, 0)
    const file = join(stage.account.owner, 'promises', `${toHex(stage.people.idOf('sitter'))}.json`)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    const [row] = (await stage.done('grants sitter')).grants
    assert.deepEqual([row?.id, row?.standing], [grant.id, 'promised'])
    await stage.done(`revoke ${grant.id}`)
    assert.equal(existsSync(file), false)
  })

  const bad: [string, number, string][] = [
    ['grant nobody front-door unlock', 5, 'not-found'],
    ['grant sitter back-door unlock', 5, 'not-found'],
    ['grant sitter front-door', 2, 'usage'],
    ['grant sitter front-door on', 5, 'no-such-affordance'],
    ['grant sitter front-door unlock:read', 2, 'usage'],
    ['grant sitter front-door unlock --hours never', 2, 'usage'],
    ['grant sitter front-door unlock --until yesterday', 2, 'usage'],
    ['grant sitter front-door unlock --until 2020-01-01', 2, 'usage'],
    ['grant sitter front-door unlock --from 2d --until 1d', 2, 'usage'],
    ['grant sitter front-door unlock --uses 1', 2, 'usage'],
    ['grant sitter front-door unlock --uses 0 --until 1d', 2, 'usage'],
    ['grant sitter front-door unlock --uses 256 --until 1d', 2, 'usage'],
    ['grant sitter front-door unlock --lease 8d', 2, 'usage'],
    ['grant sitter front-door unlock --lease forever', 2, 'usage'],
    ['grant sitter group:front-door unlock', 5, 'not-found'],
  ]
  for (const [line, exit, code] of bad) {
    test(`shallot ${line}: ${exit} ${code}`, async () => {
      await stage.refused(line, exit, code)
      assert.equal(stage.people.grants.length, 0)
    })
  }

  test('a device that no owner has confirmed cannot be granted: the hub could show any', async () => {
    stage.home.devices[1]!.confirmed = false
    await stage.refused('grant sitter front-door unlock', 3, 'unconfirmed')
  })

  test('a record that binds another key to the name is refused, and nothing is sealed', async () => {
    stage.people.phone('phone', 'sitter')
    const [light, door] = stage.home.devices
    const swapped = { ...door!, record: () => light!.record('front-door') }
    stage.people.records.set(door!.id, open(swapped.record(), 'enrolment'))
    await stage.refused('grant sitter front-door unlock', 3, 'unknown-signer')
    assert.equal(stage.people.grants.length, 0)
  })

  test('a phone that only the hub put under the name gets nothing', async () => {
    stage.people.phone('phone', 'sitter')
    stage.people.phone('trojan', 'sitter', ed25519.signer(systemRandom.bytes(32)))
    await stage.done('grant sitter front-door unlock')
    assert.equal(stage.people.grants.length, 1)
  })

  test('is said to be the hours of the home, to a person', async () => {
    stage.people.phone('phone', 'sitter')
    const line = [
      'grant',
      'sitter',
      'front-door',
      'unlock',
      '--hours',
      'Mon-Fri 8-18',
      '--until',
      '2027-01-31 12:00',
    ]
    const { out } = await stage.account.within(line)
    assert.match(out, /sitter may: unlock on front-door, Mon–Fri 08:00–18:00, until 2027-01-31 12:00/)
  })
})
