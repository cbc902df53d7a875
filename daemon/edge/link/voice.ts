// SPDX-License-Identifier: GPL-3.0-or-later
import { EPOCH_BYTES, PLACES_MAX } from '../../../schemas/gen/ts/wire.ts'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import {
  type Direct,
  type Enrolled,
  type Frame,
  type Place,
  type Signer,
  sealEnvelope,
  type Welcome,
  type Zone,
} from '../../core/envelope/index.ts'
import type { PartyId } from '../../core/model/index.ts'

/** What welcomes say of the home, as it is at that moment. */
export interface VoiceOptions {
  /** SPEC 12.6. */
  readonly zone?: (() => Zone | undefined) | undefined
  /** Where else the hub may be found (SPEC 16.5), the best first. */
  readonly places?: (() => readonly Place[]) | undefined
}

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
  readonly #about: VoiceOptions
  #sequence = 0

  constructor(signer: Signer, clock: Clock, random: Random, about: VoiceOptions = {}) {
    this.#signer = signer
    this.#about = about
    this.#clock = clock
    this.#epoch = random.bytes(EPOCH_BYTES)
  }

  /** @param nonce the epoch of the hello that is answered */
  welcome(device: PartyId, nonce: Uint8Array, wantsRecord: boolean): Frame {
    const now = this.#clock.now()
    const zone = this.#about.zone?.()
    const places = this.#about.places?.().slice(0, PLACES_MAX) ?? []
    const about = { ...(zone && { zone }), ...(places.length > 0 && { places }) }
    const time = { nonce, timeMs: now, wantsRecord, ...about }
    const body: Welcome = { type: 'welcome', ...this.#claims(device, now), ...time }
    return sealEnvelope(body, this.#signer)
  }

  /** What a welcome says of the time at this moment. */
  tell(): Told {
    return { timeMs: this.#clock.now(), at: this.#clock.monotonic(), zone: this.#about.zone?.() }
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

  /** @param nonce the epoch of the hello that is answered */
  direct(device: PartyId, nonce: Uint8Array, certificate: Uint8Array, origins: readonly string[]): Frame {
    const claims = this.#claims(device, this.#clock.now())
    const body: Direct = { type: 'direct', ...claims, nonce, certificate, origins }
    return sealEnvelope(body, this.#signer)
  }

  #claims(audience: string, now: number) {
    return { audience, sealedAt: Math.floor(now / 1000), epoch: this.#epoch, sequence: this.#sequence++ }
  }
}
