// SPDX-License-Identifier: GPL-3.0-or-later
/** Every refusal that SPEC 12 and 13 name is reached: by a vector, which both languages play, or where only one side can refuse. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { CODES } from '../../schemas/gen/ts/codes.ts'
import { readVectors } from '../support/vectors.ts'
import { ROOT } from './sources.ts'

/** Refused by one side alone, so that no vector can show both: which, and where that is held. */
const ONE_SIDED: Readonly<Record<string, readonly [side: 'hub' | 'device', test: string]>> = {
  'grant-wider': ['hub', 'test/unit/edge/http/attacks.test.ts'],
  'too-many-requests': ['hub', 'test/unit/edge/http/attacks.test.ts'],
  unconfirmed: ['hub', 'test/unit/edge/http/pairing.test.ts'],
  'wrong-pin': ['device', 'test/firmware/front-door.test.ts'],
  'keypad-locked': ['device', 'test/firmware/front-door.test.ts'],
}

function section(number: number): string {
  const spec = readFileSync(join(ROOT, 'schemas/SPEC.md'), 'utf8')
  const [, after = ''] = spec.split(new RegExp(`^## ${number}\\. .*$`, 'm'))
  return after.split(/^## /m)[0]!
}

/** The codes that a section names. */
function codesIn(text: string): readonly string[] {
  const words = [...text.matchAll(/`([a-z][a-z-]+)`/g)].map(([, word]) => word!)
  return [...new Set(words)].filter((word) => Object.hasOwn(CODES, word) && word !== 'ok').sort()
}

const ROOMS = ['envelope', 'code', 'session', 'enrolment', 'grants'] as const
const expected = new Set(
  ROOMS.flatMap((room) => readVectors(room))
    .flatMap(({ lines }) => lines)
    .flatMap(([field, value]) => (field === 'expect' ? [value] : [])),
)

for (const number of [12, 13]) {
  describe(`the refusals of SPEC ${number}`, () => {
    const codes = codesIn(section(number))
    it('are found', () => assert.ok(codes.length >= 2, codes.join()))

    for (const code of codes) {
      it(`${code} is reached`, () => {
        const [, test] = ONE_SIDED[code] ?? []
        if (test === undefined) return assert.ok(expected.has(code), 'by no vector')
        assert.ok(!expected.has(code), 'a vector reaches it: it is not one-sided')
        assert.ok(readFileSync(join(ROOT, test), 'utf8').includes(`'${code}'`), `${test} does not name it`)
      })
    }
  })
}
