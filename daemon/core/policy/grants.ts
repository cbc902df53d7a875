// SPDX-License-Identifier: GPL-3.0-or-later
import { createHash } from 'node:crypto'
import type { Code } from '../../../schemas/gen/ts/codes.ts'
import { DEVICE_ENVELOPE_BYTES_MAX, GRANT_LINKS_MAX } from '../../../schemas/gen/ts/wire.ts'
import { equal, toHex } from '../../base/bytes.ts'
import { no, type Verdict, yes } from '../../base/error.ts'
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
import type { Trust } from './trust.ts'
import { type GroupsOf, widens } from './wider.ts'

/** A grant whose chain was verified up to an owner. It never changes; what it hangs from is held as long as it is. */
export interface HeldGrant extends Message<Grant> {
  /** What it was passed on from; absent: sealed by an owner. */
  readonly parent?: HeldGrant
  /** 1 for an owner's, at most GRANT_LINKS_MAX. */
  readonly links: number
}

export type GrantCode =
  | EnvelopeCode
  | GateCode
  | Extract<Code, 'grant-revoked' | 'conflict' | 'grant-wider' | 'grants-full'>

export interface GrantsOptions {
  /** How many are held at once; ended ones make room. */
  readonly grantsMax: number
  /** A hub refuses what claims more than its parent holds (SPEC 12.2); which groups a device belongs to, for the comparison. */
  readonly refuseWider?: GroupsOf
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
  readonly #byId = new Map<string, readonly HeldGrant[]>()
  readonly #byHolder = new Map<PartyId, readonly HeldGrant[]>()
  #version: number

  constructor(trust: Trust, ed25519: Ed25519, options: GrantsOptions) {
    this.trust = trust
    this.#ed25519 = ed25519
    this.#options = options
    this.#version = trust.version
  }

  get size(): number {
    return this.#held.size
  }

  /**
   * Takes one grant, parents before children; one that is held already costs no signature check.
   * @param now  seconds since the epoch, 0: not known
   */
  admit(frame: Frame, now: number): Verdict<HeldGrant, GrantCode> {
    this.#settle()
    const digest = sha256(frame)
    const known = this.#held.get(digest)
    if (known) {
      const admitted = admit(known, { now })
      return admitted.ok ? yes(known) : admitted
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
    const message = opened.value as Message<Grant>
    const admitted = admit(message, { now })
    return admitted.ok ? this.#take(message, digest, now) : admitted
  }

  /** SPEC 12.2, before the signature is looked at. */
  #acceptsGrant(body: Grant, signer: Uint8Array): true | SignerCode {
    if (!body.parent) return this.trust.isOwner(signer) || 'unknown-signer'
    const parent = this.get(body.parent, signer)
    if (!parent || parent.links >= GRANT_LINKS_MAX) return 'grant-chain'
    return (parent.body.share ?? 0) > (body.share ?? 0) || 'grant-chain'
  }

