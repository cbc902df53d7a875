// SPDX-License-Identifier: GPL-3.0-or-later
import type { Code } from '../../../../schemas/gen/ts/codes.ts'
import { PERSON_ID_BYTES } from '../../../../schemas/gen/ts/wire.ts'
import { no, type Verdict, yes } from '../../../base/error.ts'
import {
  affordanceNamed,
  affordanceOf,
  type Device,
  keyOf,
  type PartyId,
  parseId,
} from '../../../core/model/index.ts'
import { type Explanation, explain, type HeldGrant, type Operation } from '../../../core/policy/index.ts'
import { empty, json, type Reply, refused } from '../answer.ts'
import { readBytes, readInteger } from '../fields.ts'
import { tellOwners } from '../picture.ts'
import { type Asking, findThing, type Route, type RouteDeps, type Unproved } from '../route.ts'
import { tellBytes } from '../telling.ts'
import { grantsFor, peopleFor, tellGrant, tellHolder, tellPerson, tellRevocation } from '../telling-people.ts'

const COSE = { type: 'application/cose' } as const
const ofHome = { ofThing: false } as const

/** Papers about people in, and what the home makes of them (SPEC 9.3, 12, 13). */
export function peopleRoutes(deps: RouteDeps): Route[] {
  const { home } = deps
  const { trust } = home.authority
  return [
    {
      ...ofHome,
      method: 'GET',
      path: '/people',
      who: 'all',
      run: ({ caller, sight }) =>
        json({ people: peopleFor(home, caller, sight).map((person) => tellPerson(home, person)) }),
    },
    {
      ...ofHome,
      method: 'PUT',
      path: '/people/:id',
      who: 'sharer',
      takes: COSE,
      run: (asking) => putPerson(deps, asking),
    },
    {
      ...ofHome,
      method: 'DELETE',
      path: '/people/:id',
      who: 'sharer',
      run: (asking) => removePerson(deps, asking),
    },
    {
      ...ofHome,
      method: 'PUT',
      path: '/holders/:key',
      who: 'sharer',
      takes: COSE,
      run: (asking) => putHolder(deps, asking),
    },
    {
      ...ofHome,
      method: 'GET',
      path: '/grants',
      who: 'all',
      run: (asking) => json({ grants: allGrants(deps, asking) }),
    },
    {
      ...ofHome,
      method: 'POST',
      path: '/grants',
      who: 'sharer',
      takes: COSE,
      run: (asking) => postGrant(deps, asking),
    },
    {
      ...ofHome,
      method: 'GET',
      path: '/revocations',
      who: 'all',
      run: () => json({ revocations: trust.revocations.map(tellRevocation) }),
    },
    {
      ...ofHome,
      method: 'PUT',
      path: '/revocations',
      who: 'nobody',
      takes: COSE,
      run: (asking) => revoke(deps, asking),
    },
    {
      ...ofHome,
      method: 'GET',
      path: '/owners',
      who: 'all',
      run: () => json({ owners: tellOwners(trust.owners) }),
    },
    {
      ...ofHome,
      method: 'PUT',
      path: '/owners/:key',
      who: 'nobody',
      takes: COSE,
      run: (asking) => putOwner(deps, asking),
    },
    {
      ...ofHome,
      method: 'GET',
      path: '/why',
      who: 'all',
      query: ['holder', 'device', 'affordance', 'operation', 'at'],
      run: (asking) => why(deps, asking),
    },
  ]
}

/** What holds; for owners also what held once. */
function allGrants({ home }: RouteDeps, { caller, sight }: Asking): readonly object[] {
  const held = grantsFor(home, caller, sight).map((grant) => tellGrant(home, grant))
  const past = sight.seesAll ? home.authority.past().map((grant) => tellGrant(home, grant, false)) : []
  return [...held, ...past]
}

function personIn(params: Asking['params']): Uint8Array | undefined {
  return readBytes(params.id, PERSON_ID_BYTES, PERSON_ID_BYTES)
}

async function putPerson({ home }: RouteDeps, { params, body, caller }: Asking): Promise<Reply> {
  const id = personIn(params)
  if (!id) return refused(no('bad-request', 'a person’s id is 8 bytes in base64url'))
  const kept = await home.desk.people.person(body, id, caller)
  return kept.ok ? json(tellPerson(home, kept.value)) : refused(kept)
}

async function removePerson({ home }: RouteDeps, { params, caller }: Asking): Promise<Reply> {
  const id = personIn(params)
  const removed = id ? await home.desk.people.removePerson(id, caller) : no('not-found')
  return removed.ok ? empty() : refused(removed)
}

