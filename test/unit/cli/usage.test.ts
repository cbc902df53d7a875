// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { systemRandom } from '../../../daemon/base/random.ts'
import { VERBS } from '../../../daemon/cli/verbs/index.ts'
import { writeHomeCode } from '../../../daemon/core/identity/index.ts'
import { fakeImage } from '../../support/image.ts'
import { Account } from './as-user.ts'

const account = new Account()
let words: string

before(async () => {
  words = await account.init()
})
after(() => account[Symbol.dispose]())

function modeOf(path: string): number {
  return statSync(path).mode & 0o777
}

test('init writes two directories that are nobody else’s, and the words nowhere', () => {
  for (const directory of [account.owner, account.data]) {
    assert.equal(modeOf(directory), 0o700)
    for (const name of readdirSync(directory)) {
      assert.equal(modeOf(join(directory, name)), 0o600, name)
      const text = readFileSync(join(directory, name), 'latin1')
      assert.ok(!text.includes(words.split(' ').slice(0, 3).join(' ')))
    }
  }
})

test('init leaves a home that is there alone', async () => {
  const before = readFileSync(join(account.owner, 'owner.key'))
  const { exit, said } = await account.json(['init'])
  assert.deepEqual([exit, said.code, said.words], [3, 'home-exists', undefined])
  assert.deepEqual(readFileSync(join(account.owner, 'owner.key')), before)
})

test('init --words-out gives the words to a new file and to nobody else', async () => {
  using other = new Account()
  const file = join(other.base, 'words.txt')
  const { exit, out, err } = await other.run(['init', '--words-out', file])
  assert.equal(exit, 0)
  assert.equal(modeOf(file), 0o600)
  const written = readFileSync(file, 'utf8').trim()
  assert.equal(written.split(' ').length, 24)
  assert.ok(!`${out}${err}`.includes(written.split(' ').slice(0, 2).join(' ')))
})

test('init makes no home when the words cannot be written', async () => {
  using other = new Account()
  const file = join(other.base, 'words.txt')
  writeFileSync(file, 'something dear')
  const { exit, said } = await other.json(['init', '--words-out', file])
  assert.deepEqual([exit, said.code], [3, 'conflict'])
  assert.equal(readFileSync(file, 'utf8'), 'something dear')
  assert.deepEqual(readdirSync(other.base), ['words.txt'])
})

test('restore gives the same home and the same owner from the words alone', async () => {
  using other = new Account()
  const { exit, said } = await other.json(['restore'], `  ${words.toUpperCase().replaceAll(' ', '\n')}\n`)
  assert.equal(exit, 0)
  for (const name of ['owner.key']) {
    assert.deepEqual(readFileSync(join(other.owner, name)), readFileSync(join(account.owner, name)))
  }
  for (const name of ['onion.key', 'device-ca.key', 'web-ca.key']) {
    assert.deepEqual(readFileSync(join(other.data, name)), readFileSync(join(account.data, name)))
  }
  const facts = JSON.parse(readFileSync(join(account.owner, 'home.json'), 'utf8'))
  assert.equal(said.home, facts.home)
})

const wrongWords: readonly (readonly [string, () => string])[] = [
  ['no words', () => ''],
  ['23 words', () => words.split(' ').slice(1).join(' ')],
  ['a word that is none', () => words.replace(/^\S+/, 'shallot')],
  ['two words exchanged', () => words.replace(/^(\S+) (\S+)/, '$2 $1').replace(/^(\S+) \1/, 'zoo abandon')],
  ['noise', () => Buffer.from(systemRandom.bytes(500)).toString('latin1')],
  ['more than anybody has to say', () => 'word '.repeat(10_000)],
]
for (const [what, typed] of wrongWords) {
  test(`restore refuses ${what} and makes nothing`, async () => {
    using other = new Account()
    const { exit } = await other.json(['restore'], typed())
    assert.equal(exit, 2)
    assert.deepEqual(readdirSync(other.base), [])
  })
}

