// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Pictures of devices (SPEC 19): what a device says it has and the bytes of it enter; what was checked is kept, and read.
 *
 * Always true: nothing is kept before its size and digest are those that its device sealed; it is on disk before the device hears so
 * and lets go of it; one picture of a device is on its way at a time, and of all devices a bounded number, in memory.
 * Absent on purpose: who may see one is asked of a sight, and nobody looks into one.
 */
export { openStills, type StillDeps, type Stills } from './desk.ts'
export { isNext, judgePicture, judgeStill } from './judge.ts'
export type { Coming, KeptStill, Piece, StillBook, WhichStills } from './ports.ts'
export * from './question.ts'
export * from './view.ts'
