// SPDX-License-Identifier: GPL-3.0-or-later
import { connect } from 'node:net'
import { toBase32 } from '../../base/bytes.ts'
import { type Clock, deadline } from '../../base/clock.ts'
import { ignore } from '../../base/error.ts'
import type { Random } from '../../base/random.ts'
import type { HomeCode } from '../../core/identity/index.ts'
import { onionAddress } from '../../core/identity/index.ts'
import { CliError } from '../error.ts'
import { type ClientTor, openClientTor, RENEW_MS_MIN } from './client-tor.ts'
import { type SocksPlace, SocksRefusal, TorAgent } from './socks.ts'
import { askOver, type Way } from './way.ts'

export interface TorWayDeps {
  readonly clock: Clock
  readonly random: Random
  readonly onProgress: (what: string) => void
}

/** The home's own address, or one at another home of the owner. */
export interface TorAddress {
  readonly home?: string
  readonly code: HomeCode
}

export interface TorWayOptions {
  /** In the order in which they are tried; all of one root. */
  readonly addresses: readonly TorAddress[]
  readonly torSocks: string | undefined
  readonly torrcExtra: string | undefined
  readonly torBinary: string
  /** What a tor of our own keeps from one command to the next. */
  readonly torDirectory: string
  /** Asks something harmless over the new way; what it throws makes the way no good. */
  readonly probe: (way: Way, signal: AbortSignal) => Promise<void>
}

/** From the first try until we say that the home cannot be reached. */
export const TOR_MS_MAX = 90_000
/** For one address while there is another to try: a home that is up answers sooner, by two circuits or three. */
export const ADDRESS_MS_MAX = 25_000
/** On one circuit: short, because a circuit that stalled stays stalled, and the next try gets another. */
const TRY_MS_FIRST = 12_000
const TRY_MS_MAX = 30_000
const PAUSE_MS = 600
/** An invitation that was only just made is published within seconds; tor obeys the first NEWNYM at once. */
const ABSENT_MS_FIRST = 2000
const TRIES_MAX = 40
/** So often the directories are asked for an address that none of them holds, each time after the pause in which tor forgets. */
const ABSENT_TRIES_MAX = 3

/**
 * Through Tor, by a tor that is named, else one that runs here, else one of our own.
 * Each try is under a new isolation pair, so that it gets circuits of its own; the pair that worked is kept.
 * @throws CliError unreachable with the last cause: at once where no try can help, after three looks for an address that no
 * directory holds, else after TOR_MS_MAX, in which a home's tor can restart
 */
export async function openTorWay(
  deps: TorWayDeps,
  options: TorWayOptions,
  signal: AbortSignal,
): Promise<Way> {
  const more = options.addresses.length - 1
  using whole = deadline(deps.clock, TOR_MS_MAX + more * ADDRESS_MS_MAX, signal)
  const stack = new AsyncDisposableStack()
  try {
    const tor = await chooseTor(deps, options, stack, whole.signal, signal)
    const way = await tryAddresses(deps, options, tor, whole.signal)
    stack.use(way)
    return {
      kind: way.kind,
      by: way.by,
      words: way.words,
      patienceMs: way.patienceMs,
      ask: (ask, inner) => way.ask(ask, inner),
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    }
  } catch (error) {
    await stack.disposeAsync()
    signal.throwIfAborted()
    if (error instanceof CliError) throw error
    throw new CliError('unreachable', `no way through Tor within ${TOR_MS_MAX / 1000} s`, { cause: error })
  }
}

/** `renew`: only a tor of our own can be told to forget that it did not find an address. */
type UsableTor = Pick<ClientTor, 'socks'> & Partial<Pick<ClientTor, 'renew'>>

async function chooseTor(
  deps: TorWayDeps,
  options: TorWayOptions,
  stack: AsyncDisposableStack,
  limit: AbortSignal,
  signal: AbortSignal,
): Promise<UsableTor> {
  const { addresses, torSocks, torrcExtra } = options
  if (torSocks !== undefined) return { socks: parsePlace(torSocks) }
  // A client key can be given to a tor of our own; the machine's would need its control port.
  if (addresses.every(({ code }) => !code.clientKey) && torrcExtra === undefined) {
    const running = await findRunningTor(deps.clock, limit)
    if (running) return { socks: running }
  }
  deps.onProgress('starting a tor of our own')
  const tor: ClientTor = await openClientTor(
    deps.clock,
    {
      binary: options.torBinary,
      directory: options.torDirectory,
      torrcExtra,
      authorisations: addresses.flatMap(({ code }) =>
        code.clientKey
          ? [{ address: onionAddress(code.onion).replace('.onion', ''), key: code.clientKey }]
          : [],
      ),
      onProgress: (percent, what) => deps.onProgress(`joining the Tor network: ${percent} % (${what})`),
    },
    signal,
  )
  stack.use(tor)
  await waitFor(tor.ready, limit)
  return tor
}

function waitFor(ready: Promise<void>, limit: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const late = () =>
    reject(
      new CliError('unreachable', `tor could not join the Tor network within ${TOR_MS_MAX / 1000} s`, {
        next: 'is this machine connected to the internet?',
      }),
    )
  if (limit.aborted) late()
  limit.addEventListener('abort', late, { once: true })
  ready.then(resolve, reject).finally(() => limit.removeEventListener('abort', late))
  return promise
}

