// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Permitted commands enter, deliveries and their stages leave (SPEC 6.4): one bounded queue per device, one deadline per command.
 *
 * Always true: `deliver` takes only what policy permitted; every delivery ends, with a receipt, a refusal or `expired`.
 * Absent on purpose: retries under a new nonce. Only the sealer can do that; the hub cannot sign for people.
 */
export { type Delivery, type Expired, openRouter, type Router, type Stage } from './router.ts'
