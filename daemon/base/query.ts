// SPDX-License-Identifier: GPL-3.0-or-later
/** The target of a request → values, strictly: a parameter that nobody asked for is refused, not ignored. */
import { fromBase64url } from './bytes.ts'
import { no, type Verdict, yes } from './error.ts'

type Bad = 'bad-request'

/** The query of a request target, each parameter at most once. */
export function readQuery(text: string, known: readonly string[]): Verdict<ReadonlyMap<string, string>, Bad> {
  const query = new Map<string, string>()
  if (text === '') return yes(query)
  if (decoded(text.replaceAll('+', ' ')) === undefined) return no('bad-request', 'the query is badly encoded')
  for (const [name, value] of new URLSearchParams(text)) {
    if (!known.includes(name)) return no('bad-request', 'a query parameter that is not known here')
    if (query.has(name)) return no('bad-request', `${name} is given twice`)
    query.set(name, value)
  }
  return yes(query)
}

/** A whole number in decimal, or `fallback` when it is not given. */
export function readInteger(
  query: ReadonlyMap<string, string>,
  name: string,
  range: { readonly least: number; readonly most: number; readonly fallback: number },
): Verdict<number, Bad> {
  const text = query.get(name)
  if (text === undefined) return yes(range.fallback)
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (value >= range.least && value <= range.most) return yes(value)
  return no('bad-request', `${name} is a whole number from ${range.least} to ${range.most}`)
}

/** Base64url of `least` to `most` bytes. */
export function readBytes(value: unknown, least: number, most: number): Uint8Array | undefined {
  if (typeof value !== 'string' || value.length > Math.ceil((most * 4) / 3)) return undefined
  const bytes = fromBase64url(value)
  return bytes && bytes.length >= least && bytes.length <= most ? bytes : undefined
}

/** A percent-encoded segment, or undefined when it is not UTF-8 so encoded. */
export function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}
