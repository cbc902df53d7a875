// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The device link (SPEC 6, 7): connections enter, verified messages leave to the desk; commands go the other way.
 *
 * Always true: only the key proven in TLS, under a certificate of our profile, known and not forgotten at this moment, is
 * heard; `stored` is said only after the desk has said so; every peer is under limits that have a name, and what one does
 * costs the others nothing. Ends of sessions are told to the desk once.
 * Absent on purpose: deciding what a message means (the desk's), queues for devices that are away (the router's), a timer
 * or a buffer per connection (one sweep serves all), TLS 1.2, any key but Ed25519.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { createServer, type Server, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Code } from '../../../schemas/gen/ts/codes.ts'
import { ALPN_ENROL, ALPN_LINK } from '../../../schemas/gen/ts/wire.ts'
import { Allowances } from '../../base/allowance.ts'
import { toHex } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import { ignore, no, RoomError, type Verdict, yes } from '../../base/error.ts'
import { once, Turns } from '../../base/lifetime.ts'
import type { Log } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import type { Secret } from '../../base/secret.ts'
import type { Ed25519, Frame, Place, Zone } from '../../core/envelope/index.ts'
import { idOf, type PartyId } from '../../core/model/index.ts'
import type { Carrier, DeviceDesk } from '../../core/ports.ts'
import { Tries } from '../../core/tries.ts'
import { Connection, type Talk } from './connection.ts'
import { LinkDiary } from './diary.ts'
import type { DirectOffice } from './direct.ts'
import { Enrolment } from './enrolment.ts'
import { Fronts, type LinkPapers } from './fronts.ts'
import { ADDRESSES_MAX, LINK_LIMITS, type LinkLimits, Occupancy } from './limits.ts'
import { NoteRound } from './note-round.ts'
import { Rescue } from './rescue.ts'
import type { LinkRoom } from './room.ts'
import { Roster } from './roster.ts'
import { Session } from './session.ts'
import { peerLeaf } from './tls.ts'
import { TurnedAway } from './turned-away.ts'
import { HubVoice } from './voice.ts'

export type { DirectOffice } from './direct.ts'
export type { LinkPapers } from './fronts.ts'
export { LINK_LIMITS, type LinkLimits } from './limits.ts'

export class LinkError extends RoomError<'address-in-use' | 'cannot-listen'> {}

export interface LinkDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly ed25519: Ed25519
  readonly desk: DeviceDesk
}

export interface LinkOptions extends LinkPapers {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly homeId: PartyId
  /** Ed25519 seed of this hub: TLS proves it and the welcome is sealed with it. */
  readonly hubSeed: Secret
  readonly limits?: Partial<LinkLimits>
  /** The home's zone, told with each welcome. */
  readonly zone?: () => Zone | undefined
  /** Where else devices may find this hub, told with each welcome: numeric addresses, the best first. */
  readonly places?: () => readonly Place[]
  /** For devices with a server of their own; absent: none gets a certificate. */
  readonly direct?: DirectOffice
}

export interface Link extends Carrier, AsyncDisposable {
  readonly port: number
  /** From now on the hub shows and issues this. Everybody is cut off without a word, and comes back to the new. */
  renew(papers: LinkPapers): void
  /** Sessions that were opened under this leaf since the start. */
  taken(hubLeaf: Uint8Array): number
  /** Devices with a session. */
  connected(): number
  /** Where the link of the connected device comes from whose own server has this name, if that is near (SPEC 18.1). */
  serverAt(name: string): string | undefined
  /** Whether a device at this address was sent to another daemon a moment ago (SPEC 14.7). */
  turnedAway(address: string): boolean
}

const SWEEP_MS = 1000

/**
 * Listens for devices.
 * @param signal  aborting it is the same as disposing
 * @throws LinkError address-in-use | cannot-listen
 */
