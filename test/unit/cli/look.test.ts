// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { toBase64url } from '../../../daemon/base/bytes.ts'
import { systemRandom } from '../../../daemon/base/random.ts'
import type { Signer } from '../../../daemon/core/envelope/index.ts'
import { jpegOf } from '../../../scripts/twins/jpeg.ts'
import { Account } from './as-user.ts'
import { ed25519, type FakeDevice, FakeHome, json, problem, sha256 } from './fake-home.ts'

const account = new Account()
const JPEG = Uint8Array.from(jpegOf(160, 120, (x, y) => x * 9 + y))
const OTHER = Uint8Array.from(jpegOf(160, 120, (x, y) => x + y * 9))
const [STILL, LOOK] = [30, 31]

let home: FakeHome
let gate: FakeDevice
/** What a hub shows, where it does not tell the truth. */
let lie: { still?: object; signer?: Signer; jpeg?: Uint8Array; coming?: object; told?: number } = {}
let file: string
let count = 0
before(async () => {
  const words = await account.init()
  home = await new FakeHome(words).listen(account.data)
  gate = home.device('gate', [STILL, LOOK])
  home.device('lamp', [1])
})
after(async () => {
  await home[Symbol.asyncDispose]()
  account[Symbol.dispose]()
})
beforeEach(() => {
  lie = {}
  gate.code = 0
  gate.values.set(STILL, JPEG.length)
  file = join(account.base, `picture-${++count}.jpg`)
  let rounds = 0
  home.twist = ({ path, answer }) => {
    if (path === '/things/gate/stills?limit=1') {
      json(answer, { stills: [] })
      return true
    }
    if (path === '/things/lamp/stills?limit=1') {
      problem(answer, 404, 'no-such-affordance')
      return true
    }
    if (path.startsWith(`/things/${gate.id}/stills?`)) {
      const command = new URLSearchParams(path.split('?')[1]).get('command')!
      const coming = { command, digest: 'AA', size: JPEG.length, got: 512, ...lie.coming }
      const isThere = rounds++ > 0 && !lie.coming
      json(answer, isThere ? { stills: [{ frame: toBase64url(sealed(command)) }] } : { stills: [], coming })
      return true
    }
    if (!path.startsWith(`/things/${gate.id}/stills/`)) return false
    answer.writeHead(200, { 'content-type': 'image/jpeg' }).end(lie.jpeg ?? JPEG)
    return true
  }
})

function sealed(command: string): Uint8Array {
  const body = { affordance: STILL, digest: sha256(JPEG), size: JPEG.length, at: 1_700_000_000_000 }
  const asked = Uint8Array.fromBase64(command, { alphabet: 'base64url' })
  return gate.seal({ type: 'still', ...body, command: asked, ...lie.still }, lie.signer)
}

const look = (...more: string[]) => account.jsonWithin(['look', 'gate', '--out', file, ...more])

