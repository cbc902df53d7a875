// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * The onion room: the daemon's only way out of the house, and the world's only way in.
 * In: services to offer (seed, socket, who may find them) and addresses to dial.
 * Out: addresses at once, streams, and for each service whether it was reached through Tor, with the cause if not.
 * It stays true that tor is spoken to by unix sockets alone, that services outlive any number of tors with the same
 * addresses, that withdrawing one cuts its streams and no others, and that nothing here waits for a descriptor upload.
 * Absent on purpose: deciding who may do what (an address only hides), keys kept (seeds are handed in), HTTP.
 */
import type { Socket } from 'node:net'
import { toHex } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import { codeOf, ignore, sentenceOf } from '../../base/error.ts'
import { abortable, Latch, once } from '../../base/lifetime.ts'
import type { Log } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import type { Secret } from '../../base/secret.ts'
import { supervise } from '../../base/supervise.ts'
import { serviceIdOf } from './address.ts'
import { Bootstrap, type BootstrapState } from './bootstrap.ts'
import { ClientKeys } from './client-keys.ts'
import { type Control, getInfo, obey, openControl } from './control.ts'
import { Dialer, type DialOptions } from './dial.ts'
import { OnionError } from './error.ts'
import type { OnionService, OnionStatus } from './offer.ts'
import { probe } from './probe.ts'
import { openTorProcess, prepareTor } from './process.ts'
import { Services } from './services.ts'
import { socketPath, type TorFiles, torFiles } from './torrc.ts'

export { onionKeyOf, parseAddress } from './address.ts'
export type { BootstrapState } from './bootstrap.ts'
export type { DialOptions } from './dial.ts'
export { type OnionCode, OnionError } from './error.ts'
export type { OnionCause, OnionService, OnionState, OnionStatus } from './offer.ts'
export { SOCKET_PATH_BYTES_MAX } from './torrc.ts'

export interface OnionDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

export interface OwnTor {
  readonly kind: 'child'
  /** Name or path of the program. */
  readonly binary: string
  /** Ours alone, mode 0700, short enough for sockets in it; kept from run to run. */
  readonly directory: string
  /** Lines for the torrc, such as those of a private network. */
  readonly extraTorrc: readonly string[]
  /** Folder of cached directory files to begin with. */
  readonly seedFiles?: string
}

export interface ForeignTor {
  readonly kind: 'existing'
  readonly controlSocket: string
  /** Should have the flag ExtendedErrors; without it causes are vaguer. */
  readonly socksSocket: string
}

export interface OnionOptions {
  readonly tor: OwnTor | ForeignTor
  /** What the probe asks the service for; any HTTP status counts as reached. */
  readonly probePath?: string
  /** Between two probes of a reachable service, give or take a quarter. */
  readonly probeEveryMs?: number
}

export type OnionChange =
  | { readonly kind: 'bootstrap'; readonly bootstrap: BootstrapState }
  | { readonly kind: 'status'; readonly status: OnionStatus }

export interface Onion extends AsyncDisposable {
  /** Unix SOCKS socket of our tor; each user of it brings a username of its own. */
  readonly socksPath: string
  bootstrap(): BootstrapState
  /**
   * Offers a service from now on, through every restart of tor.
   * @returns its address, at once; publishing goes on in the background, ten at a time
   * @throws OnionError bad-service | bad-path | name-taken | address-taken | too-many | closed
   */
  offer(service: OnionService): string
  /** Takes a service back and cuts its open streams, and nobody else's. Resolves when they are cut; unknown names too. */
  withdraw(name: string): Promise<void>
  /** Gives our tor the X25519 key that reads the descriptor of somebody's address, now and after every restart. */
  unlock(address: string, key: Secret): Promise<void>
  lock(address: string): Promise<void>
  /** Who came by this service fell silent: whether it can be reached is measured now, and if not it is published anew. */
  doubt(name: string): void
  /** Of one service; undefined when it is not offered. */
  status(name: string): OnionStatus | undefined
  /** Of every service offered, in the order of the offers. */
  statuses(): readonly OnionStatus[]
  /** Calls `listener` at every change until disposed. */
  onChange(listener: (change: OnionChange) => void): Disposable
  /**
   * A stream to an onion service, ours or another's; stalled circuits are left for new ones.
   * @throws OnionError with the cause tor named, or the signal's reason
   */
  dial(address: string, port: number, options: DialOptions): Promise<Socket>
}

