// SPDX-License-Identifier: GPL-3.0-or-later
import { CHUNK_BYTES, CHUNKS_AHEAD_MAX } from '../../../schemas/gen/ts/wire.ts'
import { encodeCbor, type Frame } from '../envelope/index.ts'

/** The chunks of one image to one device in one session: a bounded number beyond what the device has (SPEC 15.4). */
export class Stream {
  readonly #image: Uint8Array
  /** Bytes that the device has, and that were sent. */
  #got = -1
  #sent = 0

  constructor(image: Uint8Array) {
    this.#image = image
  }

  /** The device has `offset` bytes: the chunks that may follow now; undefined when it says what cannot be. */
  wanted(offset: number): readonly Frame[] | undefined {
    const isWhole = offset % CHUNK_BYTES === 0 || offset === this.#image.length
    if (!isWhole || offset > this.#image.length) return undefined
    if (this.#got < 0) this.#sent = offset
    if (offset < this.#got || offset > this.#sent) return undefined
    this.#got = offset
    const chunks: Frame[] = []
    const until = Math.min(this.#image.length, offset + CHUNKS_AHEAD_MAX * CHUNK_BYTES)
    while (this.#sent < until) {
      const chunk = this.#image.subarray(this.#sent, this.#sent + CHUNK_BYTES)
      chunks.push(encodeCbor([1, this.#sent, chunk]))
      this.#sent += chunk.length
    }
    return chunks
  }
}
