// SPDX-License-Identifier: GPL-3.0-or-later
import type { PartyId } from '../../core/model/index.ts'
import type { KeptStill, StillBook, WhichStills } from '../../core/stills/index.ts'
import type { StillTable, Store } from '../store/index.ts'

/** What pictures may take (SPEC 19.4). */
export interface StillLimits {
  readonly ofDevice: number
  readonly bytesOfDevice: number
  readonly bytesOfAll: number
}

export const STILL_LIMITS: StillLimits = {
  ofDevice: 500,
  bytesOfDevice: 32 * 1024 * 1024,
  bytesOfAll: 256 * 1024 * 1024,
}

/** Pictures, read from the disk. What is too much goes with the one that is too many, in one transaction. */
export class KeptStills implements StillBook {
  readonly #store: Store
  readonly #table: StillTable
  readonly #limits: StillLimits

  constructor(store: Store, table: StillTable, limits: StillLimits = STILL_LIMITS) {
    this.#store = store
    this.#table = table
    this.#limits = limits
  }

  list(device: PartyId, limit: number, which?: WhichStills): readonly KeptStill[] {
    return this.#table.list(device, limit, which)
  }

  get(device: PartyId, digest: Uint8Array): KeptStill | undefined {
    return this.#table.get(device, digest)
  }

  read(device: PartyId, digest: Uint8Array, at: number, size: number): Uint8Array | undefined {
    return this.#table.read(device, digest, at, size)
  }

  async put(still: KeptStill, picture: Uint8Array): Promise<void> {
    await this.#store.write(() => {
      this.#table.put(still, picture)
      this.#makeRoom(still.device)
    })
  }

  /** Each round drops one, so it ends at the latest with the last. */
  #makeRoom(device: PartyId): void {
    const { ofDevice, bytesOfDevice, bytesOfAll } = this.#limits
    for (;;) {
      const { count, bytes } = this.#table.roomOf(device)
      if (count <= ofDevice && bytes <= bytesOfDevice) break
      this.#table.dropOldest(device)
    }
    while (this.#table.bytesOfAll() > bytesOfAll) this.#table.dropOfLargest()
  }
}
