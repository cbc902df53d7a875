// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * People, and the keys in their hands (SPEC 13.1, 13.2): sealed papers enter, who a key belongs to leaves.
 *
 * Always true: every paper was opened here, also those from the disk; whether a key may ask is answered anew each time, by
 * what the root and owners have taken back until then. What hangs from something taken back is taken back.
 */
import type { Code } from '../../schemas/gen/ts/codes.ts'
import { ENVELOPE_BYTES_MAX, GRANT_LINKS_MAX } from '../../schemas/gen/ts/wire.ts'
import { equal, toHex } from '../base/bytes.ts'
import type { Instant } from '../base/clock.ts'
import { no, type Verdict, yes } from '../base/error.ts'
import {
  type Ed25519,
  type EnvelopeCode,
  type Frame,
  type Grant,
  type Holder,
  type HolderKind,
  type Message,
  openEnvelope,
  type Person,
} from './envelope/index.ts'
import { idOf, isDeviceName, keyOf, type PartyId } from './model/index.ts'
import type { Grants, Trust } from './policy/index.ts'
import type { Paper, PaperBook } from './ports-people.ts'

export interface KnownPerson {
  readonly id: Uint8Array
  readonly name: string
  /** Who sealed it. */
  readonly by: PartyId
  readonly sequence: number
  readonly frame: Frame
  readonly gone: boolean
}

export interface KnownHolder {
  readonly id: PartyId
  readonly name: string
  readonly kind: HolderKind
  readonly person: Uint8Array
  readonly by: PartyId
  readonly sequence: number
  readonly frame: Frame
  readonly at: Instant
}

/** People, and keys, that one who is no owner may bring in, in all. */
const BROUGHT_MAX = 256

export interface PeopleDeps {
  readonly trust: Trust
  readonly grants: Grants
  readonly ed25519: Ed25519
}

export class People {
  readonly #deps: PeopleDeps
  readonly #people = new Map<string, KnownPerson>()
  readonly #holders = new Map<PartyId, KnownHolder>()

  constructor(deps: PeopleDeps) {
    this.#deps = deps
  }

  /** Takes the kept papers in; one that does not verify counts for nothing. @returns how many did not */
  load(papers: PaperBook): number {
    const opened = (kind: 'person' | 'holder', take: (message: never, paper: Paper) => void): number =>
      papers.all(kind).filter((paper) => {
        const message = this.#open(paper.frame, kind, () => true)
        if (message.ok) take(message.value as never, paper)
        return !message.ok
      }).length
    const people = opened('person', (message: Message<Person>, { goneAt }) =>
      this.keepPerson(message, goneAt !== undefined),
    )
    return people + opened('holder', (message: Message<Holder>, { at }) => this.keepHolder(message, at))
  }

  openPerson(frame: Frame): Verdict<Message<Person>, EnvelopeCode> {
    return this.#open(frame, 'person', (signer) => this.mayBring(signer)) as never
  }

  openHolder(frame: Frame): Verdict<Message<Holder>, EnvelopeCode> {
    return this.#open(frame, 'holder', (signer) => this.mayBring(signer)) as never
  }

  /** Whether this key may bring people and their keys in: an owner's, or of one who may pass something on (SPEC 2.6). */
  mayBring(key: Uint8Array): boolean {
    const { trust, grants } = this.#deps
    if (trust.isOwner(key)) return true
    return !trust.isRevoked(key) && grants.heldBy(key).some(({ body }) => (body.share ?? 0) > 0)
  }

