// SPDX-License-Identifier: GPL-3.0-or-later
import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { byteStream } from '@libp2p/utils'
import { MESH_PROTOCOL_JOIN, MESH_PROTOCOL_LOG, MESH_PROTOCOL_TALK } from '../../../schemas/gen/ts/wire.ts'
import { deadline } from '../../base/clock.ts'
import { ignore } from '../../base/error.ts'
import type { PartyId } from '../../core/model/index.ts'
import { partyOf } from './addresses.ts'
import { MeshError } from './error.ts'
import { framed, readFrames, Speech } from './frames.ts'
import type { Grudges } from './grudges.ts'
import type { MeshDeps, MeshStream, WayTrouble } from './index.ts'
import { Pace, type PaceOptions } from './pace.ts'
import { LOOK_MS, Watch } from './watch.ts'

const PROTOCOLS: readonly (readonly [MeshStream, string])[] = [
  ['talk', MESH_PROTOCOL_TALK],
  ['log', MESH_PROTOCOL_LOG],
]
/** What may wait for a peer that reads slowly: more, and it loses the connection. */
const WAITING_BYTES_MAX: Readonly<Record<MeshStream, number>> = {
  talk: 2 * 1024 * 1024,
  log: 8 * 1024 * 1024,
}
/** What is heard of one peer: on `talk` bytes, and as many more for each message; on `log` messages. Who says more waits. */
const PACES: Readonly<Record<MeshStream, PaceOptions>> = {
  talk: { burst: 4 * 1024 * 1024, perS: 256 * 1024 },
  log: { burst: 2000, perS: 1000 },
}
const MESSAGE_COST_BYTES = 512
const LAST_WORDS_MS = 2000
const PING_PROTOCOL = '/ipfs/ping/1.0.0'
/** Before each of several: what the one before leaves behind would hold it up for 40 ms at each relay, until it is acknowledged there. */
const PING_PAUSE_MS = 150
const PING_BYTES = 32

type Offence = 'frame-too-large' | 'bad-note' | 'too-slow'

const OFFENCES: Readonly<Record<Offence, string>> = {
  'frame-too-large': 'it sent a message of more bytes than any may have',
  'bad-note': 'it sent what no daemon says',
  'too-slow': 'it did not read what it was sent',
}

const CUT: WayTrouble = { code: 'cut', detail: 'the connection ended' }
const STALLED: WayTrouble = {
  code: 'stalled',
  detail: 'nothing came from it any more, not even the answer to a ping',
}
/** Longer than a daemon that was invited may take to ask its one question. */
const UNUSED_MS_MAX = 300_000

interface Session {
  readonly connection: Connection
  readonly streams: Partial<Record<MeshStream, { readonly stream: Stream; readonly speech: Speech }>>
  readonly paces: Readonly<Record<MeshStream, Pace>>
  readonly watch: Watch
  said: number
  told: boolean
}

/** One session for each peer: two streams on one connection, open for as long as it stands. */
export class Sessions implements Disposable {
  readonly #deps: MeshDeps
  readonly #node: Libp2p
  readonly #grudges: Grudges
  readonly #sessions = new Map<PartyId, Session>()
  /** How the last session with each ended, until there is another. */
  readonly #ends = new Map<PartyId, WayTrouble>()
  readonly #looking: Disposable

  constructor(deps: MeshDeps, node: Libp2p, grudges: Grudges) {
    this.#deps = deps
    this.#node = node
    this.#grudges = grudges
    this.#looking = deps.clock.every(LOOK_MS, () => this.#look())
  }

  [Symbol.dispose](): void {
    this.#looking[Symbol.dispose]()
  }

