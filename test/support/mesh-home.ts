// SPDX-License-Identifier: GPL-3.0-or-later
/** Whole meshes without tor: core/mesh over real rooms, real services and a real database; onions are unix sockets. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type Clock, systemClock } from '../../daemon/base/clock.ts'
import { no } from '../../daemon/base/error.ts'
import { Log, type LogLine } from '../../daemon/base/log.ts'
import { systemRandom } from '../../daemon/base/random.ts'
import { Secret } from '../../daemon/base/secret.ts'
import { Feed } from '../../daemon/core/feed.ts'
import { onionAddress } from '../../daemon/core/identity/index.ts'
import { MeshHome, type Revocations } from '../../daemon/core/mesh/index.ts'
import { idOf, type PartyId } from '../../daemon/core/model/index.ts'
import { openServices, type Services } from '../../daemon/core/services.ts'
import { type Mesh, openMesh } from '../../daemon/edge/mesh/index.ts'
import { IN_MEMORY, openState, type State } from '../../daemon/state/index.ts'
import { ADA, ed25519, listsOf, noOthers, openHomeTrust, seal } from './mesh-papers.ts'
import type { Onions } from './mesh-room.ts'
import { until } from './until.ts'

export interface TestMesh extends AsyncDisposable {
  readonly id: PartyId
  readonly name: string
  readonly home: MeshHome
  readonly state: State
  readonly feed: Feed
  readonly lines: readonly LogLine[]
  readonly services: Services
  readonly revocations: Revocations
  /** Whether libp2p was needed. */
  readonly hasRoom: () => boolean
  /** An owner's paper that makes this daemon a member. */
  readonly paper: (by?: typeof ADA) => Uint8Array
}

const BY = { signer: idOf(ADA.key), origin: 'unix' } as const

export async function openTestMesh(
  t: TestContext,
  onions: Onions,
  name: string,
  path: string = IN_MEMORY,
  clock: Clock = systemClock,
): Promise<TestMesh> {
  const seed = new Secret(Uint8Array.from(createHash('sha256').update(name).digest()))
  const signer = ed25519.signer(seed.reveal())
  const id = idOf(signer.key)
  const lines: LogLine[] = []
  const log = new Log(systemClock, (line) => void lines.push(line))
  const stop = new AbortController()
  const state = await openState({ clock: systemClock, log }, { path, author: id }, stop.signal)
  const feed = new Feed()
  const trust = openHomeTrust()
  const revocations = listsOf(trust)
  let room: Promise<Mesh> | undefined
  let services: Services
  const openRoom = () => {
    const deps = {
      clock: systemClock,
      random: systemRandom,
      log,
      dial: onions.dial,
      hear: home.ear,
      stalled: () => {},
    }
    room ??= openMesh(deps, { seed }, stop.signal)
    return room
  }
  const doors = new Map<string, AsyncDisposable>()
  const home: MeshHome = new MeshHome({
    ...{ clock, random: systemRandom, log, ed25519, trust, signer, feed },
    revocations,
    others: noOthers,
    clientKey: seed,
    book: state.mesh,
    shelf: state.shelf,
    devices: state.devices,
    readings: state.readings,
    farReadings: state.farReadings,
    everyS: 0,
    guestsMost: 16,
    journal: state.journal,
    services: () => services,
    keys: { unlock: () => {}, lock: () => {} },
    openRoom,
    carryOut: async () => no('not-found'),
    show: async () => no('not-found'),
    stills: { read: () => undefined },
  })
  services = await openServices({
    clock: systemClock,
    master: seed,
    book: state.services,
    journal: state.journal,
    publisher: {
      async offer({ service, seed: address }) {
        const host = onionAddress(ed25519.signer(address.reveal()).key)
        const socket = join(onions.directory, `${onions.paths.size}.sock`)
        onions.paths.set(host, socket)
        doors.set(service, await (await openRoom()).door(service, socket))
        return host
      },
      async withdraw(service) {
        await doors.get(service)?.[Symbol.asyncDispose]()
      },
      status: () => ({ state: 'published', since: 0 }),
    },
    onFault: (error) => {
      throw error
    },
    clientOf: (service) => home.papers.member(service.slice('mesh:'.length) as PartyId)?.beacon?.body.client,
  })
  let sequence = systemClock.now()
  const paper = (by = ADA) => seal({ type: 'member', name, key: signer.key }, by, ++sequence)
  await home.papers.takeMember(paper())
  home.guests.begin()
  await home.settle()
  const close = async () => {
    await home[Symbol.asyncDispose]()
    await (await room)?.[Symbol.asyncDispose]()
    await state[Symbol.asyncDispose]()
  }
  let closed: Promise<void> | undefined
  const dispose = () => {
    closed ??= close()
    return closed
  }
  t.after(dispose)
  return {
    ...{ id, name, home, state, feed, lines, services, paper, revocations },
    hasRoom: () => room !== undefined,
    [Symbol.asyncDispose]: dispose,
  }
}

/** What `shallot mesh invite` prints. */
export async function inviteAt(host: TestMesh): Promise<{ code: string; ticket: string }> {
  const invited = await host.home.invite(BY)
  if (!invited.ok) throw new Error(invited.why)
  return { code: invited.value.code.reveal(), ticket: invited.value.ticket }
}

/** Takes it up, to the end. */
export async function joinWith(guest: TestMesh, code: string, paper = guest.paper()) {
  const begun = guest.home.join(code, paper, BY)
  if (!begun.ok) return begun
  await until('joining has ended', () => guest.home.joining?.state !== 'working')
  return guest.home.joining!
}

export async function pairUp(host: TestMesh, guest: TestMesh): Promise<void> {
  const joined = await joinWith(guest, (await inviteAt(host)).code)
  if (!('state' in joined) || joined.state !== 'joined') throw new Error(JSON.stringify(joined))
  await until('both are connected', () => host.home.isConnected(guest.id) && guest.home.isConnected(host.id))
}

/** A list of an owner that takes these out. */
export function removal(daemons: readonly TestMesh[], sequence = systemClock.now()): Uint8Array {
  const entries = daemons.map(({ id }) => Uint8Array.from(Buffer.from(id, 'base64url')))
  return seal({ type: 'revocation', entries }, ADA, sequence)
}
