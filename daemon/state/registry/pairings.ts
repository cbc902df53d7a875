// SPDX-License-Identifier: GPL-3.0-or-later
import type { Clock } from '../../base/clock.ts'
import type { Frame } from '../../core/envelope/message.ts'
import type { PartyId } from '../../core/model/index.ts'
import type { NewEntry } from '../../core/ports.ts'
import type { OpenPairing, PairingBook } from '../../core/ports-people.ts'
import { StateError } from '../error.ts'
import type { PairingTable, Store } from '../store/index.ts'
import type { LinkEntry } from './readings.ts'

export class KeptPairings implements PairingBook {
  readonly #store: Store
  readonly #table: PairingTable
  readonly #clock: Clock
  readonly #linkEntry: LinkEntry

  constructor(store: Store, table: PairingTable, clock: Clock, linkEntry: LinkEntry) {
    this.#store = store
    this.#table = table
    this.#clock = clock
    this.#linkEntry = linkEntry
  }

  get(pairing: Uint8Array): OpenPairing | undefined {
    const found = this.#table.get(pairing)
    const isStale = found !== undefined && found.expiresAt <= this.#clock.now()
    return isStale ? { ...found, proofKey: undefined } : found
  }

  askedBy(key: PartyId): OpenPairing | undefined {
    return this.#table.askedBy(key)
  }

  invited(): readonly OpenPairing[] {
    return this.#table.invited()
  }

  async open(pairing: Parameters<PairingBook['open']>[0], entry: NewEntry): Promise<void> {
    await this.#store.write(() => {
      this.#table.wipeStale(this.#clock.now())
      if (this.#table.get(pairing.pairing))
        throw new StateError('pairing-known', 'this pairing is here already')
      this.#table.insert(pairing, pairing.frame)
      this.#linkEntry(entry)
    })
  }

  ask(pairing: Uint8Array, key: PartyId, pair: Frame, entry: NewEntry): Promise<boolean> {
    return this.#store.write(() => {
      const found = this.#table.get(pairing)
      if (!found || found.end || (found.key && found.key !== key)) return false
      if (found.key) return true
      this.#table.ask(pairing, key, pair)
      this.#linkEntry(entry)
      return true
    })
  }

  async end(pairing: Uint8Array, how: 'confirmed' | 'declined', entry?: NewEntry): Promise<void> {
    await this.#store.write(() => {
      this.#table.end(pairing, how)
      if (entry) this.#linkEntry(entry)
    })
  }

  async wipeStale(): Promise<void> {
    await this.#store.write(() => this.#table.wipeStale(this.#clock.now()))
  }
}
