// SPDX-License-Identifier: GPL-3.0-or-later
/** What a grant gives: names of properties and actions ⇄ the AIF table of SPEC 12.1. */
import { CAPABILITIES } from '../../../schemas/gen/ts/capabilities.ts'
import { GRANT_PERMISSIONS_MAX, METHOD_GET, METHOD_POST, METHOD_PUT } from '../../../schemas/gen/ts/wire.ts'
import type { Permission } from '../../core/envelope/index.ts'
import { type Affordance, affordanceOf } from '../../core/model/index.ts'
import { CliError } from '../error.ts'

/** What the words may name: the affordances of the devices that the grant is for. */
export interface Scope {
  /** As a person calls it: `front-door`, `the group doors`, `everything`. */
  readonly words: string
  readonly affordances: readonly number[]
}

const METHODS: Readonly<Record<string, number>> = { read: METHOD_GET, write: METHOD_PUT }

/**
 * @param words  `unlock`, `on`, `level:read`, `all`, `all:read`
 * @throws CliError usage | no-such-affordance | read-only
 */
export function parseWhat(words: readonly string[], scope: Scope): readonly Permission[] {
  const table = new Map<number, number>()
  for (const word of words) {
    const [name, how, ...more] = word.split(':')
    if (more.length > 0 || (how !== undefined && !Object.hasOwn(METHODS, how))) {
      throw new CliError('usage', `${JSON.stringify(word.slice(0, 40))} is not understood`, {
        next: 'name a property or an action, alone or with :read or :write behind it; or say all',
      })
    }
    for (const affordance of named(name!, scope)) {
      const methods = how === undefined ? allOf(affordance) : narrowed(affordance, how, name === 'all')
      if (methods > 0) table.set(affordance.number, (table.get(affordance.number) ?? 0) | methods)
    }
  }
  if (table.size === 0) throw new CliError('usage', 'nothing would be granted by that')
  if (table.size > GRANT_PERMISSIONS_MAX) {
    throw new CliError(
      'usage',
      `that is ${table.size} properties and actions, and one grant holds ${GRANT_PERMISSIONS_MAX}`,
      { next: 'name fewer of them, or make a grant for each device' },
    )
  }
  return [...table].sort(([a], [b]) => a - b).map(([affordance, methods]) => ({ affordance, methods }))
}

function named(name: string, scope: Scope): readonly Affordance[] {
  const all = scope.affordances.map(affordanceOf).filter((each) => each !== undefined)
  if (name === 'all') return all
  const one = all.find((each) => each.name === name)
  if (one) return [one]
  const can = all.map((each) => each.name).join(' ')
  const exists = CAPABILITIES.some((capability) => capability.name === name.replace(/\d+$/, ''))
  throw new CliError(
    'no-such-affordance',
    exists
      ? `${scope.words} cannot ${JSON.stringify(name)}`
      : `there is no property or action ${JSON.stringify(name.slice(0, 40))}`,
    { next: can === '' ? undefined : `${scope.words} can: ${can}` },
  )
}

function allOf({ capability }: Affordance): number {
  if (capability.kind === 'action') return METHOD_POST
  return capability.writable ? METHOD_GET | METHOD_PUT : METHOD_GET
}

/** With `all` what cannot be read or written is passed over; by name it is a mistake. */
function narrowed(affordance: Affordance, how: string, fromAll: boolean): number {
  const methods = METHODS[how]!
  if ((allOf(affordance) & methods) !== 0) return methods
  if (fromAll) return 0
  const { name, capability } = affordance
  if (capability.kind === 'action') {
    throw new CliError('usage', `${name} is an action: it cannot be granted for ${how}ing`, {
      next: `say ${name} alone`,
    })
  }
  throw new CliError('read-only', `${name} can be read but not set`, { next: `say ${name} alone` })
}

/** `unlock`, `on`, `level:read` */
export function sayWhat(what: readonly Permission[]): string {
  return what.map(sayPermission).join(' ')
}

function sayPermission({ affordance: number, methods }: Permission): string {
  const affordance = affordanceOf(number)
  if (!affordance) return `#${number}`
  const all = allOf(affordance)
  if ((methods & all) === all) return affordance.name
  const how = [(methods & METHOD_GET) !== 0 && 'read', (methods & METHOD_PUT) !== 0 && 'write'].filter(
    Boolean,
  )
  return how.length === 0 ? `${affordance.name}:nothing` : `${affordance.name}:${how.join('+')}`
}
