// SPDX-License-Identifier: GPL-3.0-or-later
/** Two phones and the hub between them: the owner's lets the guest's in, and neither believes the hub. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromBase64url, toBase32, toBase64url } from '../../../daemon/base/bytes.ts'
import { systemRandom } from '../../../daemon/base/random.ts'
import { type Body, nativeEd25519, openEnvelope } from '../../../daemon/core/envelope/index.ts'
import { idOf } from '../../../daemon/core/model/index.ts'
import { Asker } from '../../../daemon/web/ask.ts'
import { Guests } from '../../../daemon/web/guests.ts'
import { join } from '../../../daemon/web/join.ts'
import { Keep } from '../../../daemon/web/keep.ts'
import { Person } from '../../../daemon/web/person.ts'
import { readPhoneCode } from '../../../daemon/web/phone-code.ts'
import { EMPTY, type Guest, next, type State } from '../../../daemon/web/state.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { MemoryStorage } from './page-home.ts'

const ed25519 = nativeEd25519()
const root = systemRandom.bytes(32)
const ONION = `${toBase32(systemRandom.bytes(35))}.onion`

/** What the hub of SPEC 9.3 does for a pairing, and no more; it may be told to show something else. */
class Hub {
  readonly lines: string[] = []
  readonly sealed: Body[] = []
  /** What the last pairing was opened with. */
  asked: Record<string, unknown> = {}
  address: unknown = ONION
  show: (said: Record<string, unknown>) => Record<string, unknown> = (said) => said
  #pair: Uint8Array | undefined
  #holder: Uint8Array | undefined

