// SPDX-License-Identifier: GPL-3.0-or-later
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const VECTORS = join(import.meta.dirname, '..', '..', 'schemas', 'vectors')

/** Lines of one file, in order; an unknown field or code is fatal where it is used. */
export interface Vector {
  readonly file: string
  readonly lines: readonly (readonly [field: string, value: string])[]
}

export function readVectors(room: string): Vector[] {
  return readdirSync(join(VECTORS, room))
    .sort()
    .map((file) => ({ file, lines: parse(readFileSync(join(VECTORS, room, file), 'utf8')) }))
}

function parse(text: string): [string, string][] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => {
      const at = line.indexOf(':')
      if (at < 1) throw new Error(`not a field: ${line}`)
      return [line.slice(0, at), line.slice(at + 1).trim()]
    })
}
