// SPDX-License-Identifier: GPL-3.0-or-later
import { DEVICE_ENVELOPE_BYTES_MAX } from '../../schemas/gen/ts/wire.ts'
import { toHex } from '../base/bytes.ts'
import { type Ed25519, type Frame, type Grant, type Message, openEnvelope } from './envelope/index.ts'
import type { Grants, Trust } from './policy/index.ts'
import type { PaperBook } from './ports-people.ts'

/** Grants that were recorded and hold no more: taken back, or ended and dropped. Each is verified once. */
export class PastGrants {
  readonly #deps: {
    readonly trust: Trust
    readonly grants: Grants
    readonly papers: PaperBook
    readonly ed25519: Ed25519
  }
  /** By the digest under which it is kept; undefined for one that does not verify. */
  readonly #opened = new Map<string, Message<Grant> | undefined>()

  constructor(deps: { trust: Trust; grants: Grants; papers: PaperBook; ed25519: Ed25519 }) {
    this.#deps = deps
  }

  list(): readonly Message<Grant>[] {
    const held = new Set(this.#deps.grants.list().map(({ frame }) => toHex(frame)))
    const gone = this.#deps.papers.all('grant').filter(({ frame }) => !held.has(toHex(frame)))
    return gone.flatMap(({ key, frame }) => this.#once(toHex(key), frame) ?? [])
  }

  #once(digest: string, frame: Frame): Message<Grant> | undefined {
    if (!this.#opened.has(digest)) this.#opened.set(digest, this.#open(frame))
    return this.#opened.get(digest)
  }

  #open(frame: Frame): Message<Grant> | undefined {
    const opened = openEnvelope(
      frame,
      {
        sizeMax: DEVICE_ENVELOPE_BYTES_MAX,
        accepts: (body) => body.type === 'grant',
        isAudience: (body) => body.audience === this.#deps.trust.home,
      },
      this.#deps.ed25519,
    )
    return opened.ok ? (opened.value as Message<Grant>) : undefined
  }
}
