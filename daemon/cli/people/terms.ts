// SPDX-License-Identifier: GPL-3.0-or-later
/** The flags of everything that grants, and what they come to. */
import type { Argv } from 'yargs'
import { GRANT_LEASE_S_MAX, GRANT_USES_MAX } from '../../../schemas/gen/ts/wire.ts'
import type { Instant } from '../../base/clock.ts'
import type { Grant } from '../../core/envelope/index.ts'
import { CliError } from '../error.ts'
import { parseDuration } from '../time.ts'
import { parseHours, sayHours } from './hours.ts'
import type { House } from './house.ts'
import { parseMoment, sayMoment } from './moment.ts'
import { type Target, targetNamed } from './scope.ts'
import { parseWhat, sayWhat } from './what.ts'

/** All of a grant but whose it is. */
export type Terms = Pick<
  Grant,
  'devices' | 'what' | 'leaseS' | 'expiresAt' | 'notBefore' | 'share' | 'hours' | 'uses'
>

export interface TermFlags {
  readonly hours: string | undefined
  readonly from: string | undefined
  readonly until: string | undefined
  readonly uses: string | undefined
  readonly lease: string
}

/** Of what needs the hub to have been heard lately, when nothing else is said. */
export const LEASE = '1d'

export function termOptions<T>(cli: Argv<T>) {
  return cli
    .option('hours', {
      type: 'string',
      describe: 'only then, each week: "Mon-Fri 08:00-18:00, Sat 10:00-12:00"',
    })
    .option('from', { type: 'string', describe: 'not before: a date, a time, or how long from now' })
    .option('until', { type: 'string', describe: 'not after: a date, a time, or how long from now' })
    .option('uses', { type: 'string', describe: `so many times; needs --until; 1 to ${GRANT_USES_MAX}` })
    .option('lease', {
      type: 'string',
      default: LEASE,
      describe: 'ends by itself where the hub was not heard for so long; none: never',
    })
}

/** `<device> <what..>` of a command line, with all that bounds them, and whether it may be passed on. */
export function grantOptions<T>(cli: Argv<T>) {
  const where = cli
    .positional('device', {
      type: 'string',
      demandOption: true,
      describe: 'name or id of a device, a group, or: everything',
    })
    .positional('what', {
      type: 'string',
      array: true,
      demandOption: true,
      describe: 'properties and actions: unlock, on, level:read, all, all:read',
    })
  return shareOptions(termOptions(where))
}

function shareOptions<T>(cli: Argv<T>) {
  return cli
    .option('may-share', {
      type: 'boolean',
      default: false,
      describe: 'they may pass it on, once, and never more than it',
    })
    .option('may-share-on', {
      type: 'boolean',
      default: false,
      describe: 'they may pass it on, and so may whoever gets it from them',
    })
}

/** How many more times it may be passed on, as grants have it. */
export function readShare(flags: {
  readonly 'may-share': boolean
  readonly 'may-share-on': boolean
}): Pick<Terms, 'share'> {
  if (flags['may-share-on']) return { share: 2 }
  return flags['may-share'] ? { share: 1 } : {}
}

/** @throws CliError usage | not-found | no-such-affordance | … with what to say instead */
export function readTerms(
  house: House,
  now: Instant,
  asked: { readonly target: string; readonly what: readonly string[] },
  flags: TermFlags,
): Terms & { readonly target: Target } {
  const target = targetNamed(house, asked.target)
  const what = parseWhat(asked.what, target)
  const notBefore = flags.from === undefined ? undefined : parseMoment(flags.from, '--from', now, house.zone)
  const expiresAt =
    flags.until === undefined ? undefined : parseMoment(flags.until, '--until', now, house.zone)
  if (notBefore !== undefined && expiresAt !== undefined && notBefore >= expiresAt) {
    throw new CliError('usage', '--from is not before --until')
  }
  const uses = flags.uses === undefined ? undefined : parseUses(flags.uses)
  const hours = flags.hours === undefined ? undefined : parseHours(flags.hours)
  return {
    target,
    devices: target.devices,
    what,
    leaseS: parseLease(flags.lease),
    ...(notBefore !== undefined && { notBefore }),
    ...(expiresAt !== undefined && { expiresAt }),
    ...(hours && { hours }),
    ...(uses !== undefined && { uses }),
  }
}

/** @throws CliError usage */
export function requireEnd({ uses, expiresAt }: Terms): void {
  if (uses === undefined || expiresAt !== undefined) return
  throw new CliError('usage', '--uses needs an --until: a device keeps count only that long', {
    next: 'say until when, such as --until 1w',
  })
}

function parseUses(text: string): number {
  const uses = /^\d{1,3}$/.test(text) ? Number(text) : 0
  if (uses >= 1 && uses <= GRANT_USES_MAX) return uses
  throw new CliError('usage', `--uses is a number from 1 to ${GRANT_USES_MAX}, not ${text.slice(0, 40)}`)
}

function parseLease(text: string): number {
  return /^(?:none|0)$/i.test(text) ? 0 : parseDuration(text, '--lease', GRANT_LEASE_S_MAX)
}

/** `unlock on front-door, Mon–Fri 08:00–18:00, until 2026-12-24 18:00, 1 use` */
export function sayTerms(terms: Terms, where: string, zone: string): string {
  const parts = [
    `${sayWhat(terms.what)} on ${where}`,
    terms.hours && sayHours(terms.hours),
    terms.notBefore !== undefined && `from ${sayMoment(terms.notBefore, zone)}`,
    terms.expiresAt !== undefined && `until ${sayMoment(terms.expiresAt, zone)}`,
    terms.uses !== undefined && (terms.uses === 1 ? 'once' : `${terms.uses} times`),
    terms.share !== undefined && (terms.share > 1 ? 'may be passed on, and on' : 'may be passed on'),
    terms.leaseS === 0 && 'also when the hub is dead',
  ]
  return parts.filter(Boolean).join(', ')
}
