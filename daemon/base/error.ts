// SPDX-License-Identifier: GPL-3.0-or-later

/**
 * A refusal that a caller must answer: the expected "no", as a value.
 * `why` is a code of the room (or of schemas/codes.csv where it crosses the wire); `detail` is a sentence for a person.
 */
export type No<Why extends string> = { readonly ok: false; readonly why: Why; readonly detail?: string }
export type Yes<T> = { readonly ok: true; readonly value: T }
export type Verdict<T, Why extends string> = Yes<T> | No<Why>

export function yes<T>(value: T): Yes<T> {
  return { ok: true, value }
}

export function no<Why extends string>(why: Why, detail?: string): No<Why> {
  return detail === undefined ? { ok: false, why } : { ok: false, why, detail }
}

/**
 * The one shape of an error that stops its caller: a closed `code`, a sentence with facts, the `cause`.
 * Each room derives one class: `class LinkError extends RoomError<'address-in-use' | 'bad-key'> {}`.
 */
export class RoomError<Code extends string> extends Error {
  readonly code: Code

  constructor(code: Code, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
    this.name = new.target.name
  }
}

/** Narrows a caught value to an error that carries exactly this code. */
export function isCode<Code extends string>(error: unknown, code: Code): error is Error & { code: Code } {
  return error instanceof Error && 'code' in error && error.code === code
}

/** The code of a caught value, if it has one: for logs and for translating, never for deciding. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** What a person is told of a caught value; never a stack, never a cause chain that could hold input bytes. */
export function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Silence on purpose: says why nothing is done about an error. */
export function ignore(_error: unknown, _because: string): void {}
