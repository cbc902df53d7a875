// SPDX-License-Identifier: GPL-3.0-or-later
/** What somebody with the right to it seals about others: grants, and lists of what is taken back (SPEC 12, 13). */
import { REVOCATION_ENTRIES_MAX } from '../../schemas/gen/ts/wire.ts'
import { equal, fromBase64url, toBase64url } from '../base/bytes.ts'
import type { Random } from '../base/random.ts'
import type { Grant, Person as PersonBody, Revocation } from '../core/envelope/browser.ts'
import { keyOf, type PartyId } from '../core/model/index.ts'
import type { Asker } from './ask.ts'
import { PageError } from './error.ts'
import { bytesIn, fieldsOf, idIn, listIn } from './fields.ts'
import { type KnownGrant, type KnownPerson, LEASE_S, type Terms } from './people.ts'
import type { Person } from './person.ts'
import { openSealed } from './proof.ts'

export interface DealDeps {
  readonly asker: Asker
  readonly person: Person
  readonly random: Random
}

/** Seals the grant for each key of the person that holds, under one id. */
export async function give(
  { asker, person, random }: DealDeps,
  to: KnownPerson,
  terms: Terms,
  signal: AbortSignal,
): Promise<void> {
  const id = random.bytes(8)
  const keys = to.keys.filter(({ revoked }) => !revoked)
  if (keys.length === 0) throw new PageError('not-found', `${to.name} has no phone yet`)
  for (const { key } of keys) {
    const frame = person.seal<Grant>({
      type: 'grant',
      name: to.name,
      key: keyOf(key),
      id,
      ...wireTerms(terms),
    })
    await send(asker, 'POST', '/grants', frame, signal)
  }
}

export function wireTerms(terms: Terms) {
  const { devices, what, hours, leaseS, notBefore, expiresAt, uses, share, parent } = terms
  return {
    devices,
    what,
    leaseS: leaseS ?? LEASE_S,
    ...(notBefore !== undefined && { notBefore }),
    ...(hours.length > 0 && { hours }),
    ...(expiresAt !== undefined && { expiresAt }),
    ...(uses !== undefined && { uses }),
    ...(share !== undefined && { share }),
    ...(parent && { parent }),
  }
}

/** Takes back a grant by its id, or a key, as an owner; what this owner took back before stays so. */
export async function takeBack(
  { asker, person }: DealDeps,
  what: KnownGrant | PartyId,
  signal: AbortSignal,
): Promise<void> {
  const entry = typeof what === 'string' ? keyOf(what) : fromBase64url(what.id)!
  const before = ownList(await asker.json({ method: 'GET', path: '/revocations' }, signal), person)
  const entries = before?.entries ?? []
  if (entries.some((each) => equal(each, entry))) return
  if (entries.length >= REVOCATION_ENTRIES_MAX) {
    throw new PageError('grants-full', 'the list of what was taken back is full')
  }
  const floor = before?.floor
  const frame = person.seal<Revocation>({
    type: 'revocation',
    entries: [...entries, entry],
    ...(floor !== undefined && { floor }),
  })
  await send(asker, 'PUT', '/revocations', frame, signal)
}

/** As who may: an owner anybody, others whom they added. What the person has and may stays. */
export async function renamePerson(
  { asker, person }: DealDeps,
  id: string,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const bytes = fromBase64url(id)!
  const frame = person.seal<PersonBody>({ type: 'person', name, person: bytes })
  await send(asker, 'PUT', personPath(bytes), frame, signal)
}

/** @param id  of somebody of whom no phone and no grant holds any more */
export async function removePerson({ asker }: DealDeps, id: string, signal: AbortSignal): Promise<void> {
  await asker.json({ method: 'DELETE', path: personPath(fromBase64url(id)!) }, signal)
}

/** From then on the phone reaches the home no more from outside; what it may do stays until an owner takes that back. */
export async function withdrawAddress(
  { asker }: DealDeps,
  invitation: string,
  signal: AbortSignal,
): Promise<void> {
  await asker.json({ method: 'DELETE', path: `/invitations/${encodeURIComponent(invitation)}` }, signal)
}

/** The list that this person sealed last: read from the envelope, not from what the hub says of it. */
function ownList(answer: unknown, { id, ed25519 }: Person): Revocation | undefined {
  for (const each of listIn(fieldsOf(answer), 'revocations', 100)) {
    const fields = fieldsOf(each)
    if (idIn(fields, 'signer') !== id) continue
    const body = openSealed(bytesIn(fields, 'frame'), ed25519, (signer) => signer === id)
    if (body?.type !== 'revocation')
      throw new PageError('distrust', 'the hub shows a list that we did not seal')
    return body
  }
  return undefined
}

/** Hands an envelope in; the request around it says who does. */
export async function send(
  asker: Asker,
  method: 'POST' | 'PUT',
  path: string,
  frame: Uint8Array,
  signal: AbortSignal,
): Promise<unknown> {
  const body = Uint8Array.from(frame)
  return asker.json({ method, path, type: 'application/cose', body }, signal)
}

export function personPath(id: Uint8Array): string {
  return `/people/${toBase64url(id)}`
}
