// SPDX-License-Identifier: GPL-3.0-or-later
import { affordanceOf, type Device } from '../model/index.ts'
import { type Departure, sayDeparture } from './departed.ts'
import type { HeldGrant } from './held.ts'
import { UTC } from './hours.ts'
import {
  type Circumstances,
  LINK_CODES,
  type LinkCode,
  type LinkRefusal,
  METHODS,
  type Operation,
  refusalOf,
} from './links.ts'
import { sayRefusal } from './sentences.ts'

/** Why somebody may or may not: as an owner, by a grant, or the refusal that came nearest to a yes. */
export type Explanation =
  | { readonly may: true; readonly as: 'owner' }
  | { readonly may: true; readonly as: 'holder'; readonly by: HeldGrant }
  | {
      readonly may: false
      readonly why: LinkCode | 'not-permitted' | 'grant-revoked' | 'no-such-affordance'
      /** The sentence for a person. */
      readonly detail: string
      /** The grant that came nearest, and the link of it that does not hold. */
      readonly nearest?: { readonly grant: HeldGrant; readonly link: HeldGrant }
    }

/** What this key may have done on this device by any grant it holds (`shallot why`). */
export function explain(
  key: Uint8Array,
  device: Device,
  affordance: number,
  operation: Operation,
  by: Circumstances,
): Explanation {
  const kind = operation === 'invoke' ? 'action' : 'property'
  if (!device.affordances.includes(affordance) || affordanceOf(affordance)?.capability.kind !== kind)
    return { may: false, why: 'no-such-affordance', detail: `${device.name} has no such ${kind}` }
  const { grants } = by
  if (grants.trust.isOwner(key)) return { may: true, as: 'owner' }
  if (grants.trust.isRevoked(key))
    return { may: false, why: 'grant-revoked', detail: 'this key was taken back' }
  const wanted = { device: device.id, affordance, method: METHODS[operation] }
  let nearest: { readonly grant: HeldGrant; readonly refused: LinkRefusal } | undefined
  for (const grant of grants.heldBy(key).filter(by.among ?? (() => true))) {
    const refused = refusalOf(grant, wanted, by)
    if (!refused) return { may: true, as: 'holder', by: grant }
    if (!nearest || isNearer(refused, nearest.refused)) nearest = { grant, refused }
  }
  if (!nearest) return sayNothing(grants.departed(key))
  const { grant, refused } = nearest
  return {
    may: false,
    why: refused.why,
    detail: sayRefusal(refused, by.zone ?? UTC),
    nearest: { grant, link: refused.at },
  }
}

/** Nothing is held: something was, or nothing ever. */
function sayNothing(gone: Departure | undefined): Explanation {
  if (gone) return { may: false, why: gone.why, detail: sayDeparture(gone) }
  return { may: false, why: 'not-permitted', detail: 'nothing was granted to this key' }
}

/** What passed more of the checks is nearer to a yes. */
function isNearer(one: LinkRefusal, other: LinkRefusal): boolean {
  return LINK_CODES.indexOf(one.why) > LINK_CODES.indexOf(other.why)
}

/** The device's properties that this key may read now: all of them for an owner (SPEC 9.3). */
export function readable(key: Uint8Array, device: Device, by: Circumstances): readonly number[] {
  const { grants } = by
  const properties = device.affordances.filter(
    (number) => affordanceOf(number)?.capability.kind === 'property',
  )
  if (grants.trust.isOwner(key)) return properties
  const held = grants.heldBy(key).filter(by.among ?? (() => true))
  return properties.filter((affordance) =>
    held.some((grant) => !refusalOf(grant, { device: device.id, affordance, method: METHODS.read }, by)),
  )
}
