// SPDX-License-Identifier: GPL-3.0-or-later
import {
  FRAME_MS_MAX,
  HANDSHAKE_MS_MAX,
  HELLO_MS_MAX,
  LINK_BACKLOG_BYTES_MAX,
  LINK_CONNECTIONS_MAX,
  LINK_CONNECTIONS_PER_ADDRESS_MAX,
  SILENCE_S_MAX,
} from '../../../schemas/gen/ts/wire.ts'

/** What one peer may cost the hub (SPEC 6.6). */
export interface LinkLimits {
  readonly connectionsMax: number
  readonly connectionsPerAddressMax: number
  /** Connections from one address that need not prove to be a device of ours, at once and then each second. */
  readonly unprovenBurst: number
  readonly unprovenPerS: number
  readonly handshakeMsMax: number
  readonly helloMsMax: number
  /** From the first byte of a frame to its last. */
  readonly frameMsMax: number
  readonly silenceMsMax: number
  /** Written and not yet taken by the system, towards one device. */
  readonly backlogBytesMax: number
  /** Readings and receipts of one device on their way to the disk, after which no more is read from it. */
  readonly unstoredMax: number
}

export const LINK_LIMITS: LinkLimits = {
  connectionsMax: LINK_CONNECTIONS_MAX,
  connectionsPerAddressMax: LINK_CONNECTIONS_PER_ADDRESS_MAX,
  // As many as may be there at once: a whole house that comes back in one second is let in.
  unprovenBurst: LINK_CONNECTIONS_PER_ADDRESS_MAX,
  unprovenPerS: 4,
  handshakeMsMax: HANDSHAKE_MS_MAX,
  helloMsMax: HELLO_MS_MAX,
  frameMsMax: FRAME_MS_MAX,
  silenceMsMax: SILENCE_S_MAX * 1000,
  backlogBytesMax: LINK_BACKLOG_BYTES_MAX,
  unstoredMax: 64,
}

/** Counts connections in all and by address. */
export class Occupancy {
  readonly #byAddress = new Map<string, number>()
  readonly #limits: LinkLimits
  #total = 0

  constructor(limits: LinkLimits) {
    this.#limits = limits
  }

  /** Takes a place for this address; false when there is none. */
  enter(address: string): boolean {
    const held = this.#byAddress.get(address) ?? 0
    if (this.#total >= this.#limits.connectionsMax || held >= this.#limits.connectionsPerAddressMax)
      return false
    this.#total++
    this.#byAddress.set(address, held + 1)
    return true
  }

  leave(address: string): void {
    const held = this.#byAddress.get(address)!
    this.#total--
    if (held === 1) this.#byAddress.delete(address)
    else this.#byAddress.set(address, held - 1)
  }
}

/** Addresses whose allowance is remembered; the one seen longest ago is forgotten first. */
export const ADDRESSES_MAX = 1024
