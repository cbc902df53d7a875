// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Ways to a home: its description enters, an open way to its HTTP API leaves. The unix socket on the daemon's own machine; for a home
 * elsewhere the LAN when it answers there, else Tor. Nobody has to choose.
 *
 * Always true: over the LAN only the CA in the code is believed; a remote way is given out only after the home at its end has said
 * that it is the one whose root is pinned. No name is ever looked up for Tor, and nothing but Tor is tried outside the LAN.
 * Absent on purpose: deciding what may be asked twice. A way asks once.
 */
export * from './answer.ts'
export { type OpenWayDeps, openWay } from './open.ts'
export { unixWay } from './unix.ts'
export type { Ask, Way } from './way.ts'
