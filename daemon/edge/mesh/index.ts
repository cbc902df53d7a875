// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The mesh room: connections to the other daemons of the home. In: whom to reach at which onion address, and a dialer for it;
 * unix sockets (doors) that stand behind onion services. Out: messages of peers whose key noise has proved, one after the other.
 *
 * Always true: libp2p has one transport, ours, which dials and hears of nothing but onion addresses; a peer is let in only where
 * `mayEnter` says so, by the door it came in by; a peer that does not read, or sends what is too large or nothing that a daemon
 * says, loses its connection and is left alone for ever longer; one that says too much is read slowly; what stalls is noticed by
 * its silence and replaced. Importing this costs libp2p's memory: only a home with more than one
 * daemon does.
 * Absent on purpose: resolvers, mDNS, DHT, relays, UPnP, AutoNAT, gossip; addresses in identify; what messages mean.
 */
import type { Socket } from 'node:net'
import type { Clock } from '../../base/clock.ts'
import { once } from '../../base/lifetime.ts'
import type { Log } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import type { Secret } from '../../base/secret.ts'
import type { PartyId } from '../../core/model/index.ts'
import { Doors } from './doors.ts'
import { Grudges } from './grudges.ts'
import { openNode } from './node.ts'
import { Reaches } from './reaches.ts'
import { Sessions } from './sessions.ts'

export { type MeshCode, MeshError } from './error.ts'

export type MeshStream = 'talk' | 'log'

/** What is wrong with the way to a peer: a code of this room or of the dialer, and a sentence. */
export interface WayTrouble {
  readonly code: string
  readonly detail: string
}

export interface MeshDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** A stream to an onion service, through tor. */
  readonly dial: (
    address: string,
    port: number,
    options: { readonly isolation: string; readonly anew: boolean; readonly signal: AbortSignal },
  ) => Promise<Socket>
  readonly hear: MeshHear
  /** Nothing came from it any more on a connection that stood: the way to it, or the way by which it came in, may hang. */
  readonly stalled: (peer: PartyId) => void
}

/** What the room tells. */
export interface MeshHear {
  /** Whether this key may come in by this door; `undefined`: we called it. */
  mayEnter(peer: PartyId, door: string | undefined): boolean
  connected(peer: PartyId): void
  gone(peer: PartyId): void
  /** In the order of each stream; the next waits for it. @returns false for what no daemon says */
  heard(peer: PartyId, stream: MeshStream, message: Uint8Array): Promise<boolean>
  /** The one question of somebody who was invited. */
  asked(peer: PartyId, question: Uint8Array): Promise<Uint8Array>
}

export interface MeshOptions {
  /** Of the hub's Ed25519 key: the peer id is that key. */
  readonly seed: Secret
}

export interface Mesh extends AsyncDisposable {
  /** Listens on a unix socket; who comes in there has come by this door. */
  door(name: string, path: string): Promise<AsyncDisposable>
  /**
   * Sees to it that there is a connection to this daemon from now on. Another address replaces the one before.
   * @param politely  leave the first call to the one with the lower key; the default
   */
  reach(peer: PartyId, address: string, politely?: boolean): void
  /** No longer; ends the connection, if there is one. */
  leave(peer: PartyId, why: string): void
  /** Does nothing when there is no connection. */
  send(peer: PartyId, stream: MeshStream, message: Uint8Array): void
  /** Why there is no connection, or what is wrong with the one there is. */
  trouble(peer: PartyId): WayTrouble | undefined
  /** The last measured round trip, ms. */
  rtt(peer: PartyId): number | undefined
  /** Messages that were handed to the connection there is. */
  said(peer: PartyId): number | undefined
  /** Round trips on the connection there is, ms, one after the other. @throws MeshError */
  ping(peer: PartyId, times: number, signal: AbortSignal): Promise<readonly number[]>
  /** Asks a daemon one question on a connection of its own. @throws MeshError */
  ask(peer: PartyId, address: string, question: Uint8Array, signal: AbortSignal): Promise<Uint8Array>
}

/** @throws MeshError */
export async function openMesh(deps: MeshDeps, options: MeshOptions, signal: AbortSignal): Promise<Mesh> {
  const doors = new Doors(deps.clock)
  const grudges = new Grudges(deps.clock)
  const mayEnter: MeshHear['mayEnter'] = (peer, door) => !grudges.bars(peer) && deps.hear.mayEnter(peer, door)
  const node = await openNode({ dial: deps.dial, mayEnter }, options, doors)
  const sessions = new Sessions(deps, node, grudges)
  await sessions.listen()
  const reaches = new Reaches(deps, node, { sessions, grudges }, signal)
  const dispose = once(async () => {
    signal.removeEventListener('abort', onAbort)
    sessions[Symbol.dispose]()
    await reaches[Symbol.asyncDispose]()
    await doors[Symbol.asyncDispose]()
    await node.stop()
  })
  const onAbort = () => {
    dispose().catch((error) => deps.log.taskFailed('mesh', error))
  }
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  return {
    door: (name, path) => doors.open(name, path),
    reach: (peer, address, politely) => reaches.reach(peer, address, politely),
    leave: (peer, why) => reaches.leave(peer, why),
    send: (peer, stream, message) => sessions.send(peer, stream, message),
    trouble: (peer) => reaches.trouble(peer),
    rtt: (peer) => sessions.rtt(peer),
    said: (peer) => sessions.said(peer),
    ping: (peer, times, pinging) => sessions.ping(peer, times, pinging),
    ask: (peer, address, question, asking) => reaches.ask(peer, address, question, asking),
    [Symbol.asyncDispose]: dispose,
  }
}
