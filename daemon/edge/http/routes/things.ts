// SPDX-License-Identifier: GPL-3.0-or-later
import { ignore, no, sentenceOf, type Verdict, yes } from '../../../base/error.ts'
import {
  type Affordance,
  affordanceNamed,
  type Device,
  isDeviceName,
  thingOf,
} from '../../../core/model/index.ts'
import { empty, json, type Reply, refused } from '../answer.ts'
import { readInteger, readObject } from '../fields.ts'
import { type Asking, findThing, type Route, type RouteDeps } from '../route.ts'
import { tellIdentity, tellProperty, tellSamples, tellThing } from '../telling.ts'

const HISTORY_MAX = 10_000
const HISTORY_FALLBACK = 1000

/** Things, their values and their past (SPEC 8, 9.3). */
export function thingRoutes(deps: RouteDeps): Route[] {
  const { home } = deps
  const list = ({ only, base }: Asking): Reply => {
    const shown = home.devices.list().filter((device) => !only || only === device.id)
    return json(shown.map((device) => thingOf(device, base)))
  }
  const ofDevice = (answer: (device: Device, asking: Asking) => Reply | Promise<Reply>): Route['run'] => {
    return (asking) => {
      const device = findThing(home, asking, asking.params.id!)
      return device.ok ? answer(device.value, asking) : refused(device)
    }
  }
  return [
    { method: 'GET', path: '/things', ofThing: true, run: list },
    // TD discovery (W3C WoT Discovery §6.2) looks here first.
    {
      method: 'GET',
      path: '/.well-known/wot',
      ofThing: true,
      run: () => empty(307, { location: '/things' }),
    },
    {
      method: 'GET',
      path: '/things/:id',
      ofThing: true,
      run: ofDevice((device, { base }) => ({
        kind: 'json',
        status: 200,
        body: thingOf(device, base),
        headers: { 'content-type': 'application/td+json' },
      })),
    },
    {
      method: 'GET',
      path: '/things/:id/properties',
      ofThing: true,
      run: ofDevice((device) => json(tellThing(device, home.devices.twin(device.id)))),
    },
    {
      method: 'GET',
      path: '/things/:id/properties/:name',
      ofThing: true,
      run: ofDevice((device, { params }) => {
        const property = findAffordance(device, 'property', params.name!)
        if (!property.ok) return refused(property)
        const twin = home.devices.twin(device.id)
        return json({ ...tellIdentity(device), ...tellProperty(property.value.number, twin) })
      }),
    },
    {
      method: 'GET',
      path: '/things/:id/history',
      ofThing: true,
      query: ['property', 'since', 'limit'],
      run: ofDevice((device, { query }) => history(deps, device, query)),
    },
    {
      method: 'PATCH',
      path: '/things/:id',
      ofThing: true,
      takes: { type: 'application/json' },
      run: ofDevice((device, asking) => rename(deps, device, asking)),
    },
    {
      method: 'DELETE',
      path: '/things/:id',
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

function history({ home }: RouteDeps, device: Device, query: ReadonlyMap<string, string>): Reply {
  const property = findAffordance(device, 'property', query.get('property') ?? '')
  if (!property.ok) return refused(property)
  const since = readInteger(query, 'since', { least: 0, most: Number.MAX_SAFE_INTEGER, fallback: 0 })
  if (!since.ok) return refused(since)
  const limit = readInteger(query, 'limit', { least: 1, most: HISTORY_MAX, fallback: HISTORY_FALLBACK })
  if (!limit.ok) return refused(limit)
  const samples = home.readings.history(device.id, property.value.number, since.value, limit.value)
  return json({ id: device.id, property: property.value.name, samples: tellSamples(samples) })
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
