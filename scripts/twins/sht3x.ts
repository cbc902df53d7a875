// SPDX-License-Identifier: GPL-3.0-or-later
/** Sensirion SHT3x-DIS, datasheet version 5: single shot without clock stretching (§4.3, §4.4), checksums (§4.12), conversion (§4.13). */
import type { I2cChip } from './index.ts'
import type { Part } from './world.ts'

const SINGLE_SHOT_HIGH = 0x2400
const MEASURING_MS = 15 // table 4, high repeatability, the most

function checksum(bytes: readonly number[]): number {
  let crc = 0xff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80 ? ((crc << 1) ^ 0x31) & 0xff : crc << 1
  }
  return crc
}

function word(value: number, spoil: boolean): number[] {
  const raw = Math.min(65_535, Math.max(0, value))
  const bytes = [raw >> 8, raw & 0xff]
  return [...bytes, checksum(bytes) ^ (spoil ? 1 : 0)]
}

/** The last bit trembles, as it does in air; one that is stuck repeats itself. */
export function sht3x(now: () => number): I2cChip {
  let readyAt = Number.POSITIVE_INFINITY
  let tremble = 0
  return {
    transfer(out, inSize, part: Part) {
      if (out.length === 2 && ((out[0]! << 8) | out[1]!) === SINGLE_SHOT_HIGH) {
        readyAt = part.fault === 'asleep' ? Number.POSITIVE_INFINITY : now() + MEASURING_MS
        return inSize === 0 ? Buffer.alloc(0) : undefined
      }
      if (out.length !== 0 || inSize > 6 || now() < readyAt) return undefined
      readyAt = Number.POSITIVE_INFINITY
      if (part.fault !== 'stuck') tremble ^= 1
      const { temperature = 20, humidity = 50 } = part.values
      const spoil = part.fault === 'checksum'
      const raws = [((temperature + 45) / 175) * 65_535, (humidity / 100) * 65_535]
      return Buffer.from(raws.flatMap((raw) => word(Math.round(raw) + tremble, spoil))).subarray(0, inSize)
    },
  }
}
