// SPDX-License-Identifier: GPL-3.0-or-later
import { CliError } from './error.ts'

/** A device of this home, or with `home` of another one of the owner's. */
export interface Namable {
  readonly id: string
  readonly name: string
  readonly home?: string | undefined
}

/**
 * The device that is meant by an id, by `<home>/<name>`, or by a name: with that one of this home comes before those of others.
 * @throws CliError conflict when several are meant
 */
export function meantBy<T extends Namable>(things: readonly T[], named: string): T | undefined {
  const known = things.find(({ id }) => id === named)
  if (known) return known
  const called = things.filter((each) => fullName(each) === named)
  const found = called.length > 0 ? called : things.filter(({ name }) => name === named)
  if (found.length < 2) return found[0]
  throw new CliError('conflict', `${found.length} devices are called ${named}`, {
    next: `say which: ${found.map(fullName).join(', ')}`,
  })
}

/** What tells it from one of the same name elsewhere. */
export function fullName({ name, home }: Namable): string {
  return home === undefined ? name : `${home}/${name}`
}
