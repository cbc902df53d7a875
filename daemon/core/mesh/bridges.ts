// SPDX-License-Identifier: GPL-3.0-or-later
import type { Secret } from '../../base/secret.ts'
import { onionAddress } from '../identity/index.ts'
import type { PartyId } from '../model/index.ts'
import type { Services } from '../services.ts'
import type { Papers } from './papers.ts'
import type { MeshRoom, OnionKeys } from './ports.ts'

export interface BridgeDeps {
  readonly own: PartyId
  readonly papers: Papers
  readonly services: () => Services
  readonly keys: OnionKeys
  /** Our X25519 key, by which we read the descriptors of addresses that are meant for us. */
  readonly clientKey: Secret
  /** Loads libp2p the first time. */
  readonly room: () => Promise<MeshRoom>
  /** Whether there was ever a connection: who never had one may know no way to us. */
  readonly wasHeard: (member: PartyId) => boolean
  readonly removed: (member: PartyId) => Promise<void>
}

/** The name under which one daemon of the home is offered an address of its own (SPEC 5). */
export function memberService(member: PartyId): string {
  return `mesh:${member}`
}

/**
 * Keeps addresses and connections to what membership says: each daemon has an address of its own here, is called at the one it
 * offers us, and loses both when it is removed.
 */
export class Bridges {
  readonly #deps: BridgeDeps
  /** Whom we call, and where. */
  readonly #called = new Map<PartyId, string>()

  constructor(deps: BridgeDeps) {
    this.#deps = deps
  }

  /** The address of each daemon that has one here, as a raw key. */
  async settle(): Promise<ReadonlyMap<PartyId, Uint8Array>> {
    const { own, papers, services } = this.#deps
    await this.#removeOthers()
    const ways = new Map<PartyId, Uint8Array>()
    for (const { id, beacon } of papers.members()) {
      if (id === own || !beacon || papers.isRemoved(own)) continue
      const offered = await services().admit(memberService(id))
      ways.set(id, offered.key)
      await this.#call(id)
    }
    return ways
  }

  async #call(member: PartyId): Promise<void> {
    const { own, papers, keys, clientKey, room, wasHeard } = this.#deps
    const way = papers.way(member, own)
    if (!way) return
    const address = onionAddress(way)
    const before = this.#called.get(member)
    if (before === address) return
    if (before) keys.lock(before)
    this.#called.set(member, address)
    keys.unlock(address, clientKey)
    const carrier = await room()
    carrier.reach(member, address, wasHeard(member))
  }

  async #removeOthers(): Promise<void> {
    const { own, papers, services, keys, room, removed } = this.#deps
    const offered = services()
      .list()
      .flatMap(({ service }) =>
        service.startsWith('mesh:') ? [service.slice('mesh:'.length) as PartyId] : [],
      )
    for (const member of new Set([...offered, ...this.#called.keys()])) {
      // Who was removed itself has nobody left.
      if (papers.isMember(member) && !papers.isRemoved(own)) continue
      const address = this.#called.get(member)
      this.#called.delete(member)
      if (address) keys.lock(address)
      const carrier = await room()
      carrier.leave(member, 'removed')
      await services().withdraw(memberService(member), { origin: 'mesh' })
      await removed(member)
    }
  }
}
