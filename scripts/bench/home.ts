// SPDX-License-Identifier: GPL-3.0-or-later
/** A home to measure: keys as `shallot init` makes them, devices that are known already, the daemon as a user starts it. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../daemon/base/clock.ts'
import { Log, silent } from '../../daemon/base/log.ts'
import { systemRandom } from '../../daemon/base/random.ts'
import { Secret } from '../../daemon/base/secret.ts'
import {
  createHome,
  loadHub,
  loadOwner,
  type NewHome,
  saveHub,
  saveOwner,
} from '../../daemon/config/keyring.ts'
import { nativeEd25519, sealEnvelope } from '../../daemon/core/envelope/index.ts'
import { deviceLeaf } from '../../daemon/core/identity/certificates.ts'
import { idOf, type PartyId } from '../../daemon/core/model/index.ts'
import { openState } from '../../daemon/state/index.ts'
import { type Child, startShallot } from '../home/children.ts'
import type { DevicesArgument } from './devices.ts'
import { Helper } from './process.ts'

const DEVICES = new URL('devices.ts', import.meta.url).pathname
const READY_MS_MAX = 30_000
const ed25519 = nativeEd25519()

/** What a device keeps: its seed and the certificate for it, both in hex. */
export interface KnownDevice {
  readonly id: PartyId
  readonly seed: string
  readonly certificate: string
}

export interface HomePlace extends Disposable {
  readonly directory: string
  readonly data: string
  readonly owner: string
  readonly facts: NewHome['owner']['facts']
}

/** @param as  a further daemon, of this name, of the home of `seed` */
export function makeHome(seed = new Secret(systemRandom.bytes(32)), as?: string): HomePlace {
  // Short, because the paths of unix sockets are.
  const directory = mkdtempSync(join(tmpdir(), 'shallot-bench-'))
  const [data, owner] = [join(directory, 'hub'), join(directory, 'owner')]
  const home = createHome(seed, { ownerName: 'owner', as, now: systemClock.now(), random: systemRandom })
  for (const each of [data, owner]) mkdirSync(each, { mode: 0o700 })
  saveOwner(owner, home.owner)
  saveHub(data, home.hub)
  return {
    directory,
    data,
    owner,
    facts: home.owner.facts,
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }),
  }
}

/** Writes devices into the home's books, each with its owner's record, as if they had enrolled before. The daemon must not run. */
export async function addDevices(place: HomePlace, names: readonly string[]): Promise<KnownDevice[]> {
  const ring = loadHub(place.data)
  const ca = ed25519.signer(ring.deviceCaSeed.reveal())
  const now = systemClock.now()
  await using state = await openState(
    { clock: systemClock, log: new Log(systemClock, silent) },
    { path: join(place.data, 'home.sqlite'), author: idOf(ed25519.signer(ring.hubSeed.reveal()).key) },
    new AbortController().signal,
  )
  return Promise.all(
    names.map(async (name) => {
      const seed = systemRandom.bytes(32)
      const { key } = ed25519.signer(seed)
      const about = { id: idOf(key), name, board: 'bench', firmware: '0.1.0', affordances: [1, 2, 5] }
      const added = await state.devices.enrol({ ...about, record: recordOf(place, name, key) }, now)
      if (!added.ok) throw new Error(`the home did not take ${name}: ${added.why}`)
      const certificate = deviceLeaf(ca, key, systemRandom.bytes(8), now)
      return { id: about.id, seed: seed.toHex(), certificate: certificate.toHex() }
    }),
  )
}

function recordOf(place: HomePlace, name: string, key: Uint8Array): Uint8Array {
  const { owner } = loadOwner(place.owner)
  return sealEnvelope(
    {
      type: 'enrolment',
      audience: place.facts.home,
      sealedAt: Math.floor(systemClock.now() / 1000),
      epoch: systemRandom.bytes(8),
      sequence: 0,
      name,
      key,
      permit: systemRandom.bytes(8),
    },
    owner,
  )
}

export interface Hub extends AsyncDisposable {
  readonly pid: number
  readonly linkPort: number
  /** `https://127.0.0.1:<port>` */
  readonly lan: string
}

/** The daemon as a process of its own, on free ports of the loopback. */
export async function startHub(place: HomePlace, more: readonly string[] = ['--tor', 'off']): Promise<Hub> {
  const child: Child = startShallot(['daemon', ...loopback, ...more], environmentOf(place))
  try {
    const ready = JSON.parse(await child.line(/"event":"ready"/, READY_MS_MAX))
    return {
      pid: child.pid,
      linkPort: Number(ready.link.split(':').at(-1)),
      lan: ready.lan,
      [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
    }
  } catch (error) {
    await child[Symbol.asyncDispose]()
    throw error
  }
}

const loopback = [
  ['--link-host', '127.0.0.1', '--link-port', '0'],
  ['--lan-host', '127.0.0.1', '--lan-port', '0', '--log-level', 'info'],
].flat()

export function environmentOf(place: HomePlace): Record<string, string> {
  return { SHALLOT_DATA: place.data, SHALLOT_OWNER: place.owner }
}

/** Devices in a process of their own. @param mute  they open TLS and say nothing */
export async function startFleet(
  place: HomePlace,
  port: number,
  devices: readonly KnownDevice[],
  mute = false,
): Promise<Helper> {
  const { home, hubCas } = place.facts
  const argument: DevicesArgument = {
    ...{ host: '127.0.0.1', port, homeId: home, devices, mute },
    hubCas: hubCas.map((key) => key.toHex()),
  }
  return (await Helper.start(DEVICES, argument)).helper
}
