// SPDX-License-Identifier: GPL-3.0-or-later
/** Model words → what JSON says: values in a person's numbers, bytes as base64url, codes by name. */
import { codeByNumber, MEANINGS } from '../../../schemas/gen/ts/codes.ts'
import { toBase64url } from '../../base/bytes.ts'
import type { Authority } from '../../core/authority.ts'
import type { Sample } from '../../core/envelope/index.ts'
import type { HomeEvent } from '../../core/feed.ts'
import {
  type Affordance,
  affordanceOf,
  type Device,
  fromWire,
  keyOf,
  type PartyId,
  type Twin,
} from '../../core/model/index.ts'
import type { OpenPermit } from '../../core/ports.ts'
import type { Stage } from '../../core/router/index.ts'
import type { Invitation, ServiceView } from '../../core/services.ts'
import type { HttpHome } from './home.ts'

export function tellBytes(bytes: Uint8Array | undefined): string | undefined {
  return bytes && toBase64url(bytes)
}

/** In the order they were taken; affordances that our list does not know are left out. */
export function tellSamples(samples: readonly Sample[]): object[] {
  return samples.flatMap(({ affordance, at, value }) => {
    const known = affordanceOf(affordance)
    return known ? [{ property: known.name, value: fromWire(known.capability, value), at }] : []
  })
}

/** What a client needs to seal a command, and to check the hub's word with: nonce, hello and the owner's record. */
export function tellIdentity(device: Device): object {
  const { presence, record } = device
  return {
    id: device.id,
    name: device.name,
    home: device.home,
    connected: presence.connected,
    since: presence.since,
    unreachable: presence.heardAt,
    nonce: tellBytes(presence.nonce),
    hello: tellBytes(presence.hello),
    record: tellBytes(record),
  }
}

export function tellProperty(number: number, twin: Twin): object {
  const { capability } = affordanceOf(number)!
  const reported = twin.reported.find((sample) => sample.affordance === number)
  const desired = twin.desired.find((each) => each.affordance === number)
  return {
    affordance: number,
    ...(reported && { value: fromWire(capability, reported.value), at: reported.at }),
    ...(desired && {
      desired: {
        value: fromWire(capability, desired.value),
        at: desired.at,
        command: tellBytes(desired.command),
      },
    }),
  }
}

/** A device with what is known of it now, as far as `shows` says yes to a number. */
export function tellThing(device: Device, twin: Twin, shows: (affordance: number) => boolean): object {
  const known = device.affordances.filter(shows).map(affordanceOf)
  const kind = (of: 'property' | 'action') =>
    known.filter((each) => each !== undefined && each.capability.kind === of) as Affordance[]
  return {
    ...tellIdentity(device),
    lost: device.lost,
    properties: Object.fromEntries(
      kind('property').map(({ name, number }) => [name, tellProperty(number, twin)]),
    ),
    actions: Object.fromEntries(kind('action').map(({ name, number }) => [name, { affordance: number }])),
  }
}

export function tellStage(stage: Stage): object {
  switch (stage.stage) {
    case 'done': {
      const { body, frame } = stage.receipt
      return { stage: 'done', at: stage.at, receipt: tellBytes(frame), values: tellLatest(body.values) }
    }
    case 'refused': {
      const { at, code, receipt } = stage
      return { stage: 'refused', at, code, meaning: MEANINGS[code], receipt: tellBytes(receipt.frame) }
    }
    default:
      return stage
  }
}

/** By name; of several samples of one property the last. */
export function tellLatest(samples: readonly Sample[]): object {
  const latest: Record<string, object> = {}
  for (const { affordance, at, value } of samples) {
    const known = affordanceOf(affordance)
    if (known) latest[known.name] = { value: fromWire(known.capability, value), at }
  }
  return latest
}

export function tellEvent(event: HomeEvent): object {
  switch (event.event) {
    case 'reading':
      return { device: event.device, at: event.at, values: tellSamples(event.values) }
    case 'presence':
      return { device: event.device, at: event.at, connected: event.connected, why: event.why }
    case 'receipt': {
      const code = codeByNumber(event.code) ?? event.code
      return { device: event.device, at: event.at, code, command: tellBytes(event.command), by: event.by }
    }
    case 'enrolment':
      return { device: event.device, at: event.at, permit: tellBytes(event.permit) }
    case 'act': {
      const { device, at, source, grant, person, command, by } = event
      const code = codeByNumber(event.code) ?? event.code
      const affordance = affordanceOf(event.affordance)?.name ?? event.affordance
      const who = { grant: tellBytes(grant), person: tellBytes(person), command: tellBytes(command), by }
      return { device, at, source, affordance, code, ...who }
    }
    case 'still': {
      const { device, at, command, digest, size, got, code } = event
      return { device, at, command: tellBytes(command), digest: tellBytes(digest), size, got, code }
    }
    case 'rights':
    case 'others':
      return { at: event.at }
    case 'pairing':
      return { at: event.at, pairing: tellBytes(event.pairing) }
    case 'rollout':
      return { at: event.at, rollout: event.rollout }
    case 'onion':
      return { at: event.at, service: event.service, status: event.status }
  }
}

/** `enrol` and `enrolled` are for the owner's side to check the device's proof with (SPEC 7.3); the proof key never leaves. */
export function tellPermit(permit: OpenPermit, now: number): object {
  const state = permit.usedBy ? 'used' : permit.expiresAt <= now ? 'expired' : 'open'
  return {
    permit: tellBytes(permit.permit),
    name: permit.name,
    state,
    expiresAt: permit.expiresAt,
    device: permit.usedBy,
    enrol: tellBytes(permit.enrol),
    enrolled: tellBytes(permit.enrolled),
  }
}

/** `invitation:phone` is `name: phone`; an exposure's name is the device's id. */
export function tellService(view: ServiceView | Invitation): object {
  const { service, address, epoch, authorised, createdAt, status } = view
  const name = service.slice(service.indexOf(':') + 1)
  const clientKey = 'clientKey' in view ? tellBytes(view.clientKey?.reveal()) : undefined
  return { service, name, address, epoch, authorised, createdAt, status, clientKey }
}

/** With where else somebody who was invited is answered, and for whom another home asked us to offer an address (SPEC 14.9). */
export function tellServiceOf({ mesh, authority }: HttpHome, view: ServiceView): object {
  const told = tellService(view)
  const guest = mesh.guests.invitedBy(view.service)
  if (guest) return { ...told, home: guest.home, who: guest.key && whoHas(authority, guest.key) }
  if (!view.service.startsWith('invitation:')) return told
  const others = mesh.guests.elsewhere(view).map(({ home, address }) => ({ home, address }))
  return others.length === 0 ? told : { ...told, others }
}

/** `anna, phone`, or an owner's name. */
function whoHas({ trust, people }: Authority, key: PartyId): string | undefined {
  const holder = people.holder(key)
  const person = holder && people.person(holder.person)
  if (!holder) return trust.owner(keyOf(key))?.name
  return person ? `${person.name}, ${holder.name}` : holder.name
}
