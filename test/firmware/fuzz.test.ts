// SPDX-License-Identifier: GPL-3.0-or-later
/** A few seconds of libFuzzer for each parser, from the vectors on; `npm run firmware -- fuzz` takes longer. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fuzz, fuzzTargets } from '../../scripts/firmware-fuzz.ts'

const SECONDS = 3

describe('no bytes break what takes foreign ones: from the network, the flash and the bus', () => {
  it('each has a target', () => {
    const wanted = [
      'bus',
      'cbor',
      'certificate',
      'claims',
      'code',
      'discovery',
      'envelope',
      'flash',
      'frame',
      'grants',
      'http',
      'identity',
      'kept',
      'provision',
      'session',
      'spool',
      'ticket',
      'update',
    ]
    assert.deepEqual(
      fuzzTargets().filter((target) => wanted.includes(target)),
      wanted,
    )
  })

  for (const target of fuzzTargets())
    it(target, () => {
      const { ok, runs, coverage, words } = fuzz(target, SECONDS)
      assert.ok(ok, words)
      assert.ok(runs > 100 && coverage > 20, `${runs} runs reached ${coverage} edges`)
    })
})
