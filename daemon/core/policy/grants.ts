// SPDX-License-Identifier: GPL-3.0-or-later
import { createHash } from 'node:crypto'
import type { Code } from '../../../schemas/gen/ts/codes.ts'
import { DEVICE_ENVELOPE_BYTES_MAX, GRANT_LINKS_MAX } from '../../../schemas/gen/ts/wire.ts'
import { toHex } from '../../base/bytes.ts'
import { type No, no, type Verdict, yes } from '../../base/error.ts'
import {
  admit,
  type Command,
  type Ed25519,
  type EnvelopeCode,
  type Frame,
  type GateCode,
  type Grant,
  type Message,
  openEnvelope,
  type Revocation,
  type SignerCode,
} from '../envelope/index.ts'
import { idOf, type PartyId } from '../model/index.ts'
import { Departed, type Departure } from './departed.ts'
import { concerns, type HeldGrant, heldIn, isCopy } from './held.ts'
import type { Trust } from './trust.ts'
import { type GroupsOf, widens } from './wider.ts'

export type GrantCode =
  | EnvelopeCode
  | GateCode
  | Extract<Code, 'grant-revoked' | 'conflict' | 'grant-wider' | 'grants-full'>

/** Why a key may not name a grant (SPEC 12.3). */
export type HolderCode = Exclude<SignerCode, 'grant-chain' | 'no-release-key'>

export interface GrantsOptions {
  /** How many are held at once; ended ones make room. */
  readonly grantsMax: number
  /** How many one key that is no owner's may have passed on; absent: as many as there is room for. */
  readonly passedOnMax?: number
  /** A hub refuses what claims more than its parent holds (SPEC 12.2); which groups a device belongs to, for the comparison. */
  readonly refuseWider?: GroupsOf
  /** Seconds since the epoch: a time that has been for certain. */
  readonly latest?: number
}

/**
 * The grants of a home that hold: in memory, each verified once (SPEC 12.2).
 * Whoever keeps frames gives them back in the order in which they were admitted.
 */
export class Grants {
  readonly trust: Trust
  readonly #ed25519: Ed25519
  readonly #options: GrantsOptions
  /** In order of arrival, so parents before children; by SHA-256 of the frame. */
  readonly #held = new Map<string, HeldGrant>()
  /** Copies of one grant for several keys have one id. */
  readonly #byId = new Map<string, Set<HeldGrant>>()
  readonly #byHolder = new Map<PartyId, Set<HeldGrant>>()
  readonly #passedOn = new Map<PartyId, Set<HeldGrant>>()
  readonly #departed = new Departed()
  #latest: number
  #papersAt = 0
  #commandsAt = 0
  #version: number

  constructor(trust: Trust, ed25519: Ed25519, options: GrantsOptions) {
    this.trust = trust
    this.#ed25519 = ed25519
    this.#options = options
    this.#latest = options.latest ?? 0
    this.#version = trust.version
  }

  /** Seconds since the epoch: the latest time that was believed. What has ended by then stays so when a clock is set back. */
  get latest(): number {
    return this.#latest
  }

