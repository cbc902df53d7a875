// SPDX-License-Identifier: GPL-3.0-or-later
import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import { toBase32 } from '../../base/bytes.ts'
import { type Clock, deadline } from '../../base/clock.ts'
import { abortable } from '../../base/lifetime.ts'
import type { Random } from '../../base/random.ts'
import { parseAddress } from './address.ts'
import { type OnionCode, OnionError } from './error.ts'
import { Renewals } from './renewals.ts'
import { type IsolationPair, socksConnect } from './socks.ts'

export interface DialOptions {
  /** Dials of one isolation share circuits; others never do. Hashed before tor sees it. */
  readonly isolation: string
  readonly signal: AbortSignal
  /** Attempts before the last cause is thrown; 5 unless said otherwise. */
  readonly attempts?: number
  /**
   * Not on the circuits that last worked, which may be why the caller calls again; and while attempts do nothing but hang, one
   * more begins every 10 s, however many they are, and the descriptor is renewed now and then: where a relay stands still, most
   * circuits may lead through it, and the service may have moved to other introduction points.
   */
  readonly anew?: boolean
}

export interface DialerDeps {
  readonly clock: Clock
  readonly random: Random
  /** Settles once tor can build circuits. Asked for again at every attempt, since tor may have been restarted. */
  readonly ready: () => Promise<void>
  /** Has tor fetch the descriptor of this address anew, in its own time. */
  readonly renew: (address: string) => void
}

/**
 * How long the attempts so far are left alone before another starts beside them, on circuits of its own. After a fault a
 * circuit can hang for ever; on a bad day it is only slow: so nothing is given up before something better stands.
 */
export const PATIENCE_MS: readonly number[] = [5000, 6000, 10_000, 20_000]
/** The same, for who calls anew. */
export const ANEW_MS = 10_000
const ATTEMPTS = 5
const DIAL_MS_MAX = 120_000
const PAUSE_MS = 400
const ISOLATIONS_MAX = 256

/** Causes that another attempt, on other circuits or a little later, may not meet. */
const PASSING: ReadonlySet<OnionCode> = new Set<OnionCode>([
  'no-descriptor',
  'bad-descriptor',
  'introduction-failed',
  'introduction-timeout',
  'rendezvous-failed',
  'not-served',
  'network-unreachable',
  'host-unreachable',
  'ttl-expired',
  'dial-timeout',
  'socks-closed',
  'tor-unreachable',
])

interface Target {
  readonly host: string
  readonly port: number
  readonly isolation: string
  readonly attempts: number
  readonly anew: boolean
}

type Outcome = { readonly generation: number } & (
  | { readonly socket: Socket; readonly error?: undefined }
  | { readonly socket?: undefined; readonly error: OnionError }
)

/** Dials onion addresses through tor, leaving circuits that stall behind. */
export class Dialer {
  readonly #deps: DialerDeps
  readonly #socksPath: string
  /** Tor may outlive us; circuits of a former life must not be met again. */
  readonly #life: string
  /** The pair that last worked for an isolation; #floor for all that are not listed. */
  readonly #generations = new Map<string, number>()
  readonly #renewals: Renewals
  #floor = 0
  #latest = 0

  constructor(deps: DialerDeps, socksPath: string) {
    this.#deps = deps
    this.#socksPath = socksPath
    this.#life = toBase32(deps.random.bytes(5))
    this.#renewals = new Renewals(deps.clock, deps.renew)
  }

  /**
   * @param port  1 to 65535
   * @returns the stream; its first error is the caller's to hear
   * @throws OnionError with the last attempt's cause, or the signal's reason; at the latest after 120 s
   */
  async dial(address: string, port: number, options: DialOptions): Promise<Socket> {
    const parsed = parseAddress(address)
    if (!parsed.ok) throw new OnionError('bad-address', parsed.detail ?? parsed.why)
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      throw new OnionError('bad-address', `port ${port} is not 1 to 65535`)
    }
    using whole = deadline(this.#deps.clock, DIAL_MS_MAX, options.signal)
    const settled = new AbortController()
    const signal = AbortSignal.any([whole.signal, settled.signal])
    try {
      const { isolation, attempts = ATTEMPTS, anew = false } = options
      return await this.#race({ host: address, port, isolation, attempts, anew }, signal)
    } catch (error) {
      this.#remember(options.isolation, ++this.#latest)
      options.signal.throwIfAborted()
      throw timedOut(error)
    } finally {
      settled.abort()
    }
  }

