// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Who may do what: a verified Message enters, a Permitted one leaves, or a reason (SPEC 12). Owners by the root's word,
 * others by grants that hang from an owner; what was taken back beats both, whatever arrived first.
 *
 * Always true: `Permitted` is minted here and nowhere else (test/house holds that); the router takes nothing else. A grant
 * is verified once and every use is judged against each of its links, so nobody can pass on more than they hold.
 * The device judges again by the same rules, so a hub that skipped this room would gain nothing.
 * Absent on purpose: I/O and clocks (time is an argument, in seconds, 0 when not known), and what must be remembered beyond
 * this process (frames, counts of uses): `state` keeps it and gives it back.
 */
export { type Explanation, explain, readable } from './explain.ts'
export { type GrantCode, Grants, type GrantsOptions } from './grants.ts'
export { concerns, type HeldGrant, linksOf } from './held.ts'
export { isWithin, sayHours, UTC } from './hours.ts'
export { judge, type Permitted, type PolicyCode } from './judge.ts'
export { type LeaseBook, Leases } from './leases.ts'
export { type Circumstances, type LinkCode, METHODS, type Operation } from './links.ts'
export { type KnownOwner, openTrust, type Trust } from './trust.ts'
export { countedLinks, type UseBook, Uses } from './uses.ts'
export { type GroupsOf, widens } from './wider.ts'
