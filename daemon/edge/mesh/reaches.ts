// SPDX-License-Identifier: GPL-3.0-or-later
import type { Libp2p } from '@libp2p/interface'
import { MESH_PROTOCOL_JOIN } from '../../../schemas/gen/ts/wire.ts'
import { Backoff } from '../../base/backoff.ts'
import { deadline } from '../../base/clock.ts'
import { codeOf, ignore, sentenceOf } from '../../base/error.ts'
import { abortable } from '../../base/lifetime.ts'
import type { PartyId } from '../../core/model/index.ts'
import { onionMultiaddr, partyOf, peerIdOf } from './addresses.ts'
import { MeshError } from './error.ts'
import { framed, readFrames } from './frames.ts'
import type { Grudges } from './grudges.ts'
import type { MeshDeps, WayTrouble } from './index.ts'
import type { Sessions } from './sessions.ts'

const AGAIN = { firstMs: 1000, msMax: 300_000 }
/** While a connection stands this is how late its end may be noticed. */
const LOOK_MS = 1000
/** Of two daemons the one with the lower key calls; the other only when that has not helped for so long. */
const OTHERS_TURN_MS = 20_000
const ATTEMPT_MS_MAX = 180_000
const BEGINNING_MS = 15_000

/** Who is to be connected: for each a loop that calls, rests and calls again, until it is left. */
export class Reaches implements AsyncDisposable {
  readonly #deps: MeshDeps
  readonly #node: Libp2p
  readonly #sessions: Sessions
  readonly #grudges: Grudges
  readonly #signal: AbortSignal
  readonly #loops = new Map<PartyId, { readonly address: string; readonly stop: AbortController }>()
  /** Of the last attempt, until one succeeds. */
  readonly #troubles = new Map<PartyId, WayTrouble>()

  constructor(
    deps: MeshDeps,
    node: Libp2p,
    { sessions, grudges }: { readonly sessions: Sessions; readonly grudges: Grudges },
    signal: AbortSignal,
  ) {
    this.#deps = deps
    this.#node = node
    this.#sessions = sessions
    this.#grudges = grudges
    this.#signal = signal
  }

  /** What it did to be cut off comes before why it cannot be reached. */
  trouble(peer: PartyId): WayTrouble | undefined {
    const way = this.#sessions.has(peer) ? undefined : this.#troubles.get(peer)
    return this.#grudges.trouble(peer) ?? way ?? this.#sessions.trouble(peer)
  }

  reach(peer: PartyId, address: string, politely = true): void {
    const present = this.#loops.get(peer)
    if (present?.address === address) return
    present?.stop.abort()
    const stop = new AbortController()
    this.#loops.set(peer, { address, stop })
    this.#keep(peer, address, politely, AbortSignal.any([stop.signal, this.#signal])).catch((error) =>
      ignore(error, 'it was left'),
    )
  }

  leave(peer: PartyId, why: string): void {
    this.#loops.get(peer)?.stop.abort(new MeshError('closed', why))
    this.#loops.delete(peer)
    this.#troubles.delete(peer)
    this.#grudges.forget(peer)
    this.#sessions.end(peer).catch((error) => ignore(error, 'it has ended by itself'))
  }

  async ask(peer: PartyId, address: string, question: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const connection = await this.#node.dial(onionMultiaddr(address, peer), { signal }).catch((cause) => {
      throw new MeshError('unreachable', sentenceOf(cause), { cause })
    })
    try {
      const stream = await connection.newStream(MESH_PROTOCOL_JOIN, { signal })
      const answered = new Promise<Uint8Array>((resolve, reject) => {
        const spoilt = () =>
          reject(new MeshError('no-answer', 'the other daemon did not answer as it should'))
        stream.addEventListener('close', spoilt)
        readFrames(
          stream,
          async (answer) => {
            resolve(answer)
            return true
          },
          spoilt,
        )
      })
      stream.send(framed(question))
      return await abortable(answered, signal)
    } finally {
      connection.abort(new Error('the question is answered'))
    }
  }

  async #keep(peer: PartyId, address: string, politely: boolean, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#deps
    const again = new Backoff(random, AGAIN)
    let patienceMs = !politely || partyOf(this.#node.peerId)! < peer ? 0 : OTHERS_TURN_MS
    let goneSince = clock.monotonic()
    for (;;) {
      signal.throwIfAborted()
      if (this.#sessions.has(peer)) {
        again.reset()
        this.#troubles.delete(peer)
        patienceMs = partyOf(this.#node.peerId)! < peer ? 0 : OTHERS_TURN_MS
        goneSince = clock.monotonic()
        await clock.sleep(LOOK_MS, signal)
      } else if (clock.monotonic() - goneSince < patienceMs || this.#grudges.bars(peer)) {
        await clock.sleep(LOOK_MS, signal)
      } else if (await this.#attempt(peer, address, signal)) {
        await clock.sleep(LOOK_MS, signal)
      } else await clock.sleep(again.nextMs(), signal)
    }
  }

  async #attempt(peer: PartyId, address: string, signal: AbortSignal): Promise<boolean> {
    using limit = deadline(this.#deps.clock, ATTEMPT_MS_MAX, signal)
    try {
      for (const present of this.#node.getConnections(peerIdOf(peer))) {
        // The other side may be calling just now; its streams follow in a moment.
        if (this.#deps.clock.now() - present.timeline.open < BEGINNING_MS) return false
        // libp2p would hand back a connection that has no session any more.
        present.abort(new Error('it has no session'))
      }
      const connection = await this.#node.dial(onionMultiaddr(address, peer), { signal: limit.signal })
      // It may be the other's call that was handed back: then its side opens the streams.
      if (connection.direction === 'outbound') await this.#sessions.begin(connection, limit.signal)
      this.#troubles.delete(peer)
      return true
    } catch (error) {
      signal.throwIfAborted()
      const why = troubleOf(error)
      if (this.#troubles.get(peer)?.detail !== why.detail) {
        this.#deps.log.say('info', 'mesh-unreachable', { peer, why: why.detail })
      }
      this.#troubles.set(peer, why)
      return false
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const peers = [...this.#loops.keys()]
    for (const { stop } of this.#loops.values()) stop.abort(new MeshError('closed', 'the mesh closes'))
    this.#loops.clear()
    await Promise.all(peers.map((peer) => this.#sessions.end(peer)))
  }
}

/** What libp2p wraps is what the dialer said. */
function troubleOf(error: unknown): WayTrouble {
  const inner = error instanceof AggregateError ? error.errors[0] : error
  const cause = inner instanceof Error && inner.cause instanceof Error ? inner.cause : inner
  return { code: codeOf(cause) ?? 'unreachable', detail: sentenceOf(cause) }
}
