// SPDX-License-Identifier: GPL-3.0-or-later
import { EPOCH_BYTES } from '../../../schemas/gen/ts/wire.ts'
import { equal } from '../../base/bytes.ts'
import type { Instant } from '../../base/clock.ts'
import { type Frame, type Signer, sealEnvelope } from '../envelope/index.ts'
import type { PartyId } from '../model/index.ts'
import { writeWays } from './papers.ts'
import type { LogHead } from './ports.ts'

export interface BeaconDeps {
  readonly home: PartyId
  readonly signer: Signer
  /** X25519 public key by which others encrypt descriptors for us. */
  readonly client: Uint8Array
  readonly now: () => Instant
  readonly epoch: Uint8Array
}

/** Seals what this daemon says of itself (SPEC 14.2), each with a larger sequence than any before. */
export class BeaconSealer {
  readonly #deps: BeaconDeps
  #ways: ReadonlyMap<PartyId, Uint8Array>
  #last: number

  /**
   * @param last  the largest sequence that anybody is known to have seen
   * @param ways  as they were said last: who connects before they are looked at anew must not hear of none
   */
  constructor(deps: BeaconDeps, last: number, ways: ReadonlyMap<PartyId, Uint8Array> = new Map()) {
    this.#deps = deps
    this.#last = last
    this.#ways = ways
  }

  /** @returns whether they differ from those before */
  setWays(ways: ReadonlyMap<PartyId, Uint8Array>): boolean {
    const same = equal(writeWays(ways), writeWays(this.#ways))
    this.#ways = new Map(ways)
    return !same
  }

  /** After a restart with a clock that was set back, others may know of beacons that this machine no longer does. */
  outgrow(sequence: number): void {
    this.#last = Math.max(this.#last, sequence)
  }

  seal(head: LogHead): { readonly frame: Frame; readonly sequence: number } {
    const { home, signer, client, now, epoch } = this.#deps
    const at = now()
    this.#last = Math.max(at, this.#last + 1)
    const frame = sealEnvelope(
      {
        type: 'beacon',
        audience: home,
        sealedAt: Math.floor(at / 1000),
        epoch: epoch.subarray(0, EPOCH_BYTES),
        sequence: this.#last,
        position: head.position,
        hash: head.hash,
        client,
        ways: writeWays(this.#ways),
      },
      signer,
    )
    return { frame, sequence: this.#last }
  }
}
