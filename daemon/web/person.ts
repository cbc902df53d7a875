// SPDX-License-Identifier: GPL-3.0-or-later
import { sha256 } from '@noble/hashes/sha2.js'
import { EPOCH_BYTES } from '../../schemas/gen/ts/wire.ts'
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import {
  type Body,
  type Claims,
  type Command,
  type Ed25519,
  type Frame,
  type Pair,
  portableEd25519,
  type Request,
  type Signer,
  sealEnvelope,
} from '../core/envelope/browser.ts'
import { idOf, type PartyId } from '../core/model/index.ts'
import type { Identity } from './identity.ts'
import type { Keep } from './keep.ts'
import { type PhoneCode, provePhone } from './phone-code.ts'

/** What is sealed beside the claims that every message has. */
type Unsealed<B extends Body> = Omit<B, 'audience' | 'sealedAt' | 'epoch' | 'sequence' | 'expiresAt'>

export interface PersonDeps {
  readonly clock: Clock
  readonly random: Random
  readonly keep: Keep
}

const REQUEST_LIFETIME_S = 60
/** A command through Tor takes seconds; one that took longer would surprise whoever stands at the door. */
export const COMMAND_LIFETIME_S = 30

/** Who uses this page: seals for one home. */
export class Person {
  readonly id: PartyId
  readonly home: PartyId
  readonly root: Uint8Array
  readonly ed25519: Ed25519 = portableEd25519()
  readonly #deps: PersonDeps
  readonly #signer: Signer
  readonly #epoch: Uint8Array

  constructor(deps: PersonDeps, identity: Identity) {
    this.#deps = deps
    this.#signer = this.ed25519.signer(identity.seed)
    this.#epoch = deps.random.bytes(EPOCH_BYTES)
    this.id = idOf(this.#signer.key)
    this.root = identity.root
    this.home = idOf(identity.root)
  }

  /** A request for exactly this (SPEC 9.2). */
  request(method: string, path: string, body: Uint8Array): Frame {
    return this.#seal<Request>(this.home, REQUEST_LIFETIME_S, {
      type: 'request',
      method,
      path,
      digest: sha256(body),
    })
  }

  command(device: PartyId, command: Omit<Unsealed<Command>, 'type'>): Frame {
    return this.#seal<Command>(device, COMMAND_LIFETIME_S, { type: 'command', ...command })
  }

  /** What asks to be let in (SPEC 13.4). */
  pair(code: PhoneCode): Frame {
    const { pairing, proofForHub, proofForOwner } = provePhone(code, this.#signer.key)
    return this.seal<Pair>({ type: 'pair', pairing, proofForHub, proofForOwner })
  }

  /** Anything else that this person may say to the home. */
  seal<B extends Body>(body: Omit<B, 'audience' | 'sealedAt' | 'epoch' | 'sequence'>): Frame {
    return sealEnvelope({ ...body, ...this.#claims(this.home) } as unknown as B, this.#signer)
  }

  #seal<B extends Command | Request>(audience: PartyId, lifetimeS: number, body: Unsealed<B>): Frame {
    const claims = this.#claims(audience)
    const expiresAt = claims.sealedAt + lifetimeS
    return sealEnvelope({ ...body, ...claims, expiresAt } as unknown as B, this.#signer)
  }

  #claims(audience: PartyId): Claims {
    const { clock, keep } = this.#deps
    return {
      audience,
      sealedAt: Math.floor(clock.now() / 1000),
      epoch: this.#epoch,
      sequence: keep.nextSequence(clock.now()),
    }
  }
}
