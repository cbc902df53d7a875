// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Bosch BME280, datasheet BST-BME280-DS002: registers (§5.3), forced mode (§3.3.3), and its trimming turned round: the raw
 * numbers for what it should measure are found by bisection over the floating-point formulas of §8.1. T and P are trimmed as in
 * the worked example of the BMP280's datasheet (§3.12), which shares these formulas.
 */
import type { I2cChip } from './index.ts'

const [ID, CTRL_HUM, STATUS, CTRL_MEAS, DATA] = [0xd0, 0xf2, 0xf3, 0xf4, 0xf7]
const MEASURING_MS = 9.3 // §9.1, every oversampling × 1
const T = [27504, 26435, -1000]
const P = [36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000]
const H = [75, 361, 0, 324, 50, 30]

function fineOf(raw: number): number {
  const a = (raw / 16384 - T[0]! / 1024) * T[1]!
  const b = (raw / 131072 - T[0]! / 8192) ** 2 * T[2]!
  return a + b
}

function pressureOf(raw: number, fine: number): number {
  const half = fine / 2 - 64000
  const offset = (half * half * P[5]!) / 32768 + half * P[4]! * 2
  const base = offset / 4 + P[3]! * 65536
  const scale = (1 + ((P[2]! * half * half) / 524288 + P[1]! * half) / 524288 / 32768) * P[0]!
  const first = ((1048576 - raw - base / 4096) * 6250) / scale
  return first + ((P[8]! * first * first) / 2147483648 + (first * P[7]!) / 32768 + P[6]!) / 16
}

function humidityOf(raw: number, fine: number): number {
  const t = fine - 76800
  const linear = raw - (H[3]! * 64 + (H[4]! / 16384) * t)
  const gain = (H[1]! / 65536) * (1 + (H[5]! / 67108864) * t * (1 + (H[2]! / 67108864) * t))
  const rough = linear * gain
  return rough * (1 - (H[0]! * rough) / 524288)
}

/** The raw number at which a steadily rising (or falling) formula gives `wanted`. */
function solve(formula: (raw: number) => number, wanted: number, most: number): number {
  let [low, high] = [0, most]
  const rises = formula(most) > formula(0)
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (formula(middle) > wanted === rises) high = middle
    else low = middle
  }
  return low
}

function trimming(): Buffer {
  const registers = Buffer.alloc(256)
  registers[ID] = 0x60
  T.forEach((value, at) => void registers.writeUInt16LE(value & 0xffff, 0x88 + 2 * at))
  P.forEach((value, at) => void registers.writeUInt16LE(value & 0xffff, 0x8e + 2 * at))
  registers[0xa1] = H[0]!
  registers.writeUInt16LE(H[1]!, 0xe1)
  registers[0xe3] = H[2]!
  registers[0xe4] = H[3]! >> 4
  registers[0xe5] = (H[3]! & 0xf) | ((H[4]! & 0xf) << 4)
  registers[0xe6] = H[4]! >> 4
  registers[0xe7] = H[5]!
  return registers
}

export function bme280(now: () => number): I2cChip {
  const registers = trimming()
  let readyAt = 0
  let at = 0
  let tremble = 0

  function measure({ temperature = 20, pressure = 101_325, humidity = 50 }: Record<string, number>): void {
    const rawT = solve((raw) => fineOf(raw) / 5120, temperature, 1_048_575) + tremble
    const fine = fineOf(rawT)
    const rawP = solve((raw) => pressureOf(raw, fine), pressure, 1_048_575) + tremble
    const rawH = solve((raw) => humidityOf(raw, fine), humidity, 65_535)
    registers.writeUIntBE(rawP << 4, DATA, 3)
    registers.writeUIntBE(rawT << 4, DATA + 3, 3)
    registers.writeUInt16BE(rawH, DATA + 6)
  }

  /** §5.4.7 to §5.4.9: what the registers hold when nothing was measured. */
  function forget(): void {
    registers.writeUIntBE(0x800000, DATA, 3)
    registers.writeUIntBE(0x800000, DATA + 3, 3)
    registers.writeUInt16BE(0x8000, DATA + 6)
  }

  return {
    transfer(out, inSize, part) {
      if (out.length > 0) at = out[0]!
      if (out.length === 2) {
        registers[at] = out[1]!
        const isMeasured = (registers[CTRL_HUM]! & 7) !== 0 && (out[1]! & 3) !== 0
        if (at === CTRL_MEAS && isMeasured) {
          if (part.fault !== 'stuck') tremble ^= 1
          if (part.fault === 'reset') forget()
          else measure(part.values)
          readyAt = part.fault === 'asleep' ? Number.POSITIVE_INFINITY : now() + MEASURING_MS
        }
      }
      registers[STATUS] = now() < readyAt ? 8 : 0
      if (part.fault === 'checksum') registers[ID] = 0x58 // it has no sums: another chip answers, a BMP280
      return Buffer.from(registers.subarray(at, at + inSize))
    },
  }
}
