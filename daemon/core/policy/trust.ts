// SPDX-License-Identifier: GPL-3.0-or-later
import { DEVICE_ENVELOPE_BYTES_MAX, ENVELOPE_BYTES_MAX } from '../../../schemas/gen/ts/wire.ts'
import { equal } from '../../base/bytes.ts'
import { no, type Verdict, yes } from '../../base/error.ts'
import type { Ed25519 } from '../envelope/ed25519.ts'
import { admit, type GateCode } from '../envelope/gate.ts'
import type { Frame, Message, Owner, Revocation } from '../envelope/message.ts'
import { type EnvelopeCode, openEnvelope } from '../envelope/open.ts'
import { idOf, type PartyId } from '../model/index.ts'
import { Revocations } from './revocations.ts'

export interface KnownOwner {
  readonly id: PartyId
  readonly name: string
  /** The root's envelope that makes this key an owner. */
  readonly frame: Frame
}

/**
 * The home's root, whom it made an owner, and what root and owners took back (SPEC 12.5).
 * A key in the root's present list is no owner, whichever of the two arrived first.
 */
export interface Trust {
  readonly home: PartyId
  readonly root: Uint8Array
  /** Those who are owners now. */
  readonly owners: readonly KnownOwner[]
  owner(key: Uint8Array): KnownOwner | undefined
  isOwner(key: Uint8Array): boolean
  /**
   * Takes an envelope of the root that makes somebody an owner.
   * @param now  seconds since the epoch, 0: not known
   * @returns `grant-revoked` for one whom the root's present list names; he is an owner when a later list does not
   */
  addOwner(frame: Frame, now: number): Verdict<KnownOwner, EnvelopeCode | GateCode>
  /**
   * Takes the list of an owner or of the root in place of the last one; the same bytes again are fine.
   * @param now  seconds since the epoch, 0: not known
   * @returns `replayed` for another list that is not newer than the one held
   */
  revoke(frame: Frame, now: number): Verdict<Message<Revocation>, EnvelopeCode | GateCode>
  /** The lists that count, the root's first: to be sent on and kept. */
  readonly revocations: readonly Message<Revocation>[]
  /** A key that the root or an owner took back: as holder, sealer of grants, caller, daemon. */
  isRevoked(key: Uint8Array): boolean
  /** A key that the root itself took back: no owner, and no hub of any device. */
  isUnmade(key: Uint8Array): boolean
  /** A grant that was taken back by its id, whoever sealed it. @param id in hex */
  isGrantRevoked(id: string): boolean
  /** Seconds: grants that this signer sealed before it are out; 0 when there is none. */
  floorOf(signer: Uint8Array): number
  /** Rises with every change of owners and lists, so that whoever decided by them can look again. */
  readonly version: number
}

/** Verifies the owners' envelopes against the root; one that does not verify is the verdict, not a smaller trust. */
export function openTrust(
  root: Uint8Array,
  ownerFrames: readonly Frame[],
  ed25519: Ed25519,
): Verdict<Trust, EnvelopeCode> {
  const trust = new RootedTrust(root, ed25519)
  for (const frame of ownerFrames) {
    const opened = trust.openOwner(frame)
    if (!opened.ok) return opened
    trust.keep(opened.value)
  }
  return yes(trust)
}

class RootedTrust implements Trust {
  readonly home: PartyId
  readonly root: Uint8Array
  readonly #ed25519: Ed25519
  /** Everybody the root ever made an owner, those taken back included: a later list may leave them out. */
  readonly #made = new Map<PartyId, KnownOwner & { readonly sequence: number }>()
  readonly #lists: Revocations
  #version = 0

  constructor(root: Uint8Array, ed25519: Ed25519) {
    this.root = root
    this.home = idOf(root)
    this.#ed25519 = ed25519
    this.#lists = new Revocations(this.home, (id) => this.#made.has(id))
  }

  get owners(): readonly KnownOwner[] {
    return [...this.#made.values()].filter(({ id }) => !this.#lists.isUnmade(id))
  }

  owner(key: Uint8Array): KnownOwner | undefined {
    const id = idOf(key)
    return this.#lists.isUnmade(id) ? undefined : this.#made.get(id)
  }

  isOwner(key: Uint8Array): boolean {
    return this.owner(key) !== undefined
  }

  get revocations(): readonly Message<Revocation>[] {
    return this.#lists.counting
  }

  isRevoked(key: Uint8Array): boolean {
    return this.#lists.isRevoked(key)
  }

  isUnmade(key: Uint8Array): boolean {
    return this.#lists.isUnmade(idOf(key))
  }

  isGrantRevoked(id: string): boolean {
    return this.#lists.isGrantRevoked(id)
  }

  floorOf(signer: Uint8Array): number {
    return this.#lists.floorOf(idOf(signer))
  }

  get version(): number {
    return this.#version
  }

  openOwner(frame: Frame): Verdict<Message<Owner>, EnvelopeCode> {
    const opened = openEnvelope(
      frame,
      {
        sizeMax: ENVELOPE_BYTES_MAX,
        accepts: (body, signer) => body.type === 'owner' && equal(signer, this.root),
        isAudience: (body) => body.audience === this.home,
      },
      this.#ed25519,
    )
    return opened.ok ? yes(opened.value as Message<Owner>) : opened
  }

  keep({ body, frame }: Message<Owner>): KnownOwner {
    const made = { id: idOf(body.key), name: body.name, frame, sequence: body.sequence }
    const before = this.#made.get(made.id)
    // An older envelope that comes again does not bring an older name back.
    if (before && before.sequence >= made.sequence) return before
    this.#made.set(made.id, made)
    this.#changed()
    return made
  }

  addOwner(frame: Frame, now: number): Verdict<KnownOwner, EnvelopeCode | GateCode> {
    const opened = this.openOwner(frame)
    if (!opened.ok) return opened
    const admitted = admit(opened.value, { now })
    if (!admitted.ok) return admitted
    const owner = this.keep(opened.value)
    return this.#lists.isUnmade(owner.id)
      ? no('grant-revoked', `${owner.name} is no owner any more`)
      : yes(owner)
  }

  revoke(frame: Frame, now: number): Verdict<Message<Revocation>, EnvelopeCode | GateCode> {
    const opened = openEnvelope(
      frame,
      {
        // What a device could not read would be taken back at the hub alone.
        sizeMax: DEVICE_ENVELOPE_BYTES_MAX,
        accepts: (body, signer) =>
          body.type === 'revocation' && (equal(signer, this.root) || this.isOwner(signer)),
        isAudience: (body) => body.audience === this.home,
      },
      this.#ed25519,
    )
    if (!opened.ok) return opened
    const list = opened.value as Message<Revocation>
    const admitted = admit(list, { now })
    if (!admitted.ok) return admitted
    const put = this.#lists.put(list)
    if (put === 'older') return no('replayed', 'a newer list of this signer is held')
    if (put === 'new') this.#changed()
    return yes(list)
  }

  #changed(): void {
    this.#lists.recount()
    this.#version++
  }
}
