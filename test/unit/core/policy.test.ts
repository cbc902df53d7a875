// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  type Command,
  type Message,
  nativeEd25519,
  type Signer,
} from '../../../daemon/core/envelope/index.ts'
import { type Device, idOf } from '../../../daemon/core/model/index.ts'
import { Grants, judge, openTrust, type PolicyCode, Uses } from '../../../daemon/core/policy/index.ts'
import { CoreHome, HOME, LAMP, newDevice, OTHER, OWNER, ROOT, STRANGER } from '../../support/core-home.ts'

const ed25519 = nativeEd25519()
const home = new CoreHome()
const trusted = openTrust(ROOT.key, [home.ownerFrame()], ed25519)
assert(trusted.ok)
const device: Device = {
  ...newDevice(LAMP, 'lamp'),
  affordances: [1, 2, 3, 5, 6, 257, 258, 261],
  enrolledAt: 0,
  presence: { connected: true, since: 0 },
  lost: 0,
}

function judged(body: Partial<Command>, by: Signer = OWNER): PolicyCode | 'permitted' {
  const message = { body: { type: 'command', ...body }, signer: by.key } as Message<Command>
  const trust = trusted.ok ? trusted.value : assert.fail()
  const grants = new Grants(trust, ed25519, { grantsMax: 10 })
  const verdict = judge(message, device, { grants, groups: [], now: 1, uses: new Uses() })
  return verdict.ok ? 'permitted' : verdict.why
}

const write = (affordance: number, value?: number | boolean) =>
  ({ operation: 'write', affordance, ...(value !== undefined && { value }) }) as const
const invoke = (affordance: number, value?: number | boolean) =>
  ({ ...write(affordance, value), operation: 'invoke' }) as const

suite('judge() [SPEC 4.14]', () => {
  const permitted: [string, Partial<Command>][] = [
    ['a switch that exists', write(1, false)],
    ['the second switch', write(257, true)],
    ['the least level', write(2, 0)],
    ['the largest level', write(2, 100)],
    ['an action without a value', invoke(5)],
    ['an action with the value that it takes', invoke(6, 60)],
  ]
  for (const [what, body] of permitted) test(`permits ${what}`, () => assert.equal(judged(body), 'permitted'))

  const refused: [string, PolicyCode, Partial<Command>, Signer?][] = [
    ['a stranger, before anything else', 'not-permitted', write(200, 1), STRANGER],
    ['the device itself', 'not-permitted', write(1, true), LAMP],
    ['the root, who is no owner', 'not-permitted', write(1, true), ROOT],
    ['a number that the device has not', 'no-such-affordance', write(4, 1)],
    ['an instance that the device has not', 'no-such-affordance', write(513, true)],
    ['number 0', 'no-such-affordance', write(0, true)],
    ['the first number of an instance', 'no-such-affordance', write(256, true)],
    ['a negative number', 'no-such-affordance', write(-1, true)],
    ['to write an action', 'no-such-affordance', write(5)],
    ['to invoke a property', 'no-such-affordance', invoke(1)],
    ['to invoke the property of a sensor', 'no-such-affordance', invoke(3)],
    ['to write a sensor', 'read-only', write(3, 2000)],
    ['to write a sensor, with no value either', 'read-only', write(3)],
    ['a write without a value', 'bad-value', write(1)],
    ['a number for a switch', 'bad-value', write(1, 1)],
    ['a truth for a level', 'bad-value', write(2, true)],
    ['a level below the least', 'bad-value', write(2, -1)],
    ['a level above the largest', 'bad-value', write(2, 101)],
    ['a level above the largest, second instance', 'bad-value', write(258, 101)],
    ['a value for an action that takes none', 'bad-value', invoke(5, 1)],
    ['false for an action that takes none', 'bad-value', invoke(261, false)],
    ['no value for an action that takes one', 'bad-value', invoke(6)],
    ['zero seconds', 'bad-value', invoke(6, 0)],
    ['too many seconds', 'bad-value', invoke(6, 61)],
    ['a truth for seconds', 'bad-value', invoke(6, true)],
  ]
  for (const [what, why, body, by] of refused)
    test(`refuses ${what}: ${why}`, () => assert.equal(judged(body, by), why))
})

suite('openTrust()', () => {
  const refused: [string, string, Uint8Array][] = [
    ['an owner who made himself', 'unknown-signer', home.ownerFrame(STRANGER, STRANGER.key)],
    ['an owner made by an owner', 'unknown-signer', home.ownerFrame(OWNER, STRANGER.key)],
    ['a permit in place of an owner', 'unknown-signer', home.permit({}, ROOT)],
    ['a frame cut short', 'cbor-truncated', home.ownerFrame().subarray(0, -1)],
    ['nothing', 'cbor-truncated', new Uint8Array()],
    [
      'an owner whose key was changed',
      'bad-signature',
      (() => {
        const frame = home.ownerFrame()
        const at = Buffer.from(frame).indexOf(Buffer.from(OWNER.key))
        frame.set(STRANGER.key, at)
        return frame
      })(),
    ],
  ]
  for (const [what, why, frame] of refused) {
    test(`refuses ${what}, also beside a true one: ${why}`, () => {
      const verdict = openTrust(ROOT.key, [home.ownerFrame(), frame], ed25519)
      assert.equal(verdict.ok ? 'trusted' : verdict.why, why)
    })
  }

  test('refuses the owners of another root: unknown-signer', () => {
    const verdict = openTrust(OTHER.key, [home.ownerFrame()], ed25519)
    assert.equal(verdict.ok ? 'trusted' : verdict.why, 'unknown-signer')
  })

  test('knows the owners that the root made, and nobody else', () => {
    assert(trusted.ok)
    const trust = trusted.value
    assert.equal(trust.home, HOME)
    assert.deepEqual(trust.owner(OWNER.key)?.id, idOf(OWNER.key))
    for (const { key } of [ROOT, STRANGER, LAMP])
      assert.deepEqual([trust.isOwner(key), trust.owner(key)], [false, undefined])
  })
})
