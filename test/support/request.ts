// SPDX-License-Identifier: GPL-3.0-or-later
/** Seals what an owner's client seals: requests to the API and commands to devices. */
import { createHash } from 'node:crypto'
import { toBase64url } from '../../daemon/base/bytes.ts'
import { systemClock } from '../../daemon/base/clock.ts'
import { systemRandom } from '../../daemon/base/random.ts'
import { type Frame, type Signer, sealEnvelope } from '../../daemon/core/envelope/index.ts'
import { idOf, type PartyId } from '../../daemon/core/model/index.ts'

export interface SealedRequest {
  readonly method: string
  readonly path: string
  readonly body?: Uint8Array
  /** Instead of now; seconds. */
  readonly sealedAt?: number
  readonly lifetimeS?: number
  readonly audience?: string
}

export interface SealedCommand {
  readonly device: PartyId
  readonly nonce: Uint8Array
  readonly affordance: number
  readonly operation?: 'write' | 'invoke'
  readonly value?: number | boolean
  readonly sealedAt?: number
  readonly lifetimeS?: number
  readonly grant?: Uint8Array
}

/** One who seals, with an epoch and a rising sequence of its own (SPEC 3.1). */
export class Sealer {
  readonly signer: Signer
  readonly home: PartyId
  readonly #epoch = systemRandom.bytes(8)
  #last = 0

  constructor(signer: Signer, home: PartyId) {
    this.signer = signer
    this.home = home
  }

  get id(): PartyId {
    return idOf(this.signer.key)
  }

  claims(sealedAt = Math.floor(systemClock.now() / 1000)) {
    this.#last = Math.max(systemClock.now(), this.#last + 1)
    return { audience: this.home as string, sealedAt, epoch: this.#epoch, sequence: this.#last }
  }

  request({
    method,
    path,
    body = new Uint8Array(),
    sealedAt,
    lifetimeS = 60,
    audience,
  }: SealedRequest): Frame {
    const claims = this.claims(sealedAt)
    return sealEnvelope(
      {
        type: 'request',
        ...claims,
        audience: audience ?? claims.audience,
        expiresAt: claims.sealedAt + lifetimeS,
        method,
        path,
        digest: sha256(body),
      },
      this.signer,
    )
  }

  /** The header that carries it (SPEC 9.2). */
  authorization(request: SealedRequest): string {
    return `Shallot ${toBase64url(this.request(request))}`
  }

  command({
    device,
    nonce,
    affordance,
    operation = 'write',
    value,
    sealedAt,
    lifetimeS = 30,
    grant,
  }: SealedCommand): Frame {
    const claims = this.claims(sealedAt)
    return sealEnvelope(
      {
        type: 'command',
        ...claims,
        audience: device,
        expiresAt: claims.sealedAt + lifetimeS,
        nonce,
        operation,
        affordance,
        ...(value !== undefined && { value }),
        ...(grant && { grant }),
      },
      this.signer,
    )
  }
}

export function sha256(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(bytes).digest())
}
