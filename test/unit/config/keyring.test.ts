// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, type TestContext, test } from 'node:test'
import { systemRandom } from '../../../daemon/base/random.ts'
import { Secret } from '../../../daemon/base/secret.ts'
import {
  createHome,
  hasBegun,
  holdsHome,
  isUnbegun,
  loadHub,
  loadOwner,
  type NewHome,
  saveHub,
  saveOwner,
} from '../../../daemon/config/keyring.ts'
import { openVault, readPrivate, writePrivate } from '../../../daemon/config/vault.ts'

const NOW = 1_790_000_000_000
const seed = new Secret(new Uint8Array(32).fill(42))
const newHome = (): NewHome => createHome(seed, { ownerName: 'ada', now: NOW, random: systemRandom })

/** A directory that only we can look into. */
function place(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'keyring-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

function saved(t: TestContext): { data: string; owner: string; home: NewHome } {
  const [data, owner, home] = [join(place(t), 'hub'), join(place(t), 'owner'), newHome()]
  saveHub(data, home.hub)
  saveOwner(owner, home.owner)
  return { data, owner, home }
}

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)
const HUB_FILES = ['device-ca.key', 'home.json', 'hub.key', 'onion.key', 'web-ca.key']

suite('a home on disk', () => {
  test('is what was made, again', (t) => {
    const { data, owner, home } = saved(t)
    const [hub, ring] = [loadHub(data), loadOwner(owner)]
    for (const key of ['hubSeed', 'deviceCaSeed', 'onionMaster', 'webCaScalar'] as const) {
      assert.deepEqual(hub[key].reveal(), home.hub[key].reveal())
    }
    assert.deepEqual([hub.home, hub.owners, hub.hubCas], [home.hub.home, home.hub.owners, home.hub.hubCas])
    assert.deepEqual([hub.hubLeaf, hub.member], [home.hub.hubLeaf, home.hub.member])
    assert.deepEqual([ring.name, ring.home], ['ada', home.hub.home])
  })

  test('has its own files and no others: directories 0700, files 0600', (t) => {
    const { data, owner } = saved(t)
    assert.deepEqual(readdirSync(data).sort(), [...HUB_FILES, 'unbegun'].sort())
    assert.deepEqual(readdirSync(owner).sort(), ['home.json', 'owner.key'])
    for (const directory of [data, owner]) {
      assert.equal(modeOf(directory), '700')
      for (const name of readdirSync(directory)) assert.equal(modeOf(join(directory, name)), '600', name)
    }
  })

  test('is unbegun until its daemon has a database, and then for ever begun', (t) => {
    const { data, owner } = saved(t)
    assert.deepEqual([isUnbegun(data), isUnbegun(owner)], [true, false])
    for (let times = 0; times < 2; times++) {
      hasBegun(data)
      assert.equal(isUnbegun(data), false)
    }
    assert.ok(loadHub(data))
  })

  test('is closed whatever the umask says', (t) => {
    const before = process.umask(0)
    t.after(() => process.umask(before))
    const { data } = saved(t)
    assert.equal(modeOf(data), '700')
    for (const name of HUB_FILES) assert.equal(modeOf(join(data, name)), '600', name)
  })

  test('made twice from one seed has the same keys, but for the hub’s own', () => {
    const [first, second] = [newHome().hub, newHome().hub]
    assert.deepEqual([first.home, first.hubCas], [second.home, second.hubCas])
    for (const key of ['deviceCaSeed', 'onionMaster', 'webCaScalar'] as const) {
      assert.deepEqual(first[key].reveal(), second[key].reveal())
    }
    assert.notDeepEqual(first.hubSeed.reveal(), second.hubSeed.reveal())
  })

  test('is not overwritten by another: conflict, and every byte stays', (t) => {
    const { data, owner } = saved(t)
    const bytes = HUB_FILES.map((name) => readFileSync(join(data, name)))
    const other = createHome(new Secret(new Uint8Array(32)), {
      ownerName: 'eve',
      now: NOW,
      random: systemRandom,
    })
    assert.throws(() => saveHub(data, other.hub), { code: 'conflict' })
    assert.throws(() => saveOwner(owner, other.owner), { code: 'conflict' })
    assert.throws(() => saveOwner(data, other.owner), { code: 'conflict' })
    assert.deepEqual(
      HUB_FILES.map((name) => readFileSync(join(data, name))),
      bytes,
    )
  })

  test('cut off between any two files is no home, and making it again succeeds', (t) => {
    for (const present of HUB_FILES.filter((name) => name !== 'home.json').map((_, count) => count)) {
      const { data, home } = saved(t)
      for (const name of ['home.json', ...HUB_FILES.slice(present)]) rmSync(join(data, name), { force: true })
      writeFileSync(join(data, 'web-ca.key.new'), 'half a k', { mode: 0o600 })
      assert.equal(holdsHome(data), false)
      assert.throws(() => loadHub(data), { code: 'missing' })
      saveHub(data, home.hub)
      assert.deepEqual(loadHub(data).webCaScalar.reveal(), home.hub.webCaScalar.reveal())
    }
  })
})

