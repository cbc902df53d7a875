// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { toBase64url } from '../../../daemon/base/bytes.ts'
import { type Clock, systemClock } from '../../../daemon/base/clock.ts'
import { systemRandom } from '../../../daemon/base/random.ts'
import { Secret } from '../../../daemon/base/secret.ts'
import { loadIdentity, writeIdentity } from '../../../daemon/config/identity.ts'
import { loadOwner } from '../../../daemon/config/keyring.ts'
import { onionAddress, readHomeCode, writeHomeCode } from '../../../daemon/core/identity/index.ts'
import {
  type WebKey,
  webCaCertificate,
  webKey,
  webLeaf,
  webScalar,
} from '../../../daemon/core/identity/web-certificates.ts'
import { idOf } from '../../../daemon/core/model/index.ts'
import { Account } from './as-user.ts'
import { ed25519, FakeHome } from './fake-home.ts'
import { FakePeople } from './fake-people.ts'

const account = new Account()
const ca = newKey()
const onion = ed25519.signer(systemRandom.bytes(32)).key
let home: FakeHome
let origin: string
let socks: string
/** Answers a SOCKS request in the place of tor. */
let reply: (socket: Socket) => void = () => {}
const asked: string[] = []

function newKey(): WebKey {
  return webKey(webScalar(systemRandom.bytes(48)))
}

function leafFor(names: readonly string[], issuer = ca) {
  return webLeaf(issuer, newKey(), names, systemRandom.bytes(16), systemClock.now())
}

const tor = createServer((socket) => {
  socket.on('error', () => {})
  const steps = [Buffer.from([5, 2]), Buffer.from([1, 0])]
  socket.on('data', (chunk: Buffer) => {
    const step = steps.shift()
    if (step) return void socket.write(step)
    asked.push(chunk.subarray(5, 5 + chunk[4]!).toString())
    reply(socket)
  })
})

before(async () => {
  home = new FakeHome(await account.init())
  home.device('porch-light')
  origin = await home.listenTls(leafFor(['127.0.0.1']))
  socks = join(account.base, 'socks')
  await new Promise<void>((resolve) => tor.listen(socks, resolve))
})
after(async () => {
  tor.close()
  await home[Symbol.asyncDispose]()
  account[Symbol.dispose]()
})

function codeFile(lan: readonly string[], webCa?: Uint8Array): string {
  const path = join(account.base, `code-${systemRandom.bytes(4).toHex()}`)
  writeFileSync(path, writeHomeCode({ root: home.root.key, onion, lan, ...(webCa && { webCa }) }).reveal())
  return path
}

/** A refusal of tor that no other circuit would change, so that a test need not wait for more tries. */
const NOT_ALLOWED = (socket: Socket) => socket.end(Buffer.from([5, 2, 0, 1, 0, 0, 0, 0, 0, 0]))

test('the LAN is used when the home answers there under its own CA', async () => {
  const { exit, said } = await account.jsonWithin([
    'set',
    'porch-light',
    'on',
    'true',
    '--home',
    codeFile([origin], webCaCertificate(ca)),
  ])
  assert.equal(exit, 0, JSON.stringify(said))
  assert.deepEqual([said.way, said.verified], ['lan', true])
})

test('one origin that answers is enough, whatever the others do', async () => {
  const lan = ['https://127.0.0.1:1', origin, 'https://127.0.0.1:2']
  const { said } = await account.jsonWithin(['status', '--home', codeFile(lan, webCaCertificate(ca))])
  assert.equal(said.way, 'lan')
})

