// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * A program to be killed: writes to the database named by its first argument, as fast as it can, and prints a line for each
 * write that was acknowledged. Its second argument keeps its devices apart from those of other runs.
 */
import { writeSync } from 'node:fs'
import { hello, NOON, newDevice, openHome, partyOf, reading } from './state.ts'

const DEVICES_PER_RUN = 1000
export const SAMPLES = 3

/** Samples from which their reading can be told. */
export function samplesOf(sequence: number) {
  return Array.from({ length: SAMPLES }, (_, i) => ({
    affordance: 2,
    at: NOON + sequence,
    value: sequence * 10 + i,
  }))
}

async function main(path: string, run: number): Promise<void> {
  const home = await openHome(path)
  const say = (line: string) => writeSync(1, `${line}\n`)
  const addDevice = async (number: number) => {
    const device = partyOf(number)
    const enrolled = [
      home.devices.enrol(newDevice(number), NOON),
      home.journal.append({ kind: 'enrolled', at: NOON, device }),
    ]
    await Promise.all(enrolled)
    say(`device ${device}`)
    await home.devices.sessionOpened(device, hello(number, 0, { firmware: `run ${run}` }), NOON)
    say(`session ${device}`)
  }
  const addReading = async (number: number, sequence: number) => {
    await home.readings.append(partyOf(number), reading(number, sequence, samplesOf(sequence)), NOON)
    say(`reading ${partyOf(number)} ${sequence}`)
  }
  const addEntry = async (number: number) => {
    const entry = await home.journal.append({ kind: 'command', at: NOON, device: partyOf(number) })
    say(`entry ${entry.index} ${entry.hash.toHex()}`)
  }
  for (let turn = 0; turn < 100 * DEVICES_PER_RUN; turn++) {
    const number = run * DEVICES_PER_RUN + (Math.floor(turn / 100) % DEVICES_PER_RUN)
    if (turn % 100 === 0) await addDevice(number)
    const readings = [1, 2, 3, 4].map((i) => addReading(number, turn * 4 + i))
    await Promise.all([...readings, addEntry(number), addEntry(number)])
  }
}

if (import.meta.main) await main(process.argv[2]!, Number(process.argv[3]))
