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
  /** Over TLS: whether the handshake is still under way. */
  shaking: boolean
  /** What requests on this connection may fail to prove, once it is proven. */
  readonly own: Allowance
}

/**
 * The connections of one face, and what they may use up.
 * Strangers share an allowance by address and one by face; who proved an identity has one of their own, so that a flood
 * of bad signatures starves those who send it. A full face closes its oldest stranger, never somebody proven.
 * Handshakes have places of their own, far fewer than connections: who says nothing, or begins and never ends, makes way for
 * who comes, first of all for others of its own address, and then where most are.
 */
export class Peers {
  readonly #clock: Clock
  readonly #limits: HttpLimits
  readonly #all = new Set<Peer>()
  /** In the order they came. */
  readonly #strangers = new Set<Peer>()
  /** In the order they came. */
  readonly #shaking = new Set<Peer>()
  readonly #byAddress: Allowances
  readonly #face: Allowance
  readonly #handshakes: Allowances

  constructor(clock: Clock, limits: HttpLimits) {
    this.#clock = clock
    this.#limits = limits
    const { unprovenBurst: burst, unprovenPerS: perS, addressesMax: namesMax } = limits
    this.#byAddress = new Allowances(clock, { burst, perS, namesMax })
    this.#face = new Allowance(clock, limits.faceUnprovenBurst, limits.faceUnprovenPerS)
    const { unprovenHandshakesBurst, unprovenHandshakesPerS } = limits
    this.#handshakes = new Allowances(clock, {
      burst: unprovenHandshakesBurst,
      perS: unprovenHandshakesPerS,
      namesMax,
    })
  }

  get size(): number {
    return this.#all.size
  }

  /** How many have not ended their handshake. */
  get shaking(): number {
    return this.#shaking.size
  }

  /**
   * Takes a new connection in, at the cost of an older stranger where there is no room; undefined: no room at all.
   * @param shaking  it begins with a TLS handshake, which `shaken` ends
   */
  admit(socket: Socket, shaking = false): Peer | undefined {
    const address = addressOf(socket)
    if (shaking && !this.#handshakes.of(address).draw()) return undefined
    if (shaking) this.#makeRoomToShake(address)
    const room =
      this.#makeRoom((peer) => peer.address === address, this.#most(address)) &&
      this.#makeRoom(() => true, this.#limits.connectionsMax)
    if (!room) return undefined
    const { unprovenBurst, unprovenPerS } = this.#limits
    const own = new Allowance(this.#clock, unprovenBurst, unprovenPerS)
    const peer: Peer = { address, socket, proven: false, shaking, own }
    this.#all.add(peer)
    this.#strangers.add(peer)
    if (shaking) this.#shaking.add(peer)
    socket.once('close', () => this.#leave(peer))
    return peer
  }

  /** The TLS handshake of this connection is done. */
  shaken(peer: Peer): void {
    peer.shaking = false
    this.#shaking.delete(peer)
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
    this.#handshakes.of(peer.address).giveBack()
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
      this.#close(stranger)
      return true
    }
    return false
  }

  /** One more handshake from this address finds a place: the oldest of its own goes, or the oldest of where most are. */
  #makeRoomToShake(address: string): void {
    const { handshakesMax, handshakesPerAddressMax } = this.#limits
    const byAddress = Map.groupBy(this.#shaking, (peer) => peer.address)
    const own = byAddress.get(address) ?? []
    const [most = []] = [...byAddress.values()].sort((a, b) => b.length - a.length)
    const isFull = this.#shaking.size >= handshakesMax
    const oldest = own.length >= handshakesPerAddressMax ? own[0] : isFull ? most[0] : undefined
    if (oldest) this.#close(oldest)
  }

  #close(peer: Peer): void {
    this.#leave(peer)
    peer.socket.destroy()
  }

  #leave(peer: Peer): void {
    this.#all.delete(peer)
    this.#strangers.delete(peer)
    this.#shaking.delete(peer)
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
