// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { pbkdf2Sync } from 'node:crypto'
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, suite, test } from 'node:test'
import { toBase64url, toHex } from '../../../../daemon/base/bytes.ts'
import { systemRandom } from '../../../../daemon/base/random.ts'
import { Secret } from '../../../../daemon/base/secret.ts'
import { loadIdentity } from '../../../../daemon/config/identity.ts'
import { loadOwner } from '../../../../daemon/config/keyring.ts'
import type { Signer } from '../../../../daemon/core/envelope/index.ts'
import { matchDigits, pairKeys, pairProof, readPhoneCode } from '../../../../daemon/core/identity/index.ts'
import { idOf } from '../../../../daemon/core/model/index.ts'
import { Account } from '../as-user.ts'
import { ed25519, FakeHome, json } from '../fake-home.ts'
import { FakePeople, HUB, open } from '../fake-people.ts'

const account = new Account()
let words: string
let home: FakeHome
let people: FakePeople

before(async () => {
  words = await account.init()
  home = await new FakeHome(words).listen(account.data)
})
after(async () => {
  await home[Symbol.asyncDispose]()
  account[Symbol.dispose]()
})
beforeEach(() => {
  home.devices.length = 0
  home.asked.length = 0
  people = new FakePeople(home)
  home.twist = people.twist
  home.device('porch-light', [1, 2, 5])
  home.device('front-door', [7, 8, 9, 10, 11])
  for (const kept of ['revocation', 'revocation-root', 'revocation-notes', 'promises', 'pairings']) {
    rmSync(join(account.owner, kept), { recursive: true, force: true })
  }
})

/** What the verbs say with --json, as far as it is looked at here. */
interface Said {
  readonly stage: string
  readonly person: { readonly id: string }
  readonly people: readonly { name: string; phones: number; grants: number; promised: number }[]
  readonly grant: { readonly id: string }
  readonly grants: readonly { id: string; standing: string }[]
  readonly groups: unknown
  readonly grantsOfOthers: number
  readonly promised: boolean
  readonly told: number
  readonly sealed: number
  readonly entries: number
  readonly phone: { readonly key: string }
  readonly phones: readonly { readonly name: string }[]
  readonly pins: readonly unknown[]
  readonly pin: string
  readonly rounds: number
  readonly replaced: number
  readonly file: string
  readonly token: string
  readonly code: string
  readonly url: string
  readonly pairing: string
  readonly owners: readonly unknown[]
  readonly operation: string
  readonly next: string
}

async function done(line: string | readonly string[]): Promise<Said> {
  const args = typeof line === 'string' ? line.split(' ') : line
  const { exit, said, out } = await account.jsonWithin(args)
  assert.equal(exit, 0, out)
  return said as unknown as Said
}

async function refused(line: string | readonly string[], exit: number, code: string): Promise<Said> {
  const args = typeof line === 'string' ? line.split(' ') : line
  const ran = await account.jsonWithin(args)
  assert.deepEqual([ran.exit, ran.said.code], [exit, code], ran.out)
  return ran.said as unknown as Said
}

const deviceKey = (name: string) => home.devices.find((device) => device.name === name)!.signer.key

suite('person', () => {
  test('add seals a name for a fresh id, as the owner', async () => {
    const { person } = await done('person add sitter')
    const [sealed] = people.people
    assert.equal(toBase64url(sealed!.body.person), person.id)
    assert.deepEqual([sealed!.body.name, idOf(sealed!.signer)], ['sitter', idOf(home.owner.key)])
    assert.ok(home.asked.includes(`PUT /people/${person.id}`))
  })

  test('list counts phones, grants and promises', async () => {
    await done('person add sitter')
    await done('grant sitter front-door unlock')
    assert.equal((await done('person list')).people[0]?.promised, 1)
    people.phone('phone', 'sitter')
    await done('grant sitter front-door locked')
    const [row] = (await done('person list')).people
    assert.ok(row)
    assert.deepEqual([row.name, row.phones, row.grants, row.promised], ['sitter', 1, 1, 1])
  })

  test('remove takes back every grant and every key before the person is forgotten', async () => {
    await done('person add sitter')
    const phone = people.phone('phone', 'sitter')
    await done('grant sitter front-door unlock')
    await done('pin set sitter front-door --pin 482913')
    await done('person remove sitter --yes')
    const { entries } = people.revocations.at(-1)!.body
    const ids = people.grants.map(({ body }) => toHex(body.id))
    assert.deepEqual(new Set(entries.map(toHex)), new Set([...ids, toHex(phone.key)]))
    const order = home.asked.filter((line) => /^PUT \/revocations|^DELETE \/people/.test(line))
    assert.match(order[0]!, /PUT/)
    assert.match(order.at(-1)!, /DELETE/)
  })

  test('a name that is taken, empty or not printable is refused', async () => {
    await done('person add sitter')
    await refused('person add sitter', 3, 'name-taken')
    for (const name of ['', ' x', 'a/b', 'a\u0000b', 'a\u001b[2Jb', 'a\u202eb', 'x'.repeat(65)]) {
      await refused(['person', 'add', name], 2, 'usage')
    }
    assert.equal(people.people.length, 1)
  })

  test('markup in a name is text: it is kept as it is and shown as it is', async () => {
    const name = '<img src=x onerror=alert(1)>'
    await done(['person', 'add', name])
    assert.equal(people.people[0]!.body.name, name)
    assert.match((await account.within(['person', 'list'])).out, /<img src=x onerror=alert\(1\)>/)
  })

  test('a person whom only the hub knows is refused: no owner sealed the name', async () => {
    const stranger = ed25519.signer(systemRandom.bytes(32))
    const frame = people.seal({ type: 'person', name: 'sitter', person: new Uint8Array(8) }, stranger)
    people.people.push(open(frame, 'person'))
    await refused('grant sitter front-door unlock', 3, 'unknown-signer')
  })
})

