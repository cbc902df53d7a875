// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Grant } from '../../../daemon/core/envelope/index.ts'
import { explain, judge, linksOf, readable } from '../../../daemon/core/policy/index.ts'
import { METHOD_GET } from '../../../schemas/gen/ts/wire.ts'
import { CHILD, FAIL_SAFE, GRANDCHILD, ID, idOf, may, UNLOCK } from '../../../scripts/vectors/grants/scene.ts'
import {
  DEVICE,
  device,
  friend,
  guest,
  hub,
  NOW,
  otherDevice,
  owner,
  root,
  secondOwner,
  sitter,
  sitterTablet,
} from '../../../scripts/vectors/parties.ts'
import { FRONT_DOOR, GrantHome, unsealed } from '../../support/grants.ts'

const PIN = { salt: new Uint8Array(16).fill(1), rounds: 2000, key: new Uint8Array(32).fill(2) }

/** Owner → sitter → guest → friend. */
function chain(home: GrantHome) {
  const { scene } = home
  return [
    scene.grant({ share: 2 }),
    scene.grant({ id: CHILD, key: guest.key, parent: ID, share: 1 }, sitter),
    scene.grant({ id: GRANDCHILD, key: friend.key, parent: CHILD }, guest),
  ] as const
}

suite('Grants.admit() [SPEC 12.2]', () => {
  test('verifies each link once, however often the chain comes', () => {
    const home = new GrantHome()
    const frames = chain(home)
    const before = home.ed25519.verified
    for (let turn = 0; turn < 3; turn++) for (const frame of frames) home.admit(frame)
    assert.equal(home.ed25519.verified - before, 3)
  })

  test('gives the same grant for the same bytes', () => {
    const home = new GrantHome()
    const [frame] = chain(home)
    assert.equal(home.admit(frame), home.admit(frame))
    assert.equal(home.grants.size, 1)
  })

  test('looks at no signature when the chain does not hold', () => {
    const home = new GrantHome()
    const before = home.ed25519.verified
    for (const frame of chain(home).slice(1)) assert.equal(home.tried(frame), 'grant-chain')
    assert.equal(home.tried(home.scene.grant({}, guest)), 'unknown-signer')
    assert.equal(home.ed25519.verified, before)
  })

  test('keeps a code and two keys of one id as three copies', () => {
    const home = new GrantHome()
    home.admit(home.scene.grant())
    home.admit(home.scene.grant({ key: sitterTablet.key }))
    home.admit(home.scene.grant({ pin: PIN }))
    assert.equal(home.grants.withId(ID).length, 3)
    assert.equal(home.tried(home.scene.grant({ pin: { ...PIN, rounds: 3000 } })), 'conflict')
  })

  test('refuses an id that a guest chose to spend what somebody else was given', () => {
    const home = new GrantHome()
    home.admit(home.scene.grant({ id: CHILD, key: guest.key, share: 1 }))
    home.admit(home.scene.grant({ uses: 1, expiresAt: NOW + 60 }))
    const taken = { key: friend.key, parent: CHILD, uses: 1, expiresAt: NOW + 60 }
    assert.equal(home.tried(home.scene.grant(taken, guest)), 'conflict')
  })

  test('makes room by what has ended, and by nothing else', () => {
    const home = new GrantHome({ grantsMax: 2 })
    home.admit(home.scene.grant({ expiresAt: NOW + 60 }))
    home.admit(home.scene.grant({ id: CHILD }))
    assert.equal(home.tried(home.scene.grant({ id: GRANDCHILD })), 'grants-full')
    assert.equal(home.tried(home.scene.grant({ id: GRANDCHILD }), 0), 'grants-full')
    assert.equal(home.tried(home.scene.grant({ id: GRANDCHILD }), NOW + 60), 'ok')
    assert.deepEqual(home.grants.withId(ID), [])
  })
})

