// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toBase64url } from '../../../daemon/base/bytes.ts'
import { systemRandom } from '../../../daemon/base/random.ts'
import { type Body, nativeEd25519, type Signer, sealEnvelope } from '../../../daemon/core/envelope/index.ts'
import { idOf } from '../../../daemon/core/model/index.ts'
import { openTrust } from '../../../daemon/core/policy/index.ts'
import { actsOf, readEntries } from '../../../daemon/web/acts.ts'
import { CODES } from '../../../schemas/gen/ts/codes.ts'
import { sha256 } from '../../support/request.ts'

const ed25519 = nativeEd25519()
const newSigner = () => ed25519.signer(systemRandom.bytes(32))
const [root, person, door] = [newSigner(), newSigner(), newSigner()]
const trusted = openTrust(root.key, [], ed25519)
assert(trusted.ok)
const believed = { trust: trusted.value, ed25519 }

const claims = (audience: string) => ({ audience, sealedAt: 5, epoch: systemRandom.bytes(8), sequence: 5 })
const command = (by: Signer = person): Uint8Array =>
  sealEnvelope(
    {
      type: 'command',
      ...claims(idOf(door.key)),
      expiresAt: 30,
      nonce: systemRandom.bytes(8),
      operation: 'invoke',
      affordance: 9,
      value: 5,
    },
    by,
  )
const byDoor = (body: Partial<Body> & { type: 'receipt' | 'act' }): Uint8Array =>
  sealEnvelope({ ...claims(idOf(root.key)), ...body } as Body, door)

let index = 0
function entry(kind: string, signer: Signer, frame: Uint8Array, more: object = {}) {
  return {
    index: ++index,
    at: index,
    kind,
    device: idOf(door.key),
    signer: idOf(signer.key),
    frame: toBase64url(frame),
    ...more,
  }
}

/** A command and what the door said to it. */
function exchange(code: keyof typeof CODES, said: object = {}) {
  const frame = command()
  const receipt = byDoor({ type: 'receipt', command: sha256(frame), code: CODES[code], values: [] })
  return [
    entry('command', person, frame),
    entry('receipt', door, receipt, { command: toBase64url(sha256(frame)), ...said }),
  ]
}

const read = (...entries: object[]) => actsOf(readEntries({ entries }, believed))

describe('actsOf() [SPEC 9.7]', () => {
  it('makes one act of a command and its receipt, the newest first', () => {
    const acts = read(...exchange('ok'), ...exchange('outside-hours'))
    assert.deepEqual(
      acts.map(({ kind, code, asked, sealed }) => [kind, code, asked?.value, sealed]),
      [
        ['command', 'outside-hours', 5, true],
        ['command', 'ok', 5, true],
      ],
    )
  })

  it('believes how it ended from what the door sealed, not from what the hub says of it', () => {
    assert.equal(read(...exchange('uses-spent', { code: 'ok' }))[0]?.code, 'uses-spent')
  })

  it('shows a command that reached nobody in time as expired', () => {
    const frame = command()
    const over = {
      index: 90,
      at: 90,
      kind: 'expired',
      device: idOf(door.key),
      command: toBase64url(sha256(frame)),
    }
    assert.equal(read(entry('command', person, frame), over)[0]?.code, 'expired')
  })

  it('does not take an answer for that of another command', () => {
    const [asked] = exchange('ok')
    const [, answer] = exchange('ok')
    assert.deepEqual(
      read(asked!, answer!).map(({ kind, code }) => [kind, code]),
      [
        ['receipt', 'ok'],
        ['command', undefined],
      ],
    )
  })

  it('says what somebody did at the keypad, and whether the door let them', () => {
    const frame = byDoor({ type: 'act', source: 'keypad', affordance: 9, at: 5, code: 0, values: [] })
    const [act] = read(
      entry('act', door, frame, { person: { id: 'AAAAAAAAAAA', name: 'Bea' }, origin: 'keypad' }),
    )
    assert.deepEqual([act?.person, act?.asked?.name, act?.code, act?.sealed], ['Bea', 'unlock', 'ok', true])
  })

  it('does not say what was asked when another sealed it than the log says', () => {
    const [act] = read(entry('command', person, command(root)))
    assert.deepEqual([act?.asked, act?.sealed], [undefined, false])
  })
})