suite('grant', () => {
  beforeEach(() => done('person add sitter'))

  test('seals one copy for each phone of the person, under one id', async () => {
    const phones = [people.phone('phone', 'sitter'), people.phone('tablet', 'sitter')]
    const { grant, promised } = await done('grant sitter front-door unlock')
    assert.equal(promised, false)
    assert.deepEqual(
      new Set(people.grants.map(({ body }) => idOf(body.key!))),
      new Set(phones.map(({ key }) => idOf(key))),
    )
    for (const { body, signer } of people.grants) {
      assert.equal(toBase64url(body.id), grant.id)
      assert.equal(idOf(signer), idOf(home.owner.key))
      assert.deepEqual(body.what, [{ affordance: 9, methods: 2 }])
      assert.deepEqual(
        body.devices.map((each) => toBase64url(each as Uint8Array)),
        [idOf(deviceKey('front-door'))],
      )
      assert.deepEqual(
        [body.leaseS, body.share, body.uses, body.hours],
        [86_400, undefined, undefined, undefined],
      )
    }
  })

  test('carries hours, times, uses, sharing and lease', async () => {
    people.phone('phone', 'sitter')
    const line = [
      'grant',
      'sitter',
      'front-door',
      'unlock',
      'locked',
      '--hours',
      'Mon-Fri 08:00-18:00',
      '--uses',
      '3',
    ]
    await done([...line, '--from', '2027-01-01', '--until', '2027-01-31', '--may-share', '--lease', '3d'])
    const { body } = people.grants[0]!
    assert.deepEqual(
      body.what.map(({ affordance }) => affordance),
      [7, 9],
    )
    assert.deepEqual(body.hours, [{ days: 31, from: 480, to: 1080 }])
    assert.deepEqual([body.uses, body.share, body.leaseS], [3, 1, 259_200])
    // Midnight in Berlin.
    assert.deepEqual(
      [body.notBefore, body.expiresAt],
      [Date.UTC(2026, 11, 31, 23) / 1000, Date.UTC(2027, 0, 31, 23) / 1000],
    )
  })

  test('--lease none is a grant for the day the hub is dead', async () => {
    people.phone('phone', 'sitter')
    await done('grant sitter front-door unlock --lease none')
    assert.equal(people.grants[0]!.body.leaseS, 0)
  })

  test('everything is a grant that names no device', async () => {
    people.phone('phone', 'sitter')
    await done('grant sitter everything all')
    assert.deepEqual(people.grants[0]!.body.devices, [])
    assert.equal(people.grants[0]!.body.what.length, 8)
  })

  test('for somebody without a phone it is promised: nothing is sealed, and it is kept for the owner alone', async () => {
    const { promised, grant } = await done('grant sitter front-door unlock')
    assert.equal(promised, true)
    assert.equal(people.grants.length, 0)
    const file = join(account.owner, 'promises', `${toHex(people.idOf('sitter'))}.json`)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    const [row] = (await done('grants sitter')).grants
    assert.deepEqual([row?.id, row?.standing], [grant.id, 'promised'])
    await done(`revoke ${grant.id}`)
    assert.equal(existsSync(file), false)
  })

  const bad: [string, number, string][] = [
    ['grant nobody front-door unlock', 5, 'not-found'],
    ['grant sitter back-door unlock', 5, 'not-found'],
    ['grant sitter front-door', 2, 'usage'],
    ['grant sitter front-door on', 5, 'no-such-affordance'],
    ['grant sitter front-door unlock:read', 2, 'usage'],
    ['grant sitter front-door unlock --hours never', 2, 'usage'],
    ['grant sitter front-door unlock --until yesterday', 2, 'usage'],
    ['grant sitter front-door unlock --until 2020-01-01', 2, 'usage'],
    ['grant sitter front-door unlock --from 2d --until 1d', 2, 'usage'],
    ['grant sitter front-door unlock --uses 1', 2, 'usage'],
    ['grant sitter front-door unlock --uses 0 --until 1d', 2, 'usage'],
    ['grant sitter front-door unlock --uses 256 --until 1d', 2, 'usage'],
    ['grant sitter front-door unlock --lease 8d', 2, 'usage'],
    ['grant sitter front-door unlock --lease forever', 2, 'usage'],
    ['grant sitter group:front-door unlock', 5, 'not-found'],
  ]
  for (const [line, exit, code] of bad) {
    test(`shallot ${line}: ${exit} ${code}`, async () => {
      await refused(line, exit, code)
      assert.equal(people.grants.length, 0)
    })
  }

  test('a device that no owner has confirmed cannot be granted: the hub could show any', async () => {
    home.devices[1]!.confirmed = false
    await refused('grant sitter front-door unlock', 3, 'unconfirmed')
  })

  test('a record that binds another key to the name is refused, and nothing is sealed', async () => {
    people.phone('phone', 'sitter')
    const [light, door] = home.devices
    const swapped = { ...door!, record: () => light!.record('front-door') }
    people.records.set(door!.id, open(swapped.record(), 'enrolment'))
    await refused('grant sitter front-door unlock', 3, 'unknown-signer')
    assert.equal(people.grants.length, 0)
  })

  test('a phone that only the hub put under the name gets nothing', async () => {
    people.phone('phone', 'sitter')
    people.phone('trojan', 'sitter', ed25519.signer(systemRandom.bytes(32)))
    await done('grant sitter front-door unlock')
    assert.equal(people.grants.length, 1)
  })

  test('is said to be the hours of the home, to a person', async () => {
    people.phone('phone', 'sitter')
    const line = [
      'grant',
      'sitter',
      'front-door',
      'unlock',
      '--hours',
      'Mon-Fri 8-18',
      '--until',
      '2027-01-31 12:00',
    ]
    const { out } = await account.within(line)
    assert.match(out, /sitter may: unlock on front-door, Mon–Fri 08:00–18:00, until 2027-01-31 12:00/)
  })
})

