// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, type TestContext, test } from 'node:test'
import { isCode } from '../../../daemon/base/error.ts'
import { systemRandom } from '../../../daemon/base/random.ts'
import { Secret } from '../../../daemon/base/secret.ts'
import { hubCasOf } from '../../../daemon/config/generation-keys.ts'
import { loadGenerations, openGenerationVault } from '../../../daemon/config/generations.ts'
import {
  createHome,
  keepPins,
  loadHub,
  loadOwner,
  saveHub,
  saveOwner,
} from '../../../daemon/config/keyring.ts'
import { nativeEd25519 } from '../../../daemon/core/envelope/index.ts'
import { announcedFor } from '../../support/generations.ts'

const WORDS = new Secret(new Uint8Array(32).fill(42))
const NOW = 1_790_000_000_000

type Making = Partial<Parameters<typeof createHome>[1]>

function saved(t: TestContext, making: Making = {}) {
  const place = mkdtempSync(join(tmpdir(), 'generations-'))
  t.after(() => rmSync(place, { recursive: true, force: true }))
  const [data, owner] = [join(place, 'hub'), join(place, 'owner')]
  const home = createHome(WORDS, { ownerName: 'ada', now: NOW, random: systemRandom, ...making })
  saveHub(data, home.hub)
  saveOwner(owner, home.owner)
  const open = () => openGenerationVault(data, loadHub(data))
  const hubKey = nativeEd25519().signer(home.hub.hubSeed.reveal()).key
  const announced = (from: number, to = from + 1) => announcedFor(hubKey, from, to, WORDS)
  return {
    data,
    owner,
    open,
    announced,
    file: join(data, 'generations.json'),
    first: join(data, 'device-ca.key'),
  }
}

suite('the generations of a home on disk', () => {
  test('are no file until there is something to say', (t) => {
    const { open, file } = saved(t)
    const vault = open()
    assert.deepEqual(
      [vault.present.generation, vault.former, vault.spare, vault.announced],
      [0, [], [], undefined],
    )
    vault.forget({ before: 0, spare: true })
    assert.ok(!existsSync(file))
  })

  test('are announced, taken back and in force, each also after the daemon began again', (t) => {
    const { open, announced, data } = saved(t)
    const next = announced(0)
    open().announce(next)
    assert.deepEqual(open().announced!.steps, next.steps)
    assert.deepEqual(open().announced!.deviceCaSeed.reveal(), next.deviceCaSeed.reveal())
    assert.equal(loadHub(data).generation, 0)
    open().abandon()
    assert.equal(open().announced, undefined)
    open().announce(next)
    open().enforce(hubCasOf(WORDS, 1))
    const vault = open()
    assert.deepEqual([vault.present, vault.announced], [next.steps[0], undefined])
    assert.deepEqual(
      vault.former.map(({ generation }) => generation),
      [0],
    )
    const hub = loadHub(data)
    assert.deepEqual(
      [hub.generation, hub.hubCas, hub.hubLeaf],
      [1, hubCasOf(WORDS, 1), next.steps[0]!.hubLeaf],
    )
    assert.deepEqual(hub.deviceCaSeed.reveal(), next.deviceCaSeed.reveal())
  })

  test('keep no key that issues no more, and still take its certificates', (t) => {
    const { open, announced, first } = saved(t)
    const { deviceCa } = open().present
    const vault = open()
    vault.announce(announced(0))
    assert.ok(existsSync(first))
    vault.enforce(hubCasOf(WORDS, 1))
    assert.ok(!existsSync(first))
    vault.forget({ before: 1, spare: false })
    assert.deepEqual([open().former, open().otherDeviceCas], [[], [deviceCa]])
  })

  test('lose the key of the first CA also when a kill came in between', (t) => {
    const { open, announced, first } = saved(t)
    const seed = readFileSync(first)
    const vault = open()
    vault.announce(announced(0))
    vault.enforce(hubCasOf(WORDS, 1))
    writeFileSync(first, seed, { mode: 0o600 })
    open()
    assert.ok(!existsSync(first))
  })

  test('are private, and a torn draft beside them is nothing', (t) => {
    const { open, announced, file } = saved(t)
    open().announce(announced(0))
    assert.equal(statSync(file).mode & 0o777, 0o600)
    writeFileSync(`${file}.new`, '{"version":1,"pres')
    assert.equal(open().announced!.steps.length, 1)
    open().abandon()
    assert.equal(open().announced, undefined)
  })

  const damage: readonly (readonly [string, (json: Record<string, unknown>) => unknown])[] = [
    ['another version', (json) => ({ ...json, version: 2 })],
    ['no present one', ({ present: _, ...json }) => json],
    ['one key', (json) => ({ ...json, hubCas: (json.hubCas as string[]).slice(1) })],
    ['a seed that is none', (json) => ({ ...json, deviceCaSeed: 'AAAA' })],
    ['a list that is none', (json) => ({ ...json, former: {} })],
    [
      'a number that is none',
      (json) => ({ ...json, spare: [{ ...(json.present as object), generation: 0.5 }] }),
    ],
    ['an announcement of nothing', (json) => ({ ...json, announced: {} })],
  ]
  for (const [what, spoil] of damage)
    test(`with ${what} are bad-config, and left alone`, (t) => {
      const { open, announced, file, data } = saved(t)
      open().announce(announced(0))
      const spoiled = JSON.stringify(spoil(JSON.parse(readFileSync(file, 'utf8'))))
      writeFileSync(file, spoiled)
      assert.throws(
        () => loadGenerations(data),
        (error) => isCode(error, 'bad-config'),
      )
      assert.throws(
        () => loadHub(data),
        (error) => isCode(error, 'bad-config'),
      )
      assert.equal(readFileSync(file, 'utf8'), spoiled)
    })

  test('that others can read are too-open', (t) => {
    const { open, announced, file, data } = saved(t)
    open().announce(announced(0))
    chmodSync(file, 0o644)
    assert.throws(
      () => loadHub(data),
      (error) => isCode(error, 'too-open'),
    )
  })

  test('of a home made again have leaves for what its devices may be in', (t) => {
    const { open, announced } = saved(t, { isRestored: true })
    const vault = open()
    assert.deepEqual(
      vault.spare.map(({ generation }) => generation),
      [1, 2, 3, 4, 5, 6, 7],
    )
    assert.equal(vault.otherDeviceCas.length, 7)
    vault.announce(announced(0, 3))
    vault.enforce(hubCasOf(WORDS, 3))
    assert.deepEqual(
      open().spare.map(({ generation }) => generation),
      [4, 5, 6, 7],
    )
    assert.deepEqual(
      open().former.map(({ generation }) => generation),
      [2, 1, 0],
    )
    open().forget({ before: 3, spare: true })
    assert.deepEqual([open().spare, open().former], [[], []])
    assert.equal(open().otherDeviceCas.length, 7)
  })

  test('of a home whose owner is here begin where the owner knows it', (t) => {
    const { open, data } = saved(t, { isRestored: true, generation: 3 })
    assert.deepEqual([open().present.generation, loadHub(data).hubCas], [3, hubCasOf(WORDS, 3)])
    assert.ok(open().present.pins)
  })

  test('are known to the owner’s side, too', (t) => {
    const { owner } = saved(t)
    assert.equal(loadOwner(owner).generation, 0)
    keepPins(owner, { generation: 2, hubCas: hubCasOf(WORDS, 2) })
    const { generation, hubCas, name } = loadOwner(owner)
    assert.deepEqual([generation, hubCas, name], [2, hubCasOf(WORDS, 2), 'ada'])
  })
})
