// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, beforeEach, suite, test } from 'node:test'
import { toBase64url, toHex } from '../../../../daemon/base/bytes.ts'
import { systemRandom } from '../../../../daemon/base/random.ts'
import { loadIdentity } from '../../../../daemon/config/identity.ts'
import { loadOwner } from '../../../../daemon/config/keyring.ts'
import { idOf } from '../../../../daemon/core/model/index.ts'
import { ed25519 } from '../fake-home.ts'
import { HUB, open } from '../fake-people.ts'
import { setStage } from './stage.ts'

const stage = setStage()

suite('token', () => {
  const file = join(stage.account.base, 'heating.key')
  beforeEach(() => rmSync(file, { force: true }))

  test('add writes a private file with a key of its own, known to the home as a script with this grant', async () => {
    const said = await stage.done('token add heating porch-light on level:read')
    assert.equal(said.file, file)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    const identity = loadIdentity(file)
    const key = ed25519.signer(identity.seed.reveal()).key
    const [holder] = stage.people.holders
    assert.deepEqual([holder!.body.kind, idOf(holder!.body.key)], ['script', idOf(key)])
    assert.deepEqual(
      stage.people.grants.map(({ body }) => [idOf(body.key!), body.what]),
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
    assert.notEqual(idOf(key), idOf(loadOwner(stage.account.owner).owner.key))
    assert.ok(
      !readFileSync(file, 'utf8').includes(toBase64url(readFileSync(join(stage.account.owner, 'owner.key')))),
    )
  })

  test('--bearer shows a token once, and hands the hub its digest and a grant for the hub', async () => {
    const { token } = await stage.done('token add dashboard everything all:read --bearer')
    assert.match(token, /^shallot_[\w-]{43}$/)
    const kept = stage.people.tokens.get('dashboard')!
    assert.ok(!JSON.stringify([...stage.people.tokens]).includes(token))
    assert.equal(kept.digest.length, 43)
    assert.equal(idOf(stage.people.grants[0]!.body.key!), idOf(HUB.key))
    assert.ok(!JSON.stringify(await stage.done('token list')).includes(token))
  })

  test('remove takes back the grant and the key, or the token and its grant', async () => {
    await stage.done('token add heating porch-light on')
    await stage.done('token add dashboard everything all:read --bearer')
    const [script, bearer] = stage.people.grants
    await stage.done('token remove heating --yes')
    assert.equal(stage.people.revocations.at(-1)!.body.entries.length, 2)
    await stage.done('token remove dashboard --yes')
    assert.equal(stage.people.tokens.size, 0)
    const ids = stage.people.revocations.at(-1)!.body.entries.map(toHex)
    for (const { body } of [script!, bearer!]) assert.ok(ids.includes(toHex(body.id)))
  })

  test('a file that is there is never written over', async () => {
    writeFileSync(file, 'mine')
    await stage.refused('token add heating porch-light on', 3, 'conflict')
    assert.equal(readFileSync(file, 'utf8'), 'mine')
    assert.deepEqual([stage.people.people.length, stage.people.grants.length], [0, 0])
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
      await stage.refused(line, exit, code)
      assert.equal(existsSync(file), false)
    })
  }
})

