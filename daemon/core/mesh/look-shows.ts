// SPDX-License-Identifier: GPL-3.0-or-later
import { CODES, type Code } from '../../../schemas/gen/ts/codes.ts'
import { PART_BYTES_MAX, PARTS_AHEAD } from '../../../schemas/gen/ts/wire.ts'
import { equal } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import type { Verdict } from '../../base/error.ts'
import type { PartyId } from '../model/index.ts'
import type { KeptStill, StillList } from '../stills/index.ts'
import type { LookedStill, LookWord } from './look-words.ts'

type AskedWord = LookWord & { readonly word: 'look' }
type GotWord = LookWord & { readonly word: 'got' }

/** What is shown to another daemon, judged as if it had been asked for here. */
export type Shown = { readonly list: StillList } | { readonly still: KeptStill }

export interface ShowDeps {
  readonly clock: Clock
  readonly say: (peer: PartyId, word: LookWord) => void
  /** Whether who asks may see it, and what it is. */
  readonly show: (asked: AskedWord, from: PartyId) => Promise<Verdict<Shown, Code>>
  /** From the disk; undefined when it is not there any more. */
  readonly read: (device: PartyId, digest: Uint8Array, at: number, size: number) => Uint8Array | undefined
}

/** A picture that is being told. */
interface Telling {
  readonly peer: PartyId
  readonly number: number
  readonly still: KeptStill
  sent: number
  got: number
  /** Monotonic. */
  movedAt: number
}

/** Questions of one daemon that are waited for, and pictures that are told to it, at once. */
const SHOWN_MAX = 16
const SILENCE_MS_MAX = 30_000
const AHEAD_BYTES = PARTS_AHEAD * PART_BYTES_MAX

/** Pictures of our devices, told to daemons whose clients asked for them (SPEC 19.6): from the disk, no faster than they are taken. */
export class LookShows {
  readonly #deps: ShowDeps
  readonly #telling = new Set<Telling>()
  readonly #waiting = new Map<PartyId, number>()

  constructor(deps: ShowDeps) {
    this.#deps = deps
  }

  async heardLook(peer: PartyId, asked: AskedWord): Promise<void> {
    const { number } = asked
    const waiting = this.#waiting.get(peer) ?? 0
    const telling = [...this.#telling].filter((each) => each.peer === peer).length
    if (waiting + telling >= SHOWN_MAX) {
      this.#refuse(peer, number, 'busy')
      return
    }
    this.#waiting.set(peer, waiting + 1)
    try {
      const shown = await this.#deps.show(asked, peer)
      if (!shown.ok) this.#refuse(peer, number, shown.why)
      else if ('list' in shown.value) this.#tellList(peer, number, shown.value.list)
      else this.#tell(peer, asked, shown.value.still)
    } finally {
      const left = this.#waiting.get(peer)! - 1
      if (left > 0) this.#waiting.set(peer, left)
      else this.#waiting.delete(peer)
    }
  }

  heardGot(peer: PartyId, { number, got }: GotWord): void {
    const telling = [...this.#telling].find((each) => each.peer === peer && each.number === number)
    if (!telling || got <= telling.got || got > telling.still.size) return
    telling.got = got
    // It may have had the rest from somewhere else by then.
    telling.sent = Math.max(telling.sent, got)
    telling.movedAt = this.#deps.clock.monotonic()
    this.#pump(telling)
  }

  gone(peer: PartyId): void {
    for (const telling of this.#telling) if (telling.peer === peer) this.#telling.delete(telling)
  }

  /** Forgets who takes nothing any more. */
  tick(): void {
    const now = this.#deps.clock.monotonic()
    for (const telling of this.#telling)
      if (now - telling.movedAt >= SILENCE_MS_MAX) this.#telling.delete(telling)
  }

  #refuse(peer: PartyId, number: number, code: Code): void {
    this.#deps.say(peer, { word: 'looked', number, code: CODES[code], stills: [] })
  }

  #tellList(peer: PartyId, number: number, { stills, coming }: StillList): void {
    const way = coming && { ...coming, code: coming.code ? CODES[coming.code] : 0 }
    this.#deps.say(peer, { word: 'looked', number, code: 0, stills: stills.map(toldOf), coming: way })
  }

  #tell(peer: PartyId, { number, digest, have }: AskedWord, still: KeptStill): void {
    this.#deps.say(peer, { word: 'looked', number, code: 0, stills: [toldOf(still)] })
    // Who asks for it anew goes on from what it has: what is under way by an older question is not told twice.
    for (const each of this.#telling)
      if (each.peer === peer && equal(each.still.digest, still.digest)) this.#telling.delete(each)
    const got = equal(digest, still.digest) ? Math.min(have, still.size) : 0
    const telling = { peer, number, still, sent: got, got, movedAt: this.#deps.clock.monotonic() }
    this.#telling.add(telling)
    this.#pump(telling)
  }

  #pump(telling: Telling): void {
    const { say, read } = this.#deps
    const { peer, number, still } = telling
    while (telling.sent < still.size && telling.sent - telling.got < AHEAD_BYTES) {
      const bytes = read(still.device, still.digest, telling.sent, PART_BYTES_MAX)
      if (!bytes || bytes.length === 0) {
        this.#telling.delete(telling)
        this.#refuse(peer, number, 'not-found')
        return
      }
      say(peer, { word: 'part', number, offset: telling.sent, bytes })
      telling.sent += bytes.length
    }
    if (telling.got === still.size) this.#telling.delete(telling)
  }
}

function toldOf({ receivedAt, frame }: KeptStill): LookedStill {
  return { receivedAt, frame }
}
