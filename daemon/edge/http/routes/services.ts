// SPDX-License-Identifier: GPL-3.0-or-later
import { no, sentenceOf } from '../../../base/error.ts'
import { parseId } from '../../../core/model/index.ts'
import { empty, json, type Reply, refused } from '../answer.ts'
import { readObject } from '../fields.ts'
import { type Asking, findThing, type Route, type RouteDeps } from '../route.ts'
import { tellService, tellServiceOf } from '../telling.ts'

/** Onion services: who was invited, which devices have an address of their own (SPEC 10). */
export function serviceRoutes(deps: RouteDeps): Route[] {
  const { home } = deps
  const list = (kind: 'invitation:' | 'device:'): Reply =>
    json(
      home.services
        .list()
        .filter(({ service }) => service.startsWith(kind))
        .map((each) => tellServiceOf(home, each)),
    )
  const ofHome = { ofThing: false } as const
  const takes = { type: 'application/json', optional: true } as const
  return [
    { ...ofHome, method: 'GET', path: '/invitations', who: 'owner', run: () => list('invitation:') },
    {
      ...ofHome,
      method: 'PUT',
      path: '/invitations/:name',
      who: 'owner',
      takes,
      run: (asking) => invite(deps, asking),
    },
    {
      ...ofHome,
      method: 'DELETE',
      path: '/invitations/:name',
      who: 'sharer',
      run: (asking) => uninvite(deps, asking),
    },
    {
      ...ofHome,
      method: 'POST',
      path: '/invitations/:name/renewal',
      who: 'owner',
      run: (asking) => renew(deps, asking),
    },
    { ...ofHome, method: 'GET', path: '/exposures', who: 'owner', run: () => list('device:') },
    {
      ...ofHome,
      method: 'PUT',
      path: '/exposures/:id',
      who: 'owner',
      takes,
      run: (asking) => expose(deps, asking),
    },
    {
      ...ofHome,
      method: 'DELETE',
      path: '/exposures/:id',
      who: 'owner',
      run: (asking) => hide(deps, asking),
    },
  ]
}

async function invite({ home }: RouteDeps, asking: Asking): Promise<Reply> {
  const authorised = readAuthorised(asking.body)
  if (authorised === undefined) return wrongAuthorised()
  const invited = await home.services.invite(asking.params.name!, authorised, by(asking))
  return invited.ok ? json(tellService(invited.value)) : refused(invited)
}

/** Who let a phone in may take its address back; all others are for owners. */
function uninvite(deps: RouteDeps, asking: Asking): Promise<Reply> | Reply {
  const service = `invitation:${asking.params.name!}`
  const { caller } = asking
  if (caller.kind !== 'owner' && !deps.home.desk.pairings.isAddressOf(service, caller))
    return refused(no('not-found'))
  return withdraw(deps, asking, service)
}

async function renew({ home }: RouteDeps, asking: Asking): Promise<Reply> {
  const renewed = await home.services.renew(asking.params.name!, by(asking))
  return renewed.ok ? json(tellService(renewed.value)) : refused(renewed)
}

async function expose({ home }: RouteDeps, asking: Asking): Promise<Reply> {
  const authorised = readAuthorised(asking.body)
  if (authorised === undefined) return wrongAuthorised()
  const device = findThing(home, asking, asking.params.id!)
  if (!device.ok) return refused(device)
  const exposed = await home.services.expose(device.value.id, authorised, by(asking))
  return exposed.ok ? json(tellService(exposed.value)) : refused(exposed)
}

/** Also by the id of a device that is forgotten by now. */
function hide(deps: RouteDeps, asking: Asking): Promise<Reply> | Reply {
  const named = asking.params.id!
  const device = findThing(deps.home, asking, named)
  const id = device.ok ? device.value.id : parseId(named)
  return id ? withdraw(deps, asking, `device:${id}`) : refused(no('not-found', 'no such device'))
}

async function withdraw({ home, log }: RouteDeps, asking: Asking, service: string): Promise<Reply> {
  if (!home.services.list().some((each) => each.service === service)) return refused(no('not-found'))
  const withdrawn = home.services.withdraw(service, by(asking))
  if (home.services.isBy(asking.caller.origin, service)) {
    // The answer has to leave by the address that goes: it is said before it is done.
    withdrawn.catch((error) => log.say('error', 'http-withdraw-failed', { message: sentenceOf(error) }))
    return empty(202)
  }
  const gone = await withdrawn
  return gone.ok ? empty() : refused(gone)
}

function by({ caller }: Asking): { signer: typeof caller.id; origin: string } {
  return { signer: caller.id, origin: caller.origin }
}

/** `{"authorised": false}` makes an address that needs no client key; on by default (SPEC 10.2). */
function readAuthorised(body: Uint8Array): boolean | undefined {
  const fields = readObject(body, ['authorised'])
  if (!fields.ok) return undefined
  const { authorised = true } = fields.value
  return typeof authorised === 'boolean' ? authorised : undefined
}

function wrongAuthorised(): Reply {
  return refused(no('bad-request', 'the body is {"authorised": true or false}, or nothing'))
}