  readonly fetch = (async (path, init) => {
    const [method, line] = [
      init?.method,
      `${init?.method} ${String(path).replace(/(people|holders|pairings)\/[\w-]+/, '$1/…')}`,
    ]
    this.lines.push(line)
    const bytes = init?.body as Uint8Array
    if (method === 'POST' && line.includes('/pair?')) {
      this.#pair = bytes
      if (!this.#holder) return Response.json({ state: 'unconfirmed', name: 'x' }, { status: 202 })
      return Response.json({ state: 'confirmed', home: idOf(root), holder: toBase64url(this.#holder) })
    }
    if (line === 'POST /pairings') {
      this.asked = JSON.parse(new TextDecoder().decode(bytes))
      this.#open(fromBase64url(String(this.asked.pairing))!)
      return Response.json({ pairing: this.asked.pairing, address: this.address })
    }
    if (line.startsWith('PUT /people') || line.startsWith('PUT /holders')) this.#open(bytes)
    if (line.startsWith('PUT /holders')) this.#holder = bytes
    if (line.startsWith('GET /pairings')) return Response.json(this.show(this.#told()))
    return Response.json({})
  }) as typeof globalThis.fetch

  #told(): Record<string, unknown> {
    if (!this.#pair) return { state: 'open' }
    const opened = openEnvelope(
      this.#pair,
      { sizeMax: 1024, accepts: () => true, isAudience: () => true },
      ed25519,
    )
    assert(opened.ok)
    return { state: 'asked', key: idOf(opened.value.signer), pair: toBase64url(this.#pair) }
  }

  #open(frame: Uint8Array): void {
    const opened = openEnvelope(
      frame,
      { sizeMax: 1024, accepts: () => true, isAudience: () => true },
      ed25519,
    )
    assert(opened.ok)
    this.sealed.push(opened.value.body)
  }
}

function together(origin = `http://${ONION}`) {
  const hub = new Hub()
  const clock = new ManualClock()
  const deps = { clock, random: systemRandom, keep: new Keep(new MemoryStorage()), fetch: hub.fetch }
  const person = new Person(deps, { root, seed: systemRandom.bytes(32), name: 'ada' })
  let state: State = EMPTY
  const guests = new Guests(
    {
      ...deps,
      person,
      origin,
      asker: new Asker(deps, person),
      tell: (happening) => {
        state = next(state, happening)
      },
    },
    new AbortController().signal,
  )
  const guest = (): Guest => state.guest
  return { hub, clock, deps, guests, guest }
}

const phone = { person: { name: 'Bea' }, name: 'Bea’s phone' }

/** The owner shows a code, and the guest asks with it. */
async function askedFor(opened: ReturnType<typeof together>) {
  const { hub, clock, deps, guests, guest } = opened
  void guests.invite(phone)
  await clock.pass(1000)
  const invited = guest()
  assert.equal(invited.kind, 'invited', JSON.stringify(invited))
  const link = invited.kind === 'invited' ? invited.link : ''
  const read = readPhoneCode(link.split('#')[1]!)
  assert(read.ok)
  const seed = systemRandom.bytes(32)
  const own = { ...deps, keep: new Keep(new MemoryStorage()) }
  const joined = join(own, read.value, seed, () => {}, new AbortController().signal)
  joined.catch(() => {})
  await clock.pass(5000)
  return { hub, link, joined, id: idOf(ed25519.signer(seed).key) }
}

describe('letting a phone in from a phone', () => {
  it('shows both the same digits, and lets exactly that key in, under the name it was given', async () => {
    const opened = together()
    const { link, joined, id } = await askedFor(opened)
    assert.match(link, new RegExp(`^http://${ONION}/#shallot:phone:`))
    const { guest, guests, clock, hub } = opened
    const asking = guest()
    assert.match(asking.kind === 'invited' ? asking.match! : '', /^\d{6}$/)
    await guests.admit()
    assert.deepEqual(guest(), { kind: 'in', name: 'Bea’s phone' })
    await clock.pass(5000)
    assert.equal((await joined).name, 'Bea’s phone')
    const holder = hub.sealed.find(({ type }) => type === 'holder')
    assert(holder?.type === 'holder')
    assert.equal(idOf(holder.key), id)
    const person = hub.sealed.find(({ type }) => type === 'person')
    assert(person?.type === 'person' && person.name === 'Bea')
    assert.deepEqual(holder.person, person.person)
  })

  it('has an address made for each phone that is its own, and goes with it', async () => {
    const { hub } = await askedFor(together())
    assert.equal(hub.asked.address, true)
    assert.equal(
      hub.lines.some((line) => line.includes('invitations')),
      false,
    )
  })

  for (const address of [undefined, 'evil.example', `${ONION}:81`]) {
    it(`shows no code for ${String(address).slice(-12)} as an address`, async () => {
      const { hub, guests, guest } = together()
      hub.address = address
      await guests.invite(phone)
      assert.deepEqual(guest(), { kind: 'failed', code: 'bad-answer' })
    })
  }

  it('lets nobody in before somebody asked, and nobody after a no', async () => {
    const { hub, guests, guest, clock } = together()
    void guests.invite(phone)
    await clock.pass(1000)
    await guests.admit()
    await guests.decline()
    assert.deepEqual(guest(), { kind: 'none' })
    await guests.admit()
    assert.equal(
      hub.lines.some((line) => line.startsWith('PUT /holders')),
      false,
    )
    assert.equal(hub.lines.at(-1), 'DELETE /pairings/…')
  })

  const stranger = new Person(
    { clock: new ManualClock(), random: systemRandom, keep: new Keep(new MemoryStorage()) },
    { root, seed: systemRandom.bytes(32), name: '' },
  )
  for (const [what, show, code] of [
    [
      'puts another key in the place of the phone’s',
      (said) => ({
        ...said,
        key: stranger.id,
        pair: toBase64url(stranger.pair({ root, secret: systemRandom.bytes(16) })),
      }),
      'bad-proof',
    ],
    ['names another key than the one that asked', (said) => ({ ...said, key: stranger.id }), 'bad-proof'],
    ['shows no envelope', (said) => ({ ...said, pair: undefined }), 'bad-answer'],
    ['shows something that is none', (said) => ({ ...said, pair: 'AAAA' }), 'bad-proof'],
    ['says that the code is over', () => ({ state: 'expired' }), 'permit-expired'],
    ['says that the code was taken back', () => ({ state: 'declined' }), 'permit-unknown'],
  ] as readonly (readonly [string, Hub['show'], string])[]) {
    it(`shows no digits when the hub ${what}`, async () => {
      const opened = together()
      opened.hub.show = (said) => (said.state === 'open' ? said : show(said))
      await askedFor(opened)
      assert.deepEqual(opened.guest(), { kind: 'failed', code })
      await opened.guests.admit()
      assert.equal(
        opened.hub.lines.some((line) => line.startsWith('PUT /holders')),
        false,
      )
    })
  }
})