const misuse: readonly (readonly [string, readonly string[]])[] = [
  ['no verb', []],
  ['a verb that is none', ['sett', 'a', 'on', 'true']],
  ['a flag that is none', ['status', '--colour']],
  ['a group without a verb', ['onion']],
  ['a group with another verb', ['onion', 'peel']],
  ['a word that is no verb of the log', ['log', 'peel']],
  ['too few arguments', ['set', 'porch-light']],
  ['too many arguments', ['hide', 'a', 'b']],
  ['a deadline that is none', ['set', 'a', 'on', 'true', '--within', 'soon']],
  ['a deadline of a week', ['set', 'a', 'on', 'true', '--within', '7d']],
  ['a deadline of no time', ['invoke', 'a', 'toggle', '--within', '0s']],
  ['a stage of nobody', ['firmware', 'push', 'a', 'b', '--stage', '0']],
  ['stages that are no numbers', ['firmware', 'push', 'a', 'b', '--stage', '1,x']],
  ['a sequence that is none', ['firmware', 'seal', 'a', '--sequence', '-1']],
  ['a wire version that cannot be', ['firmware', 'seal', 'a', '--wire', '256']],
  ['a release key that is none', ['firmware', 'trust', 'a', 'key']],
  ['a roll-out that is no number', ['firmware', 'stop', 'one']],
  ['a limit that is none', ['history', 'a', 'on', '--limit', '-1']],
  ['a time that is none', ['history', 'a', 'on', '--since', 'yesterday']],
  ['an entry that is none', ['log', 'show', '--before', '0']],
  ['an empty device', ['get', '']],
  ['a name with a line end', ['enrol', 'a\nb']],
  ['a name with a slash', ['enrol', 'a/b']],
  ['a name of 65 bytes', ['enrol', 'a'.repeat(65)]],
  ['a name that is an id', ['enrol', 'A'.repeat(43)]],
  ['an invitation with an odd name', ['onion', 'invite', '../x']],
  ['neither a device nor all', ['expose']],
  ['words in the arguments', ['restore', 'abandon', 'ability']],
  ['a port that is none', ['daemon', '--link-port', 'many']],
  ['a kind of tor that is none', ['daemon', '--tor', 'perhaps']],
  ['a home code that is damaged', ['status', '--home', 'shallot:home:AAAA']],
  ['a home code of control characters', ['status', '--home', 'shallot:\x07']],
]
for (const [what, args] of misuse) {
  test(`${what} is exit 2, in words and in JSON`, async () => {
    const script = await account.within([...args, '--json'])
    assert.equal(script.exit, 2, script.out)
    const said = JSON.parse(script.out)
    assert.equal(said.ok, false)
    assert.ok(said.message.length > 5)
    assert.equal(script.err, '')
    const person = await account.within(args)
    assert.equal(person.exit, 2)
    assert.equal(person.out, '')
    assert.match(person.err, /^shallot: ./)
    assert.doesNotMatch(person.err, /\.ts:\d/)
  })
}

test('what is missing is told with the help of exactly that verb', async () => {
  for (const [line, help] of [
    ['set porch-light', 'shallot set --help'],
    ['onion', 'shallot onion --help'],
    ['onion invite', 'shallot onion invite --help'],
    ['status --colour', 'shallot status --help'],
    ['sett a on true', 'shallot --help'],
  ] as const) {
    const { err } = await account.within(line.split(' '))
    assert.ok(err.includes(`\`${help}\``), err)
  }
})

test('misuse is exit 2 for a shell too', async () => {
  const { exit, err } = await account.run(['sett', 'a', 'on', 'true'])
  assert.equal(exit, 2)
  assert.match(err, /set/)
})

test('without a daemon every verb that needs one is exit 4 and says how to start it', async () => {
  for (const line of [
    'status',
    'get a',
    'set a on true',
    'watch',
    'log verify',
    'onion list',
    'device list',
  ]) {
    const { exit, out } = await account.within([...line.split(' '), '--json'])
    const said = JSON.parse(out)
    assert.deepEqual([exit, said.code], [4, 'unreachable'], line)
    assert.match(said.next as string, /shallot daemon/)
  }
})

test("without an owner's directory it is exit 5, with what to do", async () => {
  using nobody = new Account()
  const { exit, said } = await nobody.json(['status'])
  assert.deepEqual([exit, said.code], [5, 'missing'])
  assert.match(said.next as string, /shallot init.*--owner/)
})

for (const nowhere of [
  '/dev/null/nobody',
  '/proc/nobody',
  '/proc/nobody/at/all',
  `/tmp/${'x'.repeat(300)}`,
]) {
  test(`a place for no directory (${nowhere.slice(0, 30)}) is told with what to do, without a home`, async () => {
    using other = new Account()
    const { exit, said } = await other.json(['init', '--owner', nowhere])
    assert.deepEqual([exit, said.code, said.words], [2, 'usage', undefined])
    assert.match(said.next as string, /--owner/)
    assert.deepEqual(readdirSync(other.base), [])
  })
}

