// SPDX-License-Identifier: GPL-3.0-or-later
import type { Instant } from '../../base/clock.ts'
import type { FarBook, GuestBook, HeardBook, MeshPaper, MeshPaperBook } from '../../core/mesh/index.ts'
import type { PartyId } from '../../core/model/index.ts'
import type { FarRow, MeshTable, Store } from '../store/index.ts'

/** What other daemons said of themselves and of their devices. */
export class KeptMesh implements MeshPaperBook, FarBook, HeardBook, GuestBook {
  readonly #store: Store
  readonly #table: MeshTable
  readonly #heard: Map<PartyId, Instant>

  constructor(store: Store, table: MeshTable) {
    this.#store = store
    this.#table = table
    this.#heard = new Map(table.heardAt())
  }

  papers(): readonly MeshPaper[] {
    return this.#table.papers()
  }

  keep(paper: MeshPaper): Promise<void> {
    return this.#store.write(() => this.#table.keep(paper))
  }

  things(): readonly FarRow[] {
    return this.#table.things()
  }

  keepThing(member: PartyId, device: PartyId, word: Uint8Array): Promise<void> {
    return this.#store.write(() => this.#table.keepThing(member, device, word))
  }

  dropThing(member: PartyId, device: PartyId): Promise<void> {
    return this.#store.write(() => this.#table.dropThing(member, device))
  }

  dropMember(member: PartyId): Promise<void> {
    return this.#store.write(() => this.#table.dropMember(member))
  }

  said(): ReturnType<GuestBook['said']> {
    return this.#table.said()
  }

  keepSaid(member: PartyId, kind: 'guests' | 'offers', word: Uint8Array): Promise<void> {
    return this.#store.write(() => this.#table.keepSaid(member, kind, word))
  }

  dropSaid(member: PartyId): Promise<void> {
    return this.#store.write(() => this.#table.dropSaid(member))
  }

  arrivals(): ReturnType<GuestBook['arrivals']> {
    return this.#table.arrivals()
  }

  keepArrival(guest: Uint8Array, key: PartyId | undefined): Promise<void> {
    return this.#store.write(() => this.#table.keepArrival(guest, key))
  }

  dropArrival(guest: Uint8Array): Promise<void> {
    return this.#store.write(() => this.#table.dropArrival(guest))
  }

  heardAt(member: PartyId): Instant | undefined {
    return this.#heard.get(member)
  }

  async heard(member: PartyId, at: Instant): Promise<void> {
    this.#heard.set(member, at)
    await this.#store.write(() => this.#table.heard(member, at))
  }
}
