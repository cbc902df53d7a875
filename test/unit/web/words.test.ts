// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { chooseLanguage, LANGUAGES, type Language, wordsOf } from '../../../daemon/web/words/index.ts'
import { CAPABILITIES } from '../../../schemas/gen/ts/capabilities.ts'
import { CODES, type Code } from '../../../schemas/gen/ts/codes.ts'
import { read } from '../../house/sources.ts'

/** Codes of these rooms can end what a person does. */
const ROOMS = ['gate', 'policy', 'router', 'still']
const rooms = new Map(
  read('schemas/codes.csv')
    .split('\n')
    .slice(1)
    .map((line) => line.split(','))
    .map(([, name, room]) => [name!, room!]),
)

function leaves(value: unknown, path: string): [string, unknown][] {
  if (typeof value !== 'object' || value === null) return [[path, value]]
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, `${path}.${key}`))
}

for (const language of Object.keys(LANGUAGES) as Language[]) {
  const words = wordsOf(language)
  describe(`the words in ${words.language}`, () => {
    it('say something everywhere, and are the same words as in the other languages', () => {
      const said = leaves(words, '')
      assert.deepEqual(
        said.filter(
          ([, leaf]) => typeof leaf !== 'function' && (typeof leaf !== 'string' || leaf.trim() === ''),
        ),
        [],
      )
      const names = (of: Language) =>
        leaves(wordsOf(of), '')
          .map(([path]) => path)
          .sort()
      assert.deepEqual(names(language), names('en'))
    })

    it('have a name for every capability', () => {
      assert.deepEqual(
        CAPABILITIES.map(({ name }) => name).filter((name) => !Object.hasOwn(words.capability, name)),
        [],
      )
    })

    it('have a sentence of their own for every refusal that a person can meet', () => {
      const codes = (Object.keys(CODES) as Code[]).filter((code) => ROOMS.includes(rooms.get(code)!))
      assert.ok(codes.length > 20)
      const generic = words.reason('port-io').replace('port-io', '')
      const bare = codes.filter((code) => {
        const reason = words.reason(code)
        return reason.replace(code, '') === generic || !/[.!?]$/.test(reason)
      })
      assert.deepEqual(
        bare.filter((code) => !['wrong-audience', 'wrong-pin', 'keypad-locked'].includes(code)),
        [],
      )
    })
  })
}

describe('chooseLanguage()', () => {
  it('takes the person’s choice, then the browser’s dearest that there is, then English', () => {
    assert.equal(chooseLanguage('de', ['en-GB']), 'de')
    assert.equal(chooseLanguage(undefined, ['fr-FR', 'de-CH', 'en']), 'de')
    assert.equal(chooseLanguage(undefined, ['fr']), 'en')
    assert.equal(chooseLanguage('klingon', []), 'en')
    assert.equal(chooseLanguage('__proto__', ['constructor']), 'en')
  })
})
