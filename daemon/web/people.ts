// SPDX-License-Identifier: GPL-3.0-or-later
/** People, their phones and what they were granted (SPEC 9.3, 12, 13), as the hub tells of them. */
import { METHOD_GET, METHOD_POST, METHOD_PUT } from '../../schemas/gen/ts/wire.ts'
import { fromBase64url, toHex } from '../base/bytes.ts'
import type { Hours, Permission } from '../core/envelope/browser.ts'
import { keyOf, type PartyId, parseId } from '../core/model/index.ts'
import type { Trust } from '../core/policy/trust.ts'
import type { Held, Thing } from './answers.ts'
import { badAnswer } from './error.ts'
import {
  type Fields,
  fieldsOf,
  flagIn,
  idIn,
  isAbsent,
  listIn,
  numberIn,
  optionalIdIn,
  optionalNumberIn,
  optionalTextIn,
  textIn,
} from './fields.ts'

const MOST = 1000

export interface HeldKey {
  readonly key: PartyId
  readonly name: string
  readonly kind: 'phone' | 'script'
  readonly by: PartyId
  /** The name of the invitation that is this phone's own. */
  readonly invitation?: string | undefined
  readonly revoked: boolean
}

export interface KnownPerson {
  /** Base64url of 8 bytes. */
  readonly id: string
  readonly name: string
  /** Who brought them in. */
  readonly by: PartyId
  readonly keys: readonly HeldKey[]
}

export interface KnownGrant {
  readonly id: string
  readonly name: string
  readonly person?: string | undefined
  readonly holder?: PartyId | undefined
  /** For a code on a keypad. */
  readonly pin: boolean
  /** Ids of devices and names of groups; none: everything. */
  readonly devices: readonly string[]
  readonly what: readonly Permission[]
  readonly hours: readonly Hours[]
  /** Seconds that one lease keeps it alive; 0: it needs none. */
  readonly lease: number
  /** ms */
  readonly from?: number | undefined
  readonly until?: number | undefined
  readonly uses?: number | undefined
  readonly used?: number | undefined
  /** How many more times it may be passed on. */
  readonly share: number
  readonly by: PartyId
  /** ms; when it was sealed. */
  readonly at: number
  readonly revoked: boolean
}

export function readPeople(answer: unknown): readonly KnownPerson[] {
  return listIn(fieldsOf(answer), 'people', MOST).map((each) => {
    const person = fieldsOf(each)
    return {
      id: shortIn(person, 'id'),
      name: textIn(person, 'name'),
      by: idIn(person, 'by'),
      keys: listIn(person, 'holders', MOST).map((holder) => readKeyOf(fieldsOf(holder))),
    }
  })
}

function readKeyOf(fields: Fields): HeldKey {
  return {
    key: idIn(fields, 'key'),
    name: textIn(fields, 'name'),
    kind: textIn(fields, 'kind') === 'script' ? 'script' : 'phone',
    by: idIn(fields, 'by'),
    invitation: optionalTextIn(fields, 'invitation')?.replace(/^invitation:/, ''),
    revoked: isTaken(fields),
  }
}

/** One of each id: grants for several keys of one person are one. */
export function readGrants(answer: unknown): readonly KnownGrant[] {
  const grants = listIn(fieldsOf(answer), 'grants', MOST).map((each) => readGrant(fieldsOf(each)))
  const byId = new Map<string, KnownGrant>()
  for (const grant of grants) {
    const same = byId.get(grant.id)
    if (!same || (same.revoked && !grant.revoked)) byId.set(grant.id, grant)
  }
  return [...byId.values()]
}

function readGrant(fields: Fields): KnownGrant {
  return {
    id: shortIn(fields, 'id'),
    name: textIn(fields, 'name'),
    person: optionalTextIn(fields, 'person'),
    holder: optionalIdIn(fields, 'holder'),
    pin: flagIn(fields, 'pin'),
    devices: listIn(fields, 'devices', MOST).map((device) => textIn({ device }, 'device')),
    what: listIn(fields, 'what', MOST).map((each) => {
      const permission = fieldsOf(each)
      return { affordance: numberIn(permission, 'affordance'), methods: numberIn(permission, 'methods') }
    }),
    hours: isAbsent(fields, 'hours')
      ? []
      : listIn(fields, 'hours', MOST).map((each) => readHours(fieldsOf(each))),
    lease: numberIn(fields, 'lease'),
    from: optionalNumberIn(fields, 'from'),
    until: optionalNumberIn(fields, 'until'),
    uses: optionalNumberIn(fields, 'uses'),
    used: optionalNumberIn(fields, 'used'),
    share: optionalNumberIn(fields, 'share') ?? 0,
    by: idIn(fields, 'by'),
    at: numberIn(fields, 'at'),
    revoked: isTaken(fields),
  }
}

