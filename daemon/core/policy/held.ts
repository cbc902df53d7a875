// SPDX-License-Identifier: GPL-3.0-or-later
import { equal } from '../../base/bytes.ts'
import type { Grant, Message } from '../envelope/index.ts'
import type { PartyId } from '../model/index.ts'

/** A grant whose chain was verified up to an owner. It never changes; what it hangs from is held as long as it is. */
export interface HeldGrant extends Message<Grant> {
  /** What it was passed on from; absent: sealed by an owner. */
  readonly parent?: HeldGrant
  /** 1 for an owner's, at most GRANT_LINKS_MAX. */
  readonly links: number
  /** Ids of the devices it names, and names of groups, which are shorter; none: every device. */
  readonly places: ReadonlySet<string>
}

/** The copy that this key holds. */
export function heldIn(copies: Iterable<HeldGrant>, holder: Uint8Array): HeldGrant | undefined {
  for (const held of copies) if (held.body.key && equal(held.body.key, holder)) return held
  return undefined
}

/** A grant and what it hangs from, the owner's first: in this order a device takes them. */
export function linksOf(held: HeldGrant): readonly HeldGrant[] {
  return held.parent ? [...linksOf(held.parent), held] : [held]
}

/** Whether a grant names this device, a group of it, or every device (SPEC 12.3). */
export function names({ places }: HeldGrant, device: PartyId, groups: readonly string[]): boolean {
  return places.size === 0 || places.has(device) || groups.some((group) => places.has(group))
}

/** Whether this device is meant by every link, so that it has to know them. */
export function concerns(held: HeldGrant, device: PartyId, groups: readonly string[]): boolean {
  return linksOf(held).every((link) => names(link, device, groups))
}

/** Copies of one grant are for different keys and come from one hand, or each from an owner's (SPEC 12.2). */
export function isCopy(a: HeldGrant, b: HeldGrant): boolean {
  const isSameKey = a.body.key && b.body.key ? equal(a.body.key, b.body.key) : a.body.key === b.body.key
  if (isSameKey) return false
  // What hangs from nothing an owner sealed, or it would not be held.
  if (!a.parent || !b.parent) return a.parent === b.parent
  return equal(a.parent.body.id, b.parent.body.id) && equal(a.signer, b.signer)
}
