// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { typed, typedLast } from '../../../daemon/cli/typed.ts'
import { Account } from './as-user.ts'

/** What a shell makes of a line. */
function readByShell(line: string): string {
  return execFileSync('sh', ['-c', `printf %s ${line}`], { encoding: 'utf8' })
}

describe('typed()', () => {
  for (const [word, line] of [
    ['porch-light', 'porch-light'],
    ['Küche', 'Küche'],
    ['cabin/heater', 'cabin/heater'],
    ["sitter's phone", `"sitter's phone"`],
    ['a $HOME', "'a $HOME'"],
    ['', '""'],
    ['~', '"~"'],
    ['$(id)', "'$(id)'"],
    ['`id`', "'`id`'"],
    ["it's $5", "'it'\\''s $5'"],
  ] as const)
    it(`writes ${word} as ${line}`, () => assert.equal(typed(word), line))

  it('is read by a shell as the word itself, whatever is in it', () => {
    const odd = fc.constantFrom(
      '$(echo x)',
      '`echo x`',
      "'",
      '"',
      '\\',
      '!',
      '$',
      '*',
      '~',
      '#',
      ' ',
      '&',
      ';',
    )
    const word = fc
      .array(fc.oneof(odd, fc.string({ maxLength: 3 })), { maxLength: 6 })
      .map((all) => all.join(''))
    fc.assert(
      fc.property(word, (each) => assert.equal(readByShell(typed(each)), each)),
      { numRuns: 60 },
    )
  })
})

describe('typedLast()', () => {
  it('has what begins with a dash taken for no flag', () => assert.equal(typedLast('-a b'), '-- "-a b"'))
  it('adds nothing to other words', () => assert.equal(typedLast('a b'), '"a b"'))
})

it('a command that is proposed runs nothing that is in a name', async () => {
  using account = new Account()
  await account.init()
  const { err } = await account.within(['enrol', '--confirm', '--', '-$(id)'])
  assert.match(err, /begin one with `shallot enrol -- '-\$\(id\)'`/)
})