export async function openLink(deps: LinkDeps, options: LinkOptions, signal: AbortSignal): Promise<Link> {
  signal.throwIfAborted()
  const listener = new Listener(deps, options)
  await listener.listen(options.host, options.port)
  const dispose = once(() => listener.close())
  signal.addEventListener('abort', dispose, { once: true })
  return {
    port: listener.port,
    connected: () => listener.room.roster.size,
    turnedAway: (address) => listener.room.turnedAway.has(address),
    serverAt: (name) => listener.serverAt(name),
    send: (device, frame) => listener.send(device, frame),
    drop: (device, why) => listener.room.roster.get(device)?.end(why),
    renew: (papers) => listener.renew(papers),
    taken: (hubLeaf) => listener.taken.get(toHex(hubLeaf)) ?? 0,
    [Symbol.asyncDispose]() {
      signal.removeEventListener('abort', dispose)
      return dispose()
    },
  }
}

class Listener {
  readonly room: LinkRoom
  /** By leaf, in hex. */
  readonly taken = new Map<string, number>()
  readonly #hubSeed: Secret
  readonly #accepting: Server
  #fronts: Fronts
  readonly #occupancy: Occupancy
  /** What strangers may cost: a handshake is a millisecond of the processor. Who proves to be a device gets it back. */
  readonly #unproven: Allowances
  readonly #turns = new Turns()
  /** Whose handshake it is: one who sends an alert and is gone has no address any more when the alert is read. */
  readonly #peers = new AsyncLocalStorage<string>()
  /** By `address|port` of the peer: the only name that the accepted socket and its TLS socket share. */
  readonly #connections = new Map<string, Connection>()
  readonly #sweeping: Disposable
  readonly #closing = new AbortController()