describe('shallot look', () => {
  test('writes what the device sealed, and shows the proof to scripts', async () => {
    const { exit, said } = await look()
    assert.equal(exit, 0)
    assert.deepEqual(Uint8Array.from(readFileSync(file)), JPEG)
    const { picture, verified, code } = said as {
      picture: Record<string, unknown>
      verified: boolean
      code: string
    }
    assert.deepEqual(
      [verified, code, picture.size, picture.digest],
      [true, 'ok', JPEG.length, toBase64url(sha256(JPEG))],
    )
  })

  test('says to people what it did', async () => {
    const { exit, out } = await account.run(['look', 'gate', '--out', file])
    assert.equal(exit, 0)
    assert.match(out, /bytes, taken 2023-11-14T\S+ \(sealed by gate, verified\)/)
  })

  test('leaves a file alone that is there, and asks nothing of the camera', async () => {
    writeFileSync(file, 'mine')
    const before = home.commands.length
    const { exit, said } = await look()
    assert.deepEqual([exit, said.code, readFileSync(file, 'utf8')], [2, 'usage', 'mine'])
    file = join(account.base, 'nowhere', 'one.jpg')
    assert.deepEqual([(await look()).exit, home.commands.length], [2, before])
  })

  const lies: [string, () => typeof lie, string][] = [
    ['another picture than was sealed', () => ({ jpeg: OTHER }), 'still-digest'],
    ['half of it', () => ({ jpeg: JPEG.subarray(0, 300) }), 'still-digest'],
    ['nothing', () => ({ jpeg: new Uint8Array() }), 'still-digest'],
    [
      'one that another device sealed',
      () => ({ signer: ed25519.signer(systemRandom.bytes(32)) }),
      'unknown-signer',
    ],
    ['one that an owner sealed', () => ({ signer: home.owner }), 'unknown-signer'],
    ['one of another command', () => ({ still: { command: sha256(JPEG) } }), 'bad-answer'],
    ['one of another size than the receipt said', () => ({ still: { size: 9 } }), 'bad-answer'],
    ['one of another property', () => ({ still: { affordance: LOOK } }), 'bad-answer'],
    ['one for another home', () => ({ still: { audience: gate.id } }), 'wrong-audience'],
    ['that it came out of order', () => ({ coming: { code: 'still-digest' } }), 'still-digest'],
    ['that another took its place', () => ({ coming: { code: 'still-replaced' } }), 'still-replaced'],
    ['a place that is none', () => ({ coming: { got: 'much' } }), 'bad-answer'],
  ]
  for (const [what, how, code] of lies)
    test(`writes nothing and ends with ${code} when the hub shows ${what}`, async () => {
      lie = how()
      const { exit, said } = await look()
      assert.deepEqual([exit, said.code, existsSync(file)], [3, code, false])
    })

  test('ends with the device’s own code when it took no picture', async () => {
    gate.code = 164
    const { exit, said } = await look()
    assert.deepEqual([exit, said.code], [3, 'device-fault'])
  })

  test('ends with no-such-affordance for what is no camera', async () => {
    const { exit, said } = await account.jsonWithin(['look', 'lamp', '--out', file])
    assert.deepEqual([exit, said.code], [5, 'no-such-affordance'])
  })

  test('goes on asking for the bytes while the hub says that more is coming', async () => {
    const { twist } = home
    let goes = 0
    home.twist = (asked) => {
      const isBytes = /\/stills\/[^?]+$/.test(asked.path)
      if (!isBytes || ++goes > 2) return twist(asked)
      problem(asked.answer, 503, 'busy')
      return true
    }
    const { exit } = await look()
    assert.deepEqual([exit, goes, Uint8Array.from(readFileSync(file))], [0, 3, JPEG])
  })

  test('ends with the refusal, and takes no picture, when somebody may not see it', async () => {
    home.twist = ({ path, answer }) => {
      if (!path.includes('/stills')) return false
      problem(answer, 403, 'not-granted')
      return true
    }
    const before = home.commands.length
    const { exit, said } = await look()
    assert.deepEqual([exit, said.code, home.commands.length], [3, 'not-granted', before])
  })
})