async function putHolder({ home }: RouteDeps, { params, body, caller }: Asking): Promise<Reply> {
  const key = parseId(params.key ?? '')
  if (!key) return refused(no('bad-request', 'a key is 32 bytes in base64url'))
  const kept = await home.desk.people.holder(body, key, caller)
  return kept.ok ? json(tellHolder(home, kept.value)) : refused(kept)
}

async function postGrant({ home }: RouteDeps, { body, caller }: Asking): Promise<Reply> {
  const granted = await home.desk.people.grant(body, caller)
  return granted.ok ? json(tellGrant(home, granted.value), 201) : refused(granted)
}

async function revoke({ home }: RouteDeps, { body, place }: Unproved): Promise<Reply> {
  const revoked = await home.desk.people.revoke(body, place.origin)
  if (!revoked.ok) return refused(revoked)
  const { list, told } = revoked.value
  return json({ ...tellRevocation(list), told })
}

async function putOwner({ home }: RouteDeps, { params, body, place }: Unproved): Promise<Reply> {
  const key = parseId(params.key ?? '')
  if (!key) return refused(no('bad-request', 'a key is 32 bytes in base64url'))
  const added = await home.desk.people.owner(body, key, place.origin)
  return added.ok ? json({ key: added.value.id, name: added.value.name }) : refused(added)
}

const OPERATIONS: ReadonlySet<string> = new Set(['read', 'write', 'invoke'])

/** Why somebody may or may not; a holder asks for itself. */
function why({ home, clock }: RouteDeps, asking: Asking): Reply {
  const { query } = asking
  const device = findThing(home, asking, query.get('device') ?? '')
  if (!device.ok) return refused(device)
  const operation = query.get('operation') ?? ''
  if (!OPERATIONS.has(operation)) return refused(no('bad-request', 'operation is read, write or invoke'))
  const affordance = findNumber(device.value, query.get('affordance') ?? '')
  if (!affordance.ok) return refused(affordance)
  const keys = keysOf(home, asking, query.get('holder'))
  if (!keys.ok) return refused(keys)
  const at = readInteger(query, 'at', { least: 0, most: Number.MAX_SAFE_INTEGER, fallback: clock.now() })
  if (!at.ok) return refused(at)
  const by = { ...home.authority.about(device.value), now: Math.floor(at.value / 1000) }
  const ask = (key: Uint8Array, among?: (grant: HeldGrant) => boolean): Explanation =>
    explain(key, device.value, affordance.value, operation as Operation, { ...by, among })
  const answers = keys.value.map((key) => ask(keyOf(key)))
  const best = answers.find((each) => each.may) ?? answers.at(-1)
  const tried = keys.value.flatMap((key) =>
    home.authority.grants.heldBy(keyOf(key)).map((grant) =>
      tellTried(
        grant,
        ask(keyOf(key), (one) => one === grant),
      ),
    ),
  )
  return json({ ...tellExplanation(best), tried })
}

function findNumber(device: Device, text: string): Verdict<number, Code> {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : affordanceNamed(device.affordances, text)?.number
  return number === undefined || !affordanceOf(number)
    ? no('no-such-affordance', `${device.name} has no such property or action`)
    : yes(number)
}

/** Keys by a key, by a person's id, or the caller's own; only owners ask for others. */
function keysOf(
  { authority }: RouteDeps['home'],
  { caller, sight }: Asking,
  named: string | undefined,
): Verdict<readonly PartyId[], Code> {
  if (named === undefined || named === caller.id) return yes([caller.id])
  const person = readBytes(named, PERSON_ID_BYTES, PERSON_ID_BYTES)
  const key = parseId(named)
  const keys = person ? authority.people.holdersOf(person).map(({ id }) => id) : key ? [key] : []
  const isOwn = person !== undefined && tellBytes(person) === tellBytes(caller.person)
  if (!sight.seesAll && !isOwn) return no('forbidden', 'only owners ask for others')
  return keys.length > 0 ? yes(keys) : no('not-found', 'nobody known has this key or id')
}

function tellExplanation(why: Explanation | undefined): object {
  if (!why) return { allowed: false, code: 'not-permitted' }
  if (why.may) return { allowed: true, grant: why.as === 'holder' ? tellBytes(why.by.body.id) : undefined }
  return { allowed: false, code: why.why, detail: why.detail, grant: tellBytes(why.nearest?.grant.body.id) }
}

function tellTried({ body }: HeldGrant, why: Explanation): object {
  return {
    grant: tellBytes(body.id),
    name: body.name,
    ...(why.may ? {} : { code: why.why, detail: why.detail }),
  }
}
