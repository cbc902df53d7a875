// SPDX-License-Identifier: GPL-3.0-or-later
import type { Code } from '../../schemas/gen/ts/codes.ts'
import { RoomError } from '../base/error.ts'

/** Beside the codes of the wire: what only a person at a terminal can meet. */
export type CliCode =
  | Code
  | 'usage'
  | 'bad-answer'
  | 'not-confirmed'
  | 'unknown-outcome'
  | 'home-exists'
  | 'interrupted'

/** Ends a verb. `next` tells the person what to do about it. */
export class CliError extends RoomError<CliCode> {
  readonly next: string | undefined

  constructor(code: CliCode, message: string, options?: { cause?: unknown; next?: string | undefined }) {
    super(code, message, options)
    this.next = options?.next
  }
}

export const EXIT = { done: 0, ours: 1, usage: 2, refused: 3, unreachable: 4, notFound: 5 } as const

const USAGE: ReadonlySet<CliCode> = new Set<CliCode>([
  'usage',
  'bad-value',
  'read-only',
  'bad-words',
  'bad-config',
  'unknown-key',
  'code-damaged',
  'code-version',
  'bad-provision',
])
const UNREACHABLE: ReadonlySet<CliCode> = new Set<CliCode>([
  'unreachable',
  'expired',
  'away',
  'silent',
  'link-closed',
  'permit-expired',
  'unknown-outcome',
])
const NOT_FOUND: ReadonlySet<CliCode> = new Set<CliCode>([
  'not-found',
  'no-such-affordance',
  'unknown-device',
  'permit-unknown',
  'missing',
])
const OURS: ReadonlySet<CliCode> = new Set<CliCode>(['internal', 'interrupted'])

/** The exit status that a code ends with; what is in no list was refused. */
export function exitOf(code: CliCode): number {
  if (USAGE.has(code)) return EXIT.usage
  if (UNREACHABLE.has(code)) return EXIT.unreachable
  if (NOT_FOUND.has(code)) return EXIT.notFound
  return OURS.has(code) ? EXIT.ours : EXIT.refused
}
