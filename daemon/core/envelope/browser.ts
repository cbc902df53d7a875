// SPDX-License-Identifier: GPL-3.0-or-later
/** The same room as index.ts with the Ed25519 that needs no Node: the entrance for pages (test/house holds it to that). */
export * from './cbor.ts'
export * from './ed25519.ts'
export * from './gate.ts'
export * from './message.ts'
export * from './open.ts'
export * from './portable.ts'
export * from './seal.ts'
