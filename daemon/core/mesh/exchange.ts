// SPDX-License-Identifier: GPL-3.0-or-later
import { PIECES_AHEAD } from '../../../schemas/gen/ts/wire.ts'
import type { Instant } from '../../base/clock.ts'
import type { Ed25519 } from '../envelope/index.ts'
import type { PartyId } from '../model/index.ts'
import type { BeaconSealer } from './beacons.ts'
import type { Keeping } from './keeping.ts'
import type { Papers } from './papers.ts'
import { judgePiece } from './piece.ts'
import type { LogShelf, MeshWire } from './ports.ts'
import { encodeLog, type LogWord } from './words.ts'

/** A log that was asked for and does not come is asked for again, perhaps of somebody else. */
export const STALLED_MS = 60_000
/** Who has acknowledged nothing of what it was sent for so long is named in the status. */
const UNTAKEN_MS = 120_000
/** How long a log that does not fit ours is left alone before it is looked at again. */
const FAULT_MS = 600_000

export interface ExchangeDeps {
  readonly own: PartyId
  readonly ed25519: Ed25519
  readonly papers: Papers
  readonly shelf: LogShelf
  readonly beacons: BeaconSealer
  readonly wire: MeshWire
  readonly keeping: Keeping
}

/** What we send of one author's log to one peer. */
interface Serving {
  next: number
  /** Pieces that may still be sent before one is acknowledged. */
  credit: number
  /** When one was last sent to somebody who owed us no acknowledgement, or acknowledged. */
  since: Instant
}

/** From whom we have one author's log. */
interface Asking {
  readonly peer: PartyId
  since: Instant
}

export interface LogFault {
  readonly author: PartyId
  readonly peer: PartyId
  readonly why: string
  readonly at: Instant
}

/**
 * Every log of the home on its way to every daemon (SPEC 14.5). Who wants a log says from where on, once, and is then sent what
 * there is and what comes, at most PIECES_AHEAD pieces ahead of what it has stored. An author is asked for its own log; of one
 * that is away, the first peer that says it has more.
 */
export class Exchange {
  readonly #deps: ExchangeDeps
  readonly #peers = new Map<PartyId, ReadonlyMap<PartyId, number>>()
  readonly #serving = new Map<PartyId, Map<PartyId, Serving>>()
  readonly #asking = new Map<PartyId, Asking>()
  readonly #faults = new Map<PartyId, LogFault>()
  /** Each author's pieces are judged and kept one after the other. */
  readonly #storing = new Map<PartyId, Promise<void>>()

  constructor(deps: ExchangeDeps) {
    this.#deps = deps
  }

