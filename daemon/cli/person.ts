// SPDX-License-Identifier: GPL-3.0-or-later
import { createHash } from 'node:crypto'
import { EPOCH_BYTES } from '../../schemas/gen/ts/wire.ts'
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { OwnerRing } from '../config/keyring.ts'
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
type Unsealed<B extends Body> = Omit<B, 'audience' | 'sealedAt' | 'epoch' | 'sequence'>

export interface PersonDeps {
  readonly clock: Clock
  readonly random: Random
  readonly sequence: Sequence
}

/** Who uses this CLI: seals as an owner of one home, and checks what that home answers against its root. */
export class Person {
  readonly id: PartyId
  readonly name: string
  readonly home: PartyId
  readonly root: Uint8Array
  /** What devices pin: current, then next. */
  readonly hubCas: readonly Uint8Array[]
  readonly trust: Trust
  readonly ed25519: Ed25519 = nativeEd25519()
  readonly #deps: PersonDeps
  readonly #signer: Signer
  readonly #epoch: Uint8Array

  /** @throws CliError not-permitted when the root did not make this key an owner */
  constructor(deps: PersonDeps, keys: OwnerRing) {
    const trust = openTrust(keys.root, keys.owners, this.ed25519)
    if (!trust.ok || !trust.value.isOwner(keys.owner.key)) {
      throw new CliError('not-permitted', "the owner's directory does not hold an owner of its home")
    }
    this.trust = trust.value
    this.id = idOf(keys.owner.key)
    this.name = keys.name
    this.root = keys.root
    this.hubCas = keys.hubCas
    this.home = trust.value.home
    this.#deps = deps
    this.#signer = keys.owner
    this.#epoch = deps.random.bytes(EPOCH_BYTES)
  }

  /** Seconds since the epoch: what `exp` counts from. */
  now(): number {
    return Math.floor(this.#deps.clock.now() / 1000)
  }

  async seal<B extends Body>(audience: PartyId, body: Unsealed<B>): Promise<Frame> {
    const claims = {
      audience,
      sealedAt: this.now(),
      epoch: this.#epoch,
      sequence: await this.#deps.sequence.next(),
    }
    return sealEnvelope({ ...body, ...claims } as unknown as B, this.#signer)
  }
}

export function sha256(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(bytes).digest())
}
