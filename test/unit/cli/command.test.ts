// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { fromBase64url, toBase64url } from '../../../daemon/base/bytes.ts'
import { systemRandom } from '../../../daemon/base/random.ts'
import { openEnvelope } from '../../../daemon/core/envelope/index.ts'
import { idOf } from '../../../daemon/core/model/index.ts'
import { Account } from './as-user.ts'
import { ed25519, type FakeDevice, FakeHome, json, problem, stages, stateOf } from './fake-home.ts'

const account = new Account()
const stranger = ed25519.signer(systemRandom.bytes(32))
let home: FakeHome
let light: FakeDevice

before(async () => {
  home = await new FakeHome(await account.init()).listen(account.data)
})
after(async () => {
  await home[Symbol.asyncDispose]()
  account[Symbol.dispose]()
})
beforeEach(() => {
  home.devices.length = 0
  home.commands.length = 0
  home.asked.length = 0
  home.twist = () => false
  light = home.device('porch-light')
})

/** Answers the question for the device's state with this in place of what is true. */
function lieAbout(changes: Record<string, unknown>): void {
  home.twist = ({ method, path, answer }) => {
    if (method !== 'GET' || !path.endsWith('/properties')) return false
    json(answer, { ...stateOf(light), ...changes })
    return true
  }
}

/** Answers a command with this in place of what the device did. */
function answerCommand(lines: (command: Uint8Array) => readonly object[]): void {
  home.twist = ({ method, body, answer }) => {
    if (method !== 'PUT') return false
    stages(answer, lines(body))
    return true
  }
}

test('set prints its stages and a receipt that anybody can check', async () => {
  const { exit, said, err } = await account.json(['set', 'porch-light', 'on', 'true'])
  assert.equal(exit, 0)
  assert.equal(err, '')
  assert.deepEqual(
    (said.stages as { stage: string }[]).map(({ stage }) => stage),
    ['sent', 'at-hub', 'at-device', 'done'],
  )
  assert.deepEqual([said.ok, said.verified, said.code, said.way], [true, true, 'ok', 'unix'])
  assert.deepEqual(said.values, { on: true })
  const receipt = openEnvelope(
    fromBase64url(said.receipt as string)!,
    { sizeMax: 1024, accepts: (_, signer) => idOf(signer) === light.id, isAudience: () => true },
    ed25519,
  )
  assert.equal(receipt.ok, true)
})

test('set for a person tells the stages beside the result', async () => {
  const { exit, out, err } = await account.run(['set', 'porch-light', 'level', '40'])
  assert.equal(exit, 0)
  assert.match(err, /sent\n.*at the hub\n.*at the device\n.*done/)
  assert.match(out, /porch-light has done it: level 40 %/)
  assert.equal(home.commands[0]!.value, 40)
})

test('--within becomes the deadline that the device judges', async () => {
  await account.run(['set', 'porch-light', 'on', 'off', '--within', '5m'])
  const [command] = home.commands
  assert.equal(command!.expiresAt - command!.sealedAt, 300)
  assert.equal(command!.value, false)
})

test('invoke sends an action without a value', async () => {
  const { exit } = await account.run(['invoke', 'porch-light', 'toggle'])
  assert.equal(exit, 0)
  assert.deepEqual([home.commands[0]!.operation, home.commands[0]!.value], ['invoke', undefined])
})

test('a device that was born anew gets the command again, sealed for its new life', async () => {
  let lied = false
  home.twist = ({ method, path, answer }) => {
    if (lied || method !== 'GET' || !path.endsWith('/properties')) return false
    lied = true
    json(answer, stateOf(light))
    light.nonce = systemRandom.bytes(8)
    return true
  }
  const { exit } = await account.run(['set', 'porch-light', 'on', 'true'])
  assert.equal(exit, 0)
  assert.equal(home.commands.length, 1)
})

test('a hub that only says stale-nonce is not obeyed twice', async () => {
  home.twist = ({ method, answer }) => {
    if (method !== 'PUT') return false
    problem(answer, 409, 'stale-nonce')
    return true
  }
  const { exit, said } = await account.json(['set', 'porch-light', 'on', 'true'])
  assert.deepEqual([exit, said.code], [3, 'stale-nonce'])
  assert.equal(home.asked.filter((each) => each.startsWith('PUT')).length, 1)
})

test('a request that the hub calls replayed is sealed anew and asked once more', async () => {
  let times = 0
  home.twist = ({ answer }) => {
    if (++times > 1) return false
    problem(answer, 401, 'unauthorized', 'replayed')
    return true
  }
  assert.equal((await account.run(['get', 'porch-light'])).exit, 0)
})

test('an unconfirmed device is operated, and called unconfirmed', async () => {
  light.confirmed = false
  const person = await account.run(['set', 'porch-light', 'on', 'true'])
  assert.equal(person.exit, 0)
  assert.match(person.err, /not confirmed: only the hub says/)
  const script = await account.json(['set', 'porch-light', 'on', 'true'])
  assert.deepEqual((script.said.device as { confirmed: boolean }).confirmed, false)
})

test('a refusal by the device is exit 3 with its reason', async () => {
  light.code = 164
  const { exit, said } = await account.json(['set', 'porch-light', 'on', 'true'])
  assert.deepEqual([exit, said.code], [3, 'device-fault'])
})

