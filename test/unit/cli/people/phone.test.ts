// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, suite, test } from 'node:test'
import { fromBase64url, toBase64url, toHex } from '../../../../daemon/base/bytes.ts'
import { systemRandom } from '../../../../daemon/base/random.ts'
import { Secret } from '../../../../daemon/base/secret.ts'
import { loadIdentity } from '../../../../daemon/config/identity.ts'
import type { Signer } from '../../../../daemon/core/envelope/index.ts'
import { keyProof, matchDigits, pairKeys, readPhoneCode } from '../../../../daemon/core/identity/index.ts'
import { idOf } from '../../../../daemon/core/model/index.ts'
import { ed25519, problem } from '../fake-home.ts'
import { open } from '../fake-people.ts'
import { setStage } from './stage.ts'

const stage = setStage()

suite('phone add', () => {
  test('what another owner granted is copied under this seal, as the same grant', async () => {
    const anna = stage.people.owner('anna')
    const first = stage.people.phone('first', 'sitter')
    const body = {
      type: 'grant',
      name: 'sitter',
      devices: [],
      what: [{ affordance: 1, methods: 1 }],
      leaseS: 0,
    }
    const id = systemRandom.bytes(8)
    stage.people.grants.push(open(stage.people.seal({ ...body, id, key: first.key }, anna), 'grant'))
    const { secret } = await begin()
    const said = await stage.done(confirm(ask(secret)))
    assert.deepEqual([said.grants.map((each) => each.id), said.grantsOfOthers], [[toBase64url(id)], 1])
    const copy = stage.people.grants.at(-1)!
    assert.deepEqual(
      [idOf(copy.signer), idOf(copy.body.key!), toBase64url(copy.body.id)],
      [idOf(stage.home.owner.key), idOf(keys.key), toBase64url(id)],
    )
  })

  test('what somebody passed on is left to them, and named', async () => {
    const first = stage.people.phone('first', 'sitter')
    await stage.done('person add anna')
    const anna = stage.people.phone('annas', 'anna')
    const parent = await stage.done('grant anna porch-light on --may-share')
    const id = systemRandom.bytes(8)
    const body = {
      type: 'grant',
      name: 'sitter',
      devices: [],
      what: [{ affordance: 1, methods: 1 }],
      leaseS: 0,
    }
    const passed = { ...body, id, key: first.key, parent: fromBase64url(parent.grant.id)! }
    stage.people.grants.push(open(stage.people.seal(passed, anna), 'grant'))
    const { secret } = await begin()
    const said = await stage.done(confirm(ask(secret)))
    assert.deepEqual([said.grants, said.grantsOfOthers], [[], 0])
    assert.deepEqual(said.passedOn, [{ id: toBase64url(id), by: idOf(anna.key) }])
  })

  const keys = ed25519.signer(systemRandom.bytes(32))
  beforeEach(() => stage.done('person add sitter'))

  async function begin(
    name = 'their phone',
  ): Promise<{ code: string; url: string; pairing: string; secret: Secret }> {
    const said = await stage.done(['phone', 'add', name, '--person', 'sitter', '--no-wait'])
    const read = readPhoneCode(said.code)
    assert.ok(read.ok)
    return { ...said, secret: read.value.secret }
  }

  /** What the page does with the code. */
  function ask(secret: Secret, by: Signer = keys, proofBy: Secret = secret): string {
    const { pairing, hubProofKey } = pairKeys(secret)
    const { ownerProofKey } = pairKeys(proofBy)
    stage.people.pair = stage.people.seal(
      {
        type: 'pair',
        pairing,
        proofForHub: keyProof(hubProofKey, by.key),
        proofForOwner: keyProof(ownerProofKey, by.key),
      },
      by,
    )
    return matchDigits(ownerProofKey, by.key)
  }
  const confirm = (digits: string) => [
    'phone',
    'add',
    'their phone',
    '--person',
    'sitter',
    '--confirm',
    '--yes-if',
    digits,
  ]

  suite('by somebody who passes on', () => {
    const file = () => join(stage.account.base, 'anna.key')
    const add = (...more: string[]) => [
      'phone',
      'add',
      'their phone',
      '--person',
      'cousin',
      '--as',
      file(),
      ...more,
    ]
    let above: string
    beforeEach(async () => {
      for (const each of [file(), `${file()}.people`]) rmSync(each, { recursive: true, force: true })
      const terms = ['--until', '10d', '--may-share', '--out', file()]
      above = (await stage.done(['token', 'add', 'anna', 'porch-light', 'on', ...terms])).grant.id
      stage.home.callers.add(idOf(anna().key))
      await stage.done(`person add cousin --as ${file()}`)
    })
    const anna = () => ed25519.signer(loadIdentity(file()).seed.reveal())

    test('has an address that the hub makes for it, and gives it what was promised, under the grant above', async () => {
      await stage.done(`grant cousin porch-light on --as ${file()}`)
      const asked = stage.home.asked.length
      const shown = await stage.done(add('--no-wait'))
      const read = readPhoneCode(shown.code)
      assert.ok(read.ok)
      assert.equal(stage.people.pairing!.invitation, 'made-by-the-hub')
      const said = await stage.done(add('--confirm', '--yes-if', ask(read.value.secret)))
      const { body, signer } = stage.people.grants.at(-1)!
      assert.deepEqual(
        [said.phone.key, idOf(signer), idOf(body.key!), toBase64url(body.parent!)],
        [idOf(keys.key), idOf(anna().key), idOf(keys.key), above],
      )
      const paths = stage.home.asked.slice(asked)
      assert.ok(
        paths.every((path) => !/status|invitations/.test(path)),
        paths.join(),
      )
    })

    test('copies nothing that an owner gave to the same person', async () => {
      const first = stage.people.phone('first', 'cousin', anna())
      const body = {
        type: 'grant',
        name: 'cousin',
        devices: [],
        what: [{ affordance: 1, methods: 1 }],
        leaseS: 0,
      }
      const frame = stage.people.seal(
        { ...body, id: systemRandom.bytes(8), key: first.key },
        stage.home.owner,
      )
      stage.people.grants.push(open(frame, 'grant'))
      const read = readPhoneCode((await stage.done(add('--no-wait'))).code)
      assert.ok(read.ok)
      const said = await stage.done(add('--confirm', '--yes-if', ask(read.value.secret)))
      assert.deepEqual([said.grants, said.passedOn.length], [[], 1])
    })

    test('has none that asks for a client key, and none when the digits differ', async () => {
      await stage.refused(add('--no-wait', '--auth'), 2, 'usage')
      assert.equal(stage.people.pairing, undefined)
      const read = readPhoneCode((await stage.done(add('--no-wait'))).code)
      assert.ok(read.ok)
      ask(read.value.secret)
      await stage.refused(add('--confirm', '--yes-if', '000000'), 3, 'not-confirmed')
      assert.deepEqual([stage.people.declined, stage.people.withdrawn], [true, ['made-by-the-hub']])
    })
  })

  test('shows one address with the code behind #, and gives the hub its half alone', async () => {
    const { url, code, secret, pairing } = await begin()
    assert.match(url, /^http:\/\/[a-z2-7]{56}\.onion\/#shallot:phone:[\w-]+$/)
    assert.ok(url.endsWith(code))
    const { body, signer } = open(stage.people.pairing!.frame, 'pairing')
    assert.deepEqual(
      [body.name, body.kind, toHex(body.person)],
      ['their phone', 'phone', toHex(stage.people.idOf('sitter'))],
    )
    assert.equal(idOf(signer), idOf(stage.home.owner.key))
    assert.equal(toBase64url(body.pairing), pairing)
    assert.equal(toHex(stage.people.pairing!.proof), toHex(pairKeys(secret).hubProofKey.reveal()))
    assert.ok(stage.people.invited.has(stage.people.pairing!.invitation))
  })

  test('with the digits of the phone it lets it in, and hands over what was promised', async () => {
    await stage.done('grant sitter front-door unlock')
    const { secret } = await begin()
    const said = await stage.done(confirm(ask(secret)))
    assert.deepEqual([said.stage, said.phone.key], ['confirmed', idOf(keys.key)])
    const { body } = stage.people.holders[0]!
    assert.deepEqual([body.name, idOf(body.key), body.kind], ['their phone', idOf(keys.key), 'phone'])
    assert.deepEqual(
      stage.people.grants.map((grant) => idOf(grant.body.key!)),
      [idOf(keys.key)],
    )
    assert.equal((await stage.done('grants sitter')).grants[0]?.standing, 'holds')
  })

  test('a second phone gets copies of what the first holds, and nothing that was taken back', async () => {
    stage.people.phone('first', 'sitter')
    const one = await stage.done('grant sitter front-door unlock')
    const two = await stage.done('grant sitter front-door locked')
    await stage.done(`revoke ${two.grant.id}`)
    const { secret } = await begin()
    const { grants } = await stage.done(confirm(ask(secret)))
    assert.deepEqual(
      grants.map(({ id }: { id: string }) => id),
      [one.grant.id],
    )
  })

  test('what broke off in the middle is finished by the same words, and nothing is given twice', async () => {
    await stage.done('grant sitter front-door unlock')
    await stage.done('grant sitter front-door locked')
    const { secret } = await begin()
    const digits = ask(secret)
    const answers = stage.home.twist
    let left = 1
    stage.home.twist = (asked) => {
      if (`${asked.method} ${asked.path}` !== 'POST /grants' || left-- > 0) return answers(asked)
      problem(asked.answer, 503, 'busy')
      return true
    }
    await stage.refused(confirm(digits), 3, 'busy')
    stage.home.twist = answers
    const { grants } = await stage.done(confirm(digits))
    assert.deepEqual([grants.length, stage.people.grants.length], [2, 2])
  })

  test('other digits are a no: the pairing is over, the address goes, nobody is let in', async () => {
    const { secret } = await begin()
    const digits = ask(secret)
    const other = digits === '000000' ? '000001' : '000000'
    await stage.refused(confirm(other), 3, 'not-confirmed')
    assert.deepEqual(
      [stage.people.holders.length, stage.people.declined, stage.people.withdrawn.length],
      [0, true, 1],
    )
    await stage.refused(confirm(digits), 5, 'not-found')
  })

  test('a key whose holder did not have the code is refused before anybody is asked', async () => {
    const { secret } = await begin()
    ask(secret, keys, new Secret(systemRandom.bytes(16)))
    await stage.refused(confirm('000000'), 3, 'bad-proof')
    assert.equal(stage.people.holders.length, 0)
  })

  test('without a terminal and without --yes-if it says how to confirm, and stays open', async () => {
    const { secret } = await begin()
    const digits = ask(secret)
    const { next } = await stage.refused(
      ['phone', 'add', 'their phone', '--person', 'sitter', '--confirm'],
      2,
      'usage',
    )
    assert.match(next, /--yes-if/)
    await stage.done(confirm(digits))
  })

  test('nobody in particular, a taken name, or digits that are none are refused', async () => {
    await stage.refused(['phone', 'add', 'x'], 2, 'usage')
    await stage.refused(['phone', 'add', 'x', '--person', 'nobody'], 5, 'not-found')
    await stage.refused(['phone', 'add', 'x', '--person', 'sitter', '--yes-if', '12345'], 2, 'usage')
    await stage.refused(['phone', 'add', 'x\u001b[31m', '--person', 'sitter'], 2, 'usage')
    stage.people.phone('x', 'sitter')
    await stage.refused(['phone', 'add', 'x', '--person', 'sitter'], 3, 'name-taken')
    assert.equal(stage.people.pairing, undefined)
  })
})
