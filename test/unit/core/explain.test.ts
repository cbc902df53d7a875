// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Command, Grant } from '../../../daemon/core/envelope/index.ts'
import { type Circumstances, explain, judge, readable } from '../../../daemon/core/policy/index.ts'
import { METHOD_GET, METHOD_PUT } from '../../../schemas/gen/ts/wire.ts'
import { CHILD, FAIL_SAFE, ID, LOCKED, may, UNLOCK } from '../../../scripts/vectors/grants/scene.ts'
import { guest, NOW, otherDevice, owner, secondOwner, sitter } from '../../../scripts/vectors/parties.ts'
import { FRONT_DOOR, GrantHome, unsealed } from '../../support/grants.ts'

const UNLOCKING = { operation: 'invoke', affordance: UNLOCK, value: 5, grant: ID } as const

/** What somebody is told whose grant differs by `changes`. */
function told(changes: Partial<Grant>, by: Partial<Circumstances> = {}, body: Partial<Command> = {}): string {
  const home = new GrantHome()
  home.admit(home.scene.grant(changes))
  const verdict = judge(unsealed({ ...UNLOCKING, ...body }, sitter.key), FRONT_DOOR, home.by(by))
  return verdict.ok ? 'yes' : `${verdict.why}: ${verdict.detail}`
}

suite('judge() tells a person why not [SPEC 12.3]', () => {
  const berlin = { offset: 60, changesAt: 0, thereafter: 0 }
  const cases: [string, Partial<Grant>, Partial<Circumstances>?, Partial<Command>?][] = [
    ['grant-elsewhere: “sitter” is for other devices', { devices: [otherDevice.key] }],
    ['not-granted: “sitter” does not hold this property or action', { what: [may(10)] }],
    ['grant-not-yet: “sitter” begins on 2026-11-25 10:47', { notBefore: NOW + 3600 + 60 }],
    ['grant-not-yet: “sitter” begins on 2026-11-25 11:47', { notBefore: NOW + 3600 + 60 }, { zone: berlin }],
    ['grant-expired: “sitter” ended on 2026-11-25 09:47', { expiresAt: NOW + 60 }, { now: NOW + 60 }],
    ['outside-hours: outside your hours: Mon–Fri 08:00–09:30', { hours: [{ days: 31, from: 480, to: 570 }] }],
    [
      'lease-lapsed: the hub has not said lately that “sitter” still holds',
      { leaseS: 60 },
      { leases: { until: () => NOW } },
    ],
    [
      'no-clock: “sitter” depends on the time, which is not known yet',
      { hours: [{ days: 31, from: 0, to: 1440 }] },
      { now: 0 },
    ],
    [
      'uses-spent: “sitter” was for one use, and that is made',
      { uses: 1, expiresAt: NOW + 60 },
      { uses: { count: () => 1 } },
    ],
    [
      'uses-spent: all 3 uses of “sitter” are made',
      { uses: 3, expiresAt: NOW + 60 },
      { uses: { count: () => 4 } },
    ],
    [
      'unknown-grant: no such grant is held here: it was never handed in, or it has ended',
      {},
      {},
      { grant: CHILD },
    ],
    ['not-permitted: this grant was given for something else', {}, { among: () => false }],
    ['bad-value: unlock takes integer, 1 to 60', {}, {}, { value: 61 }],
  ]
  for (const [expected, changes, by, body] of cases)
    test(expected, () => assert.equal(told(changes, by, body), expected))

  test('and says by which grant when it may', () => {
    const home = new GrantHome()
    const held = home.admit(home.scene.grant())
    const verdict = judge(unsealed(UNLOCKING, sitter.key), FRONT_DOOR, home.by())
    assert(verdict.ok)
    assert.equal(verdict.value.by, held)
  })

  test('an owner needs none', () => {
    const home = new GrantHome()
    const { grant: _, ...body } = UNLOCKING
    const verdict = judge(unsealed(body, owner.key), FRONT_DOOR, home.by())
    assert(verdict.ok)
    assert.equal(verdict.value.by, undefined)
  })
})