const passedOver: readonly (readonly [string, () => Promise<string> | string])[] = [
  ['under another CA', () => codeFile([origin], webCaCertificate(newKey()))],
  ['of another home', () => codeFile([origin], webCaCertificate(ca))],
  ['that nobody serves', () => codeFile(['https://127.0.0.1:1'], webCaCertificate(ca))],
  ['without a CA to hold it to', () => codeFile([origin])],
  ['without TLS', () => codeFile(['http://127.0.0.1:1'], webCaCertificate(ca))],
  ['whose CA is noise', () => codeFile([origin], systemRandom.bytes(300))],
  ['whose address is noise', () => codeFile(['https://[::', 'javascript:1'], webCaCertificate(ca))],
]
for (const [what, file] of passedOver) {
  test(`a LAN page ${what} is passed over for Tor`, async () => {
    home.claims = what === 'of another home' ? 'A'.repeat(43) : undefined
    reply = NOT_ALLOWED
    asked.length = 0
    const { exit, said } = await account.jsonWithin(['status', '--home', await file(), '--tor-socks', socks])
    home.claims = undefined
    assert.deepEqual([exit, said.code], [4, 'unreachable'])
    assert.equal(asked.length, 1, 'tor was asked once')
    assert.match(asked[0]!, /^[a-z2-7]{56}\.onion$/)
  })
}

const causes: readonly (readonly [number, RegExp])[] = [
  [2, /rules forbid/],
  [244, /wants a client key/],
  [245, /wrong or was withdrawn/],
  [246, /no well-formed/],
]
for (const [code, words] of causes) {
  test(`tor's reply ${code} is exit 4 with its cause in words, at once`, async () => {
    reply = (socket) => socket.end(Buffer.from([5, code, 0, 4, ...new Uint8Array(18)]))
    asked.length = 0
    const { exit, said } = await account.jsonWithin(['status', '--home', codeFile([]), '--tor-socks', socks])
    assert.deepEqual([exit, said.code], [4, 'unreachable'])
    assert.match(said.message as string, words)
    assert.equal(asked.length, 1)
  })
}

test('a passing refusal is tried again, each time under another isolation pair', async () => {
  const passwords = new Set<string>()
  tor.prependListener('connection', (socket) =>
    socket.on('data', (chunk: Buffer) => chunk[0] === 1 && passwords.add(chunk.toString('latin1'))),
  )
  let tries = 0
  reply = (socket) => {
    if (++tries < 3) socket.end(Buffer.from([5, 242, 0, 4, ...new Uint8Array(18)]))
    else NOT_ALLOWED(socket)
  }
  const { exit, err } = await account.within(['status', '--home', codeFile([]), '--tor-socks', socks])
  assert.equal(exit, 4)
  assert.equal(tries, 3)
  assert.equal(passwords.size, 3)
  assert.match(err, /try [23] \(the home published this address but no longer answers/)
})

/** Fifty times as fast: what the CLI waits for is told by what it does between. */
const hasty: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms / 50, signal) }

test('an address that no directory holds is given up after three looks, with what to do', async () => {
  const waits: number[] = []
  const sleep: Clock['sleep'] = (ms, signal) => {
    waits.push(ms)
    return hasty.sleep(ms, signal)
  }
  account.clock = { ...hasty, sleep }
  reply = (socket) => socket.end(Buffer.from([5, 240, 0, 4, ...new Uint8Array(18)]))
  asked.length = 0
  const { exit, said } = await account.jsonWithin(['status', '--home', codeFile([]), '--tor-socks', socks])
  account.clock = systemClock
  assert.deepEqual([exit, said.code], [4, 'unreachable'])
  assert.match(said.message as string, /withdrawn, or is not published yet/)
  assert.match(said.next as string, /new invitation/)
  assert.equal(asked.length, 3)
  assert.deepEqual(
    waits.filter((ms) => ms === 2000 || ms === 10_000),
    [2000, 10_000],
  )
})

for (const code of [1, 4, 242, 243, 247]) {
  test(`tor's reply ${code} is met with patience: the home's tor may be restarting`, async () => {
    account.clock = hasty
    let tries = 0
    reply = (socket) => {
      if (++tries < 8) socket.end(Buffer.from([5, code, 0, 4, ...new Uint8Array(18)]))
      else NOT_ALLOWED(socket)
    }
    await account.jsonWithin(['status', '--home', codeFile([]), '--tor-socks', socks])
    account.clock = systemClock
    assert.equal(tries, 8)
  })
}