suite('with --as, the key of a script', () => {
  const file = join(stage.account.base, 'lamp.key')
  before(async () => {
    stage.clear()
    rmSync(file, { force: true })
    await stage.done('token add lamp porch-light on')
  })

  beforeEach(() => {
    stage.home.callers.add(idOf(ed25519.signer(loadIdentity(file).seed.reveal()).key))
    stage.home.commands.length = 0
  })
  const GRANT = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)

  test('set names the grant that the home says fits, and is sealed by the script', async () => {
    stage.people.may = { on: { write: { ok: true, grant: toBase64url(GRANT) } } }
    const { way, values } = (await stage.done(`set porch-light on true --as ${file}`)) as unknown as Record<
      string,
      unknown
    >
    assert.deepEqual([way, values], ['unix', { on: true }])
    assert.deepEqual(stage.home.commands[0]!.grant, GRANT)
  })

  test('what was not granted is refused before anything is sealed', async () => {
    stage.people.may = { on: { read: { ok: true, grant: toBase64url(GRANT) } } }
    await stage.refused(`set porch-light on true --as ${file}`, 3, 'not-granted')
    await stage.refused(`set porch-light level 5 --as ${file}`, 3, 'not-granted')
    await stage.refused(`set garage on true --as ${file}`, 5, 'not-found')
    assert.equal(stage.home.commands.length, 0)
  })

  test('a reason that the home gives is told, by its code', async () => {
    const detail = 'outside your hours: Mon–Fri 08:00–18:00'
    stage.people.may = { on: { write: { ok: false, code: 'outside-hours', detail } } }
    const { message } = (await stage.refused(
      `set porch-light on true --as ${file}`,
      3,
      'outside-hours',
    )) as unknown as {
      message: string
    }
    assert.match(message, /outside your hours: Mon–Fri 08:00–18:00/)
  })

  test('an owner of later days is believed by the seal of the root, and nobody else', async () => {
    stage.people.may = { on: { write: { ok: true, grant: toBase64url(GRANT) } } }
    const anna = ed25519.signer(systemRandom.bytes(32))
    const [light] = stage.home.devices
    stage.people.records.set(
      light!.id,
      open(light!.record('porch-light', light!.signer.key, anna), 'enrolment'),
    )
    await stage.refused(`set porch-light on true --as ${file}`, 3, 'unknown-signer')
    stage.people.owners.push(
      stage.people.seal({ type: 'owner', name: 'anna', key: anna.key }, stage.home.root),
    )
    await stage.done(`set porch-light on true --as ${file}`)
    stage.people.owners.push(stage.people.seal({ type: 'owner', name: 'eve', key: anna.key }, anna))
    await stage.refused(`set porch-light on true --as ${file}`, 3, 'bad-answer')
  })

  test('SHALLOT_IDENTITY does the same as --as', async () => {
    stage.people.may = { on: { write: { ok: true, grant: toBase64url(GRANT) } } }
    stage.account.environment.SHALLOT_IDENTITY = file
    await stage.done('set porch-light on false')
    delete stage.account.environment.SHALLOT_IDENTITY
    assert.deepEqual(stage.home.commands[0]!.grant, GRANT)
  })

  test('no owner’s verb is done: nothing is asked of the home', async () => {
    stage.home.asked.length = 0
    for (const line of [
      'person remove a',
      'phone list',
      'phone revoke a',
      'pin set a b',
      'group list',
      'revoke x',
      'owner list',
    ]) {
      await stage.refused(`${line} --as ${file}`, 3, 'not-permitted')
    }
    assert.deepEqual(stage.home.asked, [])
  })

  test('with nothing that may be passed on nothing is sealed for others', async () => {
    stage.people.share = false
    for (const line of [
      'grant sitter porch-light on',
      'person add a',
      'phone add a --person sitter',
      'token add a porch-light on',
    ]) {
      await stage.refused(`${line} --as ${file}`, 3, 'not-permitted')
    }
    assert.deepEqual([stage.people.people.length, stage.people.grants.length], [0, 0])
  })

  test('it sees what it may do, and who it is', async () => {
    assert.deepEqual((await stage.done(`grants --as ${file}`)).grants, [])
    assert.deepEqual((await stage.done(`person list --as ${file}`)).people, [])
  })

  test('a key file that others can read is refused', async () => {
    const open = join(stage.account.base, 'open.key')
    writeFileSync(open, readFileSync(file), { mode: 0o644 })
    await stage.refused(`get porch-light --as ${open}`, 3, 'too-open')
    rmSync(open)
  })

  test('a file that is none, or no identity, is told apart', async () => {
    await stage.refused('get porch-light --as nowhere.key', 5, 'missing')
    const other = join(stage.account.base, 'other.key')
    writeFileSync(other, '{}', { mode: 0o600 })
    await stage.refused(`get porch-light --as ${other}`, 2, 'bad-config')
    rmSync(other)
  })
})
