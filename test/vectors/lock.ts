// SPDX-License-Identifier: GPL-3.0-or-later
/** The lock that the grant vectors describe, made of the daemon's own parts (SPEC 12). */
import assert from 'node:assert/strict'
import { equal, fromHex } from '../../daemon/base/bytes.ts'
import {
  admit,
  type Body,
  type BodyOf,
  type Ed25519,
  type Frame,
  type Message,
  openEnvelope,
  ReplayWindow,
  type Zone,
} from '../../daemon/core/envelope/index.ts'
import { type Device, keyOf, parseId } from '../../daemon/core/model/index.ts'
import {
  countedLinks,
  Grants,
  judge,
  Leases,
  openTrust,
  type Trust,
  Uses,
} from '../../daemon/core/policy/index.ts'
import { newDevice } from '../support/core-home.ts'

const SLOTS = 64

export class Lock {
  readonly #ed25519: Ed25519
  readonly #uses = new Uses()
  /** When it last counted a use: on flash with the counts. */
  #countedAt = 0
  readonly #affordances: number[] = []
  #context: Record<string, string> = {}
  #groups: string[] = []
  #enrolment: Message<BodyOf<'enrolment'>> | undefined
  #now = 0
  #zone: Zone | undefined
  #nonce: Uint8Array = new Uint8Array()
  /** What a restart forgets. */
  #leases = new Leases()
  #windows = new Map<string, ReplayWindow>()
  #grants: Grants | undefined

  constructor(ed25519: Ed25519) {
    this.#ed25519 = ed25519
  }

  /** Takes one field of the context, or one that changes it between steps; false when it is not one. */
  learn(field: string, value: string): boolean {
    if (field === 'now') this.#now = Number(value)
    else if (field === 'nonce') this.#nonce = fromHex(value)!
    else if (field === 'zone') this.#zone = zoneOf(value)
    else if (field === 'group') this.#groups.push(value)
    else if (field === 'affordance') this.#affordances.push(Number(value))
    else if (field === 'restart') this.#restart(fromHex(value)!)
    else if (['home', 'audience', 'limit', 'root', 'hub', 'device', 'slots'].includes(field))
      this.#context = { ...this.#context, [field]: value }
    else return false
    return true
  }

  /** Lists, counts and the groups are on flash. */
  #restart(nonce: Uint8Array): void {
    const { trust } = this.#book
    const lists = trust.revocations.map(({ body }) => body.sealedAt)
    this.#grants = this.#open(trust, Math.max(this.#countedAt, ...lists))
    this.#leases = new Leases()
    this.#windows = new Map()
    this.#nonce = nonce
    this.#now = 0
    this.#zone = undefined
  }

  #open(trust: Trust, latest = 0): Grants {
    return new Grants(trust, this.#ed25519, { grantsMax: Number(this.#context.slots ?? SLOTS), latest })
  }

  get #book(): Grants {
    if (!this.#grants) {
      const trusted = openTrust(fromHex(this.#context.root!)!, [], this.#ed25519)
      assert(trusted.ok && trusted.value.home === this.#context.home, 'home is the id of root')
      this.#grants = this.#open(trusted.value)
    }
    return this.#grants
  }

  get #device(): Device {
    const id = parseId(this.#context.audience!)!
    const key = keyOf(id)
    assert(equal(key, fromHex(this.#context.device!)!), 'audience is the id of device')
    const presence = { connected: true, since: 0 }
    const enrolled = {
      ...newDevice({ key, sign: () => assert.fail() }, 'front-door'),
      enrolledAt: 0,
      lost: 0,
    }
    return { ...enrolled, presence, affordances: this.#affordances }
  }

  /** @returns the code reached */
  receive(frame: Frame): string {
    const { trust } = this.#book
    const charge = this.#enrolment?.body.hub
    if (charge && !equal(charge, fromHex(this.#context.hub!)!)) return 'hub-elsewhere'
    const type = this.#typeOf(frame)
    if (type === 'owner') return codeOf(trust.addOwner(frame, this.#now))
    if (type === 'grant') return codeOf(this.#book.admit(frame, this.#now))
    if (type === 'revocation') return codeOf(this.#book.revoke(frame, this.#now))
    const opened = openEnvelope(
      frame,
      {
        sizeMax: Number(this.#context.limit),
        accepts: (body, signer) => this.#accepts(body, signer),
        isAudience: ({ type, audience }) =>
          audience === this.#context[type === 'enrolment' ? 'home' : 'audience'],
      },
      this.#ed25519,
    )
    if (!opened.ok) return opened.why
    const window = opened.value.body.type === 'command' ? this.#window(opened.value.signer) : undefined
    const admitted = admit(opened.value, { now: this.#now, nonce: this.#nonce, window })
    return admitted.ok ? this.#act(opened.value) : admitted.why
  }

  #act(message: Message): string {
    if (message.body.type === 'lease') {
      this.#leases.take(message as Message<BodyOf<'lease'>>, this.#book)
      return 'ok'
    }
    if (message.body.type === 'enrolment') return this.#enrol(message as Message<BodyOf<'enrolment'>>)
    const judged = judge(message as Message<BodyOf<'command'>>, this.#device, {
      grants: this.#book,
      groups: this.#groups,
      now: this.#now,
      zone: this.#zone,
      leases: this.#leases,
      uses: this.#uses,
    })
    if (!judged.ok) return judged.why
    const { by } = judged.value
    const isRead = judged.value.body.operation === 'read'
    if (!isRead && by && countedLinks(by).length > 0) {
      this.#uses.spend(by)
      this.#countedAt = Math.max(this.#countedAt, this.#now)
    }
    return 'ok'
  }

  #enrol(record: Message<BodyOf<'enrolment'>>): string {
    if (this.#enrolment && record.body.sequence < this.#enrolment.body.sequence) return 'replayed'
    if (!equal(record.body.key, fromHex(this.#context.device!)!)) return 'wrong-audience'
    this.#enrolment = record
    this.#groups = [...(record.body.groups ?? [])]
    return 'ok'
  }

  #accepts(body: Body, signer: Uint8Array) {
    if (body.type === 'command') return this.#book.acceptsCommand(body, signer)
    if (body.type === 'lease')
      return equal(signer, fromHex(this.#context.hub!)!) && !this.#book.trust.isUnmade(signer)
    return body.type === 'enrolment' && this.#book.trust.isOwner(signer)
  }

  /** What it would be, were it sealed by anybody for anybody; undefined for what is no envelope. */
  #typeOf(frame: Frame): string | undefined {
    let type: string | undefined
    const seen = (body: Body) => {
      type = body.type
      return false
    }
    openEnvelope(frame, { sizeMax: Infinity, accepts: seen, isAudience: () => false }, this.#ed25519)
    return type
  }

  #window(signer: Uint8Array): ReplayWindow {
    const name = Buffer.from(signer).toString('hex')
    const window = this.#windows.get(name) ?? new ReplayWindow()
    this.#windows.set(name, window)
    return window
  }
}

function codeOf(verdict: { readonly ok: true } | { readonly ok: false; readonly why: string }): string {
  return verdict.ok ? 'ok' : verdict.why
}

function zoneOf(value: string): Zone {
  const [offset, changesAt, thereafter] = value.split(' ').map(Number) as [number, number, number]
  return { offset, changesAt, thereafter }
}
