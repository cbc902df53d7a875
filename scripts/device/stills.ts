// SPDX-License-Identifier: GPL-3.0-or-later
import { createHash } from 'node:crypto'
import { equal } from '../../daemon/base/bytes.ts'
import { decodeCbor, encodeCbor, type Frame } from '../../daemon/core/envelope/index.ts'
import { CODES } from '../../schemas/gen/ts/codes.ts'
import {
  GOT_DIGEST_BYTES,
  PIECE_BYTES,
  PIECES_AHEAD_MAX,
  STILL_BYTES_MAX,
  STILL_PAUSE_MS,
} from '../../schemas/gen/ts/wire.ts'

const CODE_MAX = 999

/** What a hub says of a picture (SPEC 19.3). */
export interface Here {
  readonly digest: Uint8Array
  readonly offset: number
  /** A number of schemas/codes.csv. */
  readonly code: number
}

/** `[digest, offset, code]`, or undefined for anything else. */
export function readHere(frame: Uint8Array): Here | undefined {
  const item = decodeCbor(frame)
  if (!item.ok || !Array.isArray(item.value) || item.value.length !== 3) return undefined
  const [digest, offset, code] = item.value
  if (!(digest instanceof Uint8Array) || digest.length !== GOT_DIGEST_BYTES) return undefined
  const isNumber = (value: unknown, most: number): value is number =>
    typeof value === 'number' && value >= 0 && value <= most
  if (!isNumber(offset, STILL_BYTES_MAX) || !isNumber(code, CODE_MAX)) return undefined
  return { digest: Uint8Array.from(digest), offset, code }
}

/** A device's one picture on its way, as core/stills.c of the firmware has it. */
export class StillSender {
  readonly digest: Uint8Array
  #picture: Uint8Array | undefined
  #isSaid = false
  #isAnswered = false
  #got = 0
  #sent = 0
  #dueAt = 0

  constructor(picture: Uint8Array) {
    this.#picture = picture
    this.digest = Uint8Array.from(createHash('sha256').update(picture).digest())
  }

  /** Whether it still waits for the hub. */
  get waits(): boolean {
    return this.#picture !== undefined
  }

  /** A new session: the hub does not know of it. */
  linked(): void {
    this.#isSaid = false
    this.#isAnswered = false
    this.#got = 0
    this.#sent = 0
    this.#dueAt = 0
  }

  /** True once each time when the still is to be said. @param now milliseconds */
  sayIfDue(now: number): boolean {
    const isDue = this.waits && !this.#isSaid && now >= this.#dueAt
    this.#isSaid ||= isDue
    return isDue
  }

  here({ digest, offset, code }: Here, now: number): 'ok' | 'bad-note' {
    const picture = this.#picture
    if (!picture || !equal(digest, this.digest.subarray(0, GOT_DIGEST_BYTES)) || !this.#isSaid) return 'ok'
    if (code === 0 && !this.#isPossible(offset, picture.length)) return 'bad-note'
    if (code === CODES.busy) {
      this.linked()
      this.#dueAt = now + STILL_PAUSE_MS
    } else if (code !== 0 || offset === picture.length) this.#picture = undefined
    else {
      if (!this.#isAnswered) this.#sent = offset
      this.#isAnswered = true
      this.#got = offset
    }
    return 'ok'
  }

  #isPossible(offset: number, size: number): boolean {
    if ((offset % PIECE_BYTES !== 0 && offset !== size) || offset > size) return false
    return !this.#isAnswered || (offset >= this.#got && offset <= this.#sent)
  }

  /** The pieces that may go now. */
  pieces(): Frame[] {
    const picture = this.#picture
    const notes: Frame[] = []
    if (!picture || !this.#isAnswered) return notes
    while (this.#sent < picture.length && this.#sent - this.#got < PIECES_AHEAD_MAX * PIECE_BYTES) {
      const bytes = picture.subarray(this.#sent, this.#sent + PIECE_BYTES)
      notes.push(encodeCbor([2, this.#sent, bytes]))
      this.#sent += bytes.length
    }
    return notes
  }
}
