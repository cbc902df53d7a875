// SPDX-License-Identifier: GPL-3.0-or-later
/** A tor by itself in a private network: started, obeyed and asked over its control socket, nothing of ours around it. */
import { cpSync, mkdirSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { systemClock } from '../../daemon/base/clock.ts'
import { systemRandom } from '../../daemon/base/random.ts'
import { readBody } from '../../daemon/cli/reach/index.ts'
import { TorAgent } from '../../daemon/cli/reach/socks.ts'
import { type Control, getInfo, obey, openControl } from '../../daemon/edge/onion/control.ts'
import { openTorProcess, prepareTor } from '../../daemon/edge/onion/process.ts'
import { torFiles } from '../../daemon/edge/onion/torrc.ts'
import type { PrivateTor } from '../private-tor.ts'

const BOOTSTRAP_MS_MAX = 60_000
const POLL_MS = 20

export interface BareTor extends AsyncDisposable {
  readonly socks: { readonly path: string }
  readonly control: Control
  /** Waits until circuits can be built. */
  ready(): Promise<void>
}

/** Starts tor with the network's own directory files at hand, as the daemon's gets them. */
export async function startTor(network: PrivateTor, directory: string): Promise<BareTor> {
  await using held = new AsyncDisposableStack()
  const files = torFiles(directory)
  await prepareTor(files, undefined)
  const cache = cacheOf(network, directory)
  held.use(
    await openTorProcess(systemClock, {
      ...{ binary: 'tor', files },
      extraTorrc: [...network.torrc, `CacheDirectory ${cache}`],
    }),
  )
  const deps = { clock: systemClock, random: systemRandom }
  const control = held.use(await openControl(deps, files.control, new AbortController().signal))
  await obey(control, 'TAKEOWNERSHIP')
  const handles = held.move()
  return {
    socks: { path: files.socks },
    control,
    ready: () => bootstrapped(control),
    [Symbol.asyncDispose]: () => handles.disposeAsync(),
  }
}

/** A copy of the directory files that a tor may begin with and change. */
export function cacheOf(network: PrivateTor, directory: string): string {
  const cache = join(directory, 'cache')
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  cpSync(network.seedFiles, cache, { recursive: true })
  return cache
}

async function bootstrapped(control: Control): Promise<void> {
  const end = systemClock.monotonic() + BOOTSTRAP_MS_MAX
  while (!(await getInfo(control, 'status/bootstrap-phase')).includes('PROGRESS=100')) {
    if (systemClock.monotonic() > end) throw new Error('tor did not join the private network')
    await systemClock.sleep(POLL_MS)
  }
}

/** Offers one onion, open to all. @returns its address */
export async function addOnion(control: Control, socket: string): Promise<string> {
  const { lines } = await obey(control, `ADD_ONION NEW:ED25519-V3 Port=80,unix:${socket}`)
  const id = lines.map(({ text }) => /^ServiceID=(\w+)$/.exec(text)?.[1]).find((found) => found !== undefined)
  if (!id) throw new Error('tor told no address for its new onion')
  return `${id}.onion`
}

/** Gives this tor the key to an onion that asks for one. */
export async function addClientKey(control: Control, address: string, key: Uint8Array): Promise<void> {
  await obey(control, `ONION_CLIENT_AUTH_ADD ${address.replace('.onion', '')} x25519:${key.toBase64()}`)
}

/** One GET over the agent; resolves when the body is there. */
export async function get(agent: TorAgent, host: string, path: string, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const asked = request({ host, port: 80, agent, path, signal }, (answer) => {
    if (answer.statusCode === 200) readBody(answer).then(() => resolve(), reject)
    else reject(new Error(`status ${answer.statusCode}`))
  })
  asked.once('error', reject)
  asked.end()
  return promise
}

const TRY_MS = 8000
const PAUSE_MS = 50
const ANSWER_MS_MAX = 60_000

/** Asks an onion that may not be published yet until it answers, each time on circuits of its own. */
export async function firstAnswer(tor: BareTor, host: string, path: string): Promise<void> {
  const end = systemClock.monotonic() + ANSWER_MS_MAX
  for (;;) {
    const agent = new TorAgent(tor.socks, systemRandom.bytes(8).toHex())
    try {
      return await get(agent, host, path, AbortSignal.timeout(TRY_MS))
    } catch (error) {
      if (systemClock.monotonic() > end) throw new Error(`${host} was not reached`, { cause: error })
    } finally {
      agent.destroy()
    }
    await systemClock.sleep(PAUSE_MS)
  }
}
