// SPDX-License-Identifier: GPL-3.0-or-later
import type { Socket } from 'node:net'
import { Allowance, Allowances } from '../../base/allowance.ts'
import type { Clock } from '../../base/clock.ts'
import type { HttpLimits } from './limits.ts'

/** One connection. It is a stranger's until a sealed request on it has verified. */
export interface Peer {
  readonly address: string
  readonly socket: Socket
  proven: boolean
  /** What requests on this connection may fail to prove, once it is proven. */
  readonly own: Allowance
}

/**
 * The connections of one face, and what they may use up.
 * Strangers share an allowance by address and one by face; who proved an identity has one of their own, so that a flood
 * of bad signatures starves those who send it. A full face closes its oldest stranger, never somebody proven.
 */
export class Peers {
  readonly #clock: Clock
  readonly #limits: HttpLimits
  readonly #all = new Set<Peer>()
  /** In the order they came. */
  readonly #strangers = new Set<Peer>()
  readonly #byAddress: Allowances
  readonly #face: Allowance

  constructor(clock: Clock, limits: HttpLimits) {
    this.#clock = clock
    this.#limits = limits
    const { unprovenBurst: burst, unprovenPerS: perS, addressesMax: namesMax } = limits
    this.#byAddress = new Allowances(clock, { burst, perS, namesMax })
    this.#face = new Allowance(clock, limits.faceUnprovenBurst, limits.faceUnprovenPerS)
  }

  get size(): number {
    return this.#all.size
  }

  /** Takes a new connection in, at the cost of an older stranger where there is no room; undefined: no room at all. */
  admit(socket: Socket): Peer | undefined {
    const address = addressOf(socket)
    const room =
      this.#makeRoom((peer) => peer.address === address, this.#most(address)) &&
      this.#makeRoom(() => true, this.#limits.connectionsMax)
    if (!room) return undefined
    const { unprovenBurst, unprovenPerS } = this.#limits
    const own = new Allowance(this.#clock, unprovenBurst, unprovenPerS)
    const peer: Peer = { address, socket, proven: false, own }
    this.#all.add(peer)
    this.#strangers.add(peer)
    socket.once('close', () => this.#leave(peer))
    return peer
  }

  /** Draws one request from what this connection may fail to prove; false: too many. */
  draw(peer: Peer): boolean {
    if (peer.proven) return peer.own.draw()
    return this.#byAddress.of(peer.address).draw() && this.#face.draw()
  }

  /** The request was proved: what it drew is given back, and its connection is no stranger's any more. */
  proved(peer: Peer): void {
    if (peer.proven) {
      peer.own.giveBack()
      return
    }
    peer.proven = true
    this.#strangers.delete(peer)
    this.#byAddress.of(peer.address).giveBack()
    this.#face.giveBack()
  }

  closeAll(): void {
    for (const { socket } of this.#all) socket.destroy()
  }

  /** On a unix socket everybody has the same address, so only the face's own limit holds. */
  #most(address: string): number {
    return address === '' ? this.#limits.connectionsMax : this.#limits.connectionsPerAddressMax
  }

  #makeRoom(among: (peer: Peer) => boolean, most: number): boolean {
    let held = 0
    for (const peer of this.#all) if (among(peer)) held++
    if (held < most) return true
    for (const stranger of this.#strangers) {
      if (!among(stranger)) continue
      this.#leave(stranger)
      stranger.socket.destroy()
      return true
    }
    return false
  }

  #leave(peer: Peer): void {
    this.#all.delete(peer)
    this.#strangers.delete(peer)
  }
}

/** Who is on the other side, as far as limits go: an IPv4 address, an IPv6 /64, or nothing on a unix socket. */
export function addressOf(socket: Pick<Socket, 'remoteAddress'>): string {
  const address = socket.remoteAddress ?? ''
  if (address.startsWith('::ffff:')) return address.slice('::ffff:'.length)
  return address.includes(':') ? network64(address) : address
}

function network64(address: string): string {
  const [head = '', tail] = address.split('%')[0]!.split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail ? tail.split(':') : []
  const groups =
    tail === undefined ? front : [...front, ...Array(8 - front.length - back.length).fill('0'), ...back]
  return groups.slice(0, 4).join(':')
}