suite('Grants.restore()', () => {
  test('takes back what a clock that was set back would refuse', () => {
    const home = new GrantHome()
    const frame = home.scene.grant({ expiresAt: NOW + 60 })
    assert.equal(home.tried(frame, NOW - 9999), 'not-yet')
    assert.ok(home.grants.restore(frame).ok)
  })

  test('verifies as if it were new', () => {
    const home = new GrantHome()
    const frame = home.scene.grant()
    frame[frame.length - 1]! ^= 1
    const restored = home.grants.restore(frame)
    assert.equal(restored.ok || restored.why, 'bad-signature')
  })

  test('brings nothing back that was taken back', () => {
    const home = new GrantHome()
    const frame = home.scene.grant()
    home.grants.revoke(home.scene.revocation([ID]), NOW)
    const restored = home.grants.restore(frame)
    assert.equal(restored.ok || restored.why, 'grant-revoked')
  })
})

suite('a hub refuses to record what is wider than its parent [SPEC 12.2]', () => {
  const parent: Partial<Grant> = {
    share: 2,
    devices: [device.key, 'doors'],
    what: [may(UNLOCK), may(FAIL_SAFE, 4), may(FAIL_SAFE, METHOD_GET)],
    notBefore: NOW - 60,
    expiresAt: NOW + 600,
    hours: [
      { days: 31, from: 480, to: 720 },
      { days: 31, from: 720, to: 1080 },
    ],
    uses: 5,
    leaseS: 3600,
  }
  const { share: _, ...same } = parent
  const isElsewhere = (key: Uint8Array) => Buffer.from(key).equals(otherDevice.key)
  const tried = (changes: Partial<Grant>, without: readonly (keyof Grant)[] = []): string => {
    const home = new GrantHome({ refuseWider: (key) => (isElsewhere(key) ? [] : ['doors']) })
    home.admit(home.scene.grant(parent))
    const child = { ...same, id: CHILD, key: guest.key, parent: ID, ...changes }
    for (const field of without) delete child[field as keyof typeof child]
    return home.tried(home.scene.grant(child, sitter))
  }

  const narrower: [string, Partial<Grant>][] = [
    ['the same', {}],
    ['one of its devices', { devices: [device.key] }],
    ['a device of its group', { devices: [new Uint8Array(32).fill(3)] }],
    ['one row, and one method', { what: [may(FAIL_SAFE, METHOD_GET)] }],
    ['rows put together', { what: [may(FAIL_SAFE, 5)] }],
    ['a span over two spans that touch', { hours: [{ days: 4, from: 600, to: 1000 }] }],
    ['a later beginning and an earlier end', { notBefore: NOW, expiresAt: NOW + 60 }],
    ['one use', { uses: 1 }],
    ['a shorter lease', { leaseS: 60 }],
  ]
  for (const [what, changes] of narrower) test(`takes ${what}`, () => assert.equal(tried(changes), 'ok'))

  const wider: [string, Partial<Grant>, (keyof Grant)[]?][] = [
    ['every device', { devices: [] }],
    ['another device', { devices: [device.key, otherDevice.key] }],
    ['another group', { devices: ['gates'] }],
    ['another action', { what: [may(UNLOCK), may(10)] }],
    ['another method', { what: [may(UNLOCK, 3)] }],
    ['an earlier beginning', { notBefore: NOW - 61 }],
    ['no beginning', {}, ['notBefore']],
    ['a later end', { expiresAt: NOW + 601 }],
    ['no end', {}, ['expiresAt', 'uses']],
    ['a minute before its hours', { hours: [{ days: 1, from: 479, to: 600 }] }],
    ['a minute after its hours', { hours: [{ days: 1, from: 600, to: 1081 }] }],
    ['another day', { hours: [{ days: 32, from: 600, to: 700 }] }],
    ['all hours', {}, ['hours']],
    ['more uses', { uses: 6 }],
    ['uses without number', {}, ['uses']],
    ['a longer lease', { leaseS: 3601 }],
    ['no lease at all', { leaseS: 0 }],
  ]
  for (const [what, changes, without] of wider)
    test(`refuses ${what}`, () => assert.equal(tried(changes, without), 'grant-wider'))

  test('and a device need not notice', () => {
    const home = new GrantHome()
    home.admit(home.scene.grant(parent))
    const child = { id: CHILD, key: guest.key, parent: ID, devices: [], leaseS: 0 }
    assert.equal(home.tried(home.scene.grant(child, sitter)), 'ok')
  })
})