suite('a home of which half is missing, as after a crash in the middle of init', () => {
  const halves = [
    ['owner', 'data'],
    ['data', 'owner'],
  ] as const
  for (const [kept, lost] of halves) {
    test(`init says that restore makes the ${lost} directory, and restore makes it and leaves the other alone`, async () => {
      using half = new Account()
      const theirs = await half.init()
      const before = readdirSync(half[kept]).map((name) => readFileSync(join(half[kept], name), 'hex'))
      const lostKey = lost === 'owner' ? 'owner.key' : 'device-ca.key'
      const key = readFileSync(join(half[lost], lostKey))
      rmSync(half[lost], { recursive: true })
      const again = await half.json(['init'])
      assert.deepEqual([again.exit, again.said.code, again.said.words], [3, 'home-exists', undefined])
      assert.match(again.said.next as string, /shallot restore/)
      assert.equal((await half.json(['restore'], theirs)).exit, 0)
      assert.deepEqual(readFileSync(join(half[lost], lostKey)), key)
      assert.deepEqual(
        readdirSync(half[kept]).map((name) => readFileSync(join(half[kept], name), 'hex')),
        before,
      )
      assert.deepEqual((await half.json(['restore'], theirs)).said.code, 'home-exists')
    })

    test(`restore refuses the words of another home, and makes no ${lost} directory`, async () => {
      using half = new Account()
      await half.init()
      rmSync(half[lost], { recursive: true })
      const { exit, said } = await half.json(['restore'], words)
      assert.deepEqual([exit, said.code], [3, 'home-exists'])
      assert.equal(existsSync(half[lost]), false)
    })
  }
})

test('a choice that is none is told in a sentence', async () => {
  const { err } = await account.within(['daemon', '--tor', 'perhaps'])
  assert.match(err, /^shallot: --tor is one of "child", "existing", "off", not "perhaps"\n/)
})

test('the exit statuses are in the help of the program', async () => {
  const { out } = await account.within(['--help'])
  const said = out.replace(/\s+/g, ' ')
  for (const part of [
    '0 done',
    '2 usage',
    '3 refused',
    '4 unreachable or expired',
    '5 not found',
    '1 a fault',
  ])
    assert.ok(said.includes(part), part)
})

test('a directory that others can read is refused', async () => {
  using other = new Account()
  await other.init()
  chmodSync(other.owner, 0o755)
  const { exit, said } = await other.json(['status'])
  assert.deepEqual([exit, said.code], [3, 'too-open'])
  assert.match(said.message as string, /chmod 700/)
})

test('the code of another home is refused before anything is sent', async () => {
  const key = systemRandom.bytes(32)
  const file = join(account.base, 'other-home.txt')
  writeFileSync(file, writeHomeCode({ root: key, onion: key, lan: [] }).reveal())
  const { exit, said } = await account.json(['status', '--home', file])
  assert.deepEqual([exit, said.code], [3, 'wrong-audience'])
})

test('what `onion invite` printed is read whole, with its picture', async () => {
  const key = systemRandom.bytes(32)
  const code = writeHomeCode({ root: key, onion: key, lan: [] }).reveal()
  const file = join(account.base, 'printed.txt')
  writeFileSync(file, `address     x.onion\n\nWhoever has this code:\n\n${code}\n\n\u2588\u2580 \u2588\n`)
  const { exit, said } = await account.json(['status', '--home', file])
  assert.deepEqual([exit, said.code], [3, 'wrong-audience'])
  writeFileSync(file, `two codes\n${code}\n${code}\n`)
  assert.equal((await account.json(['status', '--home', file])).said.code, 'code-damaged')
})

test('a code that is broken over lines is read', async () => {
  const key = systemRandom.bytes(32)
  const code = writeHomeCode({ root: key, onion: key, lan: [] }).reveal()
  const file = join(account.base, 'broken-lines.txt')
  writeFileSync(file, `${code.slice(0, 40)}\n  ${code.slice(40)}\n`)
  assert.equal((await account.json(['status', '--home', file])).said.code, 'wrong-audience')
})