test('a command that ran out of time is exit 4 and says whether it arrived', async () => {
  answerCommand(() => [
    { stage: 'at-hub', at: 1 },
    { stage: 'expired', at: 2, reached: false },
  ])
  const { exit, said } = await account.json(['set', 'porch-light', 'on', 'true', '--within', '1s'])
  assert.deepEqual([exit, said.code], [4, 'expired'])
  assert.match(said.message as string, /will not act on it later/)
})

test('an answer that ends without an end is exit 4: nobody knows', async () => {
  answerCommand(() => [{ stage: 'at-hub', at: 1 }])
  const { exit, said } = await account.json(['set', 'porch-light', 'on', 'true'])
  assert.deepEqual([exit, said.code], [4, 'unknown-outcome'])
})

const lies: readonly (readonly [string, () => void, string])[] = [
  [
    'a hello sealed by another key',
    () => lieAbout({ hello: toBase64url(light.hello(stranger)) }),
    'unknown-signer',
  ],
  [
    "another device's hello under this device's id",
    () => lieAbout({ hello: toBase64url(home.device('other').hello()) }),
    'unknown-signer',
  ],
  [
    'a hello with one bit changed',
    () => {
      const hello = light.hello()
      hello[hello.length - 1]! ^= 1
      lieAbout({ hello: toBase64url(hello) })
    },
    'bad-signature',
  ],
  ['a hello that is noise', () => lieAbout({ hello: toBase64url(systemRandom.bytes(200)) }), ''],
  [
    'a nonce that is not the one of the hello',
    () => lieAbout({ nonce: toBase64url(systemRandom.bytes(8)) }),
    'bad-answer',
  ],
  [
    'a record sealed by somebody who is no owner',
    () => lieAbout({ record: toBase64url(light.record('porch-light', light.signer.key, stranger)) }),
    'unknown-signer',
  ],
  [
    "an owner's record for another key",
    () => lieAbout({ record: toBase64url(light.record('porch-light', stranger.key)) }),
    'bad-key',
  ],
  [
    'another device in the place of the one that was named',
    () => lieAbout({ record: toBase64url(light.record('garage-door')) }),
    'bad-answer',
  ],
  ['another name than was asked for', () => lieAbout({ name: 'garage-door' }), 'bad-answer'],
  ['an id that is none', () => lieAbout({ id: 'urn:shallot:porch' }), 'bad-answer'],
  ['a hello in the wrong kind of JSON', () => lieAbout({ hello: 7 }), 'bad-answer'],
]
for (const [what, lie, code] of lies) {
  test(`set refuses ${what} before anything is sealed`, async () => {
    lie()
    const { exit, said } = await account.jsonWithin(['set', 'porch-light', 'on', 'true'])
    assert.equal(exit, 3, JSON.stringify(said))
    assert.equal(said.ok, false)
    if (code !== '') assert.equal(said.code, code)
    assert.equal(home.asked.filter((each) => each.startsWith('PUT')).length, 0)
  })
}

const receipts: readonly (readonly [string, (command: Uint8Array) => readonly object[], string])[] = [
  [
    'sealed by somebody else',
    (command) => [{ stage: 'done', at: 1, receipt: toBase64url(light.receipt(command, stranger)) }],
    'unknown-signer',
  ],
  [
    'for another command',
    () => [{ stage: 'done', at: 1, receipt: toBase64url(light.receipt(systemRandom.bytes(60))) }],
    'bad-answer',
  ],
  [
    'with a changed signature',
    (command) => {
      const receipt = light.receipt(command)
      receipt[receipt.length - 1]! ^= 1
      return [{ stage: 'done', at: 1, receipt: toBase64url(receipt) }]
    },
    'bad-signature',
  ],
  [
    'of the device that says no, called done',
    (command) => {
      light.code = 165
      return [{ stage: 'done', at: 1, receipt: toBase64url(light.receipt(command)) }]
    },
    'bad-answer',
  ],
  [
    'of the device that says yes, called refused',
    (command) => [{ stage: 'refused', at: 1, receipt: toBase64url(light.receipt(command)) }],
    'bad-answer',
  ],
  [
    'that is a hello',
    () => [{ stage: 'done', at: 1, receipt: toBase64url(light.hello()) }],
    'unknown-signer',
  ],
  ['that is missing', () => [{ stage: 'done', at: 1 }], 'bad-answer'],
  ['that is not base64url', () => [{ stage: 'done', at: 1, receipt: '***' }], 'bad-answer'],
  ['under a stage that does not exist', () => [{ stage: 'surely', at: 1 }], 'bad-answer'],
  [
    'behind stages without end',
    () => Array.from({ length: 100 }, () => ({ stage: 'at-hub', at: 1 })),
    'bad-answer',
  ],
]
for (const [what, lines, code] of receipts) {
  test(`set does not believe a receipt ${what}`, async () => {
    answerCommand(lines)
    const { exit, said } = await account.jsonWithin(['set', 'porch-light', 'on', 'true'])
    assert.deepEqual([exit, said.ok, said.code], [3, false, code])
  })
}

test('a distrusted hub is spoken of in a sentence, without a stack', async () => {
  lieAbout({ hello: toBase64url(light.hello(stranger)) })
  const { err } = await account.run(['set', 'porch-light', 'on', 'true'])
  assert.match(err, /did not seal/)
  assert.match(err, /may be broken into/)
  assert.doesNotMatch(err, /at .*\.ts:/)
})
