// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Daemons of one home in a world that is made from a seed: a clock that jumps, a network that loses, delays, doubles and reorders
 * what is sent, parts and heals. The rules are those of core/mesh; the rooms around them are memory.
 */
export * from './books.ts'
export * from './daemon.ts'
export * from './dice.ts'
export * from './growth.ts'
export * from './seals.ts'
export * from './world.ts'
