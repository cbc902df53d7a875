// SPDX-License-Identifier: GPL-3.0-or-later
import { MESH_FRAME_BYTES_MAX } from '../../../schemas/gen/ts/wire.ts'
import { equal, toHex } from '../../base/bytes.ts'
import type { Instant } from '../../base/clock.ts'
import type { Frame } from '../envelope/index.ts'
import type { PartyId } from '../model/index.ts'
import type { BeaconSealer } from './beacons.ts'
import { Exchange, type ExchangeDeps } from './exchange.ts'
import type { OtherPapers } from './others.ts'
import type { Revocations } from './ports.ts'
import { decodeLog, decodeTalk, encodeTalk, isLater, type TalkWord } from './words.ts'

/** Between two times that a daemon says again how far it has each log. */
export const HEADS_EVERY_MS = 30_000

const AGAIN_MS_MAX = 3_600_000
/** Papers are not said more often than this to one peer because it says that it has others. */
const AGAIN_MS_MIN = 5000
/** In one word: half of what a frame may have. */
const PAPERS_BYTES_MAX = MESH_FRAME_BYTES_MAX / 2

type PaperLists = Record<'members' | 'revocations' | 'beacons' | 'others', Frame[]>

function emptyPapers(): PaperLists {
  return { members: [], revocations: [], beacons: [], others: [] }
}

export interface TalkDeps extends ExchangeDeps {
  readonly revocations: Revocations
  readonly others: OtherPapers
  readonly beacons: BeaconSealer
  /** Membership or ways changed: addresses and connections may have to follow. */
  readonly changed: () => void
  /** What is said of devices and commands. */
  readonly hear: (peer: PartyId, word: TalkWord) => Promise<void>
  /** A peer is connected and was told the papers: the home may be shown to it. */
  readonly greeted: (peer: PartyId) => void
}

type Papery = TalkWord & { readonly word: 'papers' }

/**
 * The daemons that are connected, and what passes between them: papers to all, logs to who wants them, the rest handed on.
 * A daemon that was removed hears of it, as the last thing it hears.
 */
export class Talk {
  readonly exchange: Exchange
  readonly #deps: TalkDeps
  readonly #peers = new Set<PartyId>()
  /** What was last found to differ from a peer's papers, and when ours may be said again because of it. */
  readonly #differences = new Map<
    PartyId,
    { between: string; waitMs: number; saidAt: Instant; notBefore: Instant }
  >()
  readonly #skews = new Map<PartyId, number>()
  #headsAt: Instant = 0

  constructor(deps: TalkDeps) {
    this.#deps = deps
    this.exchange = new Exchange(deps)
  }

