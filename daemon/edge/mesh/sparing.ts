// SPDX-License-Identifier: GPL-3.0-or-later
import type { Stream, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface'
import { type YamuxMuxerInit, yamux } from '@libp2p/yamux'

/** A quarter of the window that a yamux stream begins with: who is owed less still has room for a whole piece of a log. */
const OWED_BYTES = 64 * 1024

/** What yamux's streams have beyond libp2p's: the first is called after each message that came, and by `resume`. */
interface Granting extends Stream {
  sendWindowUpdate(): void
  readonly recvWindow: number
  readonly recvWindowCapacity: number
}

/** What its muxers have: told of each stream that the other side opens, before anybody else is. */
interface Receiving extends StreamMuxer {
  onRemoteStream(stream: Stream): void
}

/**
 * Yamux whose streams grant room anew only when a quarter of their window was used. By itself it does after every message, in a write
 * and a cell of Tor of its own; what is said next would wait at each relay until that was acknowledged (RFC 896): 40 ms for none.
 * Nothing is granted while nobody reads.
 */
export function sparingYamux(init: YamuxMuxerInit): () => StreamMuxerFactory {
  const factory = yamux(init)()
  return () => ({
    protocol: factory.protocol,
    createStreamMuxer(connection) {
      const muxer = factory.createStreamMuxer(connection) as Receiving
      const create = muxer.createStream.bind(muxer)
      muxer.createStream = async (options) => spare(await create(options))
      const receive = muxer.onRemoteStream.bind(muxer)
      muxer.onRemoteStream = (stream) => receive(spare(stream))
      return muxer
    },
  })
}

/** The same call opens a stream: of ours it has by now, of theirs the first answer does it. */
function spare(stream: Stream): Stream {
  const granting = stream as Granting
  const grant = granting.sendWindowUpdate.bind(stream)
  granting.sendWindowUpdate = () => {
    const owed = granting.recvWindow - granting.recvWindowCapacity
    if (owed >= OWED_BYTES && stream.readStatus !== 'paused') grant()
  }
  return stream
}