for (const [typed, message] of [
  ['stauts', 'there is no verb stauts: did you mean status?'],
  ['lok gate', 'there is no verb lok: did you mean look?'],
  ['Daemon', 'there is no verb Daemon: did you mean daemon?'],
  ['phone ad', 'there is no verb phone ad: did you mean phone add?'],
  ['mesh invte', 'there is no verb mesh invte: did you mean mesh invite?'],
  ['log veryfy --limit 3', 'there is no verb log veryfy: did you mean log verify?'],
  ['x', 'there is no verb x'],
  ['on', 'there is no verb on'],
  ['frobnicate', 'there is no verb frobnicate'],
  ['device foo', 'there is no verb device foo'],
  ['status extra', 'not understood here: extra'],
  ['log --lmit 3', 'not understood here: lmit'],
] as const)
  test(`a slip of the finger is told, and nothing that is merely as short: ${typed}`, async () => {
    const { exit, said } = await account.jsonWithin(typed.split(' '))
    assert.deepEqual([exit, said.code, said.message], [2, 'usage', message])
  })

test('an unknown flag is told once, as it was typed', async () => {
  const { said } = await account.json(['status', '--lan-port', '1'])
  assert.equal(said.message, 'not understood here: lan-port')
})

test('a daemon without a home is exit 5, and says how to make one', async () => {
  using other = new Account()
  const { exit, said } = await other.json(['daemon', '--tor', 'off', '--no-lan', '--link-port', '0'])
  assert.deepEqual([exit, said.code], [5, 'missing'])
  assert.match(said.next as string, /shallot init/)
})

test('a daemon whose files are damaged or gone leaves them, and says what to do', async () => {
  using other = new Account()
  await other.json(['init', '--words-out', join(other.base, 'words')])
  const start = () => other.json(['daemon', '--tor', 'off', '--no-lan', '--link-port', '0'])
  const database = join(other.data, 'home.sqlite')
  writeFileSync(database, 'no database', { mode: 0o600 })
  const damaged = await start()
  assert.deepEqual([damaged.exit, damaged.said.code], [3, 'conflict'])
  assert.match(damaged.said.next as string, /home\.sqlite-wal away/)
  assert.equal(readFileSync(database, 'utf8'), 'no database')
  rmSync(database)
  rmSync(join(other.data, 'unbegun'))
  const gone = await start()
  assert.deepEqual([gone.exit, gone.said.code], [5, 'missing'])
  assert.match(gone.said.message as string, /home\.sqlite is not there/)
  assert.match(gone.said.next as string, /a copy of home\.sqlite.*--begin-anew/)
  assert.equal(existsSync(database), false)
  rmSync(join(other.data, 'hub.key'))
  const keyless = await start()
  assert.deepEqual([keyless.exit, keyless.said.code], [5, 'missing'])
  assert.match(keyless.said.next as string, /shallot restore/)
})

test('a program that is no image is refused before a release key is made for it', async () => {
  using other = new Account()
  await other.init()
  const program = join(other.base, 'program')
  writeFileSync(program, 'no image')
  const { exit, said } = await other.json(['firmware', 'seal', program])
  assert.deepEqual([exit, said.code], [2, 'usage'])
  assert.deepEqual(readdirSync(other.owner).sort(), ['home.json', 'owner.key'])
})

test('an image that its board cannot boot from a slot is refused before a release key is made for it', async () => {
  using other = new Account()
  await other.init()
  const program = join(other.base, 'program')
  writeFileSync(program, fakeImage({ imageClass: 'esp8266/room' }))
  const { exit, said } = await other.json(['firmware', 'seal', program])
  assert.deepEqual([exit, said.code], [2, 'usage'])
  assert.match(said.next as string, /firmware-slot\.bin/)
  assert.deepEqual(readdirSync(other.owner).sort(), ['home.json', 'owner.key'])
})

test('an unknown key in config.json is refused by every verb, with the nearest one', async () => {
  using other = new Account()
  mkdirSync(other.data, { mode: 0o700 })
  writeFileSync(join(other.data, 'config.json'), '{"link":{"prot":1}}')
  const { exit, said } = await other.json(['config', 'show'])
  assert.deepEqual([exit, said.code], [2, 'unknown-key'])
  assert.match(said.message as string, /link\.port/)
})

test('config show keeps a home code to itself', async () => {
  const { out } = await account.run(['config', 'show', '--home', 'shallot:home:secret'])
  assert.match(out, /home +••• +flag --home/)
  assert.doesNotMatch(out, /secret/)
})

