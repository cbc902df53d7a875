// SPDX-License-Identifier: GPL-3.0-or-later
/** `shallot ca` before a home that may lie: what it believes, seals and hands in. The home itself is in test/live/ca.test.ts. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { fromBase64url, toBase64url } from '../../../daemon/base/bytes.ts'
import { systemRandom } from '../../../daemon/base/random.ts'
import { Secret } from '../../../daemon/base/secret.ts'
import { hubCasOf } from '../../../daemon/config/generation-keys.ts'
import { loadOwner } from '../../../daemon/config/keyring.ts'
import { openEnvelope, type Pins, type Signer, sealEnvelope } from '../../../daemon/core/envelope/index.ts'
import { checkHubLeaf } from '../../../daemon/core/identity/certificates.ts'
import { parseWords, readEnrolCode, wordsOf } from '../../../daemon/core/identity/index.ts'
import { idOf } from '../../../daemon/core/model/index.ts'
import { pinsFrame } from '../../support/generations.ts'
import { Account } from './as-user.ts'
import { ed25519, FakeHome, json, problem } from './fake-home.ts'

const account = new Account()
const hub = ed25519.signer(systemRandom.bytes(32))
let words: string
let home: FakeHome
/** What was handed in. */
let put: { readonly steps: Record<string, string>[]; readonly deviceCa: string } | undefined

before(async () => {
  words = await account.init()
  home = await new FakeHome(words).listen(account.data)
})
after(async () => {
  await home[Symbol.asyncDispose]()
  account[Symbol.dispose]()
})

const member = (by: Signer, key = hub.key) =>
  toBase64url(
    sealEnvelope(
      {
        type: 'member',
        audience: home.id,
        sealedAt: 1,
        epoch: new Uint8Array(8),
        sequence: 1,
        name: 'hub',
        key,
      },
      by,
    ),
  )

const PORCH = {
  id: idOf(hub.key),
  name: 'porch',
  connected: true,
  standing: 'in-force',
  inForce: 0,
  announced: 0,
}

function shows(change: object = {}): void {
  home.ca = {
    hub: idOf(hub.key),
    member: member(home.owner),
    generation: 0,
    devices: [PORCH],
    kept: [],
    ...change,
  }
}

beforeEach(() => {
  put = undefined
  shows()
  home.twist = ({ method, path, body, answer }) => {
    if (path !== '/ca' || method !== 'PUT') return false
    put = JSON.parse(Buffer.from(body).toString())
    json(answer, { generation: 1 })
    return true
  }
})

const rotate = (args: string[] = [], input = words) =>
  account.json(['ca', 'rotate', '--no-wait', ...args], input)

test('status tells who is behind, for people and for scripts', async () => {
  const away = { ...PORCH, name: 'hall', connected: false, standing: 'behind' }
  const old = { ...PORCH, name: 'attic', standing: 'refused', code: 325, at: 1_790_000_000_000 }
  shows({ announced: 1, devices: [{ ...PORCH, standing: 'announced' }, away, old] })
  const { out, exit } = await account.within(['ca'])
  assert.equal(exit, 0)
  assert.match(out, /Generation 0 .* is in force, 1 is announced/)
  assert.match(out, /porch +connected +knows it as the next/)
  assert.match(out, /hall +away +has not heard of it/)
  assert.match(out, /attic +connected +does not take it: the device was not told/)
  assert.match(out, /2 of 3 devices are behind/)
  const { said } = await account.jsonWithin(['ca', 'status'])
  assert.deepEqual([said.generation, said.announced, said.behind], [0, 1, 2])
})

test('rotate hands in what the root says, a leaf for this hub, and the key of the device CA alone', async () => {
  const { exit, said, out } = await rotate()
  assert.deepEqual([exit, said.generation, said.stage], [0, 1, 'announced'], out)
  const [step, ...more] = put!.steps
  assert.deepEqual([more, Object.keys(put!).toSorted()], [[], ['deviceCa', 'steps']])
  const seed = parseWords(words)
  assert(seed.ok)
  const opened = openEnvelope(
    fromBase64url(step!.pins!)!,
    { sizeMax: 1024, accepts: (_, signer) => idOf(signer) === home.id, isAudience: () => true },
    ed25519,
  )
  assert(opened.ok)
  assert.deepEqual((opened.value.body as Pins).hubCas, hubCasOf(seed.value, 1))
  const leaf = checkHubLeaf(fromBase64url(step!.hubLeaf!)!, hubCasOf(seed.value, 1), Date.now(), ed25519)
  assert.deepEqual(leaf, { ok: true, value: hub.key })
  const deviceCa = ed25519.signer(fromBase64url(put!.deviceCa)!)
  assert.equal(toBase64url(deviceCa.key), step!.deviceCa)
  for (const text of words.split(' ').slice(0, 3)) assert.ok(!JSON.stringify(put).includes(`${text} `))
})