suite('explain()', () => {
  const of = (
    home: GrantHome,
    key = sitter.key,
    operation: 'read' | 'write' | 'invoke' = 'invoke',
    affordance = UNLOCK,
  ) => explain(key, FRONT_DOOR, affordance, operation, home.by())

  test('an owner may, as an owner', () => {
    assert.deepEqual(of(new GrantHome(), owner.key), { may: true, as: 'owner' })
  })

  test('a holder may, by the grant that allows it among others that do not', () => {
    const home = new GrantHome()
    home.admit(home.scene.grant({ id: CHILD, devices: [otherDevice.key] }))
    const by = home.admit(home.scene.grant())
    assert.deepEqual(of(home), { may: true, as: 'holder', by })
  })

  test('who holds nothing is told so, and who was taken back', () => {
    const home = new GrantHome()
    const nothing = of(home, guest.key)
    assert.deepEqual(nothing, { may: false, why: 'not-permitted', detail: 'nothing was granted to this key' })
    home.grants.revoke(home.scene.revocation([guest.key]), NOW)
    const revoked = of(home, guest.key)
    assert.deepEqual(revoked, { may: false, why: 'grant-revoked', detail: 'this key was taken back' })
  })

  test('who lost what they held is told what became of it', () => {
    const home = new GrantHome()
    home.admit(home.scene.grant({ share: 1, expiresAt: NOW + 60 }))
    home.admit(home.scene.grant({ id: CHILD, key: guest.key, parent: ID, name: 'guest' }, sitter))
    home.grants.revoke(home.scene.revocation([ID]), NOW)
    const revoked = of(home, guest.key)
    const detail = '“guest”, or what it hangs from, was taken back'
    assert.deepEqual(revoked, { may: false, why: 'grant-revoked', detail })
    const verdict = judge(unsealed({ ...UNLOCKING, grant: CHILD }, guest.key), FRONT_DOOR, home.by())
    assert.deepEqual(verdict, { ok: false, why: 'unknown-grant', detail })
  })

  test('whose grant has ended is told so, also when it was dropped', () => {
    const home = new GrantHome()
    home.admit(home.scene.grant({ expiresAt: NOW + 60 }))
    home.grants.expire(NOW + 60)
    assert.deepEqual(of(home), { may: false, why: 'grant-expired', detail: '“sitter” has ended' })
  })

  test('a grant that was taken back before it came is told of too', () => {
    const home = new GrantHome()
    home.grants.revoke(home.scene.revocation([ID]), NOW)
    assert.equal(home.grants.restore(home.scene.grant()).ok, false)
    const told = of(home)
    assert.equal(told.may || told.why, 'grant-revoked')
  })

  test('of several noes it tells the one nearest to a yes, and which link it was', () => {
    const home = new GrantHome()
    const parent = home.admit(home.scene.grant({ share: 1, hours: [{ days: 1, from: 0, to: 60 }] }))
    const grant = home.admit(home.scene.grant({ id: CHILD, key: guest.key, parent: ID }, sitter))
    home.admit(home.scene.grant({ id: new Uint8Array(8), key: guest.key, devices: [otherDevice.key] }))
    assert.deepEqual(of(home, guest.key), {
      may: false,
      why: 'outside-hours',
      detail: 'outside your hours: Mon 00:00–01:00',
      nearest: { grant, link: parent },
    })
  })

  for (const [what, operation, affordance] of [
    ['what the device has not', 'write', 1],
    ['to invoke a property', 'invoke', LOCKED],
    ['to read an action', 'read', UNLOCK],
  ] as const) {
    test(`nobody may have done ${what}, an owner neither`, () => {
      const explained = of(new GrantHome(), owner.key, operation, affordance)
      assert.equal(explained.may || explained.why, 'no-such-affordance')
    })
  }

  test('a courier may look after the one use was made, and not open', () => {
    const home = new GrantHome()
    const what = [may(UNLOCK), may(LOCKED, METHOD_GET)]
    const grant = home.admit(home.scene.grant({ uses: 1, expiresAt: NOW + 60, what }))
    home.uses.spend(grant)
    assert.ok(of(home, sitter.key, 'read', LOCKED).may)
    const opening = of(home)
    assert.equal(opening.may || opening.why, 'uses-spent')
  })
})

suite('readable()', () => {
  const read = (home: GrantHome, key: Uint8Array, by: Partial<Circumstances> = {}) =>
    readable(key, FRONT_DOOR, home.by(by))

  test('an owner reads every property', () => {
    assert.deepEqual(read(new GrantHome(), secondOwner.key), [LOCKED, 8, FAIL_SAFE])
  })

  test('who was given nothing reads nothing', () => {
    const home = new GrantHome()
    home.admit(home.scene.grant())
    assert.deepEqual(read(home, guest.key), [])
  })

  test('to unlock, or to write, is not to read', () => {
    const home = new GrantHome()
    home.admit(
      home.scene.grant({ what: [may(UNLOCK, 7), may(FAIL_SAFE, METHOD_PUT), may(LOCKED, METHOD_GET)] }),
    )
    assert.deepEqual(read(home, sitter.key), [LOCKED])
  })

  test('what two grants give adds up; what a parent has not does not', () => {
    const home = new GrantHome()
    home.admit(home.scene.grant({ share: 1, what: [may(LOCKED, METHOD_GET)] }))
    home.admit(home.scene.grant({ id: CHILD, what: [may(FAIL_SAFE, METHOD_GET)] }))
    const wide = { parent: ID, key: guest.key, what: [may(LOCKED, METHOD_GET), may(8, METHOD_GET)] }
    home.admit(home.scene.grant({ id: new Uint8Array(8), ...wide }, sitter))
    assert.deepEqual(read(home, sitter.key), [LOCKED, FAIL_SAFE])
    assert.deepEqual(read(home, guest.key), [LOCKED])
  })

  test('outside the hours there is nothing to read', () => {
    const home = new GrantHome()
    const what = [may(LOCKED, METHOD_GET)]
    home.admit(home.scene.grant({ what, hours: [{ days: 4, from: 0, to: 60 }] }))
    assert.deepEqual(read(home, sitter.key), [])
  })
})