const LINES = [
  'init',
  'restore',
  'daemon',
  'status',
  'enrol',
  'provision',
  'device list',
  'device show',
  'device rename',
  'device adopt',
  'device forget',
  'get',
  'set',
  'invoke',
  'look',
  'watch',
  'history',
  'expose',
  'hide',
  'onion invite',
  'onion withdraw',
  'onion renew',
  'onion list',
  'ca status',
  'ca rotate',
  'mesh invite',
  'mesh join',
  'mesh list',
  'mesh log',
  'mesh remove',
  'mesh status',
  'log show',
  'log verify',
  'cert header',
  'config show',
  'person add',
  'person list',
  'person remove',
  'phone add',
  'phone list',
  'phone revoke',
  'grant',
  'grants',
  'revoke',
  'why',
  'pin set',
  'pin remove',
  'pin list',
  'group add',
  'group remove',
  'group list',
  'token add',
  'token list',
  'token remove',
  'owner add',
  'owner list',
  'owner remove',
  'provision',
  'cert header',
  'firmware push',
  'firmware status',
  'firmware seal',
  'firmware trust',
  'firmware stop',
]
test('every verb explains itself, with an example', async () => {
  assert.equal(new Set(LINES.map((line) => line.split(' ')[0])).size, VERBS.length)
  for (const line of LINES) {
    const { exit, out } = await account.within([...line.split(' '), '--help'])
    assert.equal(exit, 0, line)
    assert.match(out, new RegExp(`Examples:\\n +shallot ${line}`), line)
  }
})

for (const [what, name, tor] of [
  ['a path too long for the sockets of onion addresses', 'x'.repeat(80), 'child'],
  ['a path too long for any socket', 'x'.repeat(100), 'off'],
  ['a blank in its path, which nobody can tell a tor that runs already', 'my home', 'existing'],
  ['an umlaut in its path, which nobody can tell a tor that runs already', 'häus', 'existing'],
] as const) {
  test(`a directory with ${what} is refused before a home is made there`, async () => {
    using other = new Account()
    other.environment.SHALLOT_DATA = join(other.base, name)
    other.environment.SHALLOT_TOR = tor
    other.environment.SHALLOT_TOR_CONTROL_SOCKET = '/run/tor/control'
    other.environment.SHALLOT_TOR_SOCKS_SOCKET = '/run/tor/socks'
    for (const verb of ['init', 'restore']) {
      const { exit, said } = await other.jsonWithin([verb])
      assert.deepEqual([exit, said.code, said.words], [2, 'bad-config', undefined])
    }
    assert.deepEqual(readdirSync(other.base), [])
  })
}

test('a directory may have anything else in its path, and its daemon is not told to a tor that cannot find it', async () => {
  using other = new Account()
  other.environment.SHALLOT_DATA = join(other.base, 'my häus, "1" $HOME')
  assert.equal((await other.jsonWithin(['init'])).exit, 0)
  const tor = [
    '--tor',
    'existing',
    '--tor-control-socket',
    '/run/tor/control',
    '--tor-socks-socket',
    '/run/s',
  ]
  const { exit, said } = await other.jsonWithin(['daemon', ...tor])
  assert.deepEqual([exit, said.code], [2, 'bad-config'])
})

for (const HOME of ['', 'here'])
  test(`directories are never in the one where somebody happens to be: HOME=${HOME}`, async () => {
    using other = new Account()
    Object.assign(other.environment, { HOME, SHALLOT_DATA: '', SHALLOT_OWNER: '' })
    const { said } = await other.json(['config', 'show'])
    const paths = (said.settings as { key: string; value: string }[]).slice(0, 2).map(({ value }) => value)
    assert.deepEqual(
      paths.map((path) => path.startsWith('/')),
      [true, true],
    )
  })

for (const [HOME, cache] of [
  ['', ''],
  ['', 'here'],
  ['here', ''],
] as const)
  test(`what is run is never in the one where somebody happens to be: HOME=${HOME} XDG_CACHE_HOME=${cache}`, async () => {
    using other = new Account()
    Object.assign(other.environment, { HOME, XDG_CACHE_HOME: cache })
    assert.equal((await other.run(['--version'])).exit, 0)
    assert.deepEqual(readdirSync(other.base), [])
  })
