// SPDX-License-Identifier: GPL-3.0-or-later
import type { Code } from '../../../../schemas/gen/ts/codes.ts'
import { ignore, no, sentenceOf, type Verdict, yes } from '../../../base/error.ts'
import {
  type Affordance,
  affordanceNamed,
  type Device,
  idOf,
  isDeviceName,
  thingOf,
} from '../../../core/model/index.ts'
import type { Sight } from '../../../core/sight.ts'
import { empty, json, type Reply, refused } from '../answer.ts'
import { readInteger, readObject } from '../fields.ts'
import { type Asking, findThing, type Route, type RouteDeps } from '../route.ts'
import { tellIdentity, tellProperty, tellSamples, tellThing } from '../telling.ts'

const HISTORY_MAX = 10_000
const HISTORY_FALLBACK = 1000

/** Things, their values and their past (SPEC 8, 9.3). */
export function thingRoutes(deps: RouteDeps): Route[] {
  const { home } = deps
  const list = (asking: Asking): Reply => {
    const { only, sight } = asking
    const shown = home.devices.list().filter((device) => (!only || only === device.id) && sight.sees(device))
    return json(shown.map((device) => describe(device, asking)))
  }
  const ofDevice =
    (answer: (device: Device, asking: Asking) => Reply | Promise<Reply>) => (asking: Asking) => {
      const device = findThing(home, asking, asking.params.id!)
      return device.ok ? answer(device.value, asking) : refused(device)
    }
  return [
    { method: 'GET', path: '/things', who: 'all', ofThing: true, run: list },
    // TD discovery (W3C WoT Discovery §6.2) looks here first.
    {
      method: 'GET',
      path: '/.well-known/wot',
      who: 'all',
      ofThing: true,
      run: () => empty(307, { location: '/things' }),
    },
    {
      method: 'GET',
      path: '/things/:id',
      who: 'all',
      ofThing: true,
      run: ofDevice((device, asking) => ({
        kind: 'json',
        status: 200,
        body: describe(device, asking),
        headers: { 'content-type': 'application/td+json' },
      })),
    },
    {
      method: 'GET',
      path: '/things/:id/properties',
      who: 'all',
      ofThing: true,
      run: ofDevice((device, { sight }) => json(allProperties(deps, device, sight))),
    },
    {
      method: 'GET',
      path: '/things/:id/properties/:name',
      who: 'all',
      ofThing: true,
      run: ofDevice((device, { params, sight }) => {
        const property = findReadable(device, params.name!, sight)
        if (!property.ok) return refused(property)
        const twin = home.devices.twin(device.id)
        return json({ ...tellIdentity(device), ...tellProperty(property.value.number, twin) })
      }),
    },
    {
      method: 'GET',
      path: '/things/:id/history',
      who: 'all',
      ofThing: true,
      query: ['property', 'since', 'limit'],
      run: ofDevice((device, asking) => history(deps, device, asking)),
    },
    {
      method: 'PUT',
      path: '/things/:id/record',
      who: 'owner',
      ofThing: false,
      takes: { type: 'application/cose' },
      run: ofDevice((device, asking) => seal(deps, device, asking)),
    },
    {
      method: 'PATCH',
      path: '/things/:id',
      who: 'owner',
      ofThing: true,
      takes: { type: 'application/json' },
      run: ofDevice((device, asking) => rename(deps, device, asking)),
    },
    {
      method: 'DELETE',
      path: '/things/:id',
      who: 'owner',
      ofThing: true,
      run: ofDevice((device, asking) => forget(deps, device, asking)),
    },
  ]
}

export function findAffordance(
  device: Device,
  kind: 'property' | 'action',
  name: string,
): Verdict<Affordance, 'no-such-affordance'> {
  const affordance = affordanceNamed(device.affordances, name)
  if (affordance?.capability.kind === kind) return yes(affordance)
  return no('no-such-affordance', `${device.name} has no such ${kind}`)
}

/** A property that the caller may read now. */
function findReadable(device: Device, name: string, sight: Sight): Verdict<Affordance, Code> {
  const property = findAffordance(device, 'property', name)
  if (!property.ok) return property
  const may = sight.may(device, property.value.number, 'read')
  return may.may ? property : no(may.why, may.detail)
}

/** What the caller may see of a thing, and how it proves itself. */
function describe(device: Device, { base, caller, sight }: Asking): object {
  return thingOf(device, base, {
    scheme: caller.kind === 'token' ? 'bearer' : 'auto',
    holds: (affordance, operation) => sight.holds(device, affordance, operation),
  })
}

/** Properties that the caller may read now, actions that it has a grant for. */
function allProperties({ home }: RouteDeps, device: Device, sight: Sight): object {
  const readable = new Set(sight.readable(device))
  const shows = (affordance: number) => readable.has(affordance) || sight.holds(device, affordance, 'invoke')
  return tellThing(device, home.devices.twin(device.id), shows)
}

function history({ home }: RouteDeps, device: Device, { query, sight }: Asking): Reply {
  const property = findReadable(device, query.get('property') ?? '', sight)
  if (!property.ok) return refused(property)
  const since = readInteger(query, 'since', { least: 0, most: Number.MAX_SAFE_INTEGER, fallback: 0 })
  if (!since.ok) return refused(since)
  const limit = readInteger(query, 'limit', { least: 1, most: HISTORY_MAX, fallback: HISTORY_FALLBACK })
  if (!limit.ok) return refused(limit)
  const samples = home.readings.history(device.id, property.value.number, since.value, limit.value)
  return json({ id: device.id, property: property.value.name, samples: tellSamples(samples) })
}

/** An owner's record of the device in place of the one that is held: other groups, another name (SPEC 12.3). */
async function seal({ home }: RouteDeps, device: Device, { body, caller }: Asking): Promise<Reply> {
  const enrolment = home.authority.groups.enrolment(body)
  if (enrolment && idOf(enrolment.body.key) !== device.id)
    return refused(no('bad-request', 'the record is of another device'))
  const confirmed = await home.desk.confirm(body, caller)
  if (!confirmed.ok) return refused(confirmed)
  const { id, name } = confirmed.value
  return json({ id, name, groups: home.authority.groups.of(confirmed.value) })
}

async function rename({ home }: RouteDeps, device: Device, { body, caller }: Asking): Promise<Reply> {
  const fields = readObject(body, ['name'])
  if (!fields.ok) return refused(fields)
  const { name } = fields.value
  if (typeof name !== 'string' || !isDeviceName(name)) {
    return refused(no('bad-request', 'a name is 1 to 64 bytes of printable text without slashes'))
  }
  const renamed = await home.desk.rename(device.id, name, caller)
  return renamed.ok ? json({ id: renamed.value.id, name: renamed.value.name }) : refused(renamed)
}

async function forget({ home, log }: RouteDeps, device: Device, { caller }: Asking): Promise<Reply> {
  const forgotten = await home.desk.forget(device.id, caller)
  if (!forgotten.ok) return refused(forgotten)
  // Not awaited: the request may have come in by the very address that goes with the device.
  home.services
    .withdraw(`device:${device.id}`, { signer: caller.id, origin: caller.origin })
    .then((gone) => gone.ok || ignore(gone, 'the device had no address of its own'))
    .catch((error) => log.say('error', 'http-withdraw-failed', { message: sentenceOf(error) }))
  return empty()
}
