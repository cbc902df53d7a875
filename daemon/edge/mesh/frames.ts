// SPDX-License-Identifier: GPL-3.0-or-later
import type { Stream } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { MESH_FRAME_BYTES_MAX, MESH_FRAME_HEADER_BYTES } from '../../../schemas/gen/ts/wire.ts'
import { ignore } from '../../base/error.ts'

/** Four bytes of length, big-endian, then the message (SPEC 14.3); the message is not copied. */
export function framed(message: Uint8Array): Uint8ArrayList {
  const header = new Uint8Array(MESH_FRAME_HEADER_BYTES)
  new DataView(header.buffer).setUint32(0, message.length)
  return new Uint8ArrayList(header, message)
}

/**
 * What is said on one stream. All that is said in one turn leaves in one write: each is a cell of Tor of its own at least, and a
 * second one waits at every relay until the first was acknowledged (RFC 896).
 */
export class Speech {
  readonly #stream: Stream
  #gathered = new Uint8ArrayList()

  constructor(stream: Stream) {
    this.#stream = stream
  }

  /** What has not left yet, bytes. */
  get waitingBytes(): number {
    return this.#stream.writeBufferLength + this.#gathered.byteLength
  }

  say(message: Uint8Array): void {
    if (this.#gathered.byteLength === 0) queueMicrotask(() => this.flush())
    this.#gathered.append(framed(message))
  }

  /** Hands over what was said in this turn, for who is about to close the stream. */
  flush(): void {
    if (this.#gathered.byteLength === 0) return
    const all = this.#gathered
    this.#gathered = new Uint8ArrayList()
    try {
      this.#stream.send(all)
    } catch (error) {
      ignore(error, 'it is closing, which is told by its event')
    }
  }
}

/**
 * Reads messages off a stream, one after the other: while one is being heard, the other side is made to wait.
 * @param heard  false, or a rejection, ends the stream
 */
export function readFrames(
  stream: Stream,
  heard: (message: Uint8Array) => Promise<boolean>,
  spoilt: (why: 'frame-too-large' | 'bad-note') => void,
): void {
  const waiting = new Uint8ArrayList()
  let busy = false
  const next = (): Uint8Array | undefined => {
    if (waiting.byteLength < MESH_FRAME_HEADER_BYTES) return undefined
    const size = waiting.getUint32(0)
    if (size > MESH_FRAME_BYTES_MAX) {
      spoilt('frame-too-large')
      return undefined
    }
    const end = MESH_FRAME_HEADER_BYTES + size
    if (waiting.byteLength < end) return undefined
    const message = waiting.slice(MESH_FRAME_HEADER_BYTES, end)
    waiting.consume(end)
    return message
  }
  const drain = async (): Promise<void> => {
    if (busy) return
    busy = true
    try {
      for (let message = next(); message; message = next()) {
        if (stream.readStatus === 'readable') stream.pause()
        if (!(await heard(message))) return spoilt('bad-note')
      }
    } finally {
      busy = false
    }
    // Only now: what waited is handed over at once, and must find us ready for it.
    if (stream.readStatus === 'paused') stream.resume()
  }
  stream.addEventListener('message', ({ data }) => {
    waiting.append(data)
    drain().catch(() => spoilt('bad-note'))
  })
}
