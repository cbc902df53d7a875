// SPDX-License-Identifier: GPL-3.0-or-later
/** What the desk of authorities asks of the rooms that remember (SPEC 16): keys and leaves in files, what devices confirmed in the database. */
import type { Instant } from '../base/clock.ts'
import type { Secret } from '../base/secret.ts'
import type { Frame } from './envelope/message.ts'
import type { PartyId } from './model/index.ts'

/** One generation of a hub's authorities, without a secret. */
export interface Generation {
  readonly generation: number
  /** The root's word on what devices pin; absent where they have it from their code. */
  readonly pins?: Frame | undefined
  /** DER, for this hub's key, under the hub CA of this generation. */
  readonly hubLeaf: Uint8Array
  /** Raw key of the device CA of this generation. */
  readonly deviceCa: Uint8Array
}

/** The last of `steps` is to come in force; those before it lead there from the present one. */
export interface Announced {
  readonly steps: readonly Generation[]
  /** Ed25519 seed of the device CA of the last. */
  readonly deviceCaSeed: Secret
}

/** Files of the daemon: each change is whole on disk when its call returns, or did not happen. */
export interface GenerationVault {
  readonly present: Generation
  /** Raw keys that devices of the present generation pin: current, then next. */
  readonly hubCas: readonly Uint8Array[]
  /** Seed of the device CA that issues now. */
  readonly deviceCaSeed: Secret
  /** What was in force and is kept for devices that have not heard so, the newest first. */
  readonly former: readonly Generation[]
  /** Later ones that a home restored from its words may have been in, ascending. */
  readonly spare: readonly Generation[]
  /** Raw keys of device CAs whose certificates are taken, beside that of the one that issues. */
  readonly otherDeviceCas: readonly Uint8Array[]
  readonly announced: Announced | undefined
  announce(next: Announced): void
  abandon(): void
  /** What was announced comes in force. */
  enforce(hubCas: readonly Uint8Array[]): void
  /** Former generations `before` this one are kept no longer, nor, with `spare`, those for after a restore. Writes only what changes. */
  forget(what: { readonly before: number; readonly spare: boolean }): void
}

/** How far a device said that it is. */
export interface Confirmation {
  readonly device: PartyId
  /** Its pins are of this generation. */
  readonly inForce: number
  /** It knows the pins of this generation as the next. */
  readonly announced: number
  /** A number of schemas/codes.csv: what it said last. */
  readonly code: number
  readonly at: Instant
}

export interface ConfirmationBook {
  get(device: PartyId): Confirmation | undefined
  /** Instead of what is held of this device. */
  put(confirmation: Confirmation): Promise<void>
}
