// SPDX-License-Identifier: GPL-3.0-or-later
import type { Stream } from '@libp2p/interface'

/** A quarter of the window that a yamux stream begins with: who is owed less still has room for a whole piece of a log. */
const OWED_BYTES = 64 * 1024

/** What yamux's streams have beyond libp2p's: it is called after each message that came, and by `resume`. */
interface Granting extends Stream {
  sendWindowUpdate(): void
}

/**
 * Lets a stream grant room anew only when a quarter of its window was used. By itself yamux does after every message, in a write
 * and a cell of Tor of its own; what is said next would wait at each relay until that was acknowledged (RFC 896): 40 ms for none.
 * Nothing is granted while nobody reads. A stream of another muxer is left as it is.
 */
export function sparing(stream: Stream): void {
  const granting = stream as Granting
  if (typeof granting.sendWindowUpdate !== 'function') return
  const grant = granting.sendWindowUpdate.bind(stream)
  let owed = 0
  stream.addEventListener('message', ({ data }) => {
    owed += data.byteLength
  })
  granting.sendWindowUpdate = () => {
    if (owed < OWED_BYTES || stream.readStatus === 'paused') return
    owed = 0
    grant()
  }
}
