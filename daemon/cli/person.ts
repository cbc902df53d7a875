// SPDX-License-Identifier: GPL-3.0-or-later
import { createHash } from 'node:crypto'
import { EPOCH_BYTES } from '../../schemas/gen/ts/wire.ts'
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import {
  type Body,
  type Ed25519,
  type Frame,
  nativeEd25519,
  type Signer,
  sealEnvelope,
} from '../core/envelope/index.ts'
import { idOf, type PartyId } from '../core/model/index.ts'
import { openTrust, type Trust } from '../core/policy/index.ts'
import { CliError } from './error.ts'
import type { Sequence } from './sequence.ts'

/** What is sealed beside the claims that every message has. */
export type Unsealed<B extends Body> = Omit<B, 'audience' | 'sealedAt' | 'epoch' | 'sequence'>

export interface PersonDeps {
  readonly clock: Clock
  readonly random: Random
  readonly sequence: Sequence
}

/** Whoever uses this CLI: an owner with the owner's directory, or a holder of grants with a key file. */
export interface Keys {
  readonly role: 'owner' | 'holder'
  readonly root: Uint8Array
  /** The root's envelopes that make owners. */
  readonly owners: readonly Frame[]
  /** What devices pin, current then next; only an owner's side knows them. */
  readonly hubCas: readonly Uint8Array[]
  /** Of these pins (SPEC 16.1). */
  readonly generation: number
  readonly signer: Signer
  readonly name: string
}

/** Who uses this CLI: seals with one key of one home, and checks what that home answers against its root. */
export class Person {
  readonly id: PartyId
  readonly name: string
  readonly role: Keys['role']
  readonly home: PartyId
  readonly root: Uint8Array
  /** What devices pin: current, then next. */
  readonly hubCas: readonly Uint8Array[]
  readonly generation: number
  readonly ed25519: Ed25519 = nativeEd25519()
  readonly #deps: PersonDeps
  readonly #signer: Signer
  readonly #epoch: Uint8Array
  #trust: Trust

  /** @throws CliError not-permitted when the root did not make an owner's key an owner */
  constructor(deps: PersonDeps, keys: Keys) {
    const trust = openTrust(keys.root, keys.owners, this.ed25519)
    if (!trust.ok || (keys.role === 'owner' && !trust.value.isOwner(keys.signer.key))) {
      throw new CliError(
        'not-permitted',
        keys.role === 'owner'
          ? "the owner's directory does not hold an owner of its home"
          : 'the key file names owners that the root of its home did not make',
      )
    }
    this.#trust = trust.value
    this.id = idOf(keys.signer.key)
    this.name = keys.name
    this.role = keys.role
    this.root = keys.root
    this.hubCas = keys.hubCas
    this.generation = keys.generation
    this.home = trust.value.home
    this.#deps = deps
    this.#signer = keys.signer
    this.#epoch = deps.random.bytes(EPOCH_BYTES)
  }

  /** Whom the root made an owner, as far as this side has heard. */
  get trust(): Trust {
    return this.#trust
  }

  /** @param frames  envelopes of owners; the root's seal on each is checked @throws CliError bad-answer */
  learnOwners(frames: readonly Frame[]): void {
    const trust = openTrust(this.root, frames, this.ed25519)
    if (!trust.ok) throw new CliError('bad-answer', 'the home named an owner whom its root did not make')
    this.#trust = trust.value
  }

  /** @throws CliError not-permitted for what only an owner can seal */
  requireOwner(doing: string): void {
    if (this.role === 'owner') return
    throw new CliError('not-permitted', `${doing} takes an owner's key, and ${this.name} is none`, {
      next: 'run it without --as and SHALLOT_IDENTITY, in the account of an owner',
    })
  }

  get key(): Uint8Array {
    return this.#signer.key
  }

  /** Seconds since the epoch: what `exp` counts from. */
  now(): number {
    return Math.floor(this.#deps.clock.now() / 1000)
  }

  async seal<B extends Body>(audience: PartyId, body: Unsealed<B>): Promise<Frame> {
    return sealEnvelope(await this.#claim(audience, body), this.#signer)
  }

  /** As `seal`, by another key than one's own: the root's, for as long as the words are at hand. */
  async sealBy<B extends Body>(signer: Signer, audience: PartyId, body: Unsealed<B>): Promise<Frame> {
    return sealEnvelope(await this.#claim(audience, body), signer)
  }

  async #claim<B extends Body>(audience: PartyId, body: Unsealed<B>): Promise<B> {
    const claims = {
      audience,
      sealedAt: this.now(),
      epoch: this.#epoch,
      sequence: await this.#deps.sequence.next(),
    }
    return { ...body, ...claims } as unknown as B
  }
}

export function sha256(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(bytes).digest())
}
