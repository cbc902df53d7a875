// SPDX-License-Identifier: GPL-3.0-or-later
import { deadline } from '../../base/clock.ts'
import { codeOf, ignore, no, sentenceOf, type Verdict, yes } from '../../base/error.ts'
import type { HomeCode } from '../../core/identity/index.ts'
import { idOf } from '../../core/model/index.ts'
import { CliError } from '../error.ts'
import { parseJson, readBody } from './answer.ts'
import { lanWay } from './lan.ts'
import { openTorWay, type TorWayDeps } from './tor.ts'
import type { Way } from './way.ts'

export interface OpenWayDeps extends TorWayDeps {}

export interface RemoteOptions {
  readonly code: HomeCode
  /** Addresses at other homes of the owner: those to be tried before the home's own, and behind it. */
  readonly others: { readonly first: readonly OtherAddress[]; readonly rest: readonly OtherAddress[] }
  readonly torSocks: string | undefined
  readonly torrcExtra: string | undefined
  readonly torBinary: string
  readonly torDirectory: string
}

export interface OtherAddress {
  /** What that home's daemon is called. */
  readonly home: string
  readonly code: HomeCode
}

/** How long the LAN may take to answer before Tor is tried. */
const LAN_MS_MAX = 1500

/** The first way that leads to the home of the code: its LAN origins, all at once, then Tor, by one address after the other. */
export async function openWay(deps: OpenWayDeps, options: RemoteOptions, signal: AbortSignal): Promise<Way> {
  const { code } = options
  const probe = (way: Way, limit: AbortSignal) => expectHome(way, code.root, limit)
  const lan = await tryLan(deps, code, probe, signal)
  if (lan.ok) return lan.value
  try {
    const addresses = [...options.others.first, { code }, ...options.others.rest]
    return await openTorWay(deps, { ...options, addresses, probe }, signal)
  } catch (error) {
    if (lan.detail === undefined || !(error instanceof CliError)) throw error
    const { code, message, next } = error
    throw new CliError(code, `${message}; and on the LAN: ${lan.detail}`, { cause: error, next })
  }
}

type Probe = (way: Way, signal: AbortSignal) => Promise<void>

async function tryLan(
  deps: OpenWayDeps,
  code: HomeCode,
  probe: Probe,
  signal: AbortSignal,
): Promise<Verdict<Way, 'unreachable'>> {
  const { webCa, lan } = code
  if (!webCa || lan.length === 0) return no('unreachable')
  deps.onProgress('looking for the home on the LAN')
  using patience = deadline(deps.clock, LAN_MS_MAX, signal)
  const tries = lan.slice(0, LAN_ORIGINS_MAX).map(async (origin) => {
    const way = lanWay(origin, webCa)
    try {
      await probe(way, patience.signal)
      return way
    } catch (error) {
      await way[Symbol.asyncDispose]()
      throw error
    }
  })
  try {
    const first = await Promise.any(tries)
    for (const other of tries) {
      other.then(
        (way) => (way === first ? undefined : way[Symbol.asyncDispose]()),
        (error) => ignore(error, 'another origin answered'),
      )
    }
    return yes(first)
  } catch (error) {
    // Also an impostor on this LAN ends here: he cannot show a certificate of the CA, and Tor leads past him.
    signal.throwIfAborted()
    const errors: readonly unknown[] = error instanceof AggregateError ? error.errors : [error]
    const causes = errors.map((each, at) => `${plainOrigin(lan[at])} ${wordsFor(each)}`)
    return no('unreachable', causes.join(', '))
  }
}

function plainOrigin(origin: string | undefined): string {
  return (origin ?? 'the LAN address').slice(0, 80)
}

const NO_ANSWER = `did not answer within ${LAN_MS_MAX / 1000} s`

const LAN_CAUSES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'takes no connections',
  EHOSTUNREACH: 'is not on this network',
  ENETUNREACH: 'is not on this network',
  ETIMEDOUT: NO_ANSWER,
  ENOTFOUND: 'has no address',
  EAI_AGAIN: 'has no address',
  ECONNRESET: 'hung up',
}

/** Why one origin led nowhere, as the rest of a sentence. */
function wordsFor(error: unknown): string {
  if (error instanceof CliError) return `was passed over: ${error.message}`
  const code = codeOf(error)
  if (error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError'))
    return NO_ANSWER
  if (code !== undefined && Object.hasOwn(LAN_CAUSES, code)) return LAN_CAUSES[code]!
  if (code !== undefined && /CERT|SIGNATURE|ERR_TLS|ERR_SSL/.test(code)) {
    return 'shows no certificate of this home'
  }
  return `failed (${sentenceOf(error)})`
}

const LAN_ORIGINS_MAX = 8

/** @throws CliError wrong-audience when it is another home */
async function expectHome(way: Way, root: Uint8Array, signal: AbortSignal): Promise<void> {
  const answer = await way.ask(
    {
      method: 'GET',
      path: '/.well-known/shallot',
      headers: { accept: 'application/json' },
      body: new Uint8Array(),
    },
    signal,
  )
  const said = parseJson(await readBody(answer))
  const home = typeof said === 'object' && said !== null && 'home' in said ? said.home : undefined
  if (home !== idOf(root)) {
    throw new CliError('wrong-audience', `what answers ${way.words} is not the home of this code`, {
      next: 'ask for a new invitation; do not use this one',
    })
  }
}
