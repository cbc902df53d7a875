// SPDX-License-Identifier: GPL-3.0-or-later
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

export const ROOT = join(import.meta.dirname, '..', '..')

/** Files that are committed, or would be. */
export function files(pattern: string): string[] {
  const listed = execFileSync(
    'git',
    ['ls-files', '--cached', '--others', '--exclude-standard', '--', pattern],
    {
      cwd: ROOT,
      encoding: 'utf8',
    },
  )
  return [...new Set(listed.split('\n'))].filter((file) => file !== '')
}

export function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8')
}

/** What a source does, without what it says: comments and the contents of strings are blanked. */
export function code(file: string): string {
  return read(file)
    .replace(/\/\*[\s\S]*?\*\//g, ' ')
    .replace(/(^|[^:'"`])\/\/.*$/gm, '$1')
    .replace(/'(?:[^'\\\n]|\\.)*'/g, "''")
}

export interface Import {
  readonly from: string
  /** A path from the root, or the name of a package. */
  readonly to: string
  /** Gone when the program runs. */
  readonly isType: boolean
}

export function importsOf(file: string): Import[] {
  const found = read(file).matchAll(
    /^\s*(?:import|export)\b[^'"]*?from\s+'([^']+)'|import\('([^']+)'\)|^import '([^']+)'/gm,
  )
  return [...found].map((match) => {
    const target = (match[1] ?? match[2] ?? match[3])!
    const to = target.startsWith('.') ? normalize(join(dirname(file), target)) : target
    return { from: file, to, isType: /^\s*import type\b/.test(match[0]) }
  })
}