  /** Logs that are not taken, and why: a fork, or what its author did not sign. */
  faults(): readonly LogFault[] {
    return [...this.#faults.values()]
  }

  heads(): ReadonlyMap<PartyId, number> {
    const { shelf } = this.#deps
    return new Map(shelf.authors().map((author) => [author, shelf.head(author).position]))
  }

  /** How many entries a peer has that we do not, as far as it said. */
  missing(peer: PartyId): number {
    let missing = 0
    for (const [author, position] of this.#peers.get(peer) ?? []) {
      // What it says of strangers' logs is of no account.
      if (!this.#deps.papers.wasMember(author)) continue
      missing += Math.max(0, position - this.#deps.shelf.head(author).position)
    }
    return missing
  }

  /** Since when a peer takes nothing of what it was sent, when that is too long. */
  untakenSince(peer: PartyId, now: Instant): Instant | undefined {
    const waiting = [...(this.#serving.get(peer)?.values() ?? [])].filter(
      ({ credit, since }) => credit < PIECES_AHEAD && now - since >= UNTAKEN_MS,
    )
    return waiting.length > 0 ? Math.min(...waiting.map(({ since }) => since)) : undefined
  }

  connected(peer: PartyId, now: Instant): void {
    this.#peers.set(peer, new Map())
    this.plan(now)
  }

  gone(peer: PartyId, now: Instant): void {
    this.#peers.delete(peer)
    this.#serving.delete(peer)
    for (const [author, asking] of this.#asking) if (asking.peer === peer) this.#asking.delete(author)
    this.plan(now)
  }

  heardHeads(peer: PartyId, heads: ReadonlyMap<PartyId, number>, now: Instant): void {
    if (!this.#peers.has(peer)) return
    this.#peers.set(peer, heads)
    this.plan(now)
  }

  async heard(peer: PartyId, word: LogWord, now: Instant): Promise<void> {
    if (!this.#peers.has(peer)) return
    if (word.word === 'piece') return this.#take(peer, word, now)
    if (word.word === 'want') return this.#serve(peer, word.author, word.from, now)
    const serving = this.#serving.get(peer)?.get(word.author)
    if (!serving) return
    serving.credit = Math.min(serving.credit + 1, PIECES_AHEAD)
    serving.since = now
    this.#send(peer, word.author, serving, now)
  }

  /** Sends what was added to any log since. */
  pump(now: Instant): void {
    for (const [peer, authors] of this.#serving) {
      for (const [author, serving] of authors) this.#send(peer, author, serving, now)
    }
  }

  /** Sees to it that each log has a source; called when something changed, and from time to time. */
  plan(now: Instant): void {
    const { own, papers, shelf, keeping } = this.#deps
    if (keeping.rests(now)) return
    const authors = new Set<PartyId>([...this.#peers.keys(), ...shelf.authors()])
    for (const heads of this.#peers.values()) for (const author of heads.keys()) authors.add(author)
    for (const author of [...authors].sort()) {
      if (author === own || !papers.wasMember(author)) continue
      const fault = this.#faults.get(author)
      if (fault && now - fault.at < FAULT_MS) continue
      this.#planOne(author, now)
    }
  }

  #planOne(author: PartyId, now: Instant): void {
    const asking = this.#asking.get(author)
    const { position } = this.#deps.shelf.head(author)
    const source = this.#sourceOf(author, position)
    if (!source) return
    if (asking) {
      const behind = (this.#peers.get(asking.peer)?.get(author) ?? 0) > position
      const stalled = behind && now - asking.since >= STALLED_MS
      const better = source === author && asking.peer !== author
      if (!stalled && !better) return
      if (better) this.#want(asking.peer, author, 0)
    }
    this.#asking.set(author, { peer: source, since: now })
    this.#want(source, author, position + 1)
  }

  /** The author itself, if it is there; else who has more than we do, a different one than before if there are two. */
  #sourceOf(author: PartyId, position: number): PartyId | undefined {
    if (this.#peers.has(author)) return author
    const ahead = [...this.#peers].filter(([, heads]) => (heads.get(author) ?? 0) > position)
    const before = this.#asking.get(author)?.peer
    const [first, second] = ahead.map(([peer]) => peer).sort()
    return first === before && second ? second : first
  }

  #want(peer: PartyId, author: PartyId, from: number): void {
    if (this.#peers.has(peer)) this.#deps.wire.send(peer, 'log', encodeLog({ word: 'want', author, from }))
  }

  #serve(peer: PartyId, author: PartyId, from: number, now: Instant): void {
    const authors = this.#serving.get(peer) ?? new Map<PartyId, Serving>()
    this.#serving.set(peer, authors)
    if (from === 0) return void authors.delete(author)
    // A log that nobody of this home writes is not there to be asked for, and must not be remembered either.
    if (!this.#deps.papers.wasMember(author)) return
    const serving = { next: from, credit: PIECES_AHEAD, since: now }
    authors.set(author, serving)
    this.#send(peer, author, serving, now)
  }

  #send(peer: PartyId, author: PartyId, serving: Serving, now: Instant): void {
    const { own, shelf, wire } = this.#deps
    while (serving.credit > 0 && serving.next <= shelf.head(author).position) {
      const run = author === own ? this.#ownRun(serving.next) : shelf.others(author, serving.next)
      if (!run) return
      const skips = run.from > serving.next
      if (serving.credit === PIECES_AHEAD) serving.since = now
      serving.credit -= 1
      serving.next = run.from + run.entries.length
      wire.send(peer, 'log', encodeLog({ word: 'piece', author, skips, ...run }))
    }
  }

  #ownRun(from: number) {
    const { shelf, beacons } = this.#deps
    const run = shelf.own(from)
    return run && { ...run, beacon: beacons.seal(run.last).frame }
  }

  #take(peer: PartyId, piece: LogWord & { word: 'piece' }, now: Instant): Promise<void> {
    const { author } = piece
    const turn = (this.#storing.get(author) ?? Promise.resolve()).then(() => this.#takeNow(peer, piece, now))
    const settled = turn.catch(() => {})
    this.#storing.set(author, settled)
    settled.then(() => {
      if (this.#storing.get(author) === settled) this.#storing.delete(author)
    })
    return turn
  }

  async #takeNow(peer: PartyId, piece: LogWord & { word: 'piece' }, now: Instant): Promise<void> {
    const { shelf, papers, ed25519, wire, keeping } = this.#deps
    const { author } = piece
    // Only who was asked is listened to: nobody makes us check what we did not want, nor our own log.
    if (this.#asking.get(author)?.peer !== peer) return
    const head = shelf.head(author)
    const judged = await judgePiece(
      author,
      piece,
      head,
      piece.skips && (peer === author || head.position === 0),
      papers,
      ed25519,
    )
    if (judged.ok) {
      if (!(await keeping.keep(() => shelf.append(author, piece, judged.value), now))) return this.#rest()
      this.#faults.delete(author)
      const asking = this.#asking.get(author)
      if (asking?.peer === peer) asking.since = now
    } else if (judged.why !== 'known' && judged.why !== 'gap') {
      this.#faults.set(author, { author, peer, why: judged.detail ?? judged.why, at: now })
      this.#want(peer, author, 0)
      this.#asking.delete(author)
      return
    }
    if (!this.#peers.has(peer)) return
    // A gap closes by asking anew, when it is seen that nothing comes.
    wire.send(peer, 'log', encodeLog({ word: 'more', author }))
    if (judged.ok) this.pump(now)
  }

  /** What cannot be kept here must not be sent: everybody is asked to wait, and asked again when the disk may take it. */
  #rest(): void {
    for (const [author, { peer }] of this.#asking) this.#want(peer, author, 0)
    this.#asking.clear()
  }
}