  constructor(deps: LinkDeps, options: LinkOptions) {
    const { clock, random, ed25519, desk, log } = deps
    const hub = ed25519.signer(options.hubSeed.reveal())
    const limits = { ...LINK_LIMITS, ...options.limits }
    const diary = new LinkDiary(log)
    const voice = new HubVoice(hub, clock, random, options)
    const issuer = () => this.#fronts.issuer
    const shared = { clock, random, ed25519, desk, homeId: options.homeId, hub, voice, issuer, diary, limits }
    const noteRound = new NoteRound(clock, this.#closing.signal)
    const turnedAway = new TurnedAway(clock)
    const { direct } = options
    this.room = { ...shared, tries: new Tries(), roster: new Roster(), noteRound, turnedAway, direct }
    this.#hubSeed = options.hubSeed
    this.#fronts = this.#open(options)
    this.#occupancy = new Occupancy(limits)
    this.#unproven = new Allowances(clock, {
      burst: limits.unprovenBurst,
      perS: limits.unprovenPerS,
      namesMax: ADDRESSES_MAX,
    })
    this.#accepting = createServer({ noDelay: true }, (socket) => this.#accepted(socket))
    this.#sweeping = clock.every(SWEEP_MS, () => this.#sweep())
  }

  get port(): number {
    const address = this.#accepting.address()
    return typeof address === 'object' && address ? address.port : 0
  }

  #open(papers: LinkPapers): Fronts {
    return new Fronts(this.#hubSeed, papers, {
      secured: (socket) => this.#secured(socket),
      failed: (error, socket) => this.#failed(error, socket),
    })
  }

  renew(papers: LinkPapers): void {
    this.#fronts = this.#open(papers)
    for (const connection of this.#connections.values()) connection.leave()
  }

  #failed(error: Error, socket: TLSSocket): void {
    const address = this.#peers.getStore() ?? socket.remoteAddress
    this.room.diary.tlsFailed(error, address)
    if (address !== undefined && isAlert(error)) this.#fronts.refused(address)
  }

  listen(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const onFailure = (error: Error & { code?: string }) => {
        this.#sweeping[Symbol.dispose]()
        const code = error.code === 'EADDRINUSE' ? 'address-in-use' : 'cannot-listen'
        reject(new LinkError(code, `cannot listen for devices on ${host} port ${port}`, { cause: error }))
      }
      this.#accepting.once('error', onFailure)
      this.#accepting.listen(port, host, () => {
        this.#accepting.off('error', onFailure)
        this.#accepting.on('error', (error) => this.room.diary.serverFailed(error))
        this.room.diary.listening(host, this.port)
        resolve()
      })
    })
  }

  send(device: PartyId, frame: Frame): 'sent' | 'away' | 'too-slow' {
    return this.room.roster.get(device)?.send(frame) ?? 'away'
  }

  #accepted(socket: Socket): void {
    const address = socket.remoteAddress
    socket.on('error', ignoreSocketError)
    if (address === undefined) return void socket.destroy()
    if (!this.#unproven.of(address).draw() || !this.#occupancy.enter(address)) {
      this.room.diary.refused('too-many-connections', address)
      return void socket.destroy()
    }
    const name = nameOf(socket)
    const front = this.#fronts.of(address)
    const connection = new Connection(this.room, socket, address, front.leaf)
    this.#connections.set(name, connection)
    socket.on('close', () => {
      this.#connections.delete(name)
      this.#occupancy.leave(address)
      connection.closed()
    })
    this.#peers.run(address, () => front.server.emit('connection', socket))
  }

  #secured(socket: TLSSocket): void {
    socket.on('error', ignoreSocketError)
    const connection = this.#connections.get(nameOf(socket))
    if (!connection) return void socket.destroy()
    connection.secured(socket)
    const talk = this.#talkOf(socket, connection)
    if (talk.ok) connection.begin(talk.value)
    else connection.end(talk.why, talk.detail)
  }

  #talkOf(socket: TLSSocket, line: Connection): Verdict<Talk, Code> {
    const { room } = this
    if (socket.alpnProtocol === ALPN_ENROL) return yes(new Enrolment(room, line, this.#turns))
    if (socket.alpnProtocol !== ALPN_LINK) return no('bad-alpn')
    const leaf = peerLeaf(socket, this.#fronts.caKeys, room.ed25519)
    if (!leaf.ok) return leaf
    const { key, until } = leaf.value
    if (room.desk.standing(idOf(key)) === 'forgotten') return no('forgotten', idOf(key))
    this.#unproven.of(line.address).giveBack()
    this.#fronts.taken(line.address)
    const shown = toHex(line.shown)
    this.taken.set(shown, (this.taken.get(shown) ?? 0) + 1)
    if (room.clock.now() > until) return yes(new Rescue(room, line, key))
    return yes(new Session(room, line, leaf.value, socket.isSessionReused()))
  }

  serverAt(name: string): string | undefined {
    for (const { serverPlace } of this.room.roster.sessions())
      if (serverPlace?.name === name) return serverPlace.address
    return undefined
  }

  #sweep(): void {
    const now = this.room.clock.monotonic()
    for (const connection of this.#connections.values()) connection.sweep(now)
    for (const session of this.room.roster.sessions()) {
      session.renew()
      session.retell()
      session.equip()
    }
    this.room.diary.settle()
  }

  async close(): Promise<void> {
    this.#sweeping[Symbol.dispose]()
    this.#closing.abort()
    const closed = new Promise<void>((resolve) => this.#accepting.close(() => resolve()))
    for (const connection of this.#connections.values()) connection.leave()
    await closed
  }
}

function nameOf(socket: Socket): string {
  return `${socket.remoteAddress}|${socket.remotePort}`
}

/** The other side said why it ends the handshake; for a device that is most often a leaf that it does not take. */
function isAlert(error: Error & { code?: string }): boolean {
  return error.code?.includes('_ALERT_') === true
}

/** A socket's errors end in its 'close', which is where they are answered. */
function ignoreSocketError(error: Error): void {
  ignore(error, 'the close that follows is what counts')
}
