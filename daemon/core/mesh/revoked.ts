// SPDX-License-Identifier: GPL-3.0-or-later
import { ENVELOPE_BYTES_MAX, KEY_BYTES } from '../../../schemas/gen/ts/wire.ts'
import { equal } from '../../base/bytes.ts'
import { type Ed25519, type Frame, type Message, openEnvelope, type Revocation } from '../envelope/index.ts'
import { idOf, type PartyId } from '../model/index.ts'
import type { Trust } from '../policy/index.ts'
import type { MeshPaperBook, Revocations } from './ports.ts'

export interface RevocationDeps {
  readonly trust: Trust
  readonly ed25519: Ed25519
  readonly book: MeshPaperBook
}

/** The present list of each owner and of the root (SPEC 12.5): of one signer, that with the highest sequence. */
export class RevocationLists implements Revocations {
  readonly #deps: RevocationDeps
  readonly #lists = new Map<PartyId, Message<Revocation>>()
  #keys: ReadonlySet<PartyId> = new Set()

  constructor(deps: RevocationDeps) {
    this.#deps = deps
    for (const { kind, frame } of deps.book.papers()) {
      const list = kind === 'revocation' ? this.#open(frame) : undefined
      if (list) this.#lists.set(idOf(list.signer), list)
    }
    this.#gather()
  }

  isRevoked(key: Uint8Array): boolean {
    return this.#keys.has(idOf(key))
  }

  frames(): readonly Frame[] {
    return [...this.#lists.values()].map(({ frame }) => frame)
  }

  /** The list of one signer as it stands, to be lengthened. */
  list(signer: PartyId): Revocation | undefined {
    return this.#lists.get(signer)?.body
  }

  async take(frame: Frame): Promise<'new' | 'known' | 'refused'> {
    const list = this.#open(frame)
    if (!list) return 'refused'
    const sealer = idOf(list.signer)
    const present = this.#lists.get(sealer)
    if (present && present.body.sequence >= list.body.sequence) return 'known'
    this.#lists.set(sealer, list)
    this.#gather()
    await this.#deps.book.keep({ kind: 'revocation', subject: sealer, sealer, frame })
    return 'new'
  }

  #gather(): void {
    const entries = [...this.#lists.values()].flatMap(({ body }) => body.entries)
    this.#keys = new Set(entries.filter(({ length }) => length === KEY_BYTES).map(idOf))
  }

  #open(frame: Frame): Message<Revocation> | undefined {
    const { trust, ed25519 } = this.#deps
    const opened = openEnvelope(
      frame,
      {
        sizeMax: ENVELOPE_BYTES_MAX,
        accepts: (body, signer) =>
          body.type === 'revocation' && (trust.isOwner(signer) || equal(signer, trust.root)),
        isAudience: (body) => body.audience === trust.home,
      },
      ed25519,
    )
    return opened.ok ? (opened.value as Message<Revocation>) : undefined
  }
}
