// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * What surrounds a simulated device: one file per place in its `world/`, read at every question, so that a text editor is weather.
 * A line like `sht3x temperature=18.4 humidity=56.1 fault=checksum`: the part, what it would measure in its own units, and what
 * is wrong with it. No file: nothing is connected there.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * absent: it does not answer; checksum: its sums are wrong; stuck: it repeats itself; asleep: it never finishes; hiccup: one sum in
 * three is wrong; locked: it carries out nothing; cut, torn: the end or the beginning of what it gives is missing; reset: it lost its power
 * after it was asked; endless: it has ever more to say.
 */
export type Fault =
  | 'absent'
  | 'checksum'
  | 'stuck'
  | 'asleep'
  | 'hiccup'
  | 'locked'
  | 'cut'
  | 'torn'
  | 'reset'
  | 'endless'

export interface Part {
  readonly name: string
  readonly values: Readonly<Record<string, number>>
  readonly fault: Fault | undefined
}

export function readPart(directory: string, place: string): Part | undefined {
  let text: string
  try {
    text = readFileSync(join(directory, 'world', place), 'utf8').trim()
  } catch {
    return undefined
  }
  const [name = '', ...words] = text.split(/\s+/)
  const pairs = words.map((word) => word.split('=') as [string, string])
  const fault = pairs.find(([key]) => key === 'fault')?.[1] as Fault | undefined
  const values = Object.fromEntries(
    pairs.filter(([key]) => key !== 'fault').map(([key, value]) => [key, Number(value)]),
  )
  return fault === 'absent' ? undefined : { name, values, fault }
}
