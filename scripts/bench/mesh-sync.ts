// SPDX-License-Identifier: GPL-3.0-or-later
/** `mesh.sync`: a long log to a daemon that is new. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../daemon/base/clock.ts'
import { Log, silent } from '../../daemon/base/log.ts'
import { systemRandom } from '../../daemon/base/random.ts'
import { Secret } from '../../daemon/base/secret.ts'
import { numberIn } from '../../daemon/cli/fields.ts'
import { nativeEd25519 } from '../../daemon/core/envelope/index.ts'
import { onionAddress, onionSeed } from '../../daemon/core/identity/index.ts'
import { idOf, type PartyId } from '../../daemon/core/model/index.ts'
import { type Mesh, openMesh } from '../../daemon/edge/mesh/index.ts'
import { type Onion, openOnion } from '../../daemon/edge/onion/index.ts'
import type { PrivateTor } from '../private-tor.ts'
import { fillLog } from './long-log.ts'
import { memberOf, openNetwork, openPair, residentMb, within } from './mesh-pair.ts'
import { against, type Bench, type Results } from './sample.ts'
import { cacheOf } from './tor.ts'

const ed25519 = nativeEd25519()
const ENTRIES = 100_000
const BULK_FRAME_BYTES = 64 * 1024
const BULK_BYTES = 32 * 1024 * 1024
const IN_FLIGHT = 8

/** `mesh.sync`: a long log to a daemon that is new, and as many bytes as its stream carries by themselves. */
export async function meshSync(bench: Bench): Promise<Results> {
  bench.say(`mesh.sync: ${ENTRIES} entries to a new daemon, and bulk bytes over a stream of the same kind`)
  await using network = await openNetwork(bench)
  const bulk = await bulkRate(network)
  let bytes = 0
  await using pair = await openPair(
    network,
    async (town) => {
      bytes = await fillLog(town, ENTRIES)
    },
    async () => undefined,
  )
  const began = performance.now()
  const idleMb = residentMb(pair.cabinPid)
  let peakMb = idleMb
  await within('the log did not arrive', async () => {
    peakMb = Math.max(peakMb, residentMb(pair.cabinPid))
    return numberIn(await memberOf(pair.cabinClient), 'entries') >= ENTRIES
  })
  const rate = bytes / 1e6 / ((performance.now() - began) / 1000)
  return {
    'mesh.sync': against([rate], [bulk], 'MB/s'),
    'mesh.sync.memory': { value: Math.round(peakMb - idleMb), unit: 'MB' },
  }
}

/** MB/s of frames that nobody looks at, as many unacknowledged as the exchange allows itself. */
async function bulkRate(network: PrivateTor): Promise<number> {
  await using held = new AsyncDisposableStack()
  const directory = mkdtempSync(join(tmpdir(), 'shallot-bulk-'))
  held.defer(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }))
  const { promise: done, resolve } = Promise.withResolvers<void>()
  let acknowledged = 0
  let sent = 0
  const frame = systemRandom.bytes(BULK_FRAME_BYTES)
  const push = () => {
    for (; sent - acknowledged < IN_FLIGHT && sent < BULK_BYTES / BULK_FRAME_BYTES; sent++)
      from.send(toId, 'log', frame)
    if (acknowledged === BULK_BYTES / BULK_FRAME_BYTES) resolve()
  }
  const fromOnion = held.use(await onionIn(network, join(directory, 'a')))
  const toOnion = held.use(await onionIn(network, join(directory, 'b')))
  const { promise: connected, resolve: onConnected } = Promise.withResolvers<void>()
  const from = held.use(
    await roomOn(
      fromOnion,
      1,
      () => onConnected(),
      () => {
        acknowledged++
        push()
      },
    ),
  )
  const to: Mesh = held.use(
    await roomOn(
      toOnion,
      2,
      () => {},
      () => to.send(fromId, 'log', new Uint8Array(1)),
    ),
  )
  const [fromId, toId] = [1, 2].map(idNumber) as [PartyId, PartyId]
  const seed = onionSeed(new Secret(new Uint8Array(32).fill(9)), 'bulk', 0)
  const target = join(directory, 'bulk.sock')
  held.use(await to.door('bulk', target))
  toOnion.offer({ name: 'bulk', seed, target, port: 80, clients: [] })
  from.reach(toId, onionAddress(ed25519.signer(seed.reveal()).key), false)
  await connected
  const began = performance.now()
  push()
  await done
  return BULK_BYTES / 1e6 / ((performance.now() - began) / 1000)
}

function idNumber(number: number): PartyId {
  return idOf(ed25519.signer(new Uint8Array(32).fill(number)).key)
}

async function onionIn(network: PrivateTor, directory: string): Promise<Onion> {
  const extraTorrc = [...network.torrc, `CacheDirectory ${cacheOf(network, directory)}`]
  const deps = { clock: systemClock, random: systemRandom, log: new Log(systemClock, silent) }
  return openOnion(
    deps,
    { tor: { kind: 'child', binary: 'tor', directory, extraTorrc } },
    new AbortController().signal,
  )
}

async function roomOn(
  onion: Onion,
  number: number,
  onConnected: () => void,
  onHeard: () => void,
): Promise<Mesh> {
  return openMesh(
    {
      ...{ clock: systemClock, random: systemRandom, log: new Log(systemClock, silent) },
      dial: (address, port, options) => onion.dial(address, port, options),
      stalled: () => {},
      hear: {
        mayEnter: () => true,
        connected: onConnected,
        gone: () => {},
        heard: async () => {
          onHeard()
          return true
        },
        asked: async (_peer, question) => question,
      },
    },
    { seed: new Secret(new Uint8Array(32).fill(number)) },
    new AbortController().signal,
  )
}
