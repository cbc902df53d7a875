// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * A keypad's foils: `keys` in world/ holds what is pressed, such as `5` or `1 3 7`; a column is `matrix column=1 rows=0` (its own number, and
 * the output of the first row). A column is high when keys connect it to a row that is driven, by whatever way: three pressed keys
 * look like four, as on a real foil.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isPowered } from './outputs.ts'
import type { Part } from './world.ts'

const KEYS = ['123', '456', '789', '*0#']

/** @returns 1: high, 0: low; undefined for what is no column */
export function columnLevel(directory: string, { name, values }: Part): number | undefined {
  if (name !== 'matrix') return undefined
  const pressed = pressedKeys(directory)
  const driven = KEYS.flatMap((_, row) => (isPowered(directory, values.rows! + row) ? [`row ${row}`] : []))
  const reached = new Set(driven)
  for (let before = -1; before < reached.size; ) {
    before = reached.size
    for (const [row, column] of pressed) {
      if (reached.has(row)) reached.add(column)
      if (reached.has(column)) reached.add(row)
    }
  }
  return reached.has(`column ${values.column}`) ? 1 : 0
}

/** Each as the two wires that it connects. */
function pressedKeys(directory: string): (readonly [string, string])[] {
  let text = ''
  try {
    text = readFileSync(join(directory, 'world', 'keys'), 'utf8')
  } catch {
    return []
  }
  return text
    .trim()
    .split(/\s+/)
    .flatMap((key) => {
      const row = KEYS.findIndex((keys) => key.length === 1 && keys.includes(key))
      return row < 0 ? [] : [[`row ${row}`, `column ${KEYS[row]!.indexOf(key)}`] as const]
    })
}
