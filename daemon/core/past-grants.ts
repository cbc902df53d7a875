// SPDX-License-Identifier: GPL-3.0-or-later
import { DEVICE_ENVELOPE_BYTES_MAX } from '../../schemas/gen/ts/wire.ts'
import { toHex } from '../base/bytes.ts'
import type { Instant } from '../base/clock.ts'
import { type Ed25519, type Frame, type Grant, type Message, openEnvelope } from './envelope/index.ts'
import { idOf } from './model/index.ts'
import type { Grants, Trust } from './policy/index.ts'
import type { Paper, PaperBook, PastBook } from './ports-people.ts'

export interface PastGrantsDeps {
  readonly trust: Trust
  readonly grants: Grants
  readonly papers: PaperBook
  readonly past: PastBook
  readonly ed25519: Ed25519
}

/**
 * Grants that were recorded and hold no more: taken back, or ended. Each is verified once; they are shown for a while, and then
 * forgotten, so that a home of many years keeps what it needs. What takes a grant back is a list (SPEC 12.5), and never this.
 */
export class PastGrants {
  readonly #deps: PastGrantsDeps
  /** By the digest under which it is kept; undefined for one that does not verify. */
  readonly #opened = new Map<string, Message<Grant> | undefined>()

  constructor(deps: PastGrantsDeps) {
    this.#deps = deps
  }

  list(): readonly Message<Grant>[] {
    const { grants, papers } = this.#deps
    const held = new Set(grants.list().map(({ frame }) => toHex(frame)))
    const gone = papers.all('grant').filter(({ frame }) => !held.has(toHex(frame)))
    return gone.flatMap((paper) => this.#once(paper) ?? [])
  }

  /**
   * Marks what holds no more, and forgets what did not for `keptMs`. A grant has ended only when also a paper is younger: a clock
   * that was wrong for a day must not end what holds, and daemons that have the same papers must mark the same (SPEC 14.4).
   * @returns how many were forgotten
   */
  async thin(now: Instant, keptMs: number): Promise<number> {
    const { grants, past } = this.#deps
    const sealedAt = Math.max(past.sealedAt, grants.sealedAt)
    const surely = Math.min(grants.papersAt, Math.floor(now / 1000))
    const all = this.#judgeAll(surely)
    const isOld = ({ isOver, goneAt }: Judged) => isOver && goneAt !== undefined && goneAt < now - keptMs
    const forgotten = all.filter((each) => isOld(each) && !isCounted(each, surely))
    const gone = new Set(forgotten)
    const counted = new Set(all.filter((each) => !gone.has(each)).map(({ message }) => idIn(message)))
    await past.thin({
      at: now,
      sealedAt,
      over: all.filter(({ isOver, goneAt }) => isOver && goneAt === undefined).map(keyIn),
      back: all.filter(({ isOver, goneAt }) => !isOver && goneAt !== undefined).map(keyIn),
      forgotten: forgotten.map(keyIn),
      spent: forgotten.flatMap(({ message }) =>
        message && !counted.has(idIn(message)) ? [message.body.id] : [],
      ),
      unusedBefore: now - keptMs,
    })
    for (const { key } of forgotten) this.#opened.delete(toHex(key))
    grants.expire(surely - Math.floor(keptMs / 1000))
    return forgotten.length
  }

  /** In the order in which they came, so that each is judged after what it hangs from. */
  #judgeAll(surely: number): readonly Judged[] {
    const { grants, papers } = this.#deps
    const held = new Map(grants.list().map((grant) => [toHex(grant.frame), grant]))
    const standing = new Set<string>()
    return papers.all('grant').map((paper) => {
      const message = held.get(toHex(paper.frame)) ?? this.#once(paper)
      const isOver = !message || this.#isOver(message, standing, surely)
      if (!isOver && message.body.key) standing.add(placeOf(message.body.id, message.body.key))
      return { ...paper, message, isOver }
    })
  }

  #isOver({ body, signer }: Message<Grant>, standing: ReadonlySet<string>, surely: number): boolean {
    const { trust } = this.#deps
    if (body.expiresAt !== undefined && body.expiresAt <= surely) return true
    if (trust.isGrantRevoked(toHex(body.id)) || (body.key && trust.isRevoked(body.key))) return true
    if (body.parent) return !standing.has(placeOf(body.parent, signer))
    return !trust.isOwner(signer) || body.sealedAt < trust.floorOf(signer)
  }

  #once({ key, frame }: Paper): Message<Grant> | undefined {
    const digest = toHex(key)
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

interface Judged extends Paper {
  readonly message: Message<Grant> | undefined
  readonly isOver: boolean
}

/** A count outlives what was taken back before its end. */
function isCounted({ message }: Judged, surely: number): boolean {
  return message?.body.uses !== undefined && (message.body.expiresAt ?? 0) > surely
}

const keyIn = ({ key }: Paper): Uint8Array => key
const idIn = (message: Message<Grant> | undefined): string => (message ? toHex(message.body.id) : '')

/** What a child of this grant for this key hangs from. */
function placeOf(id: Uint8Array, holder: Uint8Array): string {
  return `${toHex(id)} ${idOf(holder)}`
}
