// SPDX-License-Identifier: GPL-3.0-or-later
import { GRANT_ID_BYTES } from '../../../schemas/gen/ts/wire.ts'
import { equal, toHex } from '../../base/bytes.ts'
import type { Message, Revocation } from '../envelope/message.ts'
import { idOf, type PartyId } from '../model/index.ts'

/** What was taken back: one list per signer, the one with the highest sequence (SPEC 12.5). */
export class Revocations {
  readonly #root: PartyId
  readonly #wasMade: (id: PartyId) => boolean
  readonly #lists = new Map<PartyId, Message<Revocation>>()
  /** Keys in the root's list: no owners, whoever made them. */
  #unmade: ReadonlySet<PartyId> = new Set()
  #keys: ReadonlySet<PartyId> = new Set()
  #grants: ReadonlySet<string> = new Set()
  #floors: ReadonlyMap<PartyId, number> = new Map()
  #counting: readonly Message<Revocation>[] = []

  /** @param wasMade  whether the root ever made this party an owner */
  constructor(root: PartyId, wasMade: (id: PartyId) => boolean) {
    this.#root = root
    this.#wasMade = wasMade
  }

  put(list: Message<Revocation>): 'new' | 'same' | 'older' {
    const signer = idOf(list.signer)
    const held = this.#lists.get(signer)
    if (held && equal(held.frame, list.frame)) return 'same'
    if (held && held.body.sequence >= list.body.sequence) return 'older'
    this.#lists.set(signer, list)
    return 'new'
  }

  /** Takes together the lists that count: the root's, and those of whoever is an owner now. */
  recount(): void {
    const root = this.#lists.get(this.#root)
    this.#unmade = new Set(root ? keysIn(root) : [])
    const owners = [...this.#lists].filter(([id]) => this.#wasMade(id) && !this.#unmade.has(id))
    this.#counting = [...(root ? [root] : []), ...owners.map(([, list]) => list)]
    this.#keys = new Set(this.#counting.flatMap(keysIn))
    this.#grants = new Set(this.#counting.flatMap(grantsIn))
    this.#floors = new Map(this.#counting.map(({ signer, body }) => [idOf(signer), body.floor ?? 0]))
  }

  get counting(): readonly Message<Revocation>[] {
    return this.#counting
  }

  isUnmade(id: PartyId): boolean {
    return this.#unmade.has(id)
  }

  isRevoked(key: Uint8Array): boolean {
    return this.#keys.size > 0 && this.#keys.has(idOf(key))
  }

  isGrantRevoked(id: string): boolean {
    return this.#grants.has(id)
  }

  floorOf(id: PartyId): number {
    return this.#floors.get(id) ?? 0
  }
}

function keysIn({ body }: Message<Revocation>): PartyId[] {
  return body.entries.filter((entry) => entry.length !== GRANT_ID_BYTES).map(idOf)
}

function grantsIn({ body }: Message<Revocation>): string[] {
  return body.entries.filter((entry) => entry.length === GRANT_ID_BYTES).map(toHex)
}
