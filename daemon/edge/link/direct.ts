// SPDX-License-Identifier: GPL-3.0-or-later
import type { Instant } from '../../base/clock.ts'
import { serverNameOf } from '../../core/direct.ts'
import type { DirectServer, Frame } from '../../core/envelope/index.ts'
import { localAddress, type ServerLeaf } from '../../core/identity/web-certificates.ts'
import type { PartyId } from '../../core/model/index.ts'
import type { LinkRoom } from './room.ts'

/** Who gives devices' own servers their certificates, and says whose pages may ask them (SPEC 18.2). */
export interface DirectOffice {
  /** As browsers write them in `Origin`, at most DIRECT_ORIGINS_MAX; none: nobody asks devices directly, and nothing is issued. */
  origins(): readonly string[]
  /** @returns undefined when the key is no point of the curve */
  issue(point: Uint8Array, names: readonly string[]): ServerLeaf | undefined
}

/** What one session gives the device's own server, as often as that is due. */
export class ServerPapers {
  readonly #room: LinkRoom
  readonly #device: PartyId
  readonly #names: readonly string[]
  #dueAt: Instant = 0
  #origins = ''

  /** @param address  where the link comes from */
  constructor(room: LinkRoom, device: PartyId, address: string) {
    this.#room = room
    this.#device = device
    const near = localAddress(address)
    this.#names = [serverNameOf(device), ...(near === undefined ? [] : [near])]
  }

  /** The name of the server, and the address that the link comes from when it is a near one. */
  get place(): { readonly name: string; readonly address: string | undefined } {
    return { name: this.#names[0]!, address: this.#names[1] }
  }

  /** Another hello: what was given for the one before counts for nothing. */
  restart(): void {
    this.#dueAt = 0
  }

  /** @returns what is to be sent now, for the hello with the epoch `nonce`; undefined when nothing is due */
  next(server: DirectServer, nonce: Uint8Array): Frame | undefined {
    const { clock, direct, diary, voice } = this.#room
    const origins = direct?.origins() ?? []
    const said = origins.join(' ')
    if (!direct || said === '' || (said === this.#origins && clock.now() < this.#dueAt)) return undefined
    const leaf = direct.issue(server.key, this.#names)
    diary.serverCertified(this.#device, leaf !== undefined)
    this.#origins = said
    this.#dueAt = leaf ? leaf.from + Math.floor(((leaf.until - leaf.from) * 2) / 3) : Number.POSITIVE_INFINITY
    return leaf && voice.direct(this.#device, nonce, leaf.certificate, origins)
  }
}
