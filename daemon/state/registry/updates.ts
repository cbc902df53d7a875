// SPDX-License-Identifier: GPL-3.0-or-later
import type { Instant } from '../../base/clock.ts'
import type { NewEntry } from '../../core/ports.ts'
import type { KeptImage, Rollout, UpdateBook } from '../../core/updates/index.ts'
import type { Store, UpdateTable } from '../store/index.ts'
import type { LinkEntry } from './readings.ts'

/** Images that nothing needs are kept so many, so that one that was just handed in can be rolled out. */
const IMAGES_MAX = 4
/** Roll-outs that are over are answered from memory so many. */
const ROLLOUTS_MAX = 50

/** Roll-outs are answered from memory: each word of a device is held against them. */
export class KeptUpdates implements UpdateBook {
  readonly #store: Store
  readonly #table: UpdateTable
  readonly #linkEntry: LinkEntry
  #rollouts: readonly Rollout[]

  constructor(store: Store, table: UpdateTable, linkEntry: LinkEntry) {
    this.#store = store
    this.#table = table
    this.#linkEntry = linkEntry
    this.#rollouts = table.rollouts(ROLLOUTS_MAX)
  }

  image(manifestDigest: Uint8Array): KeptImage | undefined {
    return this.#table.image(manifestDigest)
  }

  holdsImage(manifestDigest: Uint8Array): boolean {
    return this.#table.holdsImage(manifestDigest)
  }

  async putImage(image: KeptImage, at: Instant): Promise<void> {
    await this.#store.write(() => {
      this.#table.putImage(image, at)
      this.#table.dropImages(IMAGES_MAX)
    })
  }

  rollouts(): readonly Rollout[] {
    return this.#rollouts
  }

  async putRollout(rollout: Rollout, entry?: NewEntry): Promise<void> {
    await this.#store.write(
      () => {
        this.#table.put(rollout)
        if (entry) this.#linkEntry(entry)
        return this.#table.rollouts(ROLLOUTS_MAX)
      },
      (all) => {
        this.#rollouts = all
      },
    )
  }

  nextId(): number {
    return this.#table.lastId() + 1
  }
}
