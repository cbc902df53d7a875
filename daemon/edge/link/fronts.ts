// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * What the hub shows of itself, and to whom (SPEC 16.3): one TLS server for each leaf that it has. Everybody is shown the first;
 * an address whose last handshake was refused by the other side is shown the next one, so that a device that was away while CAs
 * changed gets in under the one that it still knows.
 */
import type { Server, TLSSocket } from 'node:tls'
import type { Secret } from '../../base/secret.ts'
import type { Signer } from '../../core/envelope/index.ts'
import { caCertificate } from '../../core/identity/certificates.ts'
import { ADDRESSES_MAX } from './limits.ts'
import { tlsServer } from './tls.ts'

/** What changes in the life of a hub, all at once. */
export interface LinkPapers {
  /** DER, issued to this hub's key by the hub CA that devices pin. */
  readonly hubLeaf: Uint8Array
  /** Leaves for who does not take that one, in the order in which they are shown. */
  readonly otherLeaves?: readonly Uint8Array[]
  /** The first issues; certificates of all are accepted. */
  readonly deviceCas: readonly [Signer, ...Signer[]]
  /** Raw keys of more CAs whose certificates are accepted. */
  readonly otherDeviceCas?: readonly Uint8Array[]
}

export interface FrontEvents {
  readonly secured: (socket: TLSSocket) => void
  readonly failed: (error: Error, socket: TLSSocket) => void
}

interface Front {
  readonly leaf: Uint8Array
  readonly server: Server
}

export class Fronts {
  readonly issuer: Signer
  /** Raw keys of the CAs whose certificates are accepted. */
  readonly caKeys: readonly Uint8Array[]
  readonly #fronts: readonly Front[]
  /** By address: which front it is shown next, where that is not the first; the one refused longest ago is forgotten first. */
  readonly #turns = new Map<string, number>()

  constructor(seed: Secret, papers: LinkPapers, events: FrontEvents) {
    const { hubLeaf, otherLeaves = [], deviceCas, otherDeviceCas = [] } = papers
    this.issuer = deviceCas[0]
    this.caKeys = [...deviceCas.map(({ key }) => key), ...otherDeviceCas]
    const names = deviceCas.map((ca) => caCertificate('device', ca))
    this.#fronts = [hubLeaf, ...otherLeaves].map((leaf) => {
      const server = tlsServer({ seed, leaf, deviceCas: names })
      server.on('secureConnection', events.secured)
      server.on('tlsClientError', events.failed)
      return { leaf, server }
    })
  }

  /** The front for a new connection. */
  of(address: string): { readonly leaf: Uint8Array; readonly server: Server } {
    return this.#fronts[(this.#turns.get(address) ?? 0) % this.#fronts.length]!
  }

  /** The other side ended a handshake with an alert of its own. */
  refused(address: string): void {
    if (this.#fronts.length === 1) return
    const turn = (this.#turns.get(address) ?? 0) + 1
    this.#turns.delete(address)
    if (this.#turns.size >= ADDRESSES_MAX) this.#turns.delete(this.#turns.keys().next().value!)
    this.#turns.set(address, turn)
  }

  /** A device got in: what it has learned since, it is shown the first one for. */
  taken(address: string): void {
    this.#turns.delete(address)
  }
}