suite('revoke', () => {
  let phone: Signer
  beforeEach(async () => {
    await done('person add sitter')
    phone = people.phone('phone', 'sitter')
  })
  const entries = () => people.revocations.at(-1)!.body.entries.map(toHex)

  test('a grant: its id, in a list that rises', async () => {
    const one = await done('grant sitter front-door unlock')
    const two = await done('grant sitter front-door locked')
    assert.equal((await done(`revoke ${one.grant.id}`)).told, 2)
    await done(`revoke ${two.grant.id}`)
    assert.deepEqual(
      entries(),
      people.grants.map(({ body }) => toHex(body.id)),
    )
    const [first, second] = people.revocations
    assert.ok(second!.body.sequence > first!.body.sequence)
  })

  test('never loses an entry, also when the home shows an older list or none', async () => {
    const one = await done('grant sitter front-door unlock')
    await done(`revoke ${one.grant.id}`)
    people.revocations.length = 0
    const two = await done('grant sitter front-door locked')
    await done(`revoke ${two.grant.id}`)
    assert.equal(entries().length, 2)
  })

  test('takes over what another machine of this owner took back', async () => {
    const other = systemRandom.bytes(8)
    const frame = people.seal({ type: 'revocation', entries: [other], floor: 7 }, home.owner)
    people.revocations.push(open(frame, 'revocation'))
    const { grant } = await done('grant sitter front-door unlock')
    await done(`revoke ${grant.id}`)
    assert.ok(entries().includes(toHex(other)))
    assert.equal(people.revocations.at(-1)!.body.floor, 7)
  })

  test('leaves the lists of others alone', async () => {
    const stranger = people.seal({ type: 'revocation', entries: [systemRandom.bytes(8)] }, home.root)
    people.revocations.push(open(stranger, 'revocation'))
    const { grant } = await done('grant sitter front-door unlock')
    await done(`revoke ${grant.id}`)
    assert.equal(entries().length, 1)
  })

  test('a person: all that was granted, codes included, and what was promised; the phone stays', async () => {
    await done('grant sitter front-door unlock')
    await done('pin set sitter front-door --pin 482913')
    await done('revoke sitter')
    assert.equal(entries().length, 2)
    assert.ok(!entries().includes(toHex(phone.key)))
  })

  test('a phone: its key and its address; another phone keeps both', async () => {
    people.phone('tablet', 'sitter')
    await done('revoke phone --yes')
    assert.deepEqual(entries(), [toHex(phone.key)])
    const { phones } = await done('phone list')
    assert.deepEqual(
      phones.map(({ name }: { name: string }) => name),
      ['tablet'],
    )
  })

  test('asks nobody without a terminal, and does nothing then', async () => {
    await refused('revoke phone', 2, 'usage')
    await refused('phone revoke phone', 2, 'usage')
    await refused('person remove sitter', 2, 'usage')
    assert.equal(people.revocations.length, 0)
  })

  test('what is not there is exit 5', async () => {
    await refused('revoke nobody', 5, 'not-found')
    await refused('revoke AAAAAAAAAAA', 5, 'not-found')
    await refused('revoke', 2, 'usage')
  })

  const fill = (count: number, of: (at: number) => object = () => ({})) => {
    const ids = Array.from({ length: count }, () => systemRandom.bytes(8))
    for (const [at, id] of ids.entries()) {
      const body = {
        type: 'grant',
        name: 'x',
        id,
        devices: [],
        what: [{ affordance: 1, methods: 1 }],
        leaseS: 0,
      }
      const frame = people.seal({ ...body, key: phone.key, ...of(at) }, home.owner)
      people.grants.push(open(frame, 'grant'))
    }
    people.revocations.push(open(people.seal({ type: 'revocation', entries: ids }, home.owner), 'revocation'))
  }

  test('a full list leaves out grants that have ended, and only those', async () => {
    fill(80, (at) => (at < 5 ? { expiresAt: 1_700_000_000 } : {}))
    const { grant } = await done('grant sitter front-door unlock')
    await done(`revoke ${grant.id}`)
    const { body, frame } = people.revocations.at(-1)!
    assert.equal(body.entries.length, 76)
    assert.ok(frame.length <= 1024)
  })

  test('a list that is full of what could still be used is refused, with what to do; nothing is lost', async () => {
    fill(80)
    const { grant } = await done('grant sitter front-door unlock')
    const { next } = await refused(`revoke ${grant.id}`, 3, 'grants-full')
    assert.match(next, /revoke --start-over/)
    assert.equal(people.revocations.length, 1)
  })

  test('--start-over keeps what it cannot know to be its own', async () => {
    const other = systemRandom.bytes(8)
    people.revocations.push(
      open(people.seal({ type: 'revocation', entries: [other] }, home.owner), 'revocation'),
    )
    await done('revoke --start-over')
    assert.deepEqual(entries(), [toHex(other)])
  })

  test('--start-over seals what holds anew, voids the rest by the floor, and keeps keys', async () => {
    fill(60, () => ({ sealedAt: 1_700_000_000 }))
    await done('grant sitter front-door unlock')
    const living = people.grants.at(-1)!.body
    const tablet = people.phone('tablet', 'sitter')
    await done('revoke tablet --yes')
    const before = people.grants.length
    const { sealed, entries: left } = await done('revoke --start-over')
    const { body } = people.revocations.at(-1)!
    assert.deepEqual([sealed, left, body.entries.map(toHex)], [1, 1, [toHex(tablet.key)]])
    const anew = people.grants.slice(before)
    assert.deepEqual(
      anew.map(({ body }) => [body.what, idOf(body.key!)]),
      [[living.what, idOf(living.key!)]],
    )
    assert.notEqual(toHex(anew[0]!.body.id), toHex(living.id))
    assert.ok(anew[0]!.body.sealedAt >= body.floor!)
    assert.ok(people.grants[0]!.body.sealedAt < body.floor!)
  })
})