const PROBE_PATH = '/.well-known/shallot-probe'
const PROBE_EVERY_MS = 600_000
const PROBE_ATTEMPTS = 2
const RESTART = { firstMs: 100, msMax: 15_000 }
const LAST_WORDS_MS = 300

/**
 * Opens the room as soon as tor runs; tor joins the network while services are already being offered.
 * @throws OnionError tor-missing | bad-path
 */
export async function openOnion(deps: OnionDeps, options: OnionOptions, signal: AbortSignal): Promise<Onion> {
  const room = new Room(deps, options)
  const onAbort = () => room.abort(signal.reason)
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    await room.open()
    return room
  } catch (error) {
    await room[Symbol.asyncDispose]()
    throw error
  }
}

class Room implements Onion {
  readonly socksPath: string
  readonly #deps: OnionDeps
  readonly #tor: OwnTor | ForeignTor
  readonly #files: TorFiles | undefined
  readonly #life = new AbortController()
  readonly #started = new Latch<void>()
  readonly #listeners = new Set<(change: OnionChange) => void>()
  readonly #bootstrap = new Bootstrap((bootstrap) => this.#tell({ kind: 'bootstrap', bootstrap }))
  readonly #services: Services
  readonly #dialer: Dialer
  readonly #clientKeys = new ClientKeys()
  readonly #closeOnce = once(() => this.#close())
  #running: Promise<void> = Promise.resolve()
  #control: Control | undefined

  constructor(deps: OnionDeps, options: OnionOptions) {
    this.#deps = deps
    this.#tor = options.tor
    this.#files = options.tor.kind === 'child' ? torFiles(options.tor.directory) : undefined
    this.socksPath = options.tor.kind === 'child' ? this.#files!.socks : socketPath(options.tor.socksSocket)
    if (options.tor.kind === 'existing') socketPath(options.tor.controlSocket)
    const ready = () => this.#bootstrap.ready
    this.#dialer = new Dialer({ ...deps, ready, renew: (address) => this.#renew(address) }, this.socksPath)
    this.#services = this.#makeServices(options, ready)
  }

