// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * A lock's bolt as its switch shows it, moved by an output of the same device: `strike output=1` is drawn back by power, `magnet
 * output=1` holds by it. Without the device, which is what powers it, a strike is shut and a magnet lets go.
 */
import { isPowered } from './outputs.ts'
import type { Part } from './world.ts'

/** @returns 1: locked, 0: open; undefined for what is no lock, or has a fault */
export function boltOf(directory: string, { name, values, fault }: Part): number | undefined {
  if (fault === 'stuck') return name === 'strike' ? 1 : 0
  if (name !== 'strike' && name !== 'magnet') return undefined
  return isPowered(directory, values.output!) === (name === 'magnet') ? 1 : 0
}