suite('Grants.revoke() [SPEC 12.5]', () => {
  test('says what it drops: the grant, and all that hangs from it', () => {
    const home = new GrantHome()
    const held = chain(home).map((frame) => home.admit(frame))
    const other = home.admit(home.scene.grant({ id: idOf(9) }))
    const revoked = home.grants.revoke(home.scene.revocation([ID]), NOW)
    assert(revoked.ok)
    assert.deepEqual(revoked.value.dropped, held)
    assert.deepEqual(home.grants.list(), [other])
    assert.deepEqual(home.grants.heldBy(guest.key), [])
  })

  test('drops nothing the second time, and nothing when it is refused', () => {
    const home = new GrantHome()
    const list = home.scene.revocation([ID])
    home.grants.revoke(list, NOW)
    const again = home.grants.revoke(list, NOW)
    assert(again.ok)
    assert.deepEqual(again.value.dropped, [])
    home.admit(home.scene.grant({ id: CHILD }))
    assert.equal(home.grants.revoke(home.scene.revocation([CHILD], hub), NOW).ok, false)
    assert.equal(home.grants.size, 1)
  })

  test('a grant that trust took back behind the book is gone at the next look', () => {
    const home = new GrantHome()
    home.admit(home.scene.grant())
    assert(home.trust.revoke(home.scene.revocation([owner.key], root), NOW).ok)
    assert.equal(home.grants.get(ID, sitter.key), undefined)
    assert.deepEqual(home.grants.list(), [])
  })

  test('the lists that count are handed out, the root’s first; a removed owner’s is not', () => {
    const home = new GrantHome()
    for (const [by, entry] of [
      [owner, ID],
      [secondOwner, CHILD],
      [root, secondOwner.key],
    ] as const)
      assert(home.grants.revoke(home.scene.revocation([entry], by), NOW).ok)
    assert.deepEqual(
      home.trust.revocations.map(({ signer }) => signer),
      [root.key, owner.key],
    )
  })
})

suite('what was taken back, by key [SPEC 12.5]', () => {
  test('isRevoked() knows a key in any list that counts, a daemon’s too', () => {
    const { grants, scene, trust } = new GrantHome()
    grants.revoke(scene.revocation([hub.key], secondOwner), NOW)
    assert.deepEqual([trust.isRevoked(hub.key), trust.isUnmade(hub.key)], [true, false])
    assert.equal(trust.isRevoked(sitter.key), false)
    grants.revoke(scene.revocation([secondOwner.key], root), NOW)
    assert.equal(trust.isRevoked(hub.key), false, 'a removed owner’s list does not count')
    assert.deepEqual([trust.isRevoked(secondOwner.key), trust.isUnmade(secondOwner.key)], [true, true])
  })

  test('an owner in another owner’s list stays an owner, and holds nothing', () => {
    const { grants, scene, trust } = new GrantHome()
    grants.revoke(scene.revocation([owner.key], secondOwner), NOW)
    assert.ok(trust.isOwner(owner.key))
    assert.ok(trust.isRevoked(owner.key))
  })

  test('an older envelope of an owner does not bring an older name back', () => {
    const { scene, trust } = new GrantHome()
    const [older, newer] = [scene.owner(guest), scene.owner(guest)]
    assert(trust.addOwner(newer, NOW).ok)
    const again = trust.addOwner(older, NOW)
    assert(again.ok)
    assert.deepEqual(again.value.frame, newer)
  })

  test('the owners that are left are those whom the root did not take back', () => {
    const { grants, scene, trust } = new GrantHome()
    assert.equal(trust.owners.length, 2)
    grants.revoke(scene.revocation([owner.key], root), NOW)
    assert.deepEqual(
      trust.owners.map(({ id }) => id),
      [trust.owner(secondOwner.key)?.id],
    )
    assert.equal(trust.owner(owner.key), undefined)
  })
})