  #makeServices(options: OnionOptions, ready: () => Promise<void>): Services {
    const { clock, random, log } = this.#deps
    const dialer = new Dialer({ ...this.#deps, ready, renew: () => {} }, this.socksPath)
    // A circuit of its own for every probe: one that still stands says nothing about the way in.
    const dial = (address: string, port: number, signal: AbortSignal) =>
      dialer.dial(address, port, { isolation: toHex(random.bytes(8)), attempts: PROBE_ATTEMPTS, signal })
    const path = options.probePath ?? PROBE_PATH
    const changed = (status: OnionStatus) => this.#tell({ kind: 'status', status })
    return new Services(
      {
        ...{ clock, random, log, ready, changed, torDirectory: this.#files?.directory },
        probe: ({ key, service }, signal) =>
          probe(
            { clock, dial },
            { address: key.address, port: service.port, target: service.target, path },
            signal,
          ),
      },
      options.probeEveryMs ?? PROBE_EVERY_MS,
    )
  }

  async open(): Promise<void> {
    this.#life.signal.throwIfAborted()
    if (this.#tor.kind === 'child') await prepareTor(this.#files!, this.#tor.seedFiles)
    else this.#started.open()
    this.#running = supervise(
      this.#deps,
      'onion',
      (signal) => this.#runTor(signal),
      this.#life.signal,
      RESTART,
    )
    await abortable(this.#started.promise, this.#life.signal)
  }

  abort(reason: unknown): void {
    this.#life.abort(reason)
  }

  bootstrap(): BootstrapState {
    return this.#bootstrap.state
  }

  offer(service: OnionService): string {
    if (this.#life.signal.aborted) throw new OnionError('closed', 'the onion room is closed')
    return this.#services.offer(service)
  }

  withdraw(name: string): Promise<void> {
    return this.#services.withdraw(name)
  }

  unlock(address: string, key: Secret): Promise<void> {
    return this.#clientKeys.unlock(address, key)
  }

  lock(address: string): Promise<void> {
    return this.#clientKeys.lock(address)
  }

  doubt(name: string): void {
    this.#services.doubt(name)
  }

  status(name: string): OnionStatus | undefined {
    return this.#services.status(name)
  }

  statuses(): readonly OnionStatus[] {
    return this.#services.statuses()
  }

  onChange(listener: (change: OnionChange) => void): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  dial(address: string, port: number, options: DialOptions): Promise<Socket> {
    const signal = AbortSignal.any([options.signal, this.#life.signal])
    return this.#dialer.dial(address, port, { ...options, signal })
  }

  /** One life of tor. Always ends by a throw: the supervisor starts the next. */
  async #runTor(signal: AbortSignal): Promise<void> {
    try {
      if (this.#tor.kind === 'child') return await this.#runOwn(this.#tor, signal)
      using control = await openControl(this.#deps, this.#tor.controlSocket, signal)
      await this.#serve(control, signal)
    } catch (error) {
      this.#bootstrap.lost(sentenceOf(error))
      throw error
    }
  }

  async #runOwn({ binary, extraTorrc }: OwnTor, signal: AbortSignal): Promise<never> {
    const files = this.#files!
    await using tor = await openTorProcess(this.#deps.clock, { binary, files, extraTorrc }).catch((error) => {
      this.#started.fail(error)
      throw error
    })
    this.#started.open()
    const ended = new AbortController()
    tor.ended.then((error) => ended.abort(error))
    try {
      const either = AbortSignal.any([signal, ended.signal])
      using control = await openControl(this.#deps, files.control, either)
      // Should we be killed, tor ends with this connection at once; by watching our process it needs 15 s, and its
      // data directory is locked until then.
      await obey(control, 'TAKEOWNERSHIP')
      return await this.#serve(control, signal)
    } catch (error) {
      signal.throwIfAborted()
      // The socket breaks a moment before the exit is told, and the exit knows why.
      throw await Promise.race([tor.ended, this.#deps.clock.sleep(LAST_WORDS_MS, signal).then(() => error)])
    }
  }

  async #serve(control: Control, signal: AbortSignal): Promise<never> {
    using _events = control.onEvent(({ lines }) => {
      if (lines[0]!.text.startsWith('STATUS_CLIENT ')) this.#bootstrap.hear(lines[0]!.text)
    })
    await obey(control, 'SETEVENTS HS_DESC STATUS_CLIENT')
    this.#bootstrap.hear(await getInfo(control, 'status/bootstrap-phase'))
    using _keys = await this.#clientKeys.serve(control)
    this.#control = control
    return await this.#services.serve(control, signal)
  }

  /** A tor that is gone has forgotten its descriptors by itself. */
  #renew(address: string): void {
    this.#control
      ?.command(`HSFETCH ${serviceIdOf(address)}`)
      .catch((error) => ignore(error, 'tor is gone, and its descriptors with it'))
  }

  #tell(change: OnionChange): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(change)
      } catch (error) {
        this.#deps.log.say('error', 'onion-listener-failed', {
          code: codeOf(error),
          message: sentenceOf(error),
        })
      }
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#closeOnce()
  }

  async #close(): Promise<void> {
    this.#life.abort(new OnionError('closed', 'the onion room is closed'))
    await this.#running
    this.#listeners.clear()
  }
}
