// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * OmniVision OV2640, data sheet version 1.6: two banks of registers behind 0xff, its name in 0a and 0b of the sensor's, a reset by bit 7 of
 * 12; and the frames that its own bus brings. In world/: `i2c-30` with `ov2640 width=160 height=120 light=80`; a picture is a gradient that the
 * light moves, and every one is another. Faults: absent; asleep (no frame); cut (the end is missing); torn (the beginning is); checksum
 * (another chip answers); `size=70000` makes it larger than it need be; `padding=8` ends it in zeros.
 */
import type { I2cChip } from './index.ts'
import { jpegOf, segment } from './jpeg.ts'
import { type Part, readPart } from './world.ts'

const [BANK_SELECT, COM7, PRODUCT_HIGH, PRODUCT_LOW] = [0xff, 0x12, 0x0a, 0x0b]
const SENSOR = 1

export function ov2640(): I2cChip {
  let bank = 0
  let at = 0
  return {
    transfer(out, inSize, part) {
      if (out.length > 0) at = out[0]!
      if (out.length === 2 && at === BANK_SELECT) bank = out[1]! & 1
      if (out.length === 2 && at === COM7 && bank === SENSOR && out[1]! & 0x80) bank = 0
      // Two phases apart: what is asked and read in one transfer is no SCCB.
      if (inSize > 0 && out.length > 0) return undefined
      const names: Record<number, number> = {
        [PRODUCT_HIGH]: part.fault === 'checksum' ? 0x77 : 0x26,
        [PRODUCT_LOW]: 0x42,
      }
      return Buffer.alloc(inSize, bank === SENSOR ? (names[at] ?? 0) : 0)
    },
  }
}

const [TAKE, READ, DROP] = [0, 1, 2]
const COMMENT = 0xfe

/** @returns what firmware/port/buses.c is answered; undefined: no frame, or none that long */
export function openCapture(directory: string): (question: Buffer) => Buffer | undefined {
  let kept: Buffer | undefined
  let taken = 0
  return (question) => {
    if (question[1] === TAKE) {
      const part = readPart(directory, 'i2c-30')
      kept = part?.name === 'ov2640' && part.fault !== 'asleep' ? frameOf(part, taken++) : undefined
      if (!kept) return undefined
      const size = Buffer.alloc(4)
      size.writeUInt32LE(kept.length)
      return size
    }
    if (question[1] === DROP) {
      kept = undefined
      return Buffer.alloc(0)
    }
    const [at, size] = [question.readUIntLE(2, 3), question.readUInt16LE(5)]
    return question[1] === READ && kept && at + size <= kept.length ? kept.subarray(at, at + size) : undefined
  }
}

function frameOf({ values, fault }: Part, taken: number): Buffer {
  const { width = 160, height = 120, light = 80, size = 0, padding = 0 } = values
  const plain = jpegOf(width, height, (x, y) => light + 4 * x + 2 * y + taken)
  // Comments, which every viewer passes over, right behind the beginning.
  const filler: Buffer[] = []
  for (let missing = size - plain.length; missing > 4; missing -= 65_000) {
    filler.push(
      segment(
        COMMENT,
        Array.from({ length: Math.min(missing, 65_000) - 4 }, () => 0x2e),
      ),
    )
  }
  const whole = Buffer.concat([plain.subarray(0, 2), ...filler, plain.subarray(2), Buffer.alloc(padding)])
  if (fault === 'cut') return whole.subarray(0, -2)
  return fault === 'torn' ? whole.subarray(2) : whole
}