/** What root and owners took back holds no more, also where the hub does not say so. */
export function judged(
  { people, grants }: { readonly people: readonly KnownPerson[]; readonly grants: readonly KnownGrant[] },
  trust: Trust | undefined,
): { readonly people: readonly KnownPerson[]; readonly grants: readonly KnownGrant[] } {
  if (!trust) return { people, grants }
  const isTakenBack = (key: PartyId | undefined) => key !== undefined && trust.isRevoked(keyOf(key))
  const isOut = ({ id, holder, by, at }: KnownGrant) =>
    trust.isGrantRevoked(toHex(fromBase64url(id)!)) ||
    isTakenBack(holder) ||
    isTakenBack(by) ||
    at / 1000 < trust.floorOf(keyOf(by))
  return {
    people: people.map((person) => ({
      ...person,
      keys: person.keys.map((held) => ({ ...held, revoked: held.revoked || isTakenBack(held.key) })),
    })),
    grants: grants.map((grant) => ({ ...grant, revoked: grant.revoked || isOut(grant) })),
  }
}

function readHours(fields: Fields): Hours {
  return { days: numberIn(fields, 'days'), from: numberIn(fields, 'from'), to: numberIn(fields, 'to') }
}

/** The hub says `false`, or since when. */
function isTaken(fields: Fields): boolean {
  return !isAbsent(fields, 'revoked') && fields.revoked !== false
}

function shortIn(fields: Fields, name: string): string {
  const text = textIn(fields, name)
  if (fromBase64url(text)?.length !== 8) throw badAnswer(`id ${name}`)
  return text
}

/** What a person wants to give: everything of it but whom to. */
export interface Terms {
  readonly devices: readonly (Uint8Array | string)[]
  readonly what: readonly Permission[]
  readonly hours: readonly Hours[]
  /** Seconds that one lease keeps it alive. */
  readonly leaseS?: number | undefined
  /** Seconds. */
  readonly notBefore?: number | undefined
  readonly expiresAt?: number | undefined
  readonly uses?: number | undefined
  /** How many more times it may be passed on. */
  readonly share?: number | undefined
  /** The grant that it is passed on from; none: as an owner. */
  readonly parent?: Uint8Array | undefined
}

/** For a field: what a name may have is 64 bytes, and most characters have one or two. */
export const NAME_CHARS_MAX = 40

/** A day: a guest lapses by tomorrow where the hub is not heard. */
export const LEASE_S = 86_400

/** What of a grant somebody passes on: all of its own limits hold, and those that are added. */
export function passedOn(
  parent: KnownGrant,
  { hours, expiresAt = Number.POSITIVE_INFINITY, uses = Number.POSITIVE_INFINITY }: Partial<Terms>,
): Terms {
  const end = Math.min(expiresAt, parent.until === undefined ? expiresAt : parent.until / 1000)
  const count = Math.min(uses, parent.uses ?? uses)
  return {
    devices: wireDevices(parent.devices),
    what: parent.what,
    hours: hours && hours.length > 0 ? hours : parent.hours,
    leaseS: parent.lease === 0 ? LEASE_S : Math.min(LEASE_S, parent.lease),
    parent: fromBase64url(parent.id)!,
    ...(parent.from !== undefined && { notBefore: parent.from / 1000 }),
    ...(Number.isFinite(end) && { expiresAt: end }),
    ...(Number.isFinite(count) && { uses: count }),
  }
}

/** The table for one device, or for all: what the giver may do there, to look at or also to use. */
export function permissionsFor(
  things: readonly Pick<Thing, 'affordances'>[],
  use: boolean,
): readonly Permission[] {
  const table = new Map<number, number>()
  for (const { affordances } of things) {
    for (const held of affordances.values()) {
      const methods = methodsOf(held, use)
      if (methods > 0) table.set(held.number, (table.get(held.number) ?? 0) | methods)
    }
  }
  return [...table].sort(([a], [b]) => a - b).map(([affordance, methods]) => ({ affordance, methods }))
}

function methodsOf({ may }: Held, use: boolean): number {
  return (
    (may.read ? METHOD_GET : 0) | (use && may.write ? METHOD_PUT : 0) | (use && may.invoke ? METHOD_POST : 0)
  )
}

/** As the wire has the devices of a grant that is known. */
export function wireDevices(devices: readonly string[]): readonly (Uint8Array | string)[] {
  return devices.map((device) => {
    const id = parseId(device)
    return id ? keyOf(id) : device
  })
}
