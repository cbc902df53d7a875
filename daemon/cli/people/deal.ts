// SPDX-License-Identifier: GPL-3.0-or-later
/** Grants under the seal of an owner, or of who passes them on: one copy for each key of somebody, all under one id (SPEC 12.1). */
import { DEVICE_ENVELOPE_BYTES_MAX, GRANT_ID_BYTES } from '../../../schemas/gen/ts/wire.ts'
import { equal, toBase64url } from '../../base/bytes.ts'
import type { Random } from '../../base/random.ts'
import type { Frame, Grant, Pin } from '../../core/envelope/index.ts'
import { idOf } from '../../core/model/index.ts'
import type { Api } from '../api.ts'
import { CliError } from '../error.ts'
import type { Person } from '../person.ts'
import type { Desk } from './desk.ts'
import { type House, type KnownGrant, type KnownHolder, type KnownPerson, liveHolders } from './house.ts'
import { dropPromises, keepPromise, promisesTo } from './promises.ts'
import type { Terms } from './terms.ts'

export interface Deal {
  readonly id: Uint8Array
  /** What the log and the lock call it: its person's name. */
  readonly name: string
  readonly terms: Terms
  /** The grant that it is passed on from; none: an owner's. */
  readonly parent?: Uint8Array
}

export function newDeal(random: Random, name: string, terms: Terms, parent?: Uint8Array): Deal {
  return { id: drawId(random), name, terms, ...(parent && { parent }) }
}

/** An id that can be typed: as text it does not begin like a flag. */
export function drawId(random: Random): Uint8Array {
  for (;;) {
    const id = random.bytes(GRANT_ID_BYTES)
    if (!toBase64url(id).startsWith('-')) return id
  }
}

/** @throws CliError too-large for a grant that no device would take */
export async function sealGrant(
  owner: Person,
  deal: Deal,
  to: { readonly key: Uint8Array } | { readonly pin: Pin },
): Promise<Frame> {
  const { devices, what, leaseS, expiresAt, notBefore, share, hours, uses } = deal.terms
  const frame = await owner.seal<Grant>(owner.home, {
    type: 'grant',
    name: deal.name,
    id: deal.id,
    devices,
    what,
    leaseS,
    ...to,
    ...(deal.parent && { parent: deal.parent }),
    ...(expiresAt !== undefined && { expiresAt }),
    ...(notBefore !== undefined && { notBefore }),
    ...(share !== undefined && { share }),
    ...(hours && { hours }),
    ...(uses !== undefined && { uses }),
  })
  if (frame.length <= DEVICE_ENVELOPE_BYTES_MAX) return frame
  throw new CliError(
    'too-large',
    `that grant has ${frame.length} bytes; a device takes ${DEVICE_ENVELOPE_BYTES_MAX}`,
    {
      next: 'make two of it: fewer hours, properties or devices in each',
    },
  )
}

/** Hands the same grant to each of these keys. */
export async function dealTo(
  api: Api,
  owner: Person,
  deal: Deal,
  keys: readonly Uint8Array[],
): Promise<void> {
  for (const key of keys) await api.sendSealed('POST', '/grants', await sealGrant(owner, deal, { key }))
}

/** To the phones somebody has; or, when there is none yet, kept until there is. */
export async function dealOrPromise(
  deps: Pick<Desk, 'tools' | 'api' | 'owner' | 'directory'>,
  to: KnownPerson,
  deal: Deal,
): Promise<'granted' | 'promised'> {
  const keys = phonesOf(to).map(({ message }) => message.body.key)
  if (keys.length > 0) {
    using _step = deps.tools.voice.working('handing the grant to the home')
    await dealTo(deps.api, deps.owner, deal, keys)
    return 'granted'
  }
  await keepPromise(deps.directory, to.person, deal)
  return 'promised'
}

/** Phones, and scripts that are this person's own; a token has a person of its own. */
export function phonesOf(person: KnownPerson): readonly KnownHolder[] {
  return liveHolders(person)
}

/** What a new key of somebody was given, and what it could not be given. */
export interface Dealt {
  readonly deals: readonly Deal[]
  /** How many of these another owner granted: this phone has them under our seal. */
  readonly ofOtherOwners: number
  /** What somebody passed on to this person: theirs to pass on to the new key too. */
  readonly passedOn: readonly KnownGrant[]
}

/**
 * What a new key of somebody gets: what was promised, and copies of what the others of their keys hold, whichever owner sealed it:
 * an owner's copy counts and falls with the others of its id (SPEC 12.2). What was passed on has the seal of that hand alone,
 * which copies nothing of others'.
 */
export async function dealAll(
  deps: { readonly api: Api; readonly owner: Person; readonly directory: string },
  house: House,
  to: KnownPerson,
  key: Uint8Array,
): Promise<Dealt> {
  const held = heldBy(house, to, deps.owner.now())
  const promised = await promisesTo(deps.directory, to.person)
  const isOurs = ({ byOwner, by }: KnownGrant) =>
    deps.owner.role === 'owner' ? byOwner : by === deps.owner.id
  const granted = held.filter(isOurs).map((grant) => dealOf(grant, to.name))
  const deals = [...new Map([...granted, ...promised].map((deal) => [toBase64url(deal.id), deal])).values()]
  // What an earlier try has dealt to this key is not dealt again.
  const has = new Set(house.grants.filter(({ message }) => isFor(message.body, key)).map(({ id }) => id))
  for (const deal of deals) {
    if (!has.has(toBase64url(deal.id))) await dealTo(deps.api, deps.owner, deal, [key])
  }
  await dropPromises(deps.directory, to.person)
  const ofOtherOwners = held.filter((grant) => isOurs(grant) && grant.by !== deps.owner.id).length
  return { deals, ofOtherOwners, passedOn: held.filter((grant) => !isOurs(grant)) }
}

function isFor({ key }: Grant, holder: Uint8Array): boolean {
  return key !== undefined && equal(key, holder)
}

function dealOf({ message: { body } }: KnownGrant, name: string): Deal {
  return { id: body.id, name, terms: body, ...(body.parent && { parent: body.parent }) }
}

/** Each grant once, as far as it still holds and is for a key of this person; of copies the first. */
function heldBy(house: House, person: KnownPerson, nowS: number): readonly KnownGrant[] {
  const keys = new Set<string>(phonesOf(person).map(({ id }) => id))
  const found = new Map<string, KnownGrant>()
  for (const grant of house.grants) {
    const { key, expiresAt } = grant.message.body
    if (grant.revoked || key === undefined || !keys.has(idOf(key))) continue
    if (expiresAt !== undefined && expiresAt <= nowS) continue
    if (!found.has(grant.id)) found.set(grant.id, grant)
  }
  return [...found.values()]
}
