// SPDX-License-Identifier: GPL-3.0-or-later
/** One grant held against one thing that somebody wants done, link by link from the owner's end (SPEC 12.3). */
import type { Code } from '../../../schemas/gen/ts/codes.ts'
import { METHOD_GET, METHOD_POST, METHOD_PUT } from '../../../schemas/gen/ts/wire.ts'
import type { Permission, Zone } from '../envelope/message.ts'
import type { PartyId } from '../model/index.ts'
import type { Grants } from './grants.ts'
import { type HeldGrant, linksOf, names } from './held.ts'
import { isWithin, UTC } from './hours.ts'
import type { LeaseBook } from './leases.ts'
import type { UseBook } from './uses.ts'

export type Operation = 'read' | 'write' | 'invoke'

/** The method of a grant's table that an operation wants (SPEC 12.1). */
export const METHODS: Readonly<Record<Operation, number>> = {
  read: METHOD_GET,
  write: METHOD_PUT,
  invoke: METHOD_POST,
}

/** What somebody judges by. */
export interface Circumstances {
  readonly grants: Grants
  /** Of the device, by its enrolment. */
  readonly groups: readonly string[]
  /** Seconds since the epoch; 0: not known. */
  readonly now: number
  /** The home's; absent: UTC. */
  readonly zone?: Zone | undefined
  /** Absent at the hub, which leases and needs none. */
  readonly leases?: LeaseBook | undefined
  readonly uses: UseBook
  /** Of the grants that a key holds only these; absent: all. */
  readonly among?: ((grant: HeldGrant) => boolean) | undefined
}

/** What is wanted of which device; `method` is one of METHOD_GET, _POST, _PUT. */
export interface Wanted {
  readonly device: PartyId
  readonly affordance: number
  readonly method: number
}

/** In the order in which a link is held against them. */
export const LINK_CODES = [
  'grant-elsewhere',
  'not-granted',
  'no-clock',
  'grant-not-yet',
  'grant-expired',
  'outside-hours',
  'lease-lapsed',
  'uses-spent',
] as const satisfies readonly Code[]
export type LinkCode = (typeof LINK_CODES)[number]

export interface LinkRefusal {
  readonly why: LinkCode
  /** The link that does not hold. */
  readonly at: HeldGrant
}

/** The first refusal of the first link that does not allow it; undefined when all do. */
export function refusalOf(grant: HeldGrant, wanted: Wanted, by: Circumstances): LinkRefusal | undefined {
  if (grant.parent) {
    const refused = refusalOf(grant.parent, wanted, by)
    if (refused) return refused
  }
  const why = linkRefusal(grant, wanted, by)
  return why && { why, at: grant }
}

function linkRefusal(grant: HeldGrant, wanted: Wanted, by: Circumstances): LinkCode | undefined {
  const { body } = grant
  if (!names(grant, wanted.device, by.groups)) return 'grant-elsewhere'
  if (!lists(body.what, wanted)) return 'not-granted'
  // Reading uses nothing up.
  return timeRefusal(grant, by) ?? (wanted.method === METHOD_GET ? undefined : useRefusal(grant, by))
}

function lists(what: readonly Permission[], wanted: Pick<Wanted, 'affordance' | 'method'>): boolean {
  return what.some(
    ({ affordance, methods }) => affordance === wanted.affordance && (methods & wanted.method) !== 0,
  )
}

function timeRefusal(grant: HeldGrant, { grants, now, zone, leases }: Circumstances): LinkCode | undefined {
  const { notBefore, expiresAt, hours, leaseS } = grant.body
  const needsLease = leases !== undefined && leaseS > 0
  const isTimed = notBefore !== undefined || expiresAt !== undefined || hours !== undefined || needsLease
  if (!isTimed) return undefined
  if (now === 0) return 'no-clock'
  if (notBefore !== undefined && notBefore > now) return 'grant-not-yet'
  if (expiresAt !== undefined && expiresAt <= Math.max(now, grants.latest)) return 'grant-expired'
  if (hours && !isWithin(hours, now, zone ?? UTC)) return 'outside-hours'
  if (needsLease && leases.until(grant) <= now) return 'lease-lapsed'
  return undefined
}

function useRefusal({ body }: HeldGrant, { uses }: Circumstances): LinkCode | undefined {
  return body.uses === undefined || uses.count(body.id) < body.uses ? undefined : 'uses-spent'
}

/** Those of `affordances` that the tables of all links hold with this method, whatever else may stand against them. */
export function listed(grant: HeldGrant, affordances: readonly number[], method: number): readonly number[] {
  return affordances.filter((affordance) =>
    linksOf(grant).every(({ body }) => lists(body.what, { affordance, method })),
  )
}