  /** Attempts side by side, each under a pair of its own; the first that stands wins and the others are dropped. */
  async #race(target: Target, signal: AbortSignal): Promise<Socket> {
    const { attempts, anew } = target
    const running = new Map<number, Promise<Outcome>>()
    let generation = anew ? ++this.#latest : this.#generation(target.isolation)
    let failed = 0
    for (let launched = 1; ; generation = ++this.#latest, launched++) {
      await abortable(this.#deps.ready(), signal)
      running.set(generation, this.#attempt(target, generation, signal))
      const mayFollow = () => launched < attempts || (anew && failed < attempts)
      let patienceMs = mayFollow() ? patienceAfter(launched, anew) : undefined
      for (;;) {
        const outcome = await this.#first(running, patienceMs, signal)
        if (outcome === undefined) {
          if (anew) this.#renewals.ask(target.host)
          break
        }
        running.delete(outcome.generation)
        if (outcome.socket !== undefined) {
          this.#remember(target.isolation, outcome.generation)
          for (const late of running.values()) late.then(({ socket }) => socket?.destroy())
          return outcome.socket
        }
        signal.throwIfAborted()
        failed++
        const isLast = !mayFollow() && running.size === 0
        if (isLast || !PASSING.has(outcome.error.code)) throw outcome.error
        if (!mayFollow()) patienceMs = undefined
        if (patienceMs !== undefined) patienceMs = Math.min(patienceMs, PAUSE_MS * launched)
      }
    }
  }

  /** @returns the first outcome, or undefined when `patienceMs` went by without one */
  async #first(
    running: ReadonlyMap<number, Promise<Outcome>>,
    patienceMs: number | undefined,
    signal: AbortSignal,
  ): Promise<Outcome | undefined> {
    if (patienceMs === undefined) return await Promise.race(running.values())
    const enough = new AbortController()
    const over = this.#deps.clock
      .sleep(patienceMs, AbortSignal.any([signal, enough.signal]))
      .then(() => undefined)
    try {
      return await Promise.race([...running.values(), over])
    } finally {
      enough.abort()
    }
  }

  async #attempt(target: Target, generation: number, signal: AbortSignal): Promise<Outcome> {
    const { host, port, isolation } = target
    try {
      const pair = this.#pair(isolation, generation)
      return { generation, socket: await socksConnect(this.#socksPath, { host, port, pair }, signal) }
    } catch (error) {
      return { generation, error: timedOut(error) }
    }
  }

  #generation(isolation: string): number {
    return this.#generations.get(isolation) ?? this.#floor
  }

  #remember(isolation: string, generation: number): void {
    if (this.#generation(isolation) === generation) return
    this.#generations.set(isolation, generation)
    if (this.#generations.size <= ISOLATIONS_MAX) return
    this.#generations.clear()
    this.#floor = ++this.#latest
  }

  #pair(isolation: string, generation: number): IsolationPair {
    const username = toBase32(createHash('sha256').update(isolation).digest()).slice(0, 26)
    return { username, password: `${this.#life}-${generation}` }
  }
}

function patienceAfter(launched: number, anew: boolean): number {
  const patienceMs = PATIENCE_MS[Math.min(launched, PATIENCE_MS.length) - 1]!
  return anew ? Math.min(patienceMs, ANEW_MS) : patienceMs
}

function timedOut(error: unknown): OnionError {
  if (error instanceof OnionError) return error
  return new OnionError('dial-timeout', 'the way through tor stalled', { cause: error })
}