  peers(): readonly PartyId[] {
    return [...this.#peers]
  }

  /** How far a peer's clock was ahead of ours when it connected, ms, the way from there taken off; negative: behind. */
  skewOf(peer: PartyId): number | undefined {
    return this.#skews.get(peer)
  }

  say(peer: PartyId, word: TalkWord): void {
    if (this.#peers.has(peer)) this.#deps.wire.send(peer, 'talk', encodeTalk(word))
  }

  sayToAll(word: TalkWord, except?: PartyId): void {
    const bytes = encodeTalk(word)
    for (const peer of this.#peers) if (peer !== except) this.#deps.wire.send(peer, 'talk', bytes)
  }

  connected(peer: PartyId, now: Instant): void {
    const { papers, wire } = this.#deps
    if (!papers.isMember(peer)) {
      wire.cut(peer, 'no member of this home')
      return
    }
    this.#peers.add(peer)
    // A beacon of this moment: it tells what time it is here.
    this.#sayPapers(peer, [this.#sealBeacon()])
    this.#sayHeads(peer)
    this.exchange.connected(peer, now)
    this.#deps.greeted(peer)
  }

  gone(peer: PartyId, now: Instant): void {
    if (!this.#peers.delete(peer)) return
    this.#differences.delete(peer)
    this.exchange.gone(peer, now)
  }

  /**
   * What the disk does not take is let go of: it comes again.
   * @returns false when it is nothing that a daemon of this version says
   */
  async heard(peer: PartyId, stream: 'talk' | 'log', bytes: Uint8Array, now: Instant): Promise<boolean> {
    let isSaid = true
    const hear = async () => {
      isSaid = await this.#hear(peer, stream, bytes, now)
    }
    if (this.#peers.has(peer)) await this.#deps.keeping.survive(hear, now)
    return isSaid
  }

  async #hear(peer: PartyId, stream: 'talk' | 'log', bytes: Uint8Array, now: Instant): Promise<boolean> {
    if (stream === 'log') {
      const word = decodeLog(bytes)
      if (word) await this.exchange.heard(peer, word, now)
      return word !== undefined || isLater(bytes)
    }
    const word = decodeTalk(bytes)
    if (!word) return isLater(bytes)
    if (word.word === 'papers') await this.#takePapers(peer, word, now)
    else if (word.word === 'heads') this.#takeHeads(peer, word, now)
    else await this.#deps.hear(peer, word)
    return true
  }

  /** A paper that came some other way: from the owner's CLI, from an invitation. */
  async tell(papers: Partial<Omit<Papery, 'word'>>, now: Instant): Promise<void> {
    const none = { members: [], revocations: [], beacons: [], others: [] }
    await this.#takePapers(undefined, { word: 'papers', ...none, ...papers }, now)
  }

  /** Something was sealed here that the others have not heard of; one that it removes hears it as the last. */
  tellAll(now: Instant): void {
    this.#cutRemoved(now)
    for (const peer of this.#peers) this.#sayPapers(peer)
  }

  /** Our own ways have changed: everybody is told. */
  async announce(now: Instant): Promise<void> {
    await this.tell({ beacons: [this.#sealBeacon()] }, now)
    this.exchange.plan(now)
  }

  /** From time to time: what is stalled is asked for anew, and what was learned from one is offered to the others. */
  tick(now: Instant): void {
    this.exchange.pump(now)
    if (this.#deps.keeping.isDue(now)) this.exchange.plan(now)
    if (now - this.#headsAt < HEADS_EVERY_MS) return
    this.#headsAt = now
    for (const peer of this.#peers) this.#sayHeads(peer)
    this.exchange.plan(now)
  }

  async #takePapers(from: PartyId | undefined, said: Papery, now: Instant): Promise<void> {
    const { papers, revocations, others, own, beacons } = this.#deps
    const before = from && papers.sequenceOf(from)
    const fresh = emptyPapers()
    for (const frame of said.members) {
      const taken = await papers.takeMember(frame)
      if (taken.ok && taken.value === 'new') fresh.members.push(frame)
    }
    for (const frame of said.revocations) {
      if ((await revocations.take(frame)) === 'new') fresh.revocations.push(frame)
    }
    for (const frame of said.beacons) {
      const taken = await papers.takeBeacon(frame)
      if (taken.ok && taken.value === 'new') fresh.beacons.push(frame)
    }
    for (const frame of said.others) {
      const id = from ?? own
      if ((await others.take(frame, { id, name: papers.nameOf(id) })) === 'new') fresh.others.push(frame)
    }
    beacons.outgrow(papers.sequenceOf(own))
    if (from && papers.sequenceOf(from) !== before) this.#measure(from, now)
    if (Object.values(fresh).every(({ length }) => length === 0)) return
    this.sayToAll({ word: 'papers', ...fresh }, from)
    this.#cutRemoved(now)
    this.#deps.changed()
    this.exchange.plan(now)
  }

  /** A beacon that comes from its sealer and was not seen before was sealed a moment ago. */
  #measure(peer: PartyId, now: Instant): void {
    const beacon = this.#deps.papers.member(peer)?.beacon
    if (beacon) this.#skews.set(peer, beacon.body.sealedAt * 1000 - now)
  }

  #sealBeacon(): Frame {
    const { beacons, shelf, own } = this.#deps
    return beacons.seal(shelf.head(own)).frame
  }

  #cutRemoved(now: Instant): void {
    const { papers, wire } = this.#deps
    for (const peer of [...this.#peers]) {
      if (papers.isMember(peer)) continue
      // Whatever brought us here: it may not have heard yet what removes it, and cannot come back to be told.
      this.#sayPapers(peer)
      this.gone(peer, now)
      wire.cut(peer, 'removed')
    }
  }

  /** All of them, in words that fit. */
  #sayPapers(peer: PartyId, beacons: readonly Frame[] = []): void {
    const all = this.#deps.papers.frames()
    const frames = { ...all, beacons: [...all.beacons, ...beacons] }
    let word = emptyPapers()
    let bytes = 0
    for (const kind of ['members', 'revocations', 'beacons', 'others'] as const) {
      for (const frame of frames[kind]) {
        if (bytes + frame.length > PAPERS_BYTES_MAX) {
          this.say(peer, { word: 'papers', ...word })
          word = emptyPapers()
          bytes = 0
        }
        word[kind].push(frame)
        bytes += frame.length
      }
    }
    this.say(peer, { word: 'papers', ...word })
  }

  #sayHeads(peer: PartyId): void {
    this.say(peer, { word: 'heads', papers: this.#deps.papers.digest(), heads: this.exchange.heads() })
  }

  #takeHeads(peer: PartyId, { papers: digest, heads }: TalkWord & { word: 'heads' }, now: Instant): void {
    const { papers } = this.#deps
    this.exchange.heardHeads(peer, heads, now)
    const ours = papers.digest()
    if (equal(digest, ours)) return
    // Some differences stay, as when one side refuses what the other holds: said ever more seldom.
    const between = `${toHex(digest)} ${toHex(ours)}`
    const known = this.#differences.get(peer)
    const isSame = known?.between === between
    if (known && now < (isSame ? known.notBefore : known.saidAt + AGAIN_MS_MIN)) return
    const waitMs = isSame ? Math.min(known.waitMs * 2, AGAIN_MS_MAX) : HEADS_EVERY_MS
    this.#differences.set(peer, { between, waitMs, saidAt: now, notBefore: now + waitMs })
    this.#sayPapers(peer)
  }
}