test('when both ways lead nowhere, both causes are told', async () => {
  reply = NOT_ALLOWED
  const closed = 'https://127.0.0.1:1'
  for (const [lan, ca_, cause] of [
    [[closed], ca, /127\.0\.0\.1:1 takes no connections/],
    [[origin], newKey(), /shows no certificate of this home/],
    [[closed, 'javascript:1'], ca, /:1 takes no connections, javascript:1 was passed over/],
  ] as const) {
    const file = codeFile(lan, webCaCertificate(ca_))
    const { exit, said } = await account.jsonWithin(['status', '--home', file, '--tor-socks', socks])
    assert.deepEqual([exit, said.code], [4, 'unreachable'])
    assert.match(said.message as string, /rules forbid this connection; and on the LAN: /)
    assert.match(said.message as string, cause)
  }
})

test('a SOCKS socket where no tor is ends at once, and says what to do', async () => {
  const nowhere = join(account.base, 'nowhere')
  const { exit, said } = await account.jsonWithin(['status', '--home', codeFile([]), '--tor-socks', nowhere])
  assert.deepEqual([exit, said.code], [4, 'unreachable'])
  assert.match(said.next as string, /leave out --tor-socks/)
})

const nonsense: readonly (readonly [string, string])[] = [
  ['a port that is none', '127.0.0.1:70000'],
  ['no port', 'localhost'],
  ['a relative path', 'run/tor/socks'],
]
for (const [what, place] of nonsense) {
  test(`--tor-socks with ${what} is exit 2`, async () => {
    assert.equal((await account.jsonWithin(['status', '--home', codeFile([]), '--tor-socks', place])).exit, 2)
  })
}

suite('a home that has another address by now [SPEC 10.4]', () => {
  const next = ed25519.signer(systemRandom.bytes(32)).key
  const clientKey = systemRandom.bytes(32)
  const people = () => new FakePeople(home)

  /** As the face of the address before it answers. */
  function moveTo(moved: object | undefined): void {
    const answers = people()
    answers.moved = moved
    home.twist = (asked) => {
      asked.answer.setHeader('shallot-moved', '1')
      return answers.twist(asked)
    }
  }
  const MOVED = { address: onionAddress(next), clientKey: toBase64url(clientKey) }
  after(() => {
    home.twist = () => false
  })

  test('the file that led here leads there from then on, and still to the same home', async () => {
    moveTo(MOVED)
    const file = codeFile([origin], webCaCertificate(ca))
    const { exit, err } = await account.within(['get', 'porch-light', '--home', file])
    assert.equal(exit, 0, err)
    assert.match(err, /has another address/)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    const code = readHomeCode(readFileSync(file, 'utf8'))
    assert(code.ok)
    assert.deepEqual([code.value.onion, code.value.clientKey?.reveal()], [next, clientKey])
    assert.deepEqual([code.value.root, code.value.lan], [home.root.key, [origin]])
  })

  test('a key file keeps its key', async () => {
    moveTo(MOVED)
    const seed = new Secret(systemRandom.bytes(32))
    const file = join(account.base, 'moving.key')
    const reach = new Secret(readFileSync(codeFile([origin], webCaCertificate(ca)), 'utf8'))
    const { owners } = loadOwner(account.owner)
    const identity = { home: home.id, root: home.root.key, owners, name: 'far', seed, reach }
    writeFileSync(file, writeIdentity(identity).reveal(), { mode: 0o600 })
    home.callers.add(idOf(ed25519.signer(seed.reveal()).key))
    const { exit, err } = await account.within(['get', 'porch-light', '--as', file])
    assert.equal(exit, 0, err)
    const kept = loadIdentity(file)
    const code = readHomeCode(kept.reach!.reveal())
    assert(code.ok)
    assert.deepEqual([kept.seed.reveal(), code.value.onion], [seed.reveal(), next])
  })

  for (const [what, moved] of [
    ['no address', undefined],
    ['something that is none', { address: 'evil.example' }],
    ['an address that is damaged', { address: MOVED.address.replace(/^./, (a) => (a === 'a' ? 'b' : 'a')) }],
    ['a key that is none', { address: MOVED.address, clientKey: '!' }],
  ] as const) {
    test(`${what} changes nothing, and what was asked for is done`, async () => {
      moveTo(moved)
      const file = codeFile([origin], webCaCertificate(ca))
      const before = readFileSync(file, 'utf8')
      const { exit } = await account.within(['get', 'porch-light', '--home', file])
      assert.equal(exit, 0)
      assert.equal(readFileSync(file, 'utf8'), before)
    })
  }
})

