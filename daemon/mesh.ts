// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Ties the mesh of core to its room and to tor: compose's own, because the two rooms never meet. The room is loaded when the
 * home has, or is just being given, another daemon: a home alone does not pay for libp2p.
 */
import { setFlagsFromString } from 'node:v8'
import type { Clock } from './base/clock.ts'
import { ignore } from './base/error.ts'
import type { Log } from './base/log.ts'
import type { Random } from './base/random.ts'
import type { HubRing } from './config/keyring.ts'
import type { Authority } from './core/authority.ts'
import type { Signer } from './core/envelope/index.ts'
import { meshClientKey } from './core/identity/index.ts'
import {
  type Adoption,
  Charges,
  carryOutHere,
  hereOf,
  MeshHome,
  type MeshHomeDeps,
  type OnionKeys,
  openAdoption,
  othersOf,
  revocationsOf,
  showHere,
  withAdoption,
  withCharges,
  withFar,
  withFarDesk,
  withHistories,
} from './core/mesh/index.ts'
import { idOf, type PartyId } from './core/model/index.ts'
import type { Carrier, DeviceBook, DeviceDesk, ReadingBook } from './core/ports.ts'
import type { PaperBook } from './core/ports-people.ts'
import type { Desk } from './core/receive.ts'
import type { Services } from './core/services.ts'
import type { Stills } from './core/stills/index.ts'
import type { Mesh } from './edge/mesh/index.ts'
import { type Onion, OnionError } from './edge/onion/index.ts'
import type { State } from './state/index.ts'

type Shared = Pick<
  MeshHomeDeps,
  'ed25519' | 'feed' | 'journal' | 'readings' | 'shelf' | 'farReadings' | 'everyS' | 'guestsMost'
>

export interface MeshOfDeps extends Shared {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly ring: HubRing
  readonly signer: Signer
  readonly devices: DeviceBook
  readonly mesh: State['mesh']
  readonly desk: Desk
  readonly deviceDesk: DeviceDesk
  readonly carrier: Carrier
  /** Nothing more will be asked of this device here. */
  readonly ended: (device: PartyId) => void
  readonly authority: Authority
  readonly papers: PaperBook
  readonly onion: Onion | undefined
  readonly services: () => Services
  /** Pictures of our own devices. */
  readonly stills: Stills
}

export interface MeshOf extends AsyncDisposable {
  readonly home: MeshHome
  /** Our devices and those of other homes, and the desk for both. */
  readonly devices: DeviceBook
  readonly desk: Desk
  /** What the link asks, with the devices in mind that other daemons have charge of. */
  readonly deviceDesk: DeviceDesk
  readonly adoption: Adoption
  /** With what is kept of other homes. */
  readonly readings: ReadingBook
  readonly clientOf: (service: string) => Uint8Array | undefined
  readonly door: (service: string, path: string) => Promise<AsyncDisposable>
  /** Once services are there: takes our own paper and settles. */
  begin(): Promise<void>
}

export function openMeshOf(deps: MeshOfDeps, signal: AbortSignal): MeshOf {
  const { ring, desk, services, signer, authority, ed25519, papers } = deps
  const { trust, groups } = authority
  const own = idOf(signer.key)
  const isMember = (member: PartyId): boolean => home.papers.isMember(member)
  const charges = new Charges({
    ...deps,
    trust,
    own,
    far(device) {
      const told = home.far.get(device)
      return told && isMember(told.member) ? told : undefined
    },
  })
  const devices = hereOf(deps.devices, charges)
  const clientKey = meshClientKey(ring.hubSeed)
  let room: Promise<Mesh> | undefined
  const openRoom = () => {
    room ??= loadRoom(deps, home, signal)
    return room
  }
  const nameOf = (member: PartyId): string => home.papers.nameOf(member)
  const { clock, journal, feed, stills } = deps
  const home = new MeshHome({
    ...deps,
    trust,
    revocations: revocationsOf(trust, (frame) => desk.people.revoke(frame, 'mesh')),
    others: othersOf({ home: trust.home, ed25519, papers, people: desk.people, charges }),
    signer,
    clientKey,
    book: deps.mesh,
    devices,
    hubOf: (device) => charges.hubOf(device),
    stands: (key) => authority.people.stands(key),
    services,
    keys: keysOf(deps.onion),
    openRoom,
    carryOut: carryOutHere(desk, devices, nameOf),
    show: showHere({ clock, feed, stills, desk, authority, devices, own, nameOf }),
  })
  const far = () => home.far.list().filter(({ member }) => isMember(member))
  const adoption = openAdoption({ clock, charges, groups, journal, feed, far, here: devices })
  const farDesk = withFarDesk(desk, { clock, authority, journal, devices, mesh: home })
  const everywhere = withFar(devices, {
    ...{ far: home.far, nameOf, isMember },
    silentSince: (member) => (home.isConnected(member) ? undefined : home.silentSince(member)),
  })
  return {
    home,
    adoption,
    readings: withHistories(deps.readings, deps.farReadings),
    devices: everywhere,
    desk: withAdoption(farDesk, adoption, { charges, groups, devices: everywhere }),
    deviceDesk: withCharges(deps.deviceDesk, charges, groups),
    clientOf(service) {
      const id = service.slice('mesh:'.length) as PartyId
      return home.papers.member(id)?.beacon?.body.client
    },
    door: async (service, path) => (await openRoom()).door(service, path),
    async begin() {
      await home.papers.takeMember(ring.member)
      home.guests.begin()
      await home.settle()
    },
    async [Symbol.asyncDispose]() {
      await home[Symbol.asyncDispose]()
      await (await room)?.[Symbol.asyncDispose]()
    },
  }
}

/**
 * V8 lets garbage grow to as much as is in use and more before it looks: 120 MB while a long log of another home came in. With this
 * it looks when a quarter more was allocated, which costs a tenth of what readings cost: a home alone does not pay for it.
 */
const COLLECT_SOONER = '--heap-growing-percent=25'

async function loadRoom(deps: MeshOfDeps, home: MeshHome, signal: AbortSignal): Promise<Mesh> {
  setFlagsFromString(COLLECT_SOONER)
  const { openMesh } = await import('./edge/mesh/index.ts')
  const { clock, random, log, onion, ring } = deps
  const room = await openMesh(
    {
      ...{ clock, random, log, hear: home.ear },
      stalled: (peer) => onion?.doubt(`mesh:${peer}`),
      async dial(address, port, options) {
        if (!onion)
          throw new OnionError('closed', 'tor is switched off, and other homes are reached by it alone')
        return onion.dial(address, port, options)
      },
    },
    { seed: ring.hubSeed },
    signal,
  )
  home.attach(room)
  return room
}

function keysOf(onion: Onion | undefined): OnionKeys {
  const told = (done: Promise<void> | undefined) =>
    void done?.catch((error) => ignore(error, 'tor is gone; the next one is given every key again'))
  return {
    unlock: (address, key) => told(onion?.unlock(address, key)),
    lock: (address) => told(onion?.lock(address)),
  }
}