  #take(message: Message<Grant>, digest: string, now: number): Verdict<HeldGrant, GrantCode> {
    const { body, signer } = message
    const parent = body.parent && this.get(body.parent, signer)
    const held: HeldGrant = { ...message, links: (parent?.links ?? 0) + 1, ...(parent && { parent }) }
    if (this.#isTakenBack(held)) return no('grant-revoked', `${body.name} was taken back`)
    const copies = this.withId(body.id)
    if (copies.some((other) => !isCopy(other, held))) return no('conflict', 'another grant has this id')
    const { refuseWider, grantsMax } = this.#options
    const wider = refuseWider && parent && widens(body, parent.body, refuseWider)
    if (wider) return no('grant-wider', `${body.name} would give more than is held: ${wider}`)
    if (this.#held.size >= grantsMax) this.expire(now)
    if (this.#held.size >= grantsMax) return no('grants-full')
    this.#held.set(digest, held)
    this.#byId.set(toHex(body.id), [...copies, held])
    if (body.key) this.#byHolder.set(idOf(body.key), [...this.heldBy(body.key), held])
    return yes(held)
  }

  /** Who may seal a command, asked before its signature is looked at (SPEC 12.3). */
  acceptsCommand(body: Command, signer: Uint8Array): true | Exclude<SignerCode, 'grant-chain'> {
    if (!body.grant) return this.trust.isOwner(signer) || 'unknown-signer'
    this.#settle()
    if (this.trust.isGrantRevoked(body.grant) || this.trust.isRevoked(signer)) return 'grant-revoked'
    if (this.withId(body.grant).length === 0) return 'unknown-grant'
    return this.get(body.grant, signer) !== undefined || 'unknown-signer'
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
    return revoked.ok ? yes({ list: revoked.value, dropped: this.#settle() }) : revoked
  }

  /** Drops grants that have ended, and what hangs from them. @param now seconds since the epoch, 0: not known */
  expire(now: number): readonly HeldGrant[] {
    if (now === 0) return []
    return this.#sweep(({ body }) => body.expiresAt !== undefined && body.expiresAt <= now)
  }

  /** The copy of a grant that this key holds. */
  get(id: Uint8Array, holder: Uint8Array): HeldGrant | undefined {
    return this.withId(id).find(({ body }) => body.key && equal(body.key, holder))
  }

  /** All copies of a grant; none when it is not held. */
  withId(id: Uint8Array): readonly HeldGrant[] {
    this.#settle()
    return this.#byId.get(toHex(id)) ?? []
  }

  heldBy(holder: Uint8Array): readonly HeldGrant[] {
    this.#settle()
    return this.#byHolder.get(idOf(holder)) ?? []
  }

  /** All that are held, parents before children. */
  list(): readonly HeldGrant[] {
    this.#settle()
    return [...this.#held.values()]
  }

  /** What a device of these groups has to know, parents before children. */
  concerning(device: Uint8Array, groups: readonly string[]): readonly HeldGrant[] {
    return this.list().filter((held) => linksOf(held).every(({ body }) => names(body, device, groups)))
  }

  /** Drops what was taken back since the last look. */
  #settle(): readonly HeldGrant[] {
    if (this.#version === this.trust.version) return []
    this.#version = this.trust.version
    return this.#sweep((held) => this.#isTakenBack(held))
  }

  #isTakenBack({ body, signer, parent }: HeldGrant): boolean {
    const { trust } = this
    if (trust.isGrantRevoked(body.id) || (body.key && trust.isRevoked(body.key))) return true
    if (!parent) return !trust.isOwner(signer) || body.sealedAt < trust.floorOf(signer)
    return trust.isRevoked(signer)
  }

  #sweep(isOver: (held: HeldGrant) => boolean): readonly HeldGrant[] {
    const dropped = new Set<HeldGrant>()
    for (const [digest, held] of this.#held) {
      if (!isOver(held) && !(held.parent && dropped.has(held.parent))) continue
      dropped.add(held)
      this.#held.delete(digest)
      const { id, key } = held.body
      without(this.#byId, toHex(id), held)
      if (key) without(this.#byHolder, idOf(key), held)
    }
    return [...dropped]
  }
}

/** A grant and what it hangs from, the owner's first: in this order a device takes them. */
export function linksOf(held: HeldGrant): readonly HeldGrant[] {
  return held.parent ? [...linksOf(held.parent), held] : [held]
}

/** Whether a grant names this device, a group of it, or every device (SPEC 12.3). */
export function names({ devices }: Grant, device: Uint8Array, groups: readonly string[]): boolean {
  if (devices.length === 0) return true
  return devices.some((one) => (typeof one === 'string' ? groups.includes(one) : equal(one, device)))
}

/** Copies of one grant are for different keys and come from one hand. */
function isCopy(a: HeldGrant, b: HeldGrant): boolean {
  const isSameKey = a.body.key && b.body.key ? equal(a.body.key, b.body.key) : a.body.key === b.body.key
  const isSameParent =
    a.parent?.body.id && b.parent?.body.id ? equal(a.parent.body.id, b.parent.body.id) : a.parent === b.parent
  return !isSameKey && isSameParent && equal(a.signer, b.signer)
}

function without<K>(index: Map<K, readonly HeldGrant[]>, key: K, held: HeldGrant): void {
  const rest = index.get(key)?.filter((other) => other !== held) ?? []
  if (rest.length > 0) index.set(key, rest)
  else index.delete(key)
}

function sha256(frame: Frame): string {
  return createHash('sha256').update(frame).digest('base64')
}
