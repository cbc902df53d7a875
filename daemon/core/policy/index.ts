// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Who may do what: a verified Message enters, a Permitted one leaves, or a reason.
 *
 * Always true: `Permitted` is minted here and nowhere else (test/house holds that); the router takes nothing else.
 * The device judges again by the same rules (SPEC 4.14), so a hub that skipped this room would gain nothing.
 */
export { judge, type Permitted, type PolicyCode } from './judge.ts'
export { type KnownOwner, openTrust, type Trust } from './trust.ts'
