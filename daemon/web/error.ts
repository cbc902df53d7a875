// SPDX-License-Identifier: GPL-3.0-or-later
import type { Code } from '../../schemas/gen/ts/codes.ts'
import { RoomError } from '../base/error.ts'

/** What the page itself finds wrong, beside the codes of the wire. */
export type OwnCode =
  /** The home answered with something that is not of the documented form. */
  | 'bad-answer'
  /** The home answered with something that its root, an owner or the device did not seal. */
  | 'distrust'
  /** The answer broke off before the end of a command. */
  | 'unknown-outcome'
  /** A passphrase that does not open the key. */
  | 'wrong-passphrase'

export type PageCode = Code | OwnCode

export class PageError extends RoomError<PageCode> {}

export function badAnswer(what: string): PageError {
  return new PageError('bad-answer', `the home's answer has no ${what}`)
}

/** What a person is told of something that did not work. */
export function failureOf(error: unknown): { readonly code: PageCode; readonly detail: string } {
  if (error instanceof PageError) return { code: error.code, detail: error.message }
  return { code: 'internal', detail: error instanceof Error ? error.message : String(error) }
}
