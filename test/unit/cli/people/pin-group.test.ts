// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { pbkdf2Sync } from 'node:crypto'
import { beforeEach, suite, test } from 'node:test'
import { toHex } from '../../../../daemon/base/bytes.ts'
import { setStage } from './stage.ts'

const stage = setStage()

suite('pin', () => {
  beforeEach(() => stage.done('person add sitter'))

  test('set stretches the code: the digits are in no byte that leaves, and not in what is said', async () => {
    const { exit, out, err } = await stage.account.run(
      ['pin', 'set', 'sitter', 'front-door', '--json'],
      '482913\n',
    )
    assert.equal(exit, 0, out)
    assert.ok(!`${out}${err}`.includes('482913'))
    const { body, frame } = stage.people.grants[0]!
    assert.equal(body.key, undefined)
    const { salt, rounds, key } = body.pin!
    assert.deepEqual(key, Uint8Array.from(pbkdf2Sync('482913', salt, rounds, 32, 'sha256')))
    assert.equal(Buffer.from(frame).includes('482913'), false)
    assert.deepEqual([body.leaseS, body.what], [0, [{ affordance: 9, methods: 2 }]])
  })

  test('generated is shown once, and is the code', async () => {
    const { pin, rounds } = await stage.done('pin set sitter front-door --pin generated --rounds 1000')
    assert.match(pin, /^\d{6}$/)
    const { salt, key } = stage.people.grants[0]!.body.pin!
    assert.deepEqual(key, Uint8Array.from(pbkdf2Sync(pin, salt, rounds, 32, 'sha256')))
    assert.ok(!JSON.stringify(await stage.done('pin list')).includes(pin))
  })

  test('a new code voids the one before it; a code that somebody has is refused', async () => {
    await stage.done('pin set sitter front-door --pin 482913')
    await stage.refused('pin set sitter front-door --pin 482913', 3, 'conflict')
    await stage.done('person add anna')
    await stage.refused('pin set anna front-door --pin 482913', 3, 'conflict')
    assert.equal((await stage.done('pin set sitter front-door --pin 557711')).replaced, 1)
    assert.deepEqual(stage.people.revocations.at(-1)!.body.entries.map(toHex), [
      toHex(stage.people.grants[0]!.body.id),
    ])
    assert.equal((await stage.done('pin list')).pins.length, 1)
  })

  test('remove takes the code back', async () => {
    await stage.done('pin set sitter front-door --pin 482913')
    await stage.done('pin remove sitter front-door --yes')
    assert.equal((await stage.done('pin list')).pins.length, 0)
    await stage.refused('pin remove sitter front-door --yes', 5, 'not-found')
  })

  for (const [line, exit, code] of [
    ['pin set sitter front-door --pin 123', 2, 'usage'],
    ['pin set sitter front-door --pin 1234567890123', 2, 'usage'],
    ['pin set sitter front-door --pin 12a4', 2, 'usage'],
    ['pin set sitter front-door --pin 4711 --rounds 999', 2, 'usage'],
    ['pin set sitter front-door --pin 4711 --rounds 100001', 2, 'usage'],
    ['pin set sitter porch-light --pin 4711', 5, 'no-such-affordance'],
    ['pin set nobody front-door --pin 4711', 5, 'not-found'],
  ] as const) {
    test(`shallot ${line}: ${exit} ${code}, which does not repeat the code`, async () => {
      const said = await stage.refused(line, exit, code)
      assert.ok(!JSON.stringify(said).includes('4711'))
      assert.equal(stage.people.grants.length, 0)
    })
  }
})

suite('group', () => {
  test("add seals the devices' records anew, with the group, and rename keeps it", async () => {
    await stage.done('group add doors front-door')
    const [, door] = stage.home.devices
    assert.deepEqual(stage.people.records.get(door!.id)!.body.groups, ['doors'])
    assert.deepEqual((await stage.done('group list')).groups, [
      { name: 'doors', devices: [{ id: door!.id, name: 'front-door' }] },
    ])
    await stage.done('person add sitter')
    stage.people.phone('phone', 'sitter')
    await stage.done('grant sitter doors unlock')
    assert.deepEqual(stage.people.grants[0]!.body.devices, ['doors'])
    await stage.done('group remove doors front-door')
    assert.equal(stage.people.records.get(door!.id)!.body.groups, undefined)
  })

  test('nothing is changed when one of the devices is not there', async () => {
    await stage.refused('group add doors front-door back-door', 5, 'not-found')
    assert.equal(stage.people.records.size, 0)
  })

  for (const [line, exit, code] of [
    ['group add doors', 2, 'usage'],
    ['group add everything front-door', 2, 'usage'],
    ['group add seventeen-letters front-door', 2, 'usage'],
    ['group remove doors front-door', 5, 'not-found'],
  ] as const) {
    test(`shallot ${line}: ${exit} ${code}`, async () => {
      await stage.refused(line, exit, code)
    })
  }

  test('a fifth group of one device is refused', async () => {
    for (const name of ['a', 'b', 'c', 'd']) await stage.done(`group add ${name} front-door`)
    await stage.refused('group add e front-door', 2, 'usage')
  })
})
