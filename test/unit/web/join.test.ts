// SPDX-License-Identifier: GPL-3.0-or-later
/** A hub of a few lines, with Node's own hashes: what the page proves must be what SPEC 13 says, not what the page thinks. */
import assert from 'node:assert/strict'
import { createHash, createHmac, hkdfSync } from 'node:crypto'
import { describe, it } from 'node:test'
import { concat, toBase64url, utf8 } from '../../../daemon/base/bytes.ts'
import { systemClock } from '../../../daemon/base/clock.ts'
import { isCode } from '../../../daemon/base/error.ts'
import { systemRandom } from '../../../daemon/base/random.ts'
import {
  type Cbor,
  encodeCbor,
  nativeEd25519,
  openEnvelope,
  sealEnvelope,
} from '../../../daemon/core/envelope/index.ts'
import { idOf } from '../../../daemon/core/model/index.ts'
import { type Joining, join, matchOf } from '../../../daemon/web/join.ts'
import { Keep } from '../../../daemon/web/keep.ts'
import { readPhoneCode } from '../../../daemon/web/phone-code.ts'
import { CODE_PHONE_PREFIX } from '../../../schemas/gen/ts/wire.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { MemoryStorage } from './page-home.ts'

const ed25519 = nativeEd25519()
const root = ed25519.signer(systemRandom.bytes(32))
const home = idOf(root.key)
const owner = ed25519.signer(systemRandom.bytes(32))
const secret = systemRandom.bytes(16)
const seed = systemRandom.bytes(32)
const phone = ed25519.signer(seed)

function written(members: [number, Cbor][]): string {
  const bytes = encodeCbor(new Map(members))
  return (
    CODE_PHONE_PREFIX + toBase64url(concat(bytes, createHash('sha256').update(bytes).digest().subarray(0, 4)))
  )
}

const code = (version = 1, keptSecret = secret) =>
  written([
    [1, version],
    [2, root.key],
    [3, systemRandom.bytes(32)],
    [4, keptSecret],
    [6, ['https://192.168.1.5:8443']],
  ])

const expand = (info: string, bytes: number) =>
  Buffer.from(hkdfSync('sha256', secret, 'shallot-pair/1', info, bytes))
const mac = (key: Uint8Array, ...parts: Uint8Array[]) =>
  createHmac('sha256', key)
    .update(concat(...parts))
    .digest()

const claims = (audience: string) => ({ audience, sealedAt: 5, epoch: systemRandom.bytes(8), sequence: 5 })
const holder = (key = phone.key, audience: string = home) =>
  sealEnvelope(
    {
      type: 'holder',
      ...claims(audience),
      name: 'Bea’s phone',
      key,
      person: systemRandom.bytes(8),
      kind: 'phone',
    },
    owner,
  )
const confirmed = (frame = holder(), at: string = home) =>
  Response.json({ state: 'confirmed', holder: toBase64url(frame), home: at, hub: home, owners: [] })
const refused = (status: number, problem: string) => Response.json({ code: problem }, { status })

interface Asked {
  readonly path: string
  readonly headers: Headers
  readonly frame: Uint8Array
}

/** Joins at a hub that gives these answers one after the other. */
async function joinAt(...answers: (() => Response)[]) {
  const asked: Asked[] = []
  const told: Joining[] = []
  const fetch = (async (path, init) => {
    asked.push({ path: String(path), headers: init?.headers as Headers, frame: init?.body as Uint8Array })
    return answers[asked.length - 1]!()
  }) as typeof globalThis.fetch
  const clock = new ManualClock()
  const deps = { clock, random: systemRandom, keep: new Keep(new MemoryStorage()), fetch }
  const read = readPhoneCode(code())
  assert(read.ok)
  const joined = join(deps, read.value, seed, (state) => told.push(state), new AbortController().signal)
  joined.catch(() => {})
  for (let pauses = 0; pauses < 20; pauses++) await clock.pass(2000)
  return { asked, told, joined }
}