suite('looking up', () => {
  test('linksOf() begins with the owner’s', () => {
    const home = new GrantHome()
    const [first, second, third] = chain(home).map((frame) => home.admit(frame))
    assert.deepEqual(linksOf(third!), [first, second, third])
    assert.deepEqual(linksOf(first!), [first])
  })

  test('concerning() gives a device its chains, parents first, and no others', () => {
    const home = new GrantHome()
    const held = chain(home).map((frame) => home.admit(frame))
    home.admit(home.scene.grant({ id: idOf(7), devices: [otherDevice.key], share: 1 }))
    home.admit(home.scene.grant({ id: idOf(8), parent: idOf(7), key: guest.key }, sitter))
    const grouped = home.admit(home.scene.grant({ id: idOf(9), devices: ['doors'] }))
    assert.deepEqual(home.grants.concerning(DEVICE, ['doors']), [...held, grouped])
    assert.deepEqual(home.grants.concerning(DEVICE, []), held)
  })

  test('expire() drops what ended, with what hangs from it, and nothing before the time is known', () => {
    const home = new GrantHome()
    const ended = home.admit(home.scene.grant({ share: 1, expiresAt: NOW + 60 }))
    const child = home.admit(home.scene.grant({ id: CHILD, key: guest.key, parent: ID }, sitter))
    home.admit(home.scene.grant({ id: idOf(9) }))
    assert.deepEqual(home.grants.expire(0), [])
    assert.deepEqual(home.grants.expire(NOW + 59), [])
    assert.deepEqual(home.grants.expire(NOW + 60), [ended, child])
    assert.equal(home.grants.size, 1)
  })
})

suite('Uses', () => {
  test('counts each link with uses, and the copies of an id together', () => {
    const home = new GrantHome()
    const counted = { uses: 9, expiresAt: NOW + 600 }
    const [first] = [home.admit(home.scene.grant({ ...counted, share: 1 }))]
    const copy = home.admit(home.scene.grant({ ...counted, key: sitterTablet.key }))
    const child = home.admit(home.scene.grant({ id: CHILD, key: guest.key, parent: ID }, sitter))
    for (const held of [first!, copy, child]) home.uses.spend(held)
    assert.equal(home.uses.count(ID), 3)
    assert.equal(home.uses.count(CHILD), 0)
  })
})

suite('a clock that is set back [SPEC 12.3]', () => {
  const body = { operation: 'invoke', affordance: UNLOCK, value: 5, grant: ID } as const
  const judged = (home: GrantHome, now: number, by = sitter) => {
    const verdict = judge(unsealed(body, by.key), FRONT_DOOR, home.by({ now }))
    return verdict.ok || verdict.why
  }

  test('does not bring back what had ended when it was last judged by', () => {
    const home = new GrantHome()
    home.admit(home.scene.grant({ expiresAt: NOW + 60 }))
    assert.equal(judged(home, NOW + 59), true)
    assert.equal(judged(home, NOW + 60), 'grant-expired')
    assert.equal(judged(home, NOW + 1), 'grant-expired')
  })

  test('nor when an owner’s own command showed that it was later', () => {
    const home = new GrantHome()
    home.admit(home.scene.grant({ expiresAt: NOW + 60 }))
    const { grant: _, ...bare } = body
    assert.ok(judge(unsealed(bare, owner.key), FRONT_DOOR, home.by({ now: NOW + 60 })).ok)
    assert.equal(judged(home, NOW), 'grant-expired')
  })

  test('looking alone makes nothing later: explain() and readable() leave no trace', () => {
    const home = new GrantHome()
    home.admit(home.scene.grant({ expiresAt: NOW + 60 }))
    explain(sitter.key, FRONT_DOOR, UNLOCK, 'invoke', home.by({ now: NOW + 60 }))
    readable(sitter.key, FRONT_DOOR, home.by({ now: NOW + 60 }))
    assert.equal(judged(home, NOW), true)
  })

  test('a time that is known to have been is later from the start', () => {
    const home = new GrantHome({ latest: NOW + 60 })
    home.admit(home.scene.grant({ expiresAt: NOW + 60 }))
    assert.equal(judged(home, NOW), 'grant-expired')
  })

  test('leaves alone what has not ended', () => {
    const home = new GrantHome()
    home.admit(home.scene.grant({ expiresAt: NOW + 600, notBefore: NOW }))
    assert.equal(judged(home, NOW + 300), true)
    assert.equal(judged(home, NOW), true)
    assert.equal(judged(home, NOW - 1), 'grant-not-yet')
  })
})