  /** It is, or was, this time. @param now seconds since the epoch, 0: not known */
  believe(now: number): void {
    if (now > this.#latest) this.#latest = now
  }

  /** Seconds since the epoch: the latest time at which people are known to have sealed anything, by their own clocks. */
  get sealedAt(): number {
    return Math.max(this.#papersAt, this.#commandsAt)
  }

  /** The same of papers alone, which all daemons of a home have. */
  get papersAt(): number {
    return this.#papersAt
  }

  /** A paper was sealed then, and admitted, so that it is not from the future. */
  witness(sealedAt: number): void {
    if (sealedAt > this.#papersAt) this.#papersAt = sealedAt
  }

  witnessCommand(sealedAt: number): void {
    if (sealedAt > this.#commandsAt) this.#commandsAt = sealedAt
  }

  get size(): number {
    return this.#held.size
  }

  /**
   * Takes one grant, parents before children; one that is held already costs no signature check.
   * @param now  seconds since the epoch, 0: not known
   */
  admit(frame: Frame, now: number): Verdict<HeldGrant, GrantCode> {
    return this.#open(frame, { now, widening: this.#options.refuseWider })
  }

  /**
   * Takes back one that was admitted in an earlier life, in the order of then. It is verified as if it were new, but not
   * held against the clock, which may have been set back since, nor against groups, which change: each use is.
   */
  restore(frame: Frame): Verdict<HeldGrant, GrantCode> {
    return this.#open(frame, {})
  }

  #open(
    frame: Frame,
    { now, widening }: { readonly now?: number; readonly widening?: GroupsOf | undefined },
  ): Verdict<HeldGrant, GrantCode> {
    this.#settle()
    const freshness = (message: Message): Verdict<Message, GateCode> =>
      now === undefined ? yes(message) : admit(message, { now })
    const digest = sha256(frame)
    const known = this.#held.get(digest)
    if (known) {
      const fresh = freshness(known)
      return fresh.ok ? yes(known) : fresh
    }
    const opened = openEnvelope(
      frame,
      {
        sizeMax: DEVICE_ENVELOPE_BYTES_MAX,
        accepts: (body, signer) => body.type === 'grant' && this.#acceptsGrant(body, signer),
        isAudience: (body) => body.audience === this.trust.home,
      },
      this.#ed25519,
    )
    if (!opened.ok) return opened
    const fresh = freshness(opened.value)
    if (!fresh.ok) return fresh
    const held = this.#link(opened.value as Message<Grant>)
    const refused = this.#refusal(held, widening) ?? this.#roomRefusal(held, now ?? 0)
    if (refused) return refused
    this.#keep(digest, held)
    this.witness(held.body.sealedAt)
    return yes(held)
  }

  /** SPEC 12.2, before the signature is looked at. */
  #acceptsGrant(body: Grant, signer: Uint8Array): boolean | No<SignerCode> {
    if (!body.parent) return this.trust.isOwner(signer)
    const parent = this.get(body.parent, signer)
    if (!parent || parent.links >= GRANT_LINKS_MAX)
      return no('grant-chain', `“${body.name}” hangs from nothing that its sealer holds`)
    const maySeal = (parent.body.share ?? 0) > (body.share ?? 0)
    return maySeal || no('grant-chain', `“${parent.body.name}” may not be passed on like this`)
  }

  #link(message: Message<Grant>): HeldGrant {
    const { body, signer } = message
    const parent = body.parent && this.get(body.parent, signer)
    const places = new Set(body.devices.map((one) => (typeof one === 'string' ? one : idOf(one))))
    return { ...message, places, links: (parent?.links ?? 0) + 1, ...(parent && { parent }) }
  }

  #refusal(held: HeldGrant, widening: GroupsOf | undefined): No<GrantCode> | undefined {
    const { body, parent } = held
    if (this.#isTakenBack(held)) {
      this.#departed.note(body, 'grant-revoked')
      return no('grant-revoked', `“${body.name}” was taken back`)
    }
    if (this.withId(body.id).some((other) => !isCopy(other, held)))
      return no('conflict', 'another grant has this id')
    const wider = widening && parent && widens(body, parent.body, widening)
    return wider ? no('grant-wider', `“${body.name}” would give more than is held: ${wider}`) : undefined
  }

  #roomRefusal({ parent, signer }: HeldGrant, now: number): No<GrantCode> | undefined {
    const { grantsMax, passedOnMax = Number.POSITIVE_INFINITY } = this.#options
    // Nobody who may share takes the room of everybody else.
    const passedOn = parent ? this.#passedOn.get(idOf(signer)) : undefined
    if ((passedOn?.size ?? 0) >= passedOnMax)
      return no('grants-full', `${passedOnMax} were passed on by this key`)
    if (this.#held.size >= grantsMax) this.expire(Math.max(now, this.#latest))
    return this.#held.size >= grantsMax ? no('grants-full') : undefined
  }

