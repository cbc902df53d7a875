// SPDX-License-Identifier: GPL-3.0-or-later
import { type PartyId, parseId } from '../../core/model/index.ts'
import { CliError } from '../error.ts'
import { type Fields, fieldsOf, listOf, optionalNumberIn, textIn } from '../fields.ts'

/** A bearer token as the home knows it (SPEC 9.6): by its name, never by itself. */
export interface Bearer {
  readonly name: string
  readonly by: PartyId
  readonly usedAt: number | undefined
  readonly grants: readonly string[]
}

export function bearersIn(answer: unknown): readonly Bearer[] {
  return listOf(fieldsOf(answer, 'a list of tokens').tokens, 'a list of tokens').map((each) => {
    const fields: Fields = fieldsOf(each, 'a token')
    const grants = listOf(fields.grants, 'a list of grants').filter((id) => typeof id === 'string')
    const by = parseId(textIn(fields, 'by'))
    if (!by)
      throw new CliError('bad-answer', 'the home named the maker of a token by something that is no id')
    return { name: textIn(fields, 'name'), by, usedAt: optionalNumberIn(fields, 'usedAt'), grants }
  })
}
