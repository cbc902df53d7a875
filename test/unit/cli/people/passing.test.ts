// SPDX-License-Identifier: GPL-3.0-or-later
/** Somebody with a key file passes on what an owner gave them: never more, and only to whom an owner or they themselves brought in. */
import assert from 'node:assert/strict'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, suite, test } from 'node:test'
import { toBase64url } from '../../../../daemon/base/bytes.ts'
import { systemRandom } from '../../../../daemon/base/random.ts'
import { loadIdentity } from '../../../../daemon/config/identity.ts'
import type { Signer } from '../../../../daemon/core/envelope/index.ts'
import { idOf } from '../../../../daemon/core/model/index.ts'
import { ed25519 } from '../fake-home.ts'
import { open } from '../fake-people.ts'
import { setStage } from './stage.ts'

const stage = setStage()

suite('grant --as a key file', () => {
  let file: string
  let anna: Signer
  let above: string

  beforeEach(async () => {
    file = join(stage.account.base, 'anna.key')
    for (const each of [file, `${file}.people`]) rmSync(each, { recursive: true, force: true })
    const terms = ['--hours', 'daily 8-18', '--until', '10d', '--lease', '2d', '--may-share']
    const what = ['front-door', 'unlock', 'locked:read']
    const said = await stage.done(['token', 'add', 'anna', ...what, ...terms, '--out', file])
    above = said.grant.id
    anna = ed25519.signer(loadIdentity(file).seed.reveal())
    stage.home.callers.add(idOf(anna.key))
    await stage.done(`person add nanny --as ${file}`)
    stage.people.phone('nannys', 'nanny', anna)
  })
  const grant = (terms: string) => stage.done(`grant nanny front-door ${terms} --as ${file}`)
  const latest = () => stage.people.grants.at(-1)!

  test('seals with that key, under the grant that it holds, and leaves open nothing that is bounded there', async () => {
    const { grant: made } = await grant('unlock')
    const { body, signer } = latest()
    const [parent] = stage.people.grants
    assert.equal(made.parent, above)
    assert.deepEqual(
      [idOf(signer), toBase64url(body.parent!), body.hours, body.expiresAt, body.share],
      [idOf(anna.key), above, parent!.body.hours, parent!.body.expiresAt, undefined],
    )
    assert.equal(body.leaseS, 86_400, 'the usual lease is shorter than the one above')
  })

  for (const [how, ...terms] of [
    ['another action', 'lock'],
    ['another property', 'fail-safe'],
    ['an earlier hour', 'unlock', '--hours', 'Mon 7-9'],
    ['a longer time', 'unlock', '--until', '11d'],
    ['a longer lease', 'unlock', '--lease', '3d'],
    ['no lease', 'unlock', '--lease', 'none'],
  ]) {
    test(`does not widen by ${how}: grant-wider`, async () => {
      const before = stage.people.grants.length
      const line = ['grant', 'nanny', 'front-door', ...terms, '--as', file] as string[]
      const said = await stage.refused(line, 3, 'grant-wider')
      assert.match(said.next, /shallot grants/)
      assert.equal(stage.people.grants.length, before)
    })
  }

  test('nor to everything, nor to a group that is more than the device', async () => {
    await stage.refused(`grant nanny everything unlock --as ${file}`, 3, 'grant-wider')
    await stage.done('group add doors front-door')
    await stage.refused(`grant nanny doors unlock --as ${file}`, 3, 'grant-wider')
  })

  test('goes no further than it may: grant-chain', async () => {
    await stage.refused(`grant nanny front-door unlock --may-share --as ${file}`, 3, 'grant-chain')
  })

  test('hangs from another grant when the first holds too little', async () => {
    const id = systemRandom.bytes(8)
    const body = { type: 'grant', name: 'anna', id, key: anna.key, devices: [], share: 2, leaseS: 0 }
    const what = [{ affordance: 9, methods: 2 }]
    stage.people.grants.push(open(stage.people.seal({ ...body, what }, stage.home.owner), 'grant'))
    assert.equal((await grant('unlock --until 30d --lease none --may-share')).grant.parent, toBase64url(id))
    assert.equal((await grant('unlock')).grant.parent, above)
  })

  test('what is taken back or has ended passes nothing on', async () => {
    await stage.done(`revoke grant:${above}`)
    await stage.refused(`grant nanny front-door unlock --as ${file}`, 3, 'grant-chain')
  })

  test('a promise is kept beside the key file, with what it hangs from, and not among the owner’s', async () => {
    await stage.done(`person add cousin --as ${file}`)
    const said = await stage.done(`grant cousin front-door unlock --as ${file}`)
    assert.equal(said.promised, true)
    assert.ok(existsSync(join(`${file}.people`, 'promises')))
    assert.ok(!existsSync(join(stage.account.owner, 'promises')))
    assert.deepEqual(
      (await stage.done(`grants cousin --as ${file}`)).grants.map(({ id, standing }) => [id, standing]),
      [[said.grant.id, 'promised']],
    )
  })

  test('nothing is given to whom somebody else brought in: unknown-signer', async () => {
    const other = ed25519.signer(systemRandom.bytes(32))
    const frame = stage.people.seal({ type: 'person', name: 'friend', person: systemRandom.bytes(8) }, other)
    stage.people.people.push(open(frame, 'person'))
    await stage.refused(`grant friend front-door unlock --as ${file}`, 3, 'unknown-signer')
    stage.people.phone('planted', 'nanny', other)
    await grant('unlock')
    const { key } = stage.people.holders.find(({ body }) => body.name === 'planted')!.body
    assert.ok(stage.people.grants.every(({ body }) => idOf(body.key!) !== idOf(key)))
  })

  test('takes nothing back: that is an owner’s', async () => {
    await stage.refused(`revoke grant:${above} --as ${file}`, 3, 'not-permitted')
    await stage.refused(`token remove anna --yes --as ${file}`, 3, 'not-permitted')
  })
})