suite('a home that has addresses at other homes for us [SPEC 14.9]', () => {
  const there = ed25519.signer(systemRandom.bytes(32)).key
  const clientKey = systemRandom.bytes(32)
  const CABIN = { home: 'cabin', address: onionAddress(there), clientKey: toBase64url(clientKey) }
  let sock: string

  before(async () => {
    await home.listen(join(account.base, 'there'))
    sock = join(account.base, 'there', 'api.sock')
  })
  after(() => {
    home.twist = () => false
    home.claims = undefined
  })

  /** As the face of the invitation answers. */
  function offer(others: unknown, mark = 'aaaa'): void {
    const answers = new FakePeople(home)
    answers.others = others
    home.twist = (asked) => {
      asked.answer.setHeader('shallot-others', mark)
      return answers.twist(asked)
    }
  }

  /** A code whose home was asked once on the LAN, so that what it told is kept. */
  async function known(others: unknown, mark?: string): Promise<string> {
    offer(others, mark)
    const onLan = codeFile([origin], webCaCertificate(ca))
    const { exit, err } = await account.within(['get', 'porch-light', '--home', onLan])
    assert.equal(exit, 0, err)
    home.twist = () => false
    // Away from the LAN: what was kept is for the address in the code.
    writeFileSync(onLan, writeHomeCode({ root: home.root.key, onion, lan: [] }).reveal())
    return onLan
  }

  const away = (file: string) => account.jsonWithin(['status', '--home', file, '--tor-socks', socks])

  /** tor leads to the home by these addresses alone. */
  function leadBy(addresses: readonly string[]): void {
    asked.length = 0
    reply = (socket) => {
      if (!addresses.includes(asked.at(-1)!)) return NOT_ALLOWED(socket)
      socket.removeAllListeners('data')
      socket.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]))
      const home = connect(sock)
      home.on('error', () => {})
      socket.pipe(home).pipe(socket)
    }
  }

  test('keeps them in a private file beside the code, and asks again only for another list', async () => {
    const file = await known([CABIN])
    const kept = `${file}.others`
    assert.equal(statSync(kept).mode & 0o777, 0o600)
    const { others } = JSON.parse(readFileSync(kept, 'utf8'))
    const code = readHomeCode(others[0].code)
    assert(code.ok)
    assert.deepEqual(
      [others[0].home, code.value.onion, code.value.clientKey?.reveal()],
      ['cabin', there, clientKey],
    )
    assert.deepEqual([code.value.root, code.value.lan], [home.root.key, []])
    const again = async (mark: string) => {
      const lan = writeHomeCode({ root: home.root.key, onion, lan: [origin], webCa: webCaCertificate(ca) })
      writeFileSync(file, lan.reveal())
      offer([], mark)
      home.asked.length = 0
      await account.within(['get', 'porch-light', '--home', file])
      return [home.asked.includes('GET /home'), JSON.parse(readFileSync(kept, 'utf8')).others.length]
    }
    assert.deepEqual(await again('aaaa'), [false, 1])
    assert.deepEqual(await again('0'), [true, 0])
  })

  test('is reached by one of them when its own address does not lead there, and by that at once the next time', async () => {
    const file = await known([{ home: 'shed', address: onionAddress(newKeyOf()) }, CABIN])
    leadBy([CABIN.address])
    const first = await away(file)
    assert.deepEqual([first.exit, first.said.way, first.said.by], [0, 'tor', 'cabin'], first.err)
    assert.deepEqual([asked[0], asked.at(-1), asked.length], [onionAddress(onion), CABIN.address, 3])
    leadBy([CABIN.address])
    const { err, out } = await account.within(['status', '--home', file, '--tor-socks', socks])
    assert.deepEqual([...asked], [CABIN.address])
    assert.match(err, /does not lead to it now: reached by cabin/)
    assert.match(out, /through Tor, by cabin/)
    leadBy([onionAddress(onion)])
    await away(file)
    assert.deepEqual([...asked], [CABIN.address, onionAddress(onion)])
    leadBy([onionAddress(onion)])
    await away(file)
    assert.deepEqual([...asked], [onionAddress(onion)])
  })

  test('means by a bare name its own device, also where another one answers', async () => {
    const file = await known([CABIN])
    leadBy([CABIN.address])
    home.asked.length = 0
    await account.within(['get', 'porch-light', '--home', file, '--tor-socks', socks])
    assert.deepEqual(home.asked, [
      'GET /things/town%2Fporch-light/properties',
      'GET /things/porch-light/properties',
    ])
  })

  test('is not believed there if another home answers, and nothing further is tried', async () => {
    const file = await known([CABIN, { home: 'shed', address: onionAddress(newKeyOf()) }])
    leadBy([CABIN.address])
    home.claims = 'A'.repeat(43)
    const { exit, said } = await away(file)
    home.claims = undefined
    assert.deepEqual([exit === 0, said.code, asked.length], [false, 'wrong-audience', 2])
  })

  test('says of each address why it did not lead there', async () => {
    const file = await known([CABIN])
    leadBy([])
    const { exit, said } = await away(file)
    assert.deepEqual([exit, said.code, asked.length], [4, 'unreachable', 2])
    assert.match(said.message as string, /by its own address: .*rules forbid.*; by cabin: .*rules forbid/)
  })

  for (const [what, others] of [
    ['an address that is none', [{ ...CABIN, address: 'evil.example' }]],
    ['a name with a line end', [{ ...CABIN, home: 'a\nb' }]],
    ['a client key of another size', [{ ...CABIN, clientKey: 'AAAA' }]],
    ['no list', {}],
  ] as const) {
    test(`${what} is not kept, and what was asked for is done`, async () => {
      assert.equal(existsSync(`${await known(others)}.others`), false)
    })
  }

  test('is not looked for by what somebody else wrote into the file', async () => {
    const file = await known([CABIN])
    const kept = `${file}.others`
    const stranger = newKeyOf()
    const right = JSON.parse(readFileSync(kept, 'utf8'))
    const evil = writeHomeCode({ root: stranger, onion: stranger, lan: [] }).reveal()
    for (const text of [
      'x',
      '{}',
      JSON.stringify({ ...right, of: toBase64url(stranger) }),
      JSON.stringify({ ...right, others: 7 }),
      JSON.stringify({ ...right, here: undefined }),
      JSON.stringify({
        ...right,
        others: [null, { home: 'cabin', code: evil }, { home: 'cabin', code: 'x' }],
      }),
      ' '.repeat(70_000),
    ]) {
      writeFileSync(kept, text)
      leadBy([CABIN.address, onionAddress(stranger)])
      const { exit } = await away(file)
      assert.deepEqual([exit, ...asked], [4, onionAddress(onion)], text.slice(0, 40))
    }
  })
})

function newKeyOf(): Uint8Array {
  return ed25519.signer(systemRandom.bytes(32)).key
}