suite('loadHub() refuses', () => {
  for (const name of HUB_FILES) {
    for (const mode of [0o640, 0o604, 0o610, 0o777]) {
      test(`${name} of mode ${mode.toString(8)}: too-open, with the chmod to type`, (t) => {
        const { data } = saved(t)
        chmodSync(join(data, name), mode)
        assert.throws(() => loadHub(data), { code: 'too-open', message: /chmod 600 .*(key|json)$/ })
      })
    }

    test(`${name} that is a link, even to the true file: bad-config`, (t) => {
      const { data } = saved(t)
      const elsewhere = join(place(t), 'true')
      renameSync(join(data, name), elsewhere)
      symlinkSync(elsewhere, join(data, name))
      assert.throws(() => loadHub(data), { code: 'bad-config' })
    })

    test(`${name} that is a directory: bad-config`, (t) => {
      const { data } = saved(t)
      rmSync(join(data, name))
      mkdirSync(join(data, name), { mode: 0o700 })
      assert.throws(() => loadHub(data), { code: 'bad-config' })
    })

    test(`${name} that is gone: missing`, (t) => {
      const { data } = saved(t)
      rmSync(join(data, name))
      assert.throws(() => loadHub(data), { code: 'missing' })
    })

    test(`${name} of two megabytes: bad-config`, (t) => {
      const { data } = saved(t)
      writeFileSync(join(data, name), Buffer.alloc(2 * 1024 * 1024, 0x20))
      assert.throws(() => loadHub(data), { code: 'bad-config' })
    })
  }

  for (const name of HUB_FILES.filter((each) => each.endsWith('.key'))) {
    for (const size of [0, 31, 33, 64]) {
      test(`${name} of ${size} bytes: bad-config`, (t) => {
        const { data } = saved(t)
        writeFileSync(join(data, name), Buffer.alloc(size, 1))
        assert.throws(() => loadHub(data), { code: 'bad-config' })
      })
    }
  }

  for (const mode of [0o750, 0o705, 0o711]) {
    test(`a directory of mode ${mode.toString(8)}: too-open, with the chmod to type`, (t) => {
      const { data } = saved(t)
      chmodSync(data, mode)
      assert.throws(() => loadHub(data), { code: 'too-open', message: /chmod 700 / })
    })
  }

  test('a directory that is a link: bad-config', (t) => {
    const { data } = saved(t)
    const link = join(place(t), 'link')
    symlinkSync(data, link)
    assert.throws(() => loadHub(link), { code: 'bad-config' })
  })

  const key = Buffer.alloc(32, 1).toString('base64url')
  const damages: [string, (facts: Record<string, unknown>) => unknown][] = [
    ['nothing in it', () => ''],
    ['a list', () => []],
    ['null', () => null],
    ['a number', () => 7],
    ['half of it', (facts) => JSON.stringify(facts).slice(0, 100)],
    ['no version', ({ version: _version, ...rest }) => rest],
    ['a newer version', (facts) => ({ ...facts, version: 2 })],
    ['the version as text', (facts) => ({ ...facts, version: '1' })],
    ['no home', ({ home: _home, ...rest }) => rest],
    ['a home of 31 bytes', (facts) => ({ ...facts, home: key.slice(0, 41) })],
    ['a home with padding', (facts) => ({ ...facts, home: `${facts.home}=` })],
    ['a home that is a number', (facts) => ({ ...facts, home: 1 })],
    ['no owners', ({ owners: _owners, ...rest }) => rest],
    ['an empty list of owners', (facts) => ({ ...facts, owners: [] })],
    ['owners that are no list', (facts) => ({ ...facts, owners: (facts.owners as string[])[0] })],
    ['an owner that is no base64url', (facts) => ({ ...facts, owners: ['+/+/'] })],
    ['an owner that is null', (facts) => ({ ...facts, owners: [null] })],
    ['no CAs', ({ hubCas: _hubCas, ...rest }) => rest],
    ['an empty list of CAs', (facts) => ({ ...facts, hubCas: [] })],
    ['one CA', (facts) => ({ ...facts, hubCas: [key] })],
    ['three CAs', (facts) => ({ ...facts, hubCas: [key, key, key] })],
    ['a CA of 16 bytes', (facts) => ({ ...facts, hubCas: [key, key.slice(0, 22)] })],
    ['no leaf', ({ hubLeaf: _hubLeaf, ...rest }) => rest],
    ['a leaf that is no base64url', (facts) => ({ ...facts, hubLeaf: '!' })],
    ['no member', ({ member: _member, ...rest }) => rest],
    ['a member that is a number', (facts) => ({ ...facts, member: 4 })],
  ]
  for (const [what, damage] of damages) {
    test(`home.json with ${what}: bad-config, and says that the words restore it`, (t) => {
      const { data } = saved(t)
      const path = join(data, 'home.json')
      const damaged = damage(JSON.parse(readFileSync(path, 'utf8')))
      writeFileSync(path, typeof damaged === 'string' ? damaged : JSON.stringify(damaged))
      assert.throws(() => loadHub(data), {
        code: 'bad-config',
        message: /damaged.*restore it from your words/,
      })
    })
  }

  test('never says in its sentence what a key is', (t) => {
    const { data, home } = saved(t)
    chmodSync(join(data, 'hub.key'), 0o644)
    try {
      loadHub(data)
      assert.fail('it was loaded')
    } catch (error) {
      const text = `${(error as Error).stack}`
      assert(!text.includes(home.hub.hubSeed.reveal().toHex()))
    }
  })
})

