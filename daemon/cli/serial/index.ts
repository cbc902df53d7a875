// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * What is handed to a device with a cable in the hand: bytes in, bytes out (SPEC 17). The port itself is opened in cli/reach.
 *
 * Always true: what a device says is read strictly and shown only as text; secrets go into lines and nowhere else.
 * Absent on purpose: anything that reads from a device but who it is and what became of what it was handed.
 */
export { headerOf } from './header.ts'
export { type SerialLine, Talk } from './talk.ts'
export { faultOfWifi, type Self, type Wifi, writeProvision } from './words.ts'
