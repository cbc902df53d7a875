// SPDX-License-Identifier: GPL-3.0-or-later
/** What must hold for any grants, any order of arrival and any bytes (SPEC 12). */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Grant } from '../../../daemon/core/envelope/index.ts'
import { explain, type HeldGrant, judge } from '../../../daemon/core/policy/index.ts'
import { CODES } from '../../../schemas/gen/ts/codes.ts'
import { CHILD, ID, UNLOCK } from '../../../scripts/vectors/grants/scene.ts'
import {
  device,
  friend,
  guest,
  NOW,
  otherDevice,
  owner,
  root,
  secondOwner,
  sitter,
} from '../../../scripts/vectors/parties.ts'
import { FRONT_DOOR, GrantHome, unsealed } from '../../support/grants.ts'

const WEEK = 7 * 86_400
const seldom = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value })
const span = fc
  .record({
    days: fc.integer({ min: 1, max: 127 }),
    from: fc.integer({ min: 0, max: 1439 }),
    to: fc.integer({ min: 1, max: 1440 }),
  })
  .filter(({ from, to }) => from < to)

const ALL = [7, UNLOCK, 10, 11].map((affordance) => ({ affordance, methods: 6 }))
/** What the lock can do for somebody. */
const asks = fc.constantFrom(
  { operation: 'invoke', affordance: UNLOCK, value: 5 } as const,
  { operation: 'invoke', affordance: 10 } as const,
  { operation: 'write', affordance: 11, value: true } as const,
)

/** Limits as a person might set them, wide enough that many commands pass. */
const limits: fc.Arbitrary<Partial<Grant>> = fc
  .record({
    devices: fc.oneof(fc.constant([]), fc.subarray([device.key, otherDevice.key, 'doors', 'gates'])),
    what: fc.oneof(fc.constant(ALL), fc.array(fc.constantFrom(...ALL), { minLength: 1, maxLength: 3 })),
    leaseS: fc.constantFrom(0, 0, 60, 86_400),
    notBefore: seldom(fc.integer({ min: NOW - WEEK, max: NOW + WEEK })),
    expiresAt: seldom(fc.integer({ min: NOW, max: NOW + WEEK })),
    hours: seldom(fc.array(span, { minLength: 1, maxLength: 3 })),
    uses: seldom(fc.integer({ min: 1, max: 3 })),
  })
  .map(({ notBefore, expiresAt, hours, uses, ...always }) => ({
    ...always,
    ...(notBefore !== undefined && (expiresAt === undefined || notBefore < expiresAt) && { notBefore }),
    ...(expiresAt !== undefined && { expiresAt }),
    ...(hours && { hours }),
    ...(uses !== undefined && expiresAt !== undefined && { uses }),
  }))

const moment = fc.integer({ min: NOW - WEEK, max: NOW + WEEK })

describe('a link never permits more [SPEC 12.2]', () => {
  it('what a child allows, its parent allows at the same moment', () => {
    let allowed = 0
    fc.assert(
      fc.property(limits, limits, moment, asks, fc.nat(2), (one, other, now, ask, used) => {
        const home = new GrantHome()
        assert(home.grants.restore(home.scene.grant({ ...one, share: 1 })).ok)
        const child = { ...other, id: CHILD, key: guest.key, parent: ID }
        assert(home.grants.restore(home.scene.grant(child, sitter)).ok)
        const uses = { count: () => used }
        const leases = { until: (grant: HeldGrant) => NOW + grant.body.leaseS * 20 }
        const may = (grant: Uint8Array, signer: Uint8Array) =>
          judge(unsealed({ ...ask, grant }, signer), FRONT_DOOR, home.by({ now, uses, leases })).ok
        if (!may(CHILD, guest.key)) return
        allowed++
        assert.ok(may(ID, sitter.key))
      }),
      { numRuns: 600 },
    )
    assert.ok(allowed > 20, `only ${allowed} children allowed anything`)
  })

  it('explain() says yes exactly when judge() does', () => {
    fc.assert(
      fc.property(limits, moment, asks, (one, now, ask) => {
        const home = new GrantHome()
        assert(home.grants.restore(home.scene.grant(one)).ok)
        const judged = judge(unsealed({ ...ask, grant: ID }, sitter.key), FRONT_DOOR, home.by({ now }))
        const { affordance, operation } = ask
        assert.equal(explain(sitter.key, FRONT_DOOR, affordance, operation, home.by({ now })).may, judged.ok)
      }),
      { numRuns: 300 },
    )
  })
})

