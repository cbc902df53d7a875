// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Something that a motor moves between two end switches: `slide end=1 forward=1 backward=2 travel=600` (end 1 or −1; two outputs; how many
 * milliseconds at full speed from end to end). It begins at the backward end. With fault=stuck it does not move.
 */
import { levelOf } from './outputs.ts'
import type { Part } from './world.ts'

export type Slide = (part: Part) => number | undefined

/** @param now milliseconds that only rise. @returns for each part: 1 at its end, 0 elsewhere; undefined for what is no end switch */
export function openSlide(directory: string, now: () => number): Slide {
  let position = 0
  let lookedAt = now()
  return ({ name, values, fault }) => {
    if (name !== 'slide') return undefined
    const { end = 1, forward = 1, backward = 2, travel = 1000 } = values
    const speed = (levelOf(directory, forward) - levelOf(directory, backward)) / 1000
    const passed = now() - lookedAt
    lookedAt += passed
    if (fault !== 'stuck') position = Math.min(travel, Math.max(0, position + speed * passed))
    return position === (end > 0 ? travel : 0) ? 1 : 0
  }
}
