// SPDX-License-Identifier: GPL-3.0-or-later
import { GRANT_ID_BYTES, PERSON_ID_BYTES, TEXT_ID_CHARS } from '../../schemas/gen/ts/wire.ts'
import { SETTINGS, settingOfFlag } from '../config/index.ts'

/** What no shell can put into an argument. */
const MARK = '\0'
const LENGTHS = new Set([TEXT_ID_CHARS, ...[PERSON_ID_BYTES, GRANT_ID_BYTES].map(charsOf)])
/** Of a dash and at least one character that no flag has. */
const DASHED = /^-[a-z-]*[A-Z0-9_][\w-]*$/

function charsOf(bytes: number): number {
  return Math.ceil((bytes * 8) / 6)
}

/**
 * One id of 64 begins with a dash: yargs would take it for flags. It would give `true` to a flag before it (`set lamp on --json true`),
 * print help for what is called `help`, and lose what stands behind `--`. Such words are marked before it reads them, and what it read
 * loses the mark. What is in small letters alone is a flag, so an id like that needs the `--`. `-h` is told to it in full: as a flag
 * of its own it would be found within any word of one dash.
 * @param groups  the words behind which a verb stands, or `help` in its place
 */
export function markWords(args: readonly string[], groups: readonly string[]): string[] {
  const at = args.indexOf('--')
  const [before, behind] = at < 0 ? [args, []] : [args.slice(0, at), args.slice(at + 1)]
  const marked = (arg: string, isWord: boolean) => (isWord ? MARK + arg : arg)
  return [
    ...before.map((arg, at) => {
      if (arg === '-h') return '--help'
      return marked(arg, isDashedId(arg) || isTaken(arg, before.slice(0, at), groups))
    }),
    ...behind.map((arg) => marked(arg, arg.startsWith('-') || TAKEN.has(arg))),
  ]
}

/** The first word that yargs reads as letters of flags, though we have none of one letter. */
export function takenForFlags(args: readonly string[]): string | undefined {
  const end = args.indexOf('--')
  const before = end < 0 ? args : args.slice(0, end)
  return before.find((arg) => /^-[^-]/.test(arg) && Number.isNaN(Number(arg)) && !isDashedId(arg))
}

const TAKEN: ReadonlySet<string> = new Set(['true', 'false', 'help'])

/** Whether yargs would take this word for something else than what it is. @param before  what was typed before it */
function isTaken(arg: string, before: readonly string[], groups: readonly string[]): boolean {
  if (arg === 'help') {
    const words = before.filter((each) => !each.startsWith('-'))
    return words.length > 1 || (words.length === 1 && !groups.includes(words[0]!))
  }
  const setting = settingOfFlag(before.at(-1)?.replace(/^--/, '') ?? '')
  return TAKEN.has(arg) && (setting === undefined || SETTINGS[setting].kind.is !== 'flag')
}

function isDashedId(arg: string): boolean {
  return LENGTHS.has(arg.length) && DASHED.test(arg)
}

/** @param read  what yargs made of marked arguments */
export function unmarkWords(read: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(read).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.map(unmark) : unmark(value),
    ]),
  )
}

function unmark(value: unknown): unknown {
  return typeof value === 'string' && value.startsWith(MARK) ? value.slice(MARK.length) : value
}

/** @param sentence  of yargs, with such words in it */
export function unmarkAll(sentence: string): string {
  return sentence.replaceAll(MARK, '')
}
