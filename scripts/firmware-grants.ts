// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * What judging by grants costs on an emulated chip: firmware/check/vectors plays a chain of three links under emulation, twice, and
 * flashcheck.so counts the instructions of each step, its receipt left out.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmulator } from './emulator.ts'
import { type EmulatedPort, FLASHCHECK, programPath } from './firmware.ts'
import { addresses } from './firmware-elf.ts'
import { adopt } from './home/children.ts'

const STEP_MS_MAX = 30_000
const COUNTED = ['session_step', 'envelope_seal_end']
/** An owner's envelope comes first, a command last. */
const LINKS = 3

/** Instructions. */
export type GrantCost = {
  /** All three links, when they come for the first time and when they were seen before. */
  chain: number
  chainSeen: number
  /** A command by the last of them, its own signature included. */
  command: number
}

export async function measureGrants(port: EmulatedPort): Promise<GrantCost> {
  const elf = programPath(port, 'vectors')
  const spans = addresses(port, 'vectors', COUNTED)
  const directory = mkdtempSync(join(tmpdir(), 'shallot-grants-'))
  mkdirSync(join(directory, 'world'), { mode: 0o700 })
  try {
    const emulator = startEmulator({ elf, flashcheck: FLASHCHECK, directory, spans })
    await using child = adopt(emulator.child, emulator.end)
    const story = storyOf('chain-three.txt')
    const frames = story.filter((line) => line.startsWith('frame: '))
    const again = frames.slice(1, 1 + LINKS)
    for (const line of ['file: chain-three.txt', ...story, ...again, 'end:'])
      emulator.child.stdin!.write(`${line}\n`)
    await child.line(/^flashcheck: ok /, STEP_MS_MAX)
    const steps = stepsIn(child.lines)
    if (steps.length !== frames.length + LINKS)
      throw new Error(`the story took another course:\n${child.lines.join('\n')}`)
    const sum = (from: number) => steps.slice(from, from + LINKS).reduce((a, b) => a + b, 0)
    return { chain: sum(1), chainSeen: sum(frames.length), command: steps[frames.length - 1]! }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function storyOf(file: string): string[] {
  const path = join(import.meta.dirname, '..', 'schemas', 'vectors', 'grants', file)
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
}

/** One count per step; what it sealed by the way is told just before it. */
function stepsIn(lines: readonly string[]): number[] {
  const steps: number[] = []
  let sealed = 0
  for (const line of lines) {
    const span = /^span (\w+) instructions=(\d+)$/.exec(line)
    if (span?.[1] === 'envelope_seal_end') sealed += Number(span[2])
    if (span?.[1] !== 'session_step') continue
    steps.push(Number(span[2]) - sealed)
    sealed = 0
  }
  return steps
}
