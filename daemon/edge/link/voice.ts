// SPDX-License-Identifier: GPL-3.0-or-later
import { EPOCH_BYTES } from '../../../schemas/gen/ts/wire.ts'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import {
  type Enrolled,
  type Frame,
  type Signer,
  sealEnvelope,
  type Welcome,
  type Zone,
} from '../../core/envelope/index.ts'
import type { PartyId } from '../../core/model/index.ts'

/** The time and the zone as a device was told them. */
export interface Told {
  readonly timeMs: number
  /** Monotonic. */
  readonly at: number
  readonly zone: Zone | undefined
}

/** So far a clock may have been moved, or drifted, since a device was told. */
const MOVED_MS_MAX = 30_000
const TOLD_MS_MAX = 86_400_000

/** What the hub itself says to devices, sealed by the key of its certificate (SPEC 2.6), under an epoch of its own (SPEC 3.1). */
export class HubVoice {
  readonly #signer: Signer
  readonly #clock: Clock
  readonly #epoch: Uint8Array
  readonly #zone: () => Zone | undefined
  #sequence = 0

  /** @param zone  the home's, now (SPEC 12.6) */
  constructor(signer: Signer, clock: Clock, random: Random, zone: () => Zone | undefined = () => undefined) {
    this.#signer = signer
    this.#zone = zone
    this.#clock = clock
    this.#epoch = random.bytes(EPOCH_BYTES)
  }

  /** @param nonce the epoch of the hello that is answered */
  welcome(device: PartyId, nonce: Uint8Array, wantsRecord: boolean): Frame {
    const now = this.#clock.now()
    const zone = this.#zone()
    const time = { nonce, timeMs: now, wantsRecord, ...(zone && { zone }) }
    const body: Welcome = { type: 'welcome', ...this.#claims(device, now), ...time }
    return sealEnvelope(body, this.#signer)
  }

  /** What a welcome says of the time at this moment. */
  tell(): Told {
    return { timeMs: this.#clock.now(), at: this.#clock.monotonic(), zone: this.#zone() }
  }

  /** Whether a device that was told this must hear it anew (SPEC 6.4): local time changed, our clock was set, or a day went by. */
  isStale({ timeMs, at, zone }: Told): boolean {
    const now = this.tell()
    const [since, moved] = [now.at - at, now.timeMs - timeMs]
    if (since >= TOLD_MS_MAX || Math.abs(moved - since) > MOVED_MS_MAX) return true
    return now.zone?.changesAt !== zone?.changesAt || now.zone?.offset !== zone?.offset
  }

  /** @param nonce the epoch of the enrol that is answered */
  enrolled(device: PartyId, nonce: Uint8Array, certificate: Uint8Array, name: string): Frame {
    const claims = this.#claims(device, this.#clock.now())
    const body: Enrolled = { type: 'enrolled', ...claims, nonce, certificate, name }
    return sealEnvelope(body, this.#signer)
  }

  #claims(audience: string, now: number) {
    return { audience, sealedAt: Math.floor(now / 1000), epoch: this.#epoch, sequence: this.#sequence++ }
  }
}