  /** Whether a verified paper may take the place of what is known; only its own hand, or an owner's, changes a paper. */
  judge(message: Message<Person> | Message<Holder>): Verdict<void, Code> {
    const { body, signer } = message
    if (!isDeviceName(body.name)) return no('bad-claims', 'nobody can have this name')
    const isOwner = this.#deps.trust.isOwner(signer)
    const person = this.#people.get(toHex(body.person))
    if (body.type === 'holder') {
      if (!person || person.gone) return no('not-found', 'this person is not known')
      if (!isOwner && person.by !== idOf(signer))
        return no('forbidden', `${person.name} was brought in by somebody else`)
      if (this.#deps.trust.isRevoked(body.key)) return no('grant-revoked', 'this key was taken back')
      if (!isOwner && this.#isSomebodyElses(body.key, signer))
        return no('forbidden', 'this key is somebody else’s')
    }
    const known = body.type === 'person' ? person : this.#holders.get(idOf(body.key))
    if (!known && !isOwner && this.#broughtBy(idOf(signer), body.type) >= BROUGHT_MAX)
      return no('too-many-requests', `${BROUGHT_MAX} were brought in by this key`)
    if (!known || equal(known.frame, message.frame)) return yes(undefined)
    if (!isOwner && known.by !== idOf(signer))
      return no('forbidden', `${known.name} was brought in by somebody else`)
    // Two owners may seal one in the same millisecond: every daemon must come to the same.
    const isLater =
      body.sequence > known.sequence ||
      (body.sequence === known.sequence && Buffer.compare(message.frame, known.frame) > 0)
    return isLater ? yes(undefined) : no('replayed', 'a newer one is known')
  }

  /** Those who are gone too: they still have a paper. */
  #broughtBy(by: PartyId, type: 'person' | 'holder'): number {
    const all = type === 'person' ? this.#people : this.#holders
    return [...all.values()].filter((each) => each.by === by).length
  }

  /** Whether a key is an owner's, or holds what others gave it: nobody who passes on may say whose that is. */
  #isSomebodyElses(key: Uint8Array, signer: Uint8Array): boolean {
    const { trust, grants } = this.#deps
    return trust.isOwner(key) || grants.heldBy(key).some((grant) => !equal(grant.signer, signer))
  }

  keepPerson({ body, signer, frame }: Message<Person>, gone = false): KnownPerson {
    const { person: id, name, sequence, sealedAt } = body
    this.#deps.grants.witness(sealedAt)
    const known = { id, name, by: idOf(signer), sequence, frame, gone }
    this.#people.set(toHex(id), known)
    return known
  }

  keepHolder({ body, signer, frame }: Message<Holder>, at: Instant): KnownHolder {
    const { key, name, kind, person, sequence, sealedAt } = body
    this.#deps.grants.witness(sealedAt)
    const known = { id: idOf(key), name, kind, person, by: idOf(signer), sequence, frame, at }
    this.#holders.set(known.id, known)
    return known
  }

  putAway(id: Uint8Array): void {
    const person = this.#people.get(toHex(id))
    if (person) this.#people.set(toHex(id), { ...person, gone: true })
  }

  /** Those who are gone too: the log still names them. */
  person(id: Uint8Array): KnownPerson | undefined {
    return this.#people.get(toHex(id))
  }

  people(): readonly KnownPerson[] {
    return [...this.#people.values()].filter(({ gone }) => !gone)
  }

  /** Whose a grant is: of the holder of its key; a code is of the one person who is called as it is. */
  personOf({ key, pin, name }: Grant): Uint8Array | undefined {
    if (key) return this.holder(idOf(key))?.person
    const named = pin ? this.people().filter((person) => person.name === name) : []
    return named.length === 1 ? named[0]!.id : undefined
  }

  holder(id: PartyId): KnownHolder | undefined {
    return this.#holders.get(id)
  }

  holdersOf(person: Uint8Array): readonly KnownHolder[] {
    return [...this.#holders.values()].filter((holder) => equal(holder.person, person))
  }

  holders(): readonly KnownHolder[] {
    return [...this.#holders.values()]
  }

  /** Whether this holder's key may ask today: neither it, nor its person, nor who brought it in was taken back. */
  counts({ id, person, by }: KnownHolder, links = GRANT_LINKS_MAX): boolean {
    if (this.#deps.trust.isRevoked(keyOf(id)) || (this.person(person)?.gone ?? true)) return false
    return this.#standsFor(by, links)
  }

  /** Whether a key may still ask, as far as is known here: of one that nobody brought in, only that it was taken back. */
  stands(id: PartyId): boolean {
    const { trust } = this.#deps
    const holder = this.#holders.get(id)
    return trust.isOwner(keyOf(id)) || (holder ? this.counts(holder) : !trust.isRevoked(keyOf(id)))
  }

  /** Links are bounded, because two who may pass on could bring in each other. */
  #standsFor(by: PartyId, links: number): boolean {
    if (this.#deps.trust.isOwner(keyOf(by))) return true
    const holder = this.#holders.get(by)
    return holder !== undefined && links > 1 && this.counts(holder, links - 1)
  }

  #open(
    frame: Frame,
    type: 'person' | 'holder',
    accepts: (signer: Uint8Array) => boolean,
  ): Verdict<Message, EnvelopeCode> {
    return openEnvelope(
      frame,
      {
        sizeMax: ENVELOPE_BYTES_MAX,
        accepts: (body, signer) => body.type === type && accepts(signer),
        isAudience: (body) => body.audience === this.#deps.trust.home,
      },
      this.#deps.ed25519,
    )
  }
}
