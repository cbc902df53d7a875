// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * A Wiegand reader as its two wires show it: bursts of bits, one per key or card. In: lines of `world/wiegand`, each the number of
 * bits and their value in hexadecimal, added while the device runs; out: one burst per question. What was there before is over.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const BURST_BYTES = 9

/** @returns the number of bits, 0 for none, then their value in eight bytes, big-endian */
export function openWiegand(directory: string): () => Buffer {
  let told = linesIn(directory).length
  return () => {
    const burst = Buffer.alloc(BURST_BYTES)
    const line = linesIn(directory)[told]
    if (line === undefined) return burst
    told++
    const [bits = '0', value = '0'] = line.split(' ')
    burst[0] = Number(bits)
    burst.writeBigUInt64BE(BigInt(`0x${value}`), 1)
    return burst
  }
}

/** Whole lines alone: the last may still be under way. */
function linesIn(directory: string): string[] {
  try {
    return readFileSync(join(directory, 'world', 'wiegand'), 'utf8')
      .split('\n')
      .slice(0, -1)
  } catch {
    return []
  }
}
