// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, suite, test } from 'node:test'
import { toBase64url, toHex } from '../../../../daemon/base/bytes.ts'
import { loadOwner } from '../../../../daemon/config/keyring.ts'
import { idOf } from '../../../../daemon/core/model/index.ts'
import { json } from '../fake-home.ts'
import { open } from '../fake-people.ts'
import { setStage } from './stage.ts'

const stage = setStage()

suite('owner', () => {
  const into = join(stage.account.base, 'anna')
  beforeEach(() => rmSync(into, { recursive: true, force: true }))

  test('add makes an owner by the words, with a directory that is theirs', async () => {
    const { exit, said, out } = await stage.account.json(
      ['owner', 'add', 'anna', '--into', into],
      stage.words,
    )
    assert.equal(exit, 0, out)
    const { body, signer } = open(stage.people.owners[1]!, 'owner')
    assert.deepEqual(
      [body.name, idOf(signer), idOf(body.key)],
      ['anna', stage.home.id, (said.owner as { key: string }).key],
    )
    const ring = loadOwner(into)
    assert.deepEqual([ring.name, idOf(ring.owner.key), ring.owners.length], ['anna', idOf(body.key), 2])
    assert.notEqual(idOf(ring.owner.key), idOf(stage.home.owner.key))
    assert.equal((await stage.done('owner list')).owners.length, 2)
  })

  test('remove needs the words, names the owner in the list of the root, and confirms their devices anew', async () => {
    await stage.account.json(['owner', 'add', 'anna', '--into', into], stage.words)
    const anna = loadOwner(into).owner
    const [light] = stage.home.devices
    stage.people.records.set(
      light!.id,
      open(light!.record('porch-light', light!.signer.key, anna), 'enrolment'),
    )
    const { exit, said, out } = await stage.account.json(['owner', 'remove', 'anna', '--yes'], stage.words)
    assert.equal(exit, 0, out)
    assert.equal(said.resealed, 1)
    const { body, signer } = stage.people.revocations.at(-1)!
    assert.deepEqual([idOf(signer), body.entries.map(toHex)], [stage.home.id, [toHex(anna.key)]])
    assert.equal(idOf(stage.people.records.get(light!.id)!.signer), idOf(stage.home.owner.key))
    assert.equal(loadOwner(stage.account.owner).owners.length, 1)
  })

  test('other words, no words, oneself and nobody are refused', async () => {
    const other = `${'abandon '.repeat(23)}art`
    const run = (args: string[], input: string) => stage.account.json(args, input)
    const wrong = await run(['owner', 'add', 'eve', '--into', into], other)
    assert.deepEqual([wrong.exit, wrong.said.code], [3, 'wrong-audience'])
    const none = await run(['owner', 'add', 'eve', '--into', into], 'one two')
    assert.deepEqual([none.exit, none.said.code], [2, 'bad-words'])
    assert.equal(existsSync(into), false)
    await stage.refused('owner remove owner --yes', 3, 'conflict')
    await stage.refused('owner remove nobody --yes', 5, 'not-found')
    await stage.refused(`owner add anna --into ${stage.account.owner}`, 3, 'home-exists')
  })
})

suite('why', () => {
  beforeEach(() => stage.done('person add sitter'))

  test('of somebody without a phone says that, and not that nobody is known', async () => {
    const { out, exit } = await stage.account.within(['why', 'sitter', 'front-door', 'unlock'])
    assert.equal(exit, 0)
    assert.match(out, /No: sitter may not unlock on front-door\. there is no phone or key yet/)
    assert.deepEqual(stage.people.asks, [])
  })

  test('asks about a person, a device and an operation, and says the sentence', async () => {
    stage.people.phone('phone', 'sitter')
    stage.people.why = {
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
    const { out, exit } = await stage.account.within(['why', 'sitter', 'front-door', 'unlock'])
    assert.equal(exit, 0)
    assert.match(out, /No: sitter may not unlock on front-door\. outside your hours: Mon–Fri 08:00–18:00/)
    const query = new URLSearchParams(stage.people.asks[0])
    assert.equal(query.get('holder'), toBase64url(stage.people.idOf('sitter')))
    assert.deepEqual([query.get('affordance'), query.get('operation')], ['unlock', 'invoke'])
  })

  test('a yes names the grant', async () => {
    stage.people.phone('phone', 'sitter')
    stage.people.why = { allowed: true, grant: 'AAAAAAAAAAA', tried: [] }
    const { out } = await stage.account.within(['why', 'sitter', 'porch-light', 'on:read'])
    assert.match(out, /Yes: sitter may see on of porch-light, by grant AAAAAAAAAAA/)
    assert.equal((await stage.done('why sitter porch-light on')).operation, 'write')
  })

  for (const [line, exit, code] of [
    ['why nobody front-door unlock', 5, 'not-found'],
    ['why sitter back-door unlock', 5, 'not-found'],
    ['why sitter front-door fly', 5, 'no-such-affordance'],
    ['why sitter porch-light on:burn', 2, 'usage'],
    ['why sitter front-door unlock --at never', 2, 'usage'],
  ] as const) {
    test(`shallot ${line}: ${exit} ${code}`, async () => {
      await stage.refused(line, exit, code)
    })
  }
})

test('a hub that shows a zone nobody knows is not believed', async () => {
  stage.people.zone = 'Atlantis/Main'
  await stage.refused('person list', 3, 'bad-answer')
})

test('log asks for who, device and since', async () => {
  await stage.done('person add sitter')
  const asked: string[] = []
  const before = stage.home.twist
  stage.home.twist = (each) => {
    if (!each.path.startsWith('/log')) return before(each)
    asked.push(each.path)
    json(each.answer, { entries: [] })
    return true
  }
  await stage.done('log --who sitter --device front-door --since 7d')
  const query = new URL(asked[0]!, 'http://x').searchParams
  assert.deepEqual([query.get('who'), query.get('device')], ['sitter', 'front-door'])
  assert.ok(Math.abs(Number(query.get('since')) - (Date.now() - 7 * 86_400_000)) < 60_000)
  await stage.refused('log --since soon', 2, 'usage')
})