test('rotate goes to where devices of a restored home are', async () => {
  shows({ kept: [1, 2, 3].map((generation) => ({ generation, taken: generation === 2 ? 4 : 0 })) })
  assert.equal((await rotate()).said.generation, 2)
  assert.deepEqual(
    (put!.steps as unknown as { generation: number }[]).map(({ generation }) => generation),
    [1, 2],
  )
})

const refusals: readonly (readonly [string, () => void, number, string])[] = [
  ['that shows no paper of its daemon', () => shows({ member: undefined }), 3, 'bad-answer'],
  ['whose paper is noise', () => shows({ member: 'AAAA' }), 3, 'bad-answer'],
  [
    'whose paper is for another key',
    () => shows({ member: member(home.owner, home.owner.key) }),
    3,
    'bad-answer',
  ],
  ['whose daemon no owner made one', () => shows({ member: member(hub) }), 2, 'usage'],
  ['that names its daemon by no id', () => shows({ hub: 'porch' }), 3, 'bad-answer'],
  [
    'that tells of a device in another way',
    () => shows({ devices: [{ ...PORCH, standing: 'fine' }] }),
    3,
    'bad-answer',
  ],
]
for (const [what, lie, exit, code] of refusals)
  test(`rotate makes nothing for a home ${what}`, async () => {
    lie()
    const ran = await rotate()
    assert.deepEqual([ran.exit, ran.said.code, put], [exit, code, undefined])
  })

test('rotate makes nothing by other words, or in the wrong account', async () => {
  const other = wordsOf(new Secret(systemRandom.bytes(32))).reveal()
  const strange = await rotate([], other)
  assert.deepEqual([strange.exit, strange.said.code, put], [3, 'wrong-audience', undefined])
  const both = await rotate(['--abort', '--now'])
  assert.deepEqual([both.exit, both.said.code], [2, 'usage'])
  const words23 = await rotate([], words.split(' ').slice(1).join(' '))
  assert.deepEqual([words23.exit, words23.said.code, put], [2, 'bad-words', undefined])
})

test('rotate asks for no words when something is announced already', async () => {
  shows({ announced: 1 })
  const { exit, said } = await rotate([], '')
  assert.deepEqual([exit, said.generation, put], [0, 1, undefined])
})

test('rotate --now wants a yes when devices are behind', async () => {
  shows({ announced: 1, devices: [{ ...PORCH, standing: 'behind' }] })
  const { exit, said } = await rotate(['--now'], '')
  assert.deepEqual([exit, said.code], [2, 'usage'])
})

test('rotate that somebody else takes back meanwhile ends with conflict', async () => {
  shows({ announced: 1 })
  home.twist = ({ path, method }) => {
    if (path === '/ca' && method === 'GET') setImmediate(() => shows({}))
    return false
  }
  const { exit, said } = await account.json(['ca', 'rotate'], '')
  assert.deepEqual([exit, said.code], [3, 'conflict'])
})

test('--abort tells what the home says', async () => {
  home.twist = ({ method, path, answer }) => {
    if (`${method} ${path}` !== 'DELETE /ca') return false
    problem(answer, 409, 'conflict')
    return true
  }
  const { exit, said } = await account.jsonWithin(['ca', 'rotate', '--abort'])
  assert.deepEqual([exit, said.code], [3, 'conflict'])
})

const enrol = () => account.json(['enrol', 'porch', '--no-wait'])
const codePins = (code: unknown) => {
  const read = readEnrolCode(code as string)
  assert(read.ok)
  return read.value.hubCas
}

test('codes for devices have the pins that the root says by now, and no older ones', async () => {
  const permits = (asked: Parameters<FakeHome['twist']>[0]) => {
    if (asked.path !== '/enrolments') return false
    json(asked.answer, { permit: 'x' })
    return true
  }
  home.twist = permits
  const own = loadOwner(account.owner).hubCas
  shows({ pins: toBase64url(pinsFrame(hub, 5, { audience: home.id })) })
  const forged = await enrol()
  assert.deepEqual([forged.exit, forged.said.code], [3, 'bad-answer'])
  assert.deepEqual(loadOwner(account.owner).hubCas, own)
  const [second, first] = [pinsFrame(home.root, 2), pinsFrame(home.root, 1)]
  shows({ pins: toBase64url(second) })
  const fresh = await enrol()
  assert.equal(fresh.exit, 0, fresh.out)
  const pins = codePins(fresh.said.code)
  assert.deepEqual([loadOwner(account.owner).generation, loadOwner(account.owner).hubCas], [2, pins])
  assert.notDeepEqual(pins, own)
  shows({ pins: toBase64url(first) })
  assert.deepEqual(codePins((await enrol()).said.code), pins)
})