/** Everything that can come to a receiver of this home, each with what must then hold. */
function everything(home: GrantHome) {
  const { scene } = home
  const lists = [
    scene.revocation([]),
    scene.revocation([ID]),
    scene.revocation([ID, friend.key]),
    scene.revocation([CHILD], secondOwner),
    scene.revocation([secondOwner.key], root),
  ]
  const grants = [
    scene.grant({ share: 2 }),
    scene.grant({ id: CHILD, key: guest.key, parent: ID, share: 1 }, sitter),
    scene.grant({ id: new Uint8Array(8).fill(3), key: friend.key, parent: CHILD }, guest),
    scene.grant({ id: new Uint8Array(8).fill(4), key: friend.key }),
    scene.grant({ id: new Uint8Array(8).fill(5), key: guest.key }, secondOwner),
    scene.grant({ id: new Uint8Array(8).fill(6), key: guest.key }),
  ]
  const owners = [scene.owner(), scene.owner(secondOwner)]
  return { lists, grants, frames: [...lists, ...grants, ...owners] }
}

function arrive(home: GrantHome, frame: Uint8Array): string {
  const { grants, trust } = home
  const outcomes = [grants.admit(frame, NOW), grants.revoke(frame, NOW), trust.addOwner(frame, NOW)]
  const taken = outcomes.find(({ ok }) => ok)
  return taken ? 'ok' : 'refused'
}

const held = (home: GrantHome) =>
  home.grants
    .list()
    .map(({ body }) => `${Buffer.from(body.id).toString('hex')} ${Buffer.from(body.key!).toString('hex')}`)
    .sort()

describe('what is taken back stays so [SPEC 12.5]', () => {
  it('in any order of arrival, with repetitions, only what nobody took back is held at the end', () => {
    const made = everything(new GrantHome())
    const order = fc.shuffledSubarray(
      Array.from({ length: made.frames.length * 3 }, (_, at) => at % made.frames.length),
      { minLength: made.frames.length * 3 },
    )
    const survivor = new Uint8Array(8).fill(6)
    fc.assert(
      fc.property(order, (arrivals) => {
        const home = new GrantHome()
        for (const at of arrivals) arrive(home, made.frames[at]!)
        // A parent may have come after all of its children: the sender sends them once more.
        for (const frame of made.grants) arrive(home, frame)
        assert.deepEqual(held(home), [
          `${Buffer.from(survivor).toString('hex')} ${Buffer.from(guest.key).toString('hex')}`,
        ])
        assert.equal(home.trust.isOwner(secondOwner.key), false)
        assert.ok(home.trust.isOwner(owner.key))
      }),
      { numRuns: 150 },
    )
  })

  it('from the moment a list is held, nothing that it names is permitted again', () => {
    const made = everything(new GrantHome())
    const arrivals = fc.array(fc.nat(made.frames.length - 1), { minLength: 5, maxLength: 40 })
    fc.assert(
      fc.property(arrivals, (order) => {
        const home = new GrantHome()
        let isTaken = false
        for (const at of order) {
          arrive(home, made.frames[at]!)
          isTaken ||= at === 1 || at === 2
          const body = { operation: 'invoke', affordance: UNLOCK, value: 5, grant: ID } as const
          const judged = judge(unsealed(body, sitter.key), FRONT_DOOR, home.by())
          if (isTaken) assert.equal(judged.ok || judged.why, 'grant-revoked')
        }
      }),
      { numRuns: 300 },
    )
  })
})

describe('any bytes get a code', () => {
  const home = new GrantHome()
  const sound = everything(home).frames
  const spoiled = fc
    .tuple(
      fc.constantFrom(...sound),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
      fc.nat(40),
    )
    .map(([frame, changes, cut]) => {
      const bytes = Uint8Array.from(frame.subarray(0, frame.length - (cut > 30 ? cut : 0)))
      for (const [at, value] of changes) bytes[at % bytes.length] = value
      return bytes
    })
  const bytes = fc.oneof(spoiled, fc.uint8Array({ maxLength: 1100 }))

  it('admit(), restore(), revoke() and addOwner() never throw', () => {
    fc.assert(
      fc.property(bytes, fc.constantFrom(0, NOW), (frame, now) => {
        const { grants, trust } = new GrantHome()
        for (const verdict of [
          grants.admit(frame, now),
          grants.restore(frame),
          grants.revoke(frame, now),
          trust.addOwner(frame, now),
        ])
          if (!verdict.ok) assert.ok(verdict.why in CODES, verdict.why)
      }),
      { numRuns: 1000 },
    )
  })
})
