// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The registry: what the home is made of (devices, what they report, what is asked of them, permits, services,
 * the sealed papers of people, pairings, tokens, uses, images and roll-outs, pictures). Its books are
 * the only writers of their tables.
 *
 * Always true: decisions (a name is free, a permit unused) are made inside the transaction that acts on them; memory follows
 * the disk and is never ahead of it, but for presence, which lives in memory alone.
 * Absent on purpose: who may do what (policy), and the forgetting of readings (retention comes with pruning).
 */
export * from './confirmations.ts'
export * from './devices.ts'
export * from './far-readings.ts'
export * from './mesh.ts'
export * from './pairings.ts'
export * from './papers.ts'
export * from './past.ts'
export * from './permits.ts'
export * from './readings.ts'
export * from './roster.ts'
export * from './services.ts'
export * from './stills.ts'
export * from './tokens.ts'
export * from './updates.ts'
export * from './uses.ts'
