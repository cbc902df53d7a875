// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * A picture as a camera gives it: baseline JPEG (ITU-T T.81), grey, blocks of eight by eight pixels of one brightness each, so that only
 * their mean is coded. In: a size and the brightness of each block; out: bytes that every viewer shows.
 */

/** T.81 table K.3: the codes of the sizes of differences between means. */
const DC_COUNTS = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]
const DC_SIZES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
/** One code alone: nothing follows in this block. */
const AC_COUNTS = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
const END_OF_BLOCK = 0
const BLOCK = 8
/** A mean is coded as eight times its distance from the middle; this divisor makes it the distance itself. */
const QUANTUM = 8

/** @param brightness 0 to 255 for a block, by column and row */
export function jpegOf(width: number, height: number, brightness: (x: number, y: number) => number): Buffer {
  const bits = new Bits()
  let before = 0
  for (let y = 0; y < height / BLOCK; y++) {
    for (let x = 0; x < width / BLOCK; x++) {
      const mean = Math.round(Math.min(255, Math.max(0, brightness(x, y)))) - 128
      bits.difference(mean - before)
      before = mean
    }
  }
  return Buffer.concat([
    Buffer.of(0xff, 0xd8),
    segment(0xdb, [0, ...Array.from({ length: 64 }, () => QUANTUM)]),
    segment(0xc0, [8, height >> 8, height & 255, width >> 8, width & 255, 1, 1, 0x11, 0]),
    segment(0xc4, [0x00, ...DC_COUNTS, ...DC_SIZES]),
    segment(0xc4, [0x10, ...AC_COUNTS, END_OF_BLOCK]),
    segment(0xda, [1, 1, 0x00, 0, 63, 0]),
    bits.end(),
    Buffer.of(0xff, 0xd9),
  ])
}

/** A marker, the length with its own two bytes, the contents. */
export function segment(marker: number, contents: readonly number[]): Buffer {
  const size = contents.length + 2
  return Buffer.from([0xff, marker, size >> 8, size & 255, ...contents])
}

/** The canonical codes of a table by symbol: length and value (T.81 annex C). */
function codesOf(
  counts: readonly number[],
  symbols: readonly number[],
): Map<number, readonly [number, number]> {
  const codes = new Map<number, readonly [number, number]>()
  let code = 0
  let next = 0
  counts.forEach((count, at) => {
    for (let i = 0; i < count; i++) codes.set(symbols[next++]!, [at + 1, code++])
    code <<= 1
  })
  return codes
}

const DC_CODES = codesOf(DC_COUNTS, DC_SIZES)

class Bits {
  readonly #bytes: number[] = []
  #held = 0
  #count = 0

  /** One block: how its mean differs from the one before, then its end. */
  difference(value: number): void {
    const size = value === 0 ? 0 : Math.floor(Math.log2(Math.abs(value))) + 1
    this.#put(...DC_CODES.get(size)!)
    if (size > 0) this.#put(size, value > 0 ? value : value + 2 ** size - 1)
    this.#put(1, 0)
  }

  #put(size: number, value: number): void {
    for (let at = size - 1; at >= 0; at--) {
      this.#held = (this.#held << 1) | ((value >> at) & 1)
      if (++this.#count < 8) continue
      this.#bytes.push(this.#held)
      // What looks like a marker is followed by a zero that says that it is none.
      if (this.#held === 0xff) this.#bytes.push(0)
      this.#held = 0
      this.#count = 0
    }
  }

  /** The last byte is filled with ones. */
  end(): Buffer {
    while (this.#count > 0) this.#put(1, 1)
    return Buffer.from(this.#bytes)
  }
}
