// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * A device in TypeScript, for tests and benchmarks: the other end of the link, over real TLS, with everything that SPEC 6
 * and 7 ask of a device. It checks the hub as the firmware does: the leaf against raw CA keys, the seal against the leaf.
 */
export * from './enrol.ts'
export * from './hub-notes.ts'
export * from './keys.ts'
export * from './session.ts'
export * from './stills.ts'
export * from './wire.ts'
