// SPDX-License-Identifier: GPL-3.0-or-later
import type { Stream } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { MESH_FRAME_BYTES_MAX, MESH_FRAME_HEADER_BYTES } from '../../../schemas/gen/ts/wire.ts'

/** Four bytes of length, big-endian, then the message (SPEC 14.3). */
export function framed(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(MESH_FRAME_HEADER_BYTES + message.length)
  new DataView(bytes.buffer).setUint32(0, message.length)
  bytes.set(message, MESH_FRAME_HEADER_BYTES)
  return bytes
}

/**
 * Reads messages off a stream in their order. While as many as may be heard at once are, the other side is made to wait.
 * @param heard  called for each as soon as its turn is; false, or a rejection, ends the stream
 * @param atOnce  the next is heard before so many are done
 */
export function readFrames(
  stream: Stream,
  heard: (message: Uint8Array) => Promise<boolean>,
  spoilt: (why: 'frame-too-large' | 'bad-note') => void,
  atOnce = 1,
): void {
  const waiting = new Uint8ArrayList()
  let underWay = 0
  const next = (): Uint8Array | undefined => {
    if (underWay >= atOnce || waiting.byteLength < MESH_FRAME_HEADER_BYTES) return undefined
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
  const hear = async (message: Uint8Array): Promise<void> => {
    underWay++
    if (underWay === atOnce && stream.readStatus === 'readable') stream.pause()
    // What spoils it counts as under way for ever: nothing more is heard.
    if (!(await heard(message))) return spoilt('bad-note')
    underWay--
    drain()
  }
  const drain = (): void => {
    for (let message = next(); message; message = next()) hear(message).catch(() => spoilt('bad-note'))
    // Only now: what waited is handed over at once, and must find us ready for it.
    if (underWay < atOnce && stream.readStatus === 'paused') stream.resume()
  }
  stream.addEventListener('message', ({ data }) => {
    waiting.append(data)
    drain()
  })
}
