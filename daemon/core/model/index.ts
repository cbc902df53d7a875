// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The nouns of a home: parties by key, devices, affordances, what is asked and what is reported.
 *
 * Always true: an id is the one spelling of a key; a name is only a label. Values are wire integers inside the daemon and
 * become a person's numbers at its edges (`fromWire`, `toWire`).
 */
export * from './affordance.ts'
export * from './device.ts'
export * from './ids.ts'
export * from './name.ts'
export * from './thing.ts'
