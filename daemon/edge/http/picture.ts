// SPDX-License-Identifier: GPL-3.0-or-later
/** All that a phone needs for its first picture (SPEC 9.4), so that it has it in one round trip through Tor. */
import type { Authority } from '../../core/authority.ts'
import { directOriginOf } from '../../core/direct.ts'
import type { HostView } from '../../core/mesh/index.ts'
import {
  type Affordance,
  affordanceOf,
  type Device,
  fromWire,
  type PartyId,
  type Twin,
} from '../../core/model/index.ts'
import { concerns, type HeldGrant, type Operation, UTC } from '../../core/policy/index.ts'
import type { Caller } from '../../core/receive.ts'
import { Sight } from '../../core/sight.ts'
import type { RouteDeps } from './route.ts'
import { tellBytes, tellIdentity } from './telling.ts'
import { grantsFor, peopleFor, tellGrant, tellRevocation } from './telling-people.ts'

/** What the LAN face calls itself: who asks by it is on the same network as the devices. */
const LAN = 'lan'

export function tellHome({ clock, home }: RouteDeps, caller: Caller, only: PartyId | undefined): object {
  const { authority } = home
  const { trust } = authority
  const sight = new Sight(authority, caller)
  const devices = home.devices.list().filter((device) => (!only || only === device.id) && sight.sees(device))
  // The face of one device knows of nothing else.
  const isNear = caller.origin === LAN
  const people = only ? [] : peopleFor(home, caller, sight)
  const grants = grantsFor(home, caller, sight).filter((grant) => !only || isAbout(authority, grant, devices))
  return {
    me: {
      kind: caller.kind,
      key: caller.id,
      name: caller.name,
      person: tellBytes(caller.person),
      share: sight.mayShare(),
    },
    home: home.home,
    hub: home.hub,
    version: home.status().version,
    bootedAt: home.bootedAt,
    now: clock.now(),
    zone: { name: home.zone, ...(authority.zone() ?? UTC) },
    root: home.home,
    owners: tellOwners(trust.owners),
    revocations: trust.revocations.map(tellRevocation),
    people: people.map(({ id, name }) => ({ id: tellBytes(id), name })),
    grants: grants.map((grant) => tellGrant(home, grant)),
    things: devices.map((device) =>
      tellThing(
        device,
        home.devices.twin(device.id),
        authority.groups.of(device),
        sight,
        isNear ? directOriginOf(device) : undefined,
      ),
    ),
    moved: moveOf(home, caller),
    ...(!only && tellOthers(home, caller)),
  }
}

/** The other homes by whose addresses this caller may come too, and which home let it in, if it was not this one (SPEC 14.9). */
export function tellOthers({ mesh }: RouteDeps['home'], caller: Caller): Others {
  const others = mesh.guests.othersFor(caller)
  const host = mesh.guests.hostOf(caller.origin)
  return {
    here: mesh.papers.nameOf(mesh.own),
    others: others.map(({ home, address, clientKey }) => ({
      home,
      address,
      clientKey: tellBytes(clientKey),
    })),
    ...(host && { host }),
  }
}

export interface Others {
  /** What this home's daemon is called. */
  readonly here: string
  readonly others: readonly Move[]
  readonly host?: HostView
}

function isAbout({ groups }: Authority, grant: HeldGrant, devices: readonly Device[]): boolean {
  return devices.some((device) => concerns(grant, device.id, groups.of(device)))
}

/** Where to go, for who came by an address that was renewed (SPEC 10.4). */
export interface Move {
  readonly address: string
  readonly clientKey?: string | undefined
}

export function moveOf({ services }: RouteDeps['home'], { origin }: Caller): Move | undefined {
  const moved = services.movedTo(origin)
  return moved && { address: moved.address, clientKey: tellBytes(moved.clientKey?.reveal()) }
}

export function tellOwners(owners: RouteDeps['home']['authority']['trust']['owners']): readonly object[] {
  return owners.map(({ id, name, frame }) => ({ key: id, name, frame: tellBytes(frame) }))
}

/** @param direct  the origin of its own server, for who can reach it */
function tellThing(
  device: Device,
  twin: Twin,
  groups: readonly string[],
  sight: Sight,
  direct: string | undefined,
): object {
  const known = device.affordances.map(affordanceOf).filter((each) => each !== undefined)
  return {
    ...tellIdentity(device),
    title: device.name,
    confirmed: device.record !== undefined,
    groups,
    direct,
    affordances: known.flatMap((affordance) => tellAffordance(device, affordance, twin, sight)),
  }
}

const OPERATIONS: Readonly<Record<'property' | 'action', readonly Operation[]>> = {
  property: ['read', 'write'],
  action: ['invoke'],
}

/** Nothing for an affordance that the caller has no grant for. */
function tellAffordance(device: Device, affordance: Affordance, twin: Twin, sight: Sight): readonly object[] {
  const { number, name, capability } = affordance
  const { kind, type, unit, writable } = capability
  const held = OPERATIONS[kind as 'property' | 'action'].filter((each) => sight.holds(device, number, each))
  if (held.length === 0) return []
  const may = Object.fromEntries(held.map((each) => [each, tellMay(sight, device, number, each)]))
  const reported = may.read?.ok ? twin.reported.find((sample) => sample.affordance === number) : undefined
  return [
    {
      number,
      name,
      kind,
      capability: capability.name,
      title: capability.title,
      type,
      writable,
      ...(unit !== '' && { unit }),
      ...(type === 'integer' && {
        min: fromWire(capability, capability.min),
        max: fromWire(capability, capability.max),
      }),
      ...(reported && { value: fromWire(capability, reported.value), at: reported.at }),
      may,
    },
  ]
}

interface May {
  readonly ok: boolean
  readonly grant?: string | undefined
  readonly code?: string
  readonly detail?: string
}

function tellMay(sight: Sight, device: Device, affordance: number, operation: Operation): May {
  const why = sight.may(device, affordance, operation)
  if (why.may) return { ok: true, grant: why.as === 'holder' ? tellBytes(why.by.body.id) : undefined }
  return { ok: false, grant: tellBytes(why.nearest?.grant.body.id), code: why.why, detail: why.detail }
}
