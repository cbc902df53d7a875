// SPDX-License-Identifier: GPL-3.0-or-later
/** Maxim DS18B20, data sheet 19-7487: scratchpad (figure 9), 12 bit, CRC X^8 + X^5 + X^4 + 1; after power-on it shows 85 °C. */
import type { OneWireChip } from './index.ts'

const [SKIP_ROM, CONVERT, READ_SCRATCHPAD] = [0xcc, 0x44, 0xbe]
const CONVERTING_MS = 750
const POWER_ON = 85

function checksum(bytes: Uint8Array): number {
  let crc = 0
  for (const byte of bytes) {
    for (let bit = 0; bit < 8; bit++) {
      const mix = (crc ^ (byte >> bit)) & 1
      crc = (crc >> 1) ^ (mix ? 0x8c : 0)
    }
  }
  return crc
}

export function ds18b20(now: () => number): OneWireChip {
  let shown = POWER_ON
  let coming: { at: number; temperature: number } | undefined
  return {
    transfer(out, inSize, part) {
      if (out[0] !== SKIP_ROM) return Buffer.alloc(inSize, 0xff)
      if (coming && now() >= coming.at) {
        shown = coming.temperature
        coming = undefined
      }
      if (out[1] === CONVERT && part.fault !== 'asleep') {
        coming = { at: now() + CONVERTING_MS, temperature: part.values.temperature ?? 20 }
      }
      if (out[1] !== READ_SCRATCHPAD) return Buffer.alloc(inSize, 0xff)
      const pad = Buffer.from([0, 0, 0x4b, 0x46, 0x7f, 0xff, 0x0c, 0x10, 0])
      pad.writeInt16LE(Math.round(shown * 16), 0)
      pad[8] = checksum(pad.subarray(0, 8)) ^ (part.fault === 'checksum' ? 1 : 0)
      return Buffer.concat([pad, Buffer.alloc(32, 0xff)]).subarray(0, inSize)
    },
  }
}
