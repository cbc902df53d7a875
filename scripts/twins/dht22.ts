// SPDX-License-Identifier: GPL-3.0-or-later
/** Aosong AM2302 (DHT22), product manual §7: 80 µs, then 40 bits of about 26 (0) or 70 µs (1); tenths, the sign apart, a sum of bytes. */
import type { Part } from './world.ts'

const WAKE_US_LEAST = 800

/** The high pulses that answer, in µs, or nothing when it was not woken. */
export function dht22(wakeUs: number, count: number, { values, fault }: Part): Buffer | undefined {
  if (wakeUs < WAKE_US_LEAST || fault === 'asleep') return undefined
  const { temperature = 20, humidity = 50 } = values
  const tenths = Math.round(Math.abs(temperature) * 10) | (temperature < 0 ? 0x8000 : 0)
  const wet = Math.round(humidity * 10)
  const bytes = [wet >> 8, wet & 0xff, tenths >> 8, tenths & 0xff]
  const sum = bytes.reduce((total, byte) => total + byte, 0) & 0xff
  const sent = [...bytes, sum ^ (fault === 'checksum' ? 1 : 0)]
  const bits = sent.flatMap((byte) => [7, 6, 5, 4, 3, 2, 1, 0].map((bit) => (byte >> bit) & 1))
  const widths = [80, ...bits.map((bit) => (bit ? 70 : 26))]
  if (count > widths.length) return undefined
  const answer = Buffer.alloc(2 * count)
  widths.slice(0, count).forEach((width, at) => void answer.writeUInt16LE(width, 2 * at))
  return answer
}