describe('a phone that joins [SPEC 13.3 to 13.5]', () => {
  it('proves the secret for its key to hub and owner, and shows the digits that the owner sees', async () => {
    const { asked, joined } = await joinAt(confirmed)
    await joined
    const [first] = asked
    assert.equal(first!.path, `/pairings/${toBase64url(expand('id', 8))}/pair?wait=0`)
    const opened = openEnvelope(
      first!.frame,
      { sizeMax: 1024, accepts: (_, signer) => idOf(signer) === idOf(phone.key), isAudience: () => true },
      ed25519,
    )
    assert(opened.ok && opened.value.body.type === 'pair')
    const { body } = opened.value
    assert.deepEqual(body.audience, home)
    assert.deepEqual(Buffer.from(body.pairing), expand('id', 8))
    assert.deepEqual(Buffer.from(body.proofForHub), mac(expand('hub', 32), phone.key))
    assert.deepEqual(Buffer.from(body.proofForOwner), mac(expand('owner', 32), phone.key))
    const digits = mac(expand('owner', 32), utf8('match'), phone.key).readUInt32BE(0) % 1_000_000
    const read = readPhoneCode(code())
    const deps = { clock: systemClock, random: systemRandom, keep: new Keep(new MemoryStorage()), fetch }
    assert.equal(read.ok && matchOf(read.value, seed, deps), String(digits).padStart(6, '0'))
  })

  it('waits for the owner, asks again, and comes in with the name that the owner gave it', async () => {
    const waiting = () => Response.json({ state: 'unconfirmed', name: 'x' }, { status: 202 })
    const { asked, told, joined } = await joinAt(waiting, waiting, waiting, confirmed)
    assert.deepEqual(await joined, { root: root.key, seed, name: 'Bea’s phone' })
    assert.deepEqual(
      asked.map(({ path }) => path.split('?')[1]),
      ['wait=0', 'wait=25', 'wait=25', 'wait=25'],
    )
    assert.deepEqual(told, ['waiting', 'waiting', 'waiting'])
    assert(asked.every(({ headers }) => !headers.has('authorization')))
  })

  it('goes on when the home is out of reach for a while', async () => {
    const away = () => {
      throw new TypeError('Failed to fetch')
    }
    const { told, joined } = await joinAt(away, away, confirmed)
    assert.equal((await joined).name, 'Bea’s phone')
    assert.deepEqual(told, ['unreachable', 'unreachable'])
  })

  for (const [status, why] of [
    [404, 'permit-unknown'],
    [409, 'permit-used'],
    [410, 'permit-expired'],
    [400, 'bad-proof'],
    [429, 'too-many-tries'],
  ] as const) {
    it(`ends with ${why}`, async () => {
      const { joined, asked } = await joinAt(() => refused(status, why))
      await assert.rejects(joined, (error) => isCode(error, why))
      assert.equal(asked.length, 1)
    })
  }

  for (const [what, answer, why] of [
    ['shows a holder for another key', () => confirmed(holder(owner.key)), 'distrust'],
    ['shows a holder of another home', () => confirmed(holder(phone.key, idOf(owner.key))), 'distrust'],
    ['is another home', () => confirmed(holder(), idOf(owner.key)), 'distrust'],
    ['shows a holder that nobody sealed', () => confirmed(holder().fill(0, -64)), 'distrust'],
    ['shows something else', () => confirmed(encodeCbor('let in')), 'distrust'],
    ['shows nothing', () => Response.json({ state: 'confirmed', home }), 'bad-answer'],
    ['answers with a page', () => new Response('<h1>Welcome to the hotel</h1>'), 'bad-answer'],
  ] as const) {
    it(`does not come in when the home says "confirmed" and ${what}`, async () => {
      const { joined } = await joinAt(answer)
      await assert.rejects(joined, (error) => isCode(error, why))
    })
  }
})

describe('readPhoneCode()', () => {
  it('takes a code with what is for others in it', () => assert(readPhoneCode(code()).ok))

  for (const [what, text, why] of [
    ['of a newer Shallot', code(2), 'code-version'],
    ['with a short secret', code(1, systemRandom.bytes(15)), 'code-damaged'],
    ['cut off', code().slice(0, -3), 'code-damaged'],
    ['for a home', code().replace('phone', 'home'), 'code-damaged'],
    ['without end', code() + 'A'.repeat(2000), 'code-damaged'],
  ] as const) {
    it(`refuses one ${what}`, () => assert.deepEqual(readPhoneCode(text), { ok: false, why }))
  }
})