describe('shallot look, for pictures that are kept', () => {
  /** So many, the newest first: each a minute older than the one before; of one the device knew no time. */
  const COUNT = 150
  const NEWEST = 1_700_000_000_000
  const pictures = Array.from({ length: COUNT }, (_, n) => Uint8Array.from([...JPEG, n, n >> 8, 0xff, 0xd9]))
  const digests = pictures.map((each) => toBase64url(sha256(each)))
  const timeOf = (n: number) => (n === 3 ? 0 : NEWEST - n * 60_000)
  let kept = COUNT
  let asked: string[] = []

  beforeEach(() => {
    kept = COUNT
    asked = []
    home.twist = ({ path, answer }) => {
      const [, digest, query] = /\/stills(?:\/([^?]+))?(?:\?(.*))?$/.exec(path) ?? []
      if (!path.includes('/stills')) return false
      asked.push(path)
      if (digest !== undefined) {
        answer.writeHead(200, { 'content-type': 'image/jpeg' })
        answer.end(lie.jpeg ?? pictures[digests.indexOf(digest)])
        return true
      }
      const { before, limit } = Object.fromEntries(new URLSearchParams(query))
      const from = before === undefined ? 0 : digests.indexOf(before) + 1
      const page = pictures.slice(0, kept).slice(from, from + Number(limit))
      const frames = page.map((each, at) => {
        const body = { affordance: STILL, digest: sha256(each), size: each.length, at: timeOf(from + at) }
        const command = new Uint8Array(32)
        return gate.seal({ type: 'still', ...body, command, ...lie.still }, lie.signer)
      })
      json(answer, { stills: frames.map((frame) => ({ frame: toBase64url(frame) })) })
      return true
    }
  })

  const run = (...args: string[]) => account.jsonWithin(['look', 'gate', ...args])
  const listed = async (...args: string[]) => {
    const { exit, said } = await run('--list', ...args)
    assert.equal(exit, 0, JSON.stringify(said))
    return said.pictures as { digest: string; at?: number; size: number }[]
  }

  test('lists them newest first, each with what its device sealed, and takes none', async () => {
    const before = home.commands.length
    const all = await listed()
    assert.deepEqual([all.length, home.commands.length], [20, before])
    assert.deepEqual(
      all.slice(0, 4).map(({ digest, at, size }) => [digest, at, size]),
      [0, 1, 2, 3].map((n) => [digests[n], timeOf(n) || undefined, pictures[n]!.length]),
    )
  })

  test('lists as many as are asked for, a page at a time', async () => {
    assert.equal((await listed('--limit', '120')).length, 120)
    assert.equal(asked.length, 2)
    assert.equal((await listed('--limit', '500')).length, COUNT)
    kept = 0
    assert.deepEqual(await listed(), [])
  })

  test('says to people which there are', async () => {
    kept = 4
    const { out } = await account.run(['look', 'gate', '--list'])
    const lines = out.trimEnd().split('\n')
    assert.equal(lines.length, 4)
    assert.match(
      lines[0]!,
      new RegExp(`^${digests[0]!.slice(0, 11)} +2023-11-14T22:13:20.000Z +${JPEG.length + 4} bytes$`),
    )
    assert.match(lines[3]!, /at an unknown time/)
    kept = 0
    assert.match((await account.run(['look', 'gate', '--list'])).out, /^No picture of gate is kept\.$/m)
  })

  for (const [what, flag, n] of [
    ['an id of the list', () => `--id=${digests[7]!.slice(0, 11)}`, 7],
    ['a whole digest, of an old one', () => `--id=${digests[140]!}`, 140],
    ['a moment', () => `--at=${new Date(timeOf(5) + 1).toISOString()}`, 5],
    ['the moment at which it was taken', () => `--at=${new Date(timeOf(5)).toISOString()}`, 5],
    ['a time ago', () => '--at=1s', 0],
    ['a moment between, of which one has no time', () => `--at=${new Date(timeOf(2) - 1).toISOString()}`, 4],
  ] as const)
    test(`writes the one that is named: by ${what}`, async () => {
      const { exit, said } = await run(flag(), '--out', file)
      assert.equal(exit, 0, JSON.stringify(said))
      assert.deepEqual(Uint8Array.from(readFileSync(file)), pictures[n])
      assert.equal((said.picture as { digest: string }).digest, digests[n])
    })

  const refusals: [string, string[], number, string][] = [
    ['an id of none', ['--id=AAAAAAAAAAA'], 5, 'not-found'],
    ['a moment before the first', ['--at=2020-01-01T00:00:00Z'], 5, 'not-found'],
    ['half an id', ['--id=AAAA'], 2, 'usage'],
    ['no time', ['--at', 'yesterday'], 2, 'usage'],
    ['an id and a time', ['--id=AAAAAAAAAAA', '--at', '1h'], 2, 'usage'],
    ['a list and a file', ['--list', '--out', 'x.jpg'], 2, 'usage'],
    ['a list and an id', ['--list', '--id=AAAAAAAAAAA'], 2, 'usage'],
    ['a list within a time', ['--list', '--within', '3s'], 2, 'usage'],
    ['one that is kept, of another camera', ['--at', '1h', '--action', 'look2'], 2, 'usage'],
    ['so many of no list', ['--limit', '3'], 2, 'usage'],
    ['none', ['--list', '--limit', '0'], 2, 'usage'],
    ['more than are kept', ['--list', '--limit', '501'], 2, 'usage'],
  ]
  for (const [what, args, exit, code] of refusals)
    test(`refuses with ${code}, and takes none: ${what}`, async () => {
      const before = home.commands.length
      const ran = await run(...args)
      assert.deepEqual([ran.exit, ran.said.code, home.commands.length], [exit, code, before])
    })

  const lies: [string, () => typeof lie, string][] = [
    [
      'one that another device sealed',
      () => ({ signer: ed25519.signer(systemRandom.bytes(32)) }),
      'unknown-signer',
    ],
    ['one of another home', () => ({ still: { audience: gate.id } }), 'wrong-audience'],
    ['one of another property', () => ({ still: { affordance: LOOK } }), 'bad-answer'],
    ['one that is too large', () => ({ still: { size: 65_537 } }), 'bad-answer'],
  ]
  for (const [what, how, code] of lies)
    test(`lists nothing and writes nothing, with ${code}, when the hub shows ${what}`, async () => {
      lie = how()
      for (const args of [['--list'], ['--at', '1s', '--out', file]]) {
        const { exit, said } = await run(...args)
        assert.deepEqual([exit, said.code, existsSync(file)], [3, code, false])
      }
    })

  test('writes nothing when the bytes are others, and leaves a file alone that is there', async () => {
    lie = { jpeg: OTHER }
    const { exit, said } = await run('--at', '1s', '--out', file)
    assert.deepEqual([exit, said.code, existsSync(file)], [3, 'still-digest', false])
    writeFileSync(file, 'mine')
    assert.equal((await run('--at', '1s', '--out', file)).exit, 2)
    assert.equal(readFileSync(file, 'utf8'), 'mine')
  })
})
