// SPDX-License-Identifier: GPL-3.0-or-later
import { deadline } from '../../base/clock.ts'
import { ignore } from '../../base/error.ts'
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
  readonly torSocks: string | undefined
  readonly torrcExtra: string | undefined
  readonly torBinary: string
  readonly torDirectory: string
}

/** How long the LAN may take to answer before Tor is tried. */
const LAN_MS_MAX = 1500

/** The first way that leads to the home of the code: its LAN origins, all at once, then Tor. */
export async function openWay(deps: OpenWayDeps, options: RemoteOptions, signal: AbortSignal): Promise<Way> {
  const { code } = options
  const probe = (way: Way, limit: AbortSignal) => expectHome(way, code.root, limit)
  const lan = await tryLan(deps, code, probe, signal)
  return lan ?? openTorWay(deps, { ...options, probe }, signal)
}

type Probe = (way: Way, signal: AbortSignal) => Promise<void>

async function tryLan(
  deps: OpenWayDeps,
  code: HomeCode,
  probe: Probe,
  signal: AbortSignal,
): Promise<Way | undefined> {
  const { webCa, lan } = code
  if (!webCa || lan.length === 0) return undefined
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
    return first
  } catch (error) {
    // Also an impostor on this LAN ends here: he cannot show a certificate of the CA, and Tor leads past him.
    ignore(error, 'this machine is not at home')
    signal.throwIfAborted()
    return undefined
  }
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
