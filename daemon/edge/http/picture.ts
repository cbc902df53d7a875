// SPDX-License-Identifier: GPL-3.0-or-later
/** All that a phone needs for its first picture (SPEC 9.4), so that it has it in one round trip through Tor. */
import {
  type Affordance,
  affordanceOf,
  type Device,
  fromWire,
  type PartyId,
  type Twin,
} from '../../core/model/index.ts'
import type { Caller } from '../../core/receive.ts'
import type { RouteDeps } from './route.ts'
import { tellBytes, tellIdentity } from './telling.ts'

export function tellHome({ clock, home }: RouteDeps, caller: Caller, only: PartyId | undefined): object {
  const devices = home.devices.list().filter(({ id }) => !only || only === id)
  return {
    me: { kind: 'owner', key: caller.id, name: caller.name, share: true },
    home: home.home,
    hub: home.hub,
    version: home.status().version,
    bootedAt: home.bootedAt,
    now: clock.now(),
    owners: home.owners.map(({ id, name, frame }) => ({
      key: id,
      name,
      frame: tellBytes(frame),
      revoked: false,
    })),
    people: [],
    grants: [],
    things: devices.map((device) => tellThing(device, home.devices.twin(device.id))),
  }
}

function tellThing(device: Device, twin: Twin): object {
  const known = device.affordances.map(affordanceOf).filter((each) => each !== undefined)
  return {
    ...tellIdentity(device),
    title: device.name,
    confirmed: device.record !== undefined,
    affordances: known.map((affordance) => tellAffordance(affordance, twin)),
  }
}

function tellAffordance({ number, name, capability }: Affordance, twin: Twin): object {
  const { kind, type, unit, writable } = capability
  const reported = twin.reported.find((sample) => sample.affordance === number)
  const yes = { ok: true }
  const may = kind === 'action' ? { invoke: yes } : { read: yes, ...(writable && { write: yes }) }
  return {
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
  }
}