suite('phone add', () => {
  test('what another owner granted is left to them', async () => {
    await account.json(['owner', 'add', 'anna', '--into', join(account.base, 'other')], words)
    const anna = loadOwner(join(account.base, 'other')).owner
    rmSync(join(account.base, 'other'), { recursive: true })
    const first = people.phone('first', 'sitter')
    const body = {
      type: 'grant',
      name: 'sitter',
      devices: [],
      what: [{ affordance: 1, methods: 1 }],
      leaseS: 0,
    }
    people.grants.push(
      open(people.seal({ ...body, id: systemRandom.bytes(8), key: first.key }, anna), 'grant'),
    )
    const { secret } = await begin()
    const said = await done(confirm(ask(secret)))
    assert.deepEqual([said.grants.length, said.grantsOfOthers], [0, 1])
  })

  const keys = ed25519.signer(systemRandom.bytes(32))
  beforeEach(() => done('person add sitter'))

  async function begin(
    name = 'their phone',
  ): Promise<{ code: string; url: string; pairing: string; secret: Secret }> {
    const said = await done(['phone', 'add', name, '--person', 'sitter', '--no-wait'])
    const read = readPhoneCode(said.code)
    assert.ok(read.ok)
    return { ...said, secret: read.value.secret }
  }

  /** What the page does with the code. */
  function ask(secret: Secret, by: Signer = keys, proofBy: Secret = secret): string {
    const { pairing, hubProofKey } = pairKeys(secret)
    const { ownerProofKey } = pairKeys(proofBy)
    people.pair = people.seal(
      {
        type: 'pair',
        pairing,
        proofForHub: pairProof(hubProofKey, by.key),
        proofForOwner: pairProof(ownerProofKey, by.key),
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

  test('shows one address with the code behind #, and gives the hub its half alone', async () => {
    const { url, code, secret, pairing } = await begin()
    assert.match(url, /^http:\/\/[a-z2-7]{56}\.onion\/#shallot:phone:[\w-]+$/)
    assert.ok(url.endsWith(code))
    const { body, signer } = open(people.pairing!.frame, 'pairing')
    assert.deepEqual(
      [body.name, body.kind, toHex(body.person)],
      ['their phone', 'phone', toHex(people.idOf('sitter'))],
    )
    assert.equal(idOf(signer), idOf(home.owner.key))
    assert.equal(toBase64url(body.pairing), pairing)
    assert.equal(toHex(people.pairing!.proof), toHex(pairKeys(secret).hubProofKey.reveal()))
    assert.ok(people.invited.has(people.pairing!.invitation))
  })

  test('with the digits of the phone it lets it in, and hands over what was promised', async () => {
    await done('grant sitter front-door unlock')
    const { secret } = await begin()
    const said = await done(confirm(ask(secret)))
    assert.deepEqual([said.stage, said.phone.key], ['confirmed', idOf(keys.key)])
    const { body } = people.holders[0]!
    assert.deepEqual([body.name, idOf(body.key), body.kind], ['their phone', idOf(keys.key), 'phone'])
    assert.deepEqual(
      people.grants.map((grant) => idOf(grant.body.key!)),
      [idOf(keys.key)],
    )
    assert.equal((await done('grants sitter')).grants[0]?.standing, 'holds')
  })

  test('a second phone gets copies of what the first holds, and nothing that was taken back', async () => {
    people.phone('first', 'sitter')
    const one = await done('grant sitter front-door unlock')
    const two = await done('grant sitter front-door locked')
    await done(`revoke ${two.grant.id}`)
    const { secret } = await begin()
    const { grants } = await done(confirm(ask(secret)))
    assert.deepEqual(
      grants.map(({ id }: { id: string }) => id),
      [one.grant.id],
    )
  })

  test('other digits are a no: the pairing is over, the address goes, nobody is let in', async () => {
    const { secret } = await begin()
    const digits = ask(secret)
    const other = digits === '000000' ? '000001' : '000000'
    await refused(confirm(other), 3, 'not-confirmed')
    assert.deepEqual([people.holders.length, people.declined, people.withdrawn.length], [0, true, 1])
    await refused(confirm(digits), 5, 'not-found')
  })

  test('a key whose holder did not have the code is refused before anybody is asked', async () => {
    const { secret } = await begin()
    ask(secret, keys, new Secret(systemRandom.bytes(16)))
    await refused(confirm('000000'), 3, 'bad-proof')
    assert.equal(people.holders.length, 0)
  })

  test('without a terminal and without --yes-if it says how to confirm, and stays open', async () => {
    const { secret } = await begin()
    const digits = ask(secret)
    const { next } = await refused(
      ['phone', 'add', 'their phone', '--person', 'sitter', '--confirm'],
      2,
      'usage',
    )
    assert.match(next, /--yes-if/)
    await done(confirm(digits))
  })

  test('nobody in particular, a taken name, or digits that are none are refused', async () => {
    await refused(['phone', 'add', 'x'], 2, 'usage')
    await refused(['phone', 'add', 'x', '--person', 'nobody'], 5, 'not-found')
    await refused(['phone', 'add', 'x', '--person', 'sitter', '--yes-if', '12345'], 2, 'usage')
    await refused(['phone', 'add', 'x\u001b[31m', '--person', 'sitter'], 2, 'usage')
    people.phone('x', 'sitter')
    await refused(['phone', 'add', 'x', '--person', 'sitter'], 3, 'name-taken')
    assert.equal(people.pairing, undefined)
  })
})

suite('pin', () => {
  beforeEach(() => done('person add sitter'))

  test('set stretches the code: the digits are in no byte that leaves, and not in what is said', async () => {
    const { exit, out, err } = await account.run(['pin', 'set', 'sitter', 'front-door', '--json'], '482913\n')
    assert.equal(exit, 0, out)
    assert.ok(!`${out}${err}`.includes('482913'))
    const { body, frame } = people.grants[0]!
    assert.equal(body.key, undefined)
    const { salt, rounds, key } = body.pin!
    assert.deepEqual(key, Uint8Array.from(pbkdf2Sync('482913', salt, rounds, 32, 'sha256')))
    assert.equal(Buffer.from(frame).includes('482913'), false)
    assert.deepEqual([body.leaseS, body.what], [0, [{ affordance: 9, methods: 2 }]])
  })

  test('generated is shown once, and is the code', async () => {
    const { pin, rounds } = await done('pin set sitter front-door --pin generated --rounds 1000')
    assert.match(pin, /^\d{6}$/)
    const { salt, key } = people.grants[0]!.body.pin!
    assert.deepEqual(key, Uint8Array.from(pbkdf2Sync(pin, salt, rounds, 32, 'sha256')))
    assert.ok(!JSON.stringify(await done('pin list')).includes(pin))
  })

  test('a new code voids the one before it; a code that somebody has is refused', async () => {
    await done('pin set sitter front-door --pin 482913')
    await refused('pin set sitter front-door --pin 482913', 3, 'conflict')
    await done('person add anna')
    await refused('pin set anna front-door --pin 482913', 3, 'conflict')
    assert.equal((await done('pin set sitter front-door --pin 557711')).replaced, 1)
    assert.deepEqual(people.revocations.at(-1)!.body.entries.map(toHex), [toHex(people.grants[0]!.body.id)])
    assert.equal((await done('pin list')).pins.length, 1)
  })

  test('remove takes the code back', async () => {
    await done('pin set sitter front-door --pin 482913')
    await done('pin remove sitter front-door --yes')
    assert.equal((await done('pin list')).pins.length, 0)
    await refused('pin remove sitter front-door --yes', 5, 'not-found')
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
      const said = await refused(line, exit, code)
      assert.ok(!JSON.stringify(said).includes('4711'))
      assert.equal(people.grants.length, 0)
    })
  }
})

suite('group', () => {
  test("add seals the devices' records anew, with the group, and rename keeps it", async () => {
    await done('group add doors front-door')
    const [, door] = home.devices
    assert.deepEqual(people.records.get(door!.id)!.body.groups, ['doors'])
    assert.deepEqual((await done('group list')).groups, [
      { name: 'doors', devices: [{ id: door!.id, name: 'front-door' }] },
    ])
    await done('person add sitter')
    people.phone('phone', 'sitter')
    await done('grant sitter doors unlock')
    assert.deepEqual(people.grants[0]!.body.devices, ['doors'])
    await done('group remove doors front-door')
    assert.equal(people.records.get(door!.id)!.body.groups, undefined)
  })

  test('nothing is changed when one of the devices is not there', async () => {
    await refused('group add doors front-door back-door', 5, 'not-found')
    assert.equal(people.records.size, 0)
  })

  for (const [line, exit, code] of [
    ['group add doors', 2, 'usage'],
    ['group add everything front-door', 2, 'usage'],
    ['group add seventeen-letters front-door', 2, 'usage'],
    ['group remove doors front-door', 5, 'not-found'],
  ] as const) {
    test(`shallot ${line}: ${exit} ${code}`, async () => {
      await refused(line, exit, code)
    })
  }

  test('a fifth group of one device is refused', async () => {
    for (const name of ['a', 'b', 'c', 'd']) await done(`group add ${name} front-door`)
    await refused('group add e front-door', 2, 'usage')
  })
})

suite('token', () => {
  const file = join(account.base, 'heating.key')
  beforeEach(() => rmSync(file, { force: true }))

  test('add writes a private file with a key of its own, known to the home as a script with this grant', async () => {
    const said = await done('token add heating porch-light on level:read')
    assert.equal(said.file, file)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    const identity = loadIdentity(file)
    const key = ed25519.signer(identity.seed.reveal()).key
    const [holder] = people.holders
    assert.deepEqual([holder!.body.kind, idOf(holder!.body.key)], ['script', idOf(key)])
    assert.deepEqual(
      people.grants.map(({ body }) => [idOf(body.key!), body.what]),
      [
        [
          idOf(key),
          [
            { affordance: 1, methods: 5 },
            { affordance: 2, methods: 1 },
          ],
        ],
      ],
    )
    assert.notEqual(idOf(key), idOf(loadOwner(account.owner).owner.key))
    assert.ok(
      !readFileSync(file, 'utf8').includes(toBase64url(readFileSync(join(account.owner, 'owner.key')))),
    )
  })

  test('--bearer shows a token once, and hands the hub its digest and a grant for the hub', async () => {
    const { token } = await done('token add dashboard everything all:read --bearer')
    assert.match(token, /^shallot_[\w-]{43}$/)
    const kept = people.tokens.get('dashboard')!
    assert.ok(!JSON.stringify([...people.tokens]).includes(token))
    assert.equal(kept.digest.length, 43)
    assert.equal(idOf(people.grants[0]!.body.key!), idOf(HUB.key))
    assert.ok(!JSON.stringify(await done('token list')).includes(token))
  })

  test('remove takes back the grant and the key, or the token and its grant', async () => {
    await done('token add heating porch-light on')
    await done('token add dashboard everything all:read --bearer')
    const [script, bearer] = people.grants
    await done('token remove heating --yes')
    assert.equal(people.revocations.at(-1)!.body.entries.length, 2)
    await done('token remove dashboard --yes')
    assert.equal(people.tokens.size, 0)
    const ids = people.revocations.at(-1)!.body.entries.map(toHex)
    for (const { body } of [script!, bearer!]) assert.ok(ids.includes(toHex(body.id)))
  })

  test('a file that is there is never written over', async () => {
    writeFileSync(file, 'mine')
    await refused('token add heating porch-light on', 3, 'conflict')
    assert.equal(readFileSync(file, 'utf8'), 'mine')
    assert.deepEqual([people.people.length, people.grants.length], [0, 0])
  })

  for (const [line, exit, code] of [
    ['token add heating porch-light', 2, 'usage'],
    ['token add ../heating porch-light on', 2, 'usage'],
    ['token add heating porch-light unlock', 5, 'no-such-affordance'],
    ['token add heating porch-light on --bearer --away', 2, 'usage'],
    ['token add heating porch-light on --bearer --out x', 2, 'usage'],
    ['token remove heating --yes', 5, 'not-found'],
  ] as const) {
    test(`shallot ${line}: ${exit} ${code}`, async () => {
      await refused(line, exit, code)
      assert.equal(existsSync(file), false)
    })
  }
})

suite('with --as, the key of a script', () => {
  const file = join(account.base, 'lamp.key')
  before(async () => {
    people = new FakePeople(home)
    home.twist = people.twist
    home.device('porch-light', [1, 2, 5])
    rmSync(file, { force: true })
    await done('token add lamp porch-light on')
  })

  beforeEach(() => {
    home.callers.add(idOf(ed25519.signer(loadIdentity(file).seed.reveal()).key))
    home.commands.length = 0
  })
  const GRANT = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)

  test('set names the grant that the home says fits, and is sealed by the script', async () => {
    people.may = { on: { write: { ok: true, grant: toBase64url(GRANT) } } }
    const { way, values } = (await done(`set porch-light on true --as ${file}`)) as unknown as Record<
      string,
      unknown
    >
    assert.deepEqual([way, values], ['unix', { on: true }])
    assert.deepEqual(home.commands[0]!.grant, GRANT)
  })

  test('what was not granted is refused before anything is sealed', async () => {
    people.may = { on: { read: { ok: true, grant: toBase64url(GRANT) } } }
    await refused(`set porch-light on true --as ${file}`, 3, 'not-granted')
    await refused(`set porch-light level 5 --as ${file}`, 3, 'not-granted')
    await refused(`set garage on true --as ${file}`, 5, 'not-found')
    assert.equal(home.commands.length, 0)
  })

  test('a reason that the home gives is told, by its code', async () => {
    const detail = 'outside your hours: Mon–Fri 08:00–18:00'
    people.may = { on: { write: { ok: false, code: 'outside-hours', detail } } }
    const { message } = (await refused(
      `set porch-light on true --as ${file}`,
      3,
      'outside-hours',
    )) as unknown as {
      message: string
    }
    assert.match(message, /outside your hours: Mon–Fri 08:00–18:00/)
  })

  test('an owner of later days is believed by the seal of the root, and nobody else', async () => {
    people.may = { on: { write: { ok: true, grant: toBase64url(GRANT) } } }
    const anna = ed25519.signer(systemRandom.bytes(32))
    const [light] = home.devices
    people.records.set(light!.id, open(light!.record('porch-light', light!.signer.key, anna), 'enrolment'))
    await refused(`set porch-light on true --as ${file}`, 3, 'unknown-signer')
    people.owners.push(people.seal({ type: 'owner', name: 'anna', key: anna.key }, home.root))
    await done(`set porch-light on true --as ${file}`)
    people.owners.push(people.seal({ type: 'owner', name: 'eve', key: anna.key }, anna))
    await refused(`set porch-light on true --as ${file}`, 3, 'bad-answer')
  })

  test('SHALLOT_IDENTITY does the same as --as', async () => {
    people.may = { on: { write: { ok: true, grant: toBase64url(GRANT) } } }
    account.environment.SHALLOT_IDENTITY = file
    await done('set porch-light on false')
    delete account.environment.SHALLOT_IDENTITY
    assert.deepEqual(home.commands[0]!.grant, GRANT)
  })

  test('no owner’s verb is done: nothing is asked of the home', async () => {
    home.asked.length = 0
    for (const line of [
      'person list',
      'grants',
      'grant a b c',
      'revoke x',
      'token list',
      'owner list',
      'phone list',
    ]) {
      await refused(`${line} --as ${file}`, 3, 'not-permitted')
    }
    assert.deepEqual(home.asked, [])
  })

  test('a key file that others can read is refused', async () => {
    const open = join(account.base, 'open.key')
    writeFileSync(open, readFileSync(file), { mode: 0o644 })
    await refused(`get porch-light --as ${open}`, 3, 'too-open')
    rmSync(open)
  })

  test('a file that is none, or no identity, is told apart', async () => {
    await refused('get porch-light --as nowhere.key', 5, 'missing')
    const other = join(account.base, 'other.key')
    writeFileSync(other, '{}', { mode: 0o600 })
    await refused(`get porch-light --as ${other}`, 2, 'bad-config')
    rmSync(other)
  })
})

suite('owner', () => {
  const into = join(account.base, 'anna')
  beforeEach(() => rmSync(into, { recursive: true, force: true }))

  test('add makes an owner by the words, with a directory that is theirs', async () => {
    const { exit, said, out } = await account.json(['owner', 'add', 'anna', '--into', into], words)
    assert.equal(exit, 0, out)
    const { body, signer } = open(people.owners[1]!, 'owner')
    assert.deepEqual(
      [body.name, idOf(signer), idOf(body.key)],
      ['anna', home.id, (said.owner as { key: string }).key],
    )
    const ring = loadOwner(into)
    assert.deepEqual([ring.name, idOf(ring.owner.key), ring.owners.length], ['anna', idOf(body.key), 2])
    assert.notEqual(idOf(ring.owner.key), idOf(home.owner.key))
    assert.equal((await done('owner list')).owners.length, 2)
  })

  test('remove needs the words, names the owner in the list of the root, and confirms their devices anew', async () => {
    await account.json(['owner', 'add', 'anna', '--into', into], words)
    const anna = loadOwner(into).owner
    const [light] = home.devices
    people.records.set(light!.id, open(light!.record('porch-light', light!.signer.key, anna), 'enrolment'))
    const { exit, said, out } = await account.json(['owner', 'remove', 'anna', '--yes'], words)
    assert.equal(exit, 0, out)
    assert.equal(said.resealed, 1)
    const { body, signer } = people.revocations.at(-1)!
    assert.deepEqual([idOf(signer), body.entries.map(toHex)], [home.id, [toHex(anna.key)]])
    assert.equal(idOf(people.records.get(light!.id)!.signer), idOf(home.owner.key))
    assert.equal(loadOwner(account.owner).owners.length, 1)
  })

  test('other words, no words, oneself and nobody are refused', async () => {
    const other = `${'abandon '.repeat(23)}art`
    const run = (args: string[], input: string) => account.json(args, input)
    const wrong = await run(['owner', 'add', 'eve', '--into', into], other)
    assert.deepEqual([wrong.exit, wrong.said.code], [3, 'wrong-audience'])
    const none = await run(['owner', 'add', 'eve', '--into', into], 'one two')
    assert.deepEqual([none.exit, none.said.code], [2, 'bad-words'])
    assert.equal(existsSync(into), false)
    await refused('owner remove owner --yes', 3, 'conflict')
    await refused('owner remove nobody --yes', 5, 'not-found')
    await refused(`owner add anna --into ${account.owner}`, 3, 'home-exists')
  })
})

suite('why', () => {
  beforeEach(() => done('person add sitter'))

  test('asks about a person, a device and an operation, and says the sentence', async () => {
    people.why = {
      allowed: false,
      code: 'outside-hours',
      detail: 'outside your hours: Mon–Fri 08:00–18:00',
      tried: [
        {
          grant: 'AAAAAAAAAAA',
          name: 'sitter',
          code: 'outside-hours',
          detail: 'outside your hours: Mon–Fri 08:00–18:00',
        },
      ],
    }
    const { out, exit } = await account.within(['why', 'sitter', 'front-door', 'unlock'])
    assert.equal(exit, 0)
    assert.match(out, /No: sitter may not unlock on front-door\. outside your hours: Mon–Fri 08:00–18:00/)
    const query = new URLSearchParams(people.asks[0])
    assert.equal(query.get('holder'), toBase64url(people.idOf('sitter')))
    assert.deepEqual([query.get('affordance'), query.get('operation')], ['unlock', 'invoke'])
  })

  test('a yes names the grant', async () => {
    people.why = { allowed: true, grant: 'AAAAAAAAAAA', tried: [] }
    const { out } = await account.within(['why', 'sitter', 'porch-light', 'on:read'])
    assert.match(out, /Yes: sitter may see on of porch-light, by grant AAAAAAAAAAA/)
    assert.equal((await done('why sitter porch-light on')).operation, 'write')
  })

  for (const [line, exit, code] of [
    ['why nobody front-door unlock', 5, 'not-found'],
    ['why sitter back-door unlock', 5, 'not-found'],
    ['why sitter front-door fly', 5, 'no-such-affordance'],
    ['why sitter porch-light on:burn', 2, 'usage'],
    ['why sitter front-door unlock --at never', 2, 'usage'],
  ] as const) {
    test(`shallot ${line}: ${exit} ${code}`, async () => {
      await refused(line, exit, code)
    })
  }
})

test('a hub that shows a zone nobody knows is not believed', async () => {
  people.zone = 'Atlantis/Main'
  await refused('person list', 3, 'bad-answer')
})

test('log asks for who, device and since', async () => {
  await done('person add sitter')
  const asked: string[] = []
  const before = home.twist
  home.twist = (each) => {
    if (!each.path.startsWith('/log')) return before(each)
    asked.push(each.path)
    json(each.answer, { entries: [] })
    return true
  }
  await done('log --who sitter --device front-door --since 7d')
  const query = new URL(asked[0]!, 'http://x').searchParams
  assert.deepEqual([query.get('who'), query.get('device')], ['sitter', 'front-door'])
  assert.ok(Math.abs(Number(query.get('since')) - (Date.now() - 7 * 86_400_000)) < 60_000)
  await refused('log --since soon', 2, 'usage')
})