  #keep(digest: string, held: HeldGrant): void {
    const { id, key } = held.body
    if (held.parent) add(this.#passedOn, idOf(held.signer), held)
    this.#held.set(digest, held)
    add(this.#byId, toHex(id), held)
    if (key) add(this.#byHolder, idOf(key), held)
  }

  /** Who may seal a command, asked before its signature is looked at (SPEC 12.3). */
  acceptsCommand(body: Command, signer: Uint8Array): boolean | No<HolderCode> {
    if (!body.grant) return this.trust.isOwner(signer)
    const named = this.named(body.grant, signer)
    return named.ok || named
  }

  /** The grant that a command of this signer names, or why it may not name it. */
  named(id: Uint8Array, signer: Uint8Array): Verdict<HeldGrant, HolderCode> {
    this.#settle()
    const key = toHex(id)
    if (this.trust.isGrantRevoked(key) || this.trust.isRevoked(signer))
      return no('grant-revoked', 'this grant, or the key that asks, was taken back')
    const copies = this.#byId.get(key)
    if (!copies) return no('unknown-grant', this.#departed.sayOf(signer, id) ?? NEVER_HELD)
    const held = heldIn(copies, signer)
    return held ? yes(held) : no('unknown-signer', 'this grant is for another key')
  }

  /**
   * Takes a list of an owner or of the root (SPEC 12.5) and drops what it takes back.
   * @param now  seconds since the epoch, 0: not known
   */
  revoke(
    frame: Frame,
    now: number,
  ): Verdict<
    { readonly list: Message<Revocation>; readonly dropped: readonly HeldGrant[] },
    EnvelopeCode | GateCode
  > {
    const revoked = this.trust.revoke(frame, now)
    if (revoked.ok) this.witness(revoked.value.body.sealedAt)
    return revoked.ok ? yes({ list: revoked.value, dropped: this.#settle() }) : revoked
  }

  /** Drops grants that have ended, and what hangs from them. @param now seconds since the epoch, 0: not known */
  expire(now: number): readonly HeldGrant[] {
    if (now === 0) return []
    return this.#sweep(({ body }) => body.expiresAt !== undefined && body.expiresAt <= now, 'grant-expired')
  }

  /** The copy of a grant that this key holds. */
  get(id: Uint8Array, holder: Uint8Array): HeldGrant | undefined {
    this.#settle()
    const copies = this.#byId.get(toHex(id))
    return copies && heldIn(copies, holder)
  }

  /** All copies of a grant; none when it is not held. */
  withId(id: Uint8Array): readonly HeldGrant[] {
    this.#settle()
    return [...(this.#byId.get(toHex(id)) ?? [])]
  }

  heldBy(holder: Uint8Array): readonly HeldGrant[] {
    this.#settle()
    return [...(this.#byHolder.get(idOf(holder)) ?? [])]
  }

  /** What became of the last grant that this key lost, as far as that is remembered. */
  departed(holder: Uint8Array): Departure | undefined {
    this.#settle()
    return this.#departed.of(holder)
  }

  /** All that are held, parents before children. */
  list(): readonly HeldGrant[] {
    this.#settle()
    return [...this.#held.values()]
  }

  /** What a device of these groups has to know, parents before children. */
  concerning(device: PartyId, groups: readonly string[]): readonly HeldGrant[] {
    return this.list().filter((held) => concerns(held, device, groups))
  }

  /** Drops what was taken back since the last look. */
  #settle(): readonly HeldGrant[] {
    if (this.#version === this.trust.version) return []
    this.#version = this.trust.version
    return this.#sweep((held) => this.#isTakenBack(held), 'grant-revoked')
  }

  #isTakenBack({ body, signer, parent }: HeldGrant): boolean {
    const { trust } = this
    if (trust.isGrantRevoked(toHex(body.id)) || (body.key && trust.isRevoked(body.key))) return true
    // Whoever passed it on holds the parent: when that key is taken back, the parent is gone and this with it.
    return !parent && (!trust.isOwner(signer) || body.sealedAt < trust.floorOf(signer))
  }

  #sweep(isOver: (held: HeldGrant) => boolean, why: Departure['why']): readonly HeldGrant[] {
    const dropped = new Set<HeldGrant>()
    for (const [digest, held] of this.#held) {
      if (!isOver(held) && !(held.parent && dropped.has(held.parent))) continue
      dropped.add(held)
      this.#departed.note(held.body, why)
      this.#held.delete(digest)
      const { id, key } = held.body
      if (held.parent) drop(this.#passedOn, idOf(held.signer), held)
      drop(this.#byId, toHex(id), held)
      if (key) drop(this.#byHolder, idOf(key), held)
    }
    return [...dropped]
  }
}

const NEVER_HELD = 'no such grant is held here: it was never handed in, or it has ended'

function add<K>(index: Map<K, Set<HeldGrant>>, key: K, held: HeldGrant): void {
  const present = index.get(key)
  if (present) present.add(held)
  else index.set(key, new Set([held]))
}

function drop<K>(index: Map<K, Set<HeldGrant>>, key: K, held: HeldGrant): void {
  const present = index.get(key)
  present?.delete(held)
  if (present?.size === 0) index.delete(key)
}

function sha256(frame: Frame): string {
  return createHash('sha256').update(frame).digest('base64')
}
