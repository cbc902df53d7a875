// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The chips on a simulated board. In: a question of firmware/port/buses.c; out: what the wires would carry back, or nothing when
 * nobody answers. Each chip is written from its datasheet alone, and knows nothing of the driver that it will meet.
 *
 * Places in world/: `i2c-44` (address, hexadecimal), `onewire-1`, `pulses-2`, `pin-3` (0, 1, a bolt, a column of keys, an end switch);
 * `pulse-1` is written with what a servo is told: high and period in µs; `key-…` is what a chip keeps over a restart; whoever plays a
 * Wiegand reader adds lines to `wiegand`, a burst each: bits and value.
 */
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { atecc608 } from './atecc608.ts'
import { bme280 } from './bme280.ts'
import { boltOf } from './bolt.ts'
import { dht22 } from './dht22.ts'
import { ds18b20 } from './ds18b20.ts'
import { type KeyStore, openKeys } from './keys.ts'
import { columnLevel } from './matrix.ts'
import { openCapture, ov2640 } from './ov2640.ts'
import { se050 } from './se050.ts'
import { sht3x } from './sht3x.ts'
import { openSlide } from './slide.ts'
import { openWiegand } from './wiegand.ts'
import { type Part, readPart } from './world.ts'

export interface I2cChip {
  /** One transfer: what was written, how much is read; undefined: not acknowledged. */
  transfer(out: Uint8Array, inSize: number, part: Part): Buffer | undefined
  /** The line was low for longer than any byte: somebody called the address of nobody. */
  wake?(part: Part): void
}

export interface OneWireChip {
  transfer(out: Uint8Array, inSize: number, part: Part): Buffer
}

const ASK = { pin: 1, pulse: 2, pulses: 3, i2c: 4, onewire: 5, wiegand: 6, capture: 7 } as const
const NOTHING = Buffer.alloc(0)
const I2C_CHIPS: Record<string, (now: () => number, keys: KeyStore) => I2cChip> = {
  sht3x,
  bme280,
  se050,
  atecc608,
  ov2640,
}
const ONE_WIRE_CHIPS: Record<string, (now: () => number) => OneWireChip> = { ds18b20 }

export type Board = (question: Buffer) => Buffer | undefined

/** @param directory the device's own, with world/ in it; @param now milliseconds that only rise */
export function openBoard(directory: string, now: () => number): Board {
  const chips = new Map<string, I2cChip | OneWireChip>()
  const keys = openKeys(directory)
  const wiegand = openWiegand(directory)
  const slide = openSlide(directory, now)
  const capture = openCapture(directory)

  /** The same chip for as long as the same part is in its place. */
  function chipOf<T extends I2cChip | OneWireChip>(
    place: string,
    part: Part,
    makers: Record<string, (now: () => number, keys: KeyStore) => T>,
  ): T | undefined {
    const name = `${place} ${part.name}`
    const chip = (chips.get(name) as T | undefined) ?? makers[part.name]?.(now, keys)
    if (chip) chips.set(name, chip)
    return chip
  }

  function transfer(place: string, question: Buffer): Buffer | undefined {
    const part = readPart(directory, place)
    if (!part) return undefined
    const makers: Record<string, (now: () => number, keys: KeyStore) => I2cChip | OneWireChip> =
      question[0] === ASK.i2c ? I2C_CHIPS : ONE_WIRE_CHIPS
    return chipOf(place, part, makers)?.transfer(question.subarray(3), question[2]!, part)
  }

  function callNobody(): undefined {
    for (const place of readdirSync(join(directory, 'world')).filter((name) => name.startsWith('i2c-'))) {
      const part = readPart(directory, place)
      if (part) chipOf(place, part, I2C_CHIPS)?.wake?.(part)
    }
    return undefined
  }

  function pulses(question: Buffer): Buffer | undefined {
    const part = readPart(directory, `pulses-${question[1]}`)
    return part?.name === 'dht22' ? dht22(question.readUInt16LE(2), question[4]!, part) : undefined
  }

  function pulse(question: Buffer): Buffer {
    const text = `${question.readUInt16LE(4)} of ${question.readUInt16LE(2)}\n`
    writeFileSync(join(directory, 'world', `pulse-${question[1]}`), text)
    return NOTHING
  }

  function pin(channel: number): Buffer | undefined {
    const part = readPart(directory, `pin-${channel}`)
    if (!part) return undefined
    const isDigit = part.name === '0' || part.name === '1'
    const level = isDigit
      ? Number(part.name)
      : (columnLevel(directory, part) ?? slide(part) ?? boltOf(directory, part))
    return level === undefined ? undefined : Buffer.of(level)
  }

  return (question) => {
    switch (question[0]) {
      case ASK.pin:
        return pin(question[1]!)
      case ASK.pulse:
        return pulse(question)
      case ASK.pulses:
        return pulses(question)
      case ASK.i2c:
        return question[1] === 0 ? callNobody() : transfer(`i2c-${question[1]!.toString(16)}`, question)
      case ASK.onewire:
        return transfer(`onewire-${question[1]}`, question)
      case ASK.capture:
        return capture(question)
      case ASK.wiegand:
        return wiegand()
      default:
        return undefined
    }
  }
}