suite('loadOwner() refuses', () => {
  test('a key that others can read: too-open', (t) => {
    const { owner } = saved(t)
    chmodSync(join(owner, 'owner.key'), 0o644)
    assert.throws(() => loadOwner(owner), { code: 'too-open' })
  })

  test("the daemon's directory in its place", (t) => {
    const { data } = saved(t)
    assert.throws(() => loadOwner(data), { code: 'bad-config' })
  })

  test('a name that is not there', (t) => {
    assert.throws(() => loadOwner(join(place(t), 'nowhere')), { code: 'missing' })
  })
})

suite('the vault', () => {
  test('writePrivate() replaces whole, and leaves nothing beside', (t) => {
    const directory = place(t)
    writePrivate(directory, 'a', 'first')
    writePrivate(directory, 'a', new Uint8Array(100_000).fill(7))
    assert.equal(readPrivate(directory, 'a').length, 100_000)
    assert.deepEqual(readdirSync(directory), ['a'])
  })

  test('what a crash left beside does not decide the mode of the file', (t) => {
    const directory = place(t)
    writeFileSync(join(directory, 'a.new'), 'from before', { mode: 0o644 })
    chmodSync(join(directory, 'a.new'), 0o644)
    writePrivate(directory, 'a', 'x')
    assert.equal(modeOf(join(directory, 'a')), '600')
    assert.equal(Buffer.from(readPrivate(directory, 'a')).toString(), 'x')
  })

  test('a link that lies beside is not followed', (t) => {
    const directory = place(t)
    const victim = join(place(t), 'victim')
    writeFileSync(victim, 'untouched')
    symlinkSync(victim, join(directory, 'a.new'))
    writePrivate(directory, 'a', 'x')
    assert.equal(readFileSync(victim, 'utf8'), 'untouched')
  })

  test('openVault() makes the way to it, and refuses what others can look into', (t) => {
    const deep = join(place(t), 'a', 'b', 'c')
    openVault(deep)
    assert.equal(modeOf(deep), '700')
    chmodSync(deep, 0o755)
    assert.throws(() => openVault(deep), { code: 'too-open' })
    assert.throws(() => writePrivate(deep, 'a', 'x'), { code: 'too-open' })
    assert.equal(existsSync(join(deep, 'a')), false)
  })
})
