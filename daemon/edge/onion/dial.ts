// SPDX-License-Identifier: GPL-3.0-or-later
import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import { toBase32 } from '../../base/bytes.ts'
import { type Clock, deadline } from '../../base/clock.ts'
import { abortable } from '../../base/lifetime.ts'
import type { Random } from '../../base/random.ts'
import { parseAddress } from './address.ts'
import { type OnionCode, OnionError } from './error.ts'
import { type IsolationPair, socksConnect } from './socks.ts'

export interface DialOptions {
  /** Dials of one isolation share circuits; others never do. Hashed before tor sees it. */
  readonly isolation: string
  readonly signal: AbortSignal
  /** Attempts before the last cause is thrown; 4 unless said otherwise. */
  readonly attempts?: number
}

export interface DialerDeps {
  readonly clock: Clock
  readonly random: Random
  /** Settles once tor can build circuits. Asked for again at every attempt, since tor may have been restarted. */
  readonly ready: () => Promise<void>
}

/** Retrying on the same circuit can hang for ever after a fault, so short first: the next attempt gets its own. */
export const ATTEMPT_MS: readonly number[] = [12_000, 20_000, 30_000, 45_000]
const ATTEMPTS = 4
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

/** Dials onion addresses through tor, leaving circuits that stall behind. */
export class Dialer {
  readonly #deps: DialerDeps
  readonly #socksPath: string
  /** Tor may outlive us; circuits of a former life must not be met again. */
  readonly #life: string
  readonly #generations = new Map<string, number>()
  #floor = 0
  #latest = 0

  constructor(deps: DialerDeps, socksPath: string) {
    this.#deps = deps
    this.#socksPath = socksPath
    this.#life = toBase32(deps.random.bytes(5))
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
    const { clock } = this.#deps
    const attempts = options.attempts ?? ATTEMPTS
    using whole = deadline(clock, DIAL_MS_MAX, options.signal)
    for (let attempt = 1; ; attempt++) {
      const generation = this.#generation(options.isolation)
      try {
        const pair = this.#pair(options.isolation, generation)
        return await this.#attempt({ host: address, port, pair }, attempt, whole.signal)
      } catch (error) {
        options.signal.throwIfAborted()
        const cause = timedOut(error)
        if (attempt >= attempts || whole.signal.aborted || !PASSING.has(cause.code)) throw cause
        this.#leave(options.isolation, generation)
        await clock.sleep(PAUSE_MS * attempt, options.signal)
      }
    }
  }

  async #attempt(
    target: { host: string; port: number; pair: IsolationPair },
    attempt: number,
    signal: AbortSignal,
  ): Promise<Socket> {
    await abortable(this.#deps.ready(), signal)
    const ms = ATTEMPT_MS[Math.min(attempt, ATTEMPT_MS.length) - 1]!
    using limit = deadline(this.#deps.clock, ms, signal)
    return await socksConnect(this.#socksPath, target, limit.signal)
  }

  #generation(isolation: string): number {
    return this.#generations.get(isolation) ?? this.#floor
  }

  /** Unless another dial has left that generation already. A number once used never returns. */
  #leave(isolation: string, generation: number): void {
    if (this.#generation(isolation) !== generation) return
    this.#generations.set(isolation, ++this.#latest)
    if (this.#generations.size <= ISOLATIONS_MAX) return
    this.#generations.clear()
    this.#floor = ++this.#latest
  }

  #pair(isolation: string, generation: number): IsolationPair {
    const username = toBase32(createHash('sha256').update(isolation).digest()).slice(0, 26)
    return { username, password: `${this.#life}-${generation}` }
  }
}

function timedOut(error: unknown): OnionError {
  if (error instanceof OnionError) return error
  return new OnionError('dial-timeout', 'the way through tor stalled', { cause: error })
}
