// SPDX-License-Identifier: GPL-3.0-or-later
/** Command lines of these scripts. In: what a script takes. Out: its arguments; or the process ends with its usage, as asked (0) or to mend (2). */
import { type ParseArgsConfig, parseArgs } from 'node:util'

/** @param usage  one line for each way to call the script */
export function argumentsOf<T extends ParseArgsConfig>(
  usage: string,
  config: T,
  args: readonly string[] = process.argv.slice(2),
): ReturnType<typeof parseArgs<T>> {
  if (args.includes('--help')) {
    console.log(usage)
    process.exit(0)
  }
  try {
    return parseArgs<T>({ ...config, args: [...args] } as T)
  } catch (error) {
    misused(usage, (error as Error).message)
  }
}

/** Ends the process because of how it was called. */
export function misused(usage: string, why: string): never {
  console.error(`${why}\n${usage}`)
  process.exit(2)
}
