// SPDX-License-Identifier: GPL-3.0-or-later
/** How an output of the device is driven, as its port writes it down. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** 0 to 1,000; 0 for an output that was never driven. */
export function levelOf(directory: string, output: number): number {
  try {
    return Number(readFileSync(join(directory, 'world', `output-${output}`), 'utf8'))
  } catch {
    return 0
  }
}

export function isPowered(directory: string, output: number): boolean {
  return levelOf(directory, output) > 0
}
