// SPDX-License-Identifier: GPL-3.0-or-later
import { DEVICE_ENVELOPE_BYTES_MAX, FRAME_HEADER_BYTES } from '../../../schemas/gen/ts/wire.ts'
import { type No, no } from '../../base/error.ts'
import type { Frame } from '../../core/envelope/message.ts'

/** A frame of no bytes (SPEC 6.3). */
export const KEEP_ALIVE: Uint8Array = Uint8Array.of(0, 0)

/** A length and that many bytes (SPEC 6.3). @param payload at most 1,024 bytes */
export function writeFrame(payload: Uint8Array): Uint8Array {
  const out = new Uint8Array(FRAME_HEADER_BYTES + payload.length)
  out[0] = payload.length >> 8
  out[1] = payload.length & 0xff
  out.set(payload, FRAME_HEADER_BYTES)
  return out
}

const NOTHING = new Uint8Array(0)

/**
 * Finds frames in a stream that is cut anywhere: `push` what arrived, then `next` until it answers undefined.
 * Keeps no bytes between frames, and at most one frame of 1,026 bytes within one. Whoever pushes again before `next`
 * has answered undefined makes it join what is left with what is new.
 */
export class FrameReader {
  #held: Uint8Array = NOTHING
  #at = 0
  /** A frame that began in an earlier chunk: a buffer of its full size once that is known, and how much is there. */
  #partial: Uint8Array | undefined
  #filled = 0

  push(chunk: Uint8Array): void {
    const left = this.#held.length - this.#at
    if (left === 0) {
      this.#held = chunk
    } else {
      const joined = new Uint8Array(left + chunk.length)
      joined.set(this.#held.subarray(this.#at))
      joined.set(chunk, left)
      this.#held = joined
    }
    this.#at = 0
  }

  /** The next whole frame (empty: a keep-alive), or undefined until more arrives. Views into what was pushed: copy what stays. */
  next(): Frame | No<'frame-too-large'> | undefined {
    return this.#partial ? this.#complete() : this.#direct()
  }

  /** Whether a frame has begun and not ended. */
  get begun(): boolean {
    return this.#partial !== undefined || this.#at < this.#held.length
  }

  #direct(): Frame | No<'frame-too-large'> | undefined {
    const held = this.#held
    const left = held.length - this.#at
    if (left === 0) return this.#drop()
    if (left < FRAME_HEADER_BYTES) return this.#keep(FRAME_HEADER_BYTES)
    const size = held[this.#at]! * 256 + held[this.#at + 1]!
    if (size > DEVICE_ENVELOPE_BYTES_MAX) return no('frame-too-large')
    if (left < FRAME_HEADER_BYTES + size) return this.#keep(FRAME_HEADER_BYTES + size)
    const start = this.#at + FRAME_HEADER_BYTES
    this.#at = start + size
    return held.subarray(start, this.#at)
  }

  #drop(): undefined {
    this.#held = NOTHING
    this.#at = 0
  }

  /** Copies the beginning of a frame out of a chunk that is not ours to keep. */
  #keep(size: number): undefined {
    this.#partial = new Uint8Array(size)
    this.#filled = 0
    this.#fill()
  }

  #fill(): boolean {
    const partial = this.#partial!
    const take = Math.min(partial.length - this.#filled, this.#held.length - this.#at)
    partial.set(this.#held.subarray(this.#at, this.#at + take), this.#filled)
    this.#filled += take
    this.#at += take
    if (this.#at === this.#held.length) this.#drop()
    return this.#filled === partial.length
  }

  #complete(): Frame | No<'frame-too-large'> | undefined {
    if (!this.#fill()) return undefined
    const partial = this.#partial!
    const size = partial[0]! * 256 + partial[1]!
    if (size > DEVICE_ENVELOPE_BYTES_MAX) return no('frame-too-large')
    if (partial.length < FRAME_HEADER_BYTES + size) {
      this.#partial = new Uint8Array(FRAME_HEADER_BYTES + size)
      this.#partial.set(partial)
      return this.#complete()
    }
    this.#partial = undefined
    return partial.subarray(FRAME_HEADER_BYTES)
  }
}
