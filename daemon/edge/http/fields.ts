// SPDX-License-Identifier: GPL-3.0-or-later
/** Text from outside → values, strictly: a member or parameter that nobody asked for is refused, not ignored. */
import { no, type Verdict, yes } from '../../base/error.ts'

export { decoded, readBytes, readInteger, readQuery } from '../../base/query.ts'

type Bad = 'bad-request'

/** A JSON object with only these members. */
export function readObject(
  body: Uint8Array,
  known: readonly string[],
): Verdict<Readonly<Record<string, unknown>>, Bad> {
  const value = body.length === 0 ? {} : parsed(body)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return no('bad-request', 'the body is not a JSON object')
  }
  if (Object.keys(value).some((member) => !known.includes(member))) {
    return no('bad-request', `the body may have ${known.join(', ')} and nothing else`)
  }
  return yes(value as Record<string, unknown>)
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    return undefined
  }
}