/** One address after the other, the last with all the time that is left. */
async function tryAddresses(
  deps: TorWayDeps,
  options: TorWayOptions,
  tor: UsableTor,
  limit: AbortSignal,
): Promise<Way> {
  const causes: CliError[] = []
  for (const address of options.addresses) {
    const isLast = address === options.addresses.at(-1)
    using patience = isLast ? undefined : deadline(deps.clock, ADDRESS_MS_MAX, limit)
    try {
      return await tryCircuits(deps, { ...options, address }, tor, patience?.signal ?? limit)
    } catch (error) {
      // Another home than the pinned one is no reason to look further, but to stop.
      if (!(error instanceof CliError) || error.code !== 'unreachable') throw error
      causes.push(error)
    }
  }
  const [first, ...others] = causes
  if (others.length === 0) throw first
  const told = causes.map((each, at) => {
    const { home } = options.addresses[at]!
    return `${home === undefined ? 'by its own address' : `by ${home}`}: ${each.message}`
  })
  throw new CliError('unreachable', `the home was not reached by any of its addresses; ${told.join('; ')}`, {
    cause: first,
    next: first!.next,
  })
}

async function tryCircuits(
  deps: TorWayDeps,
  { address, probe }: Pick<TorWayOptions, 'probe'> & { readonly address: TorAddress },
  tor: UsableTor,
  limit: AbortSignal,
): Promise<Way> {
  const what = address.home === undefined ? 'the home' : `the home by ${address.home}`
  let last: unknown
  let absences = 0
  for (let attempt = 1; attempt <= TRIES_MAX && !limit.aborted; attempt++) {
    deps.onProgress(
      attempt === 1
        ? `reaching ${what} through Tor`
        : `reaching ${what} through Tor, try ${attempt} (${wordsFor(last)})`,
    )
    const way = wayUnder(tor.socks, address, toBase32(deps.random.bytes(10)))
    using patience = deadline(deps.clock, Math.min(TRY_MS_FIRST * attempt, TRY_MS_MAX), limit)
    try {
      await probe(way, patience.signal)
      return way
    } catch (error) {
      await way[Symbol.asyncDispose]()
      if (isFinal(error)) throw error
      last = limit.aborted && last !== undefined ? last : error
    }
    const isAbsent = last instanceof SocksRefusal && last.hope === 'little'
    if (isAbsent && ++absences === ABSENT_TRIES_MAX) throw last
    await deps.clock
      .sleep(isAbsent ? (absences === 1 ? ABSENT_MS_FIRST : RENEW_MS_MIN) : PAUSE_MS, limit)
      .catch((error) => ignore(error, 'the loop looks at the limit'))
    // Else tor would repeat what it found, for a quarter of an hour, without asking anybody.
    if (isAbsent) await tor.renew?.()
  }
  throw new CliError('unreachable', `the home was not reached through Tor: ${wordsFor(last)}`, {
    cause: last,
    next: 'check at home with `shallot status` whether the address is published',
  })
}

/** What trying again cannot mend: an answer that is not this home's, and refusals of tor that stay. */
function isFinal(error: unknown): boolean {
  if (error instanceof SocksRefusal) return error.hope === 'none'
  return error instanceof CliError && error.code !== 'unreachable'
}

function wordsFor(error: unknown): string {
  if (error instanceof CliError) return error.message
  return 'the circuit stalled'
}

function wayUnder(socks: SocksPlace, { home, code }: TorAddress, isolation: string): Way {
  const agent = new TorAgent(socks, isolation)
  const host = onionAddress(code.onion)
  return {
    kind: 'tor',
    by: home,
    words: home === undefined ? 'through Tor' : `through Tor, by ${home}`,
    patienceMs: 45_000,
    ask: (ask, signal) => askOver({ host, port: 80, agent }, ask, signal),
    async [Symbol.asyncDispose]() {
      agent.destroy()
    },
  }
}

/** `/path/of/a/socket`, `unix:/path` or `host:port`. */
function parsePlace(text: string): SocksPlace {
  const path = text.replace(/^unix:/, '')
  if (path.startsWith('/')) return { path }
  const [, host, port] = /^(\[[0-9a-fA-F:]+\]|[^:]+):(\d{1,5})$/.exec(text) ?? []
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) {
    throw new CliError('usage', `--tor-socks is the path of a unix socket or host:port, not ${text}`)
  }
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) }
}

const USUAL_PLACES: readonly SocksPlace[] = [{ path: '/run/tor/socks' }, { host: '127.0.0.1', port: 9050 }]
const FIND_MS_MAX = 300

/** A tor of this machine where Debian's package puts it. */
async function findRunningTor(clock: Clock, signal: AbortSignal): Promise<SocksPlace | undefined> {
  for (const place of USUAL_PLACES) {
    using patience = deadline(clock, FIND_MS_MAX, signal)
    if (await answers(place, patience.signal)) return place
  }
  return undefined
}

function answers(place: SocksPlace, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ ...place, signal })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
