// SPDX-License-Identifier: GPL-3.0-or-later
import type { Clock } from '../../base/clock.ts'
import type { Frame } from '../../core/envelope/message.ts'
import type { PartyId } from '../../core/model/index.ts'
import type { OpenPermit, PermitBook } from '../../core/ports.ts'
import { StateError } from '../error.ts'
import type { PermitTable, Store } from '../store/index.ts'

export class KeptPermits implements PermitBook {
  readonly #store: Store
  readonly #table: PermitTable
  readonly #clock: Clock

  constructor(store: Store, table: PermitTable, clock: Clock) {
    this.#store = store
    this.#table = table
    this.#clock = clock
  }

  get(permit: Uint8Array): OpenPermit | undefined {
    const found = this.#table.get(permit)
    const isStale = found !== undefined && found.expiresAt <= this.#clock.now()
    return isStale ? { ...found, proofKey: undefined } : found
  }

  async open(permit: Parameters<PermitBook['open']>[0]): Promise<void> {
    await this.#store.write(() => {
      this.#table.wipeStale(this.#clock.now())
      if (this.#table.get(permit.permit)) throw new StateError('permit-known', 'this permit is here already')
      this.#table.insert(permit, permit.proofKey, permit.frame)
    })
  }

  async use(permit: Uint8Array, by: PartyId, enrol: Frame, enrolled: Frame): Promise<void> {
    await this.#store.write(() => {
      const found = this.#table.get(permit)
      if (!found) throw new StateError('permit-unknown', 'no such permit')
      if (found.usedBy && found.usedBy !== by) {
        throw new StateError('permit-used', 'the permit enrolled another device')
      }
      this.#table.use(permit, by, enrol, enrolled)
    })
  }

  async wipeStale(): Promise<void> {
    await this.#store.write(() => this.#table.wipeStale(this.#clock.now()))
  }
}