  async listen(): Promise<void> {
    for (const [name, protocol] of PROTOCOLS) {
      await this.#node.handle(protocol, (stream, connection) => this.#add(connection, name, stream), {
        maxInboundStreams: 1,
        maxOutboundStreams: 1,
      })
    }
    await this.#node.handle(MESH_PROTOCOL_JOIN, (stream, connection) => this.#answer(connection, stream), {
      maxInboundStreams: 1,
    })
  }

  has(peer: PartyId): boolean {
    return this.#sessions.get(peer)?.told === true
  }

  trouble(peer: PartyId): WayTrouble | undefined {
    const session = this.#sessions.get(peer)
    if (!session?.told) return this.#ends.get(peer)
    const isSpent = PROTOCOLS.some(([name]) => session.paces[name].isSpent)
    return isSpent ? { code: 'too-much', detail: 'it says more than is heard' } : undefined
  }

  rtt(peer: PartyId): number | undefined {
    return this.#sessions.get(peer)?.watch.rttMs
  }

  said(peer: PartyId): number | undefined {
    return this.#sessions.get(peer)?.said
  }

  /** Measured from a write to what comes back of it, on one stream of the ping protocol. @throws MeshError */
  async ping(peer: PartyId, times: number, signal: AbortSignal): Promise<readonly number[]> {
    const session = this.#sessions.get(peer)
    if (!session?.told) throw new MeshError('unreachable', 'there is no connection to it')
    return this.#pingOn(session.connection, times, signal)
  }

  async #pingOn(connection: Connection, times: number, signal: AbortSignal): Promise<readonly number[]> {
    const { clock, random } = this.#deps
    const stream = await connection.newStream(PING_PROTOCOL, { signal })
    const bytes = byteStream(stream)
    try {
      const trips: number[] = []
      for (let trip = 0; trip < times; trip++) {
        if (times > 1) await clock.sleep(PING_PAUSE_MS, signal)
        const began = clock.monotonic()
        await bytes.write(random.bytes(PING_BYTES), { signal })
        await bytes.read({ bytes: PING_BYTES, signal })
        trips.push(clock.monotonic() - began)
      }
      return trips
    } catch (cause) {
      throw new MeshError('no-answer', 'it did not answer in time', { cause })
    } finally {
      await stream.close({ signal }).catch((error) => ignore(error, 'the connection has ended'))
    }
  }

  /** Opens both streams on a connection that we made. */
  async begin(connection: Connection, signal: AbortSignal): Promise<void> {
    for (const [name, protocol] of PROTOCOLS) {
      this.#add(connection, name, await connection.newStream(protocol, { signal }))
    }
    const peer = partyOf(connection.remotePeer)
    const present = peer && this.#sessions.get(peer)
    if (present?.connection !== connection) connection.abort(new Error('the other side called meanwhile'))
  }

  send(peer: PartyId, name: MeshStream, message: Uint8Array): void {
    const session = this.#sessions.get(peer)
    const speech = session?.streams[name]?.speech
    if (!session || !speech) return
    if (speech.waitingBytes + message.length > WAITING_BYTES_MAX[name]) {
      this.#fail(session, peer, 'too-slow')
      return
    }
    speech.say(message)
    session.said++
  }

  /** Ends a session after what was said has left. */
  async end(peer: PartyId): Promise<void> {
    const session = this.#sessions.get(peer)
    if (!session) return
    this.#drop(peer, session)
    for (const [name] of PROTOCOLS) session.streams[name]?.speech.flush()
    using late = deadline(this.#deps.clock, LAST_WORDS_MS)
    await session.connection.close({ signal: late.signal }).catch((error) => {
      ignore(error, 'it does not take what was said last')
      session.connection.abort(error)
    })
  }

  #add(connection: Connection, name: MeshStream, stream: Stream): void {
    const peer = partyOf(connection.remotePeer)
    // Who made the connection opens both streams, so that the two sides never mean different ones.
    const isTheirs = stream.direction !== connection.direction
    const session = peer && !isTheirs ? this.#sessionFor(peer, connection) : undefined
    if (!peer || !session || session.streams[name]) return void stream.abort(new Error('not wanted'))
    session.streams[name] = { stream, speech: new Speech(stream) }
    stream.addEventListener('close', () => this.#lost(peer, session, CUT))
    if (PROTOCOLS.every(([each]) => session.streams[each])) this.#start(peer, session)
  }

  /** Only now is anything read: what the other said first waits in its stream, and is not heard before it is connected. */
  #start(peer: PartyId, session: Session): void {
    session.told = true
    this.#ends.delete(peer)
    this.#deps.hear.connected(peer)
    for (const [name] of PROTOCOLS) {
      const { stream } = session.streams[name]!
      readFrames(
        stream,
        async (message) => {
          if (!this.#isCurrent(peer, session)) return true
          // Waited for only if it must be: last words are heard before the end of their stream is.
          const rest = session.paces[name].take(name === 'log' ? 1 : message.length + MESSAGE_COST_BYTES)
          if (rest) {
            await rest
            if (!this.#isCurrent(peer, session)) return true
          }
          return this.#deps.hear.heard(peer, name, message)
        },
        (why) => this.#fail(session, peer, why),
      )
      // Not sooner: a stream hands out what waited in it to its first listener.
      stream.addEventListener('message', () => session.watch.heard())
    }
  }

  /** Of two connections with one peer that which the lower key made stays; of two of one direction, the newer. */
  #sessionFor(peer: PartyId, connection: Connection): Session | undefined {
    const present = this.#sessions.get(peer)
    if (present?.connection === connection) return present
    if (present) {
      const ours = partyOf(this.#node.peerId)!
      const favoured = ours < peer ? 'outbound' : 'inbound'
      if (present.connection.direction === favoured && connection.direction !== favoured) return undefined
      this.#drop(peer, present)
      present.connection.abort(new Error('another connection has taken its place'))
    }
    const { clock } = this.#deps
    const paces = { talk: new Pace(clock, PACES.talk), log: new Pace(clock, PACES.log) }
    const watch = new Watch(clock, async (signal) => (await this.#pingOn(connection, 1, signal))[0]!)
    const session: Session = { connection, streams: {}, paces, watch, said: 0, told: false }
    this.#sessions.set(peer, session)
    return session
  }

  #isCurrent(peer: PartyId, session: Session): boolean {
    return this.#sessions.get(peer) === session
  }

  #fail(session: Session, peer: PartyId, why: Offence): void {
    if (!this.#isCurrent(peer, session)) return
    this.#deps.log.say('warn', 'mesh-peer-failed', { peer, why })
    this.#grudges.bear(peer, { code: why, detail: OFFENCES[why] })
    this.#drop(peer, session)
    session.connection.abort(new Error(why))
  }

  #lost(peer: PartyId, session: Session, end: WayTrouble): void {
    if (!this.#isCurrent(peer, session)) return
    this.#deps.log.say('info', 'mesh-lost', { peer, why: end.code })
    this.#ends.set(peer, end)
    this.#drop(peer, session)
    session.connection.abort(new Error(end.detail))
  }

  #stalled(peer: PartyId, session: Session): void {
    this.#lost(peer, session, STALLED)
    this.#deps.stalled(peer)
  }

  /** Gives up what is silent, and connections that came in and never became anything. */
  #look(): void {
    for (const [peer, session] of this.#sessions) if (!session.watch.look()) this.#stalled(peer, session)
    const useful = new Set([...this.#sessions.values()].map(({ connection }) => connection))
    const before = this.#deps.clock.now() - UNUSED_MS_MAX
    for (const connection of this.#node.getConnections()) {
      if (!useful.has(connection) && connection.timeline.open < before) {
        connection.abort(new Error('nothing was said on it'))
      }
    }
  }

  #drop(peer: PartyId, session: Session): void {
    if (!this.#isCurrent(peer, session)) return
    this.#sessions.delete(peer)
    if (session.told) this.#deps.hear.gone(peer)
  }

  async #answer(connection: Connection, stream: Stream): Promise<void> {
    const peer = partyOf(connection.remotePeer)
    if (!peer) return void stream.abort(new Error('no party'))
    let asked = false
    readFrames(
      stream,
      async (question) => {
        if (asked) return false
        asked = true
        stream.send(framed(await this.#deps.hear.asked(peer, question)))
        return true
      },
      (why) => {
        this.#deps.log.say('warn', 'mesh-question-refused', { peer, why })
        stream.abort(new Error(why))
      },
    )
  }
}
