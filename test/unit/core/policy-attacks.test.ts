// SPDX-License-Identifier: GPL-3.0-or-later
/** People who hold little, and a hub that was broken into, try to open a lock by whatever they can seal (SPEC 12). */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { nativeEd25519 } from '../../../daemon/core/envelope/index.ts'
import { atLock, ID, Scene, UNLOCK } from '../../../scripts/vectors/grants/scene.ts'
import {
  device,
  friend,
  guest,
  hub,
  NOW,
  otherDevice,
  secondOwner,
  sitter,
  stranger,
} from '../../../scripts/vectors/parties.ts'
import { contextLines } from '../../../scripts/vectors/text.ts'
import { type Forged, forgedBy, honest, seal } from '../../support/forging.ts'
import { Lock } from '../../vectors/lock.ts'

/** Everybody but the root and the owner: `hub` has every key that its directory holds. */
const ATTACKERS = [sitter, guest, friend, hub, stranger, secondOwner]
const USES = 2
const UNTIL = NOW + 600

const event = fc.oneof(
  { weight: 8, arbitrary: forgedBy(ATTACKERS).map((frame) => ({ frame })) },
  { weight: 1, arbitrary: fc.constant({ frame: honest(sitter) }) },
  { weight: 2, arbitrary: fc.record({ again: fc.nat(200) }) },
  { weight: 1, arbitrary: fc.record({ now: fc.integer({ min: NOW - 900, max: UNTIL + 60 }) }) },
  { weight: 1, arbitrary: fc.record({ restart: fc.boolean() }) },
)
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never

/** Plays the attack on one lock, and says which forged commands it obeyed, and when. */
function attack(events: readonly Event[], revokedAt = Infinity, where: Uint8Array = device.key) {
  const scene = new Scene()
  const lock = new Lock(nativeEd25519())
  for (const line of contextLines(atLock)) {
    const at = line.indexOf(':')
    assert.ok(lock.learn(line.slice(0, at), line.slice(at + 1).trim()))
  }
  let now = NOW
  const opened: { readonly affordance: number; readonly now: number; readonly isTakenBack: boolean }[] = []
  let isTakenBack = false
  const owner = scene.owner()
  const given = scene.grant({
    devices: [where],
    share: 2,
    uses: USES,
    expiresAt: UNTIL,
    sealedAt: NOW - 7200,
  })
  const sent: { readonly frame: Uint8Array; readonly made?: Forged | undefined }[] = [
    { frame: owner },
    { frame: given },
  ]
  assert.deepEqual([lock.receive(owner), lock.receive(given)], ['ok', 'ok'])
  const deliver = (frame: Uint8Array, made: Forged | undefined) => {
    const reached = lock.receive(frame)
    if (reached === 'ok' && (made?.kind === 'command' || made?.kind === 'bare'))
      opened.push({ affordance: made.kind === 'command' ? made.affordance : 0, now, isTakenBack })
  }
  for (const [at, one] of events.entries()) {
    if (at === revokedAt) isTakenBack = lock.receive(scene.revocation([ID])) === 'ok'
    if ('frame' in one) {
      const frame = seal(scene, one.frame)
      sent.push({ frame, made: one.frame })
      deliver(frame, one.frame)
    } else if ('again' in one) {
      const { frame, made } = sent[one.again % sent.length]!
      deliver(frame, made)
    } else if ('now' in one) {
      now = one.now
      lock.learn('now', `${now}`)
    } else {
      const { restart, now: told } = scene.restart(now)
      lock.learn('restart', Buffer.from(restart!).toString('hex'))
      lock.learn('now', `${told}`)
      lock.receive(owner)
      if (one.restart) lock.receive(given)
    }
  }
  return opened
}

describe('whoever is no owner, whatever they seal, in whatever order and at whatever time', () => {
  const attacks = fc.array(event, { minLength: 20, maxLength: 120 })

  it('opens by what the owner gave alone: this action, in its time, as often as it may be', () => {
    let opened = 0
    fc.assert(
      fc.property(attacks, (events) => {
        const acts = attack(events)
        opened += acts.length
        assert.ok(acts.every(({ affordance, now }) => affordance === UNLOCK && now < UNTIL))
        assert.ok(acts.length <= USES)
      }),
      { numRuns: 120 },
    )
    assert.ok(opened > 10, `only ${opened} of the forged commands were within what was given`)
  })

  it('opens nothing after the owner’s list has come', () => {
    fc.assert(
      fc.property(attacks, fc.nat(30), (events, at) => {
        assert.ok(attack(events, at).every((act) => !act.isTakenBack))
      }),
      { numRuns: 120 },
    )
  })

  it('opens nothing by what was given for another lock', () => {
    fc.assert(
      fc.property(attacks, (events) => {
        assert.deepEqual(attack(events, Infinity, otherDevice.key), [])
      }),
      { numRuns: 60 },
    )
  })
})
