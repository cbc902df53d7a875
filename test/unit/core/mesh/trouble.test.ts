// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sayFault, saySkew, sayUnkept, sayUntaken, sayWay } from '../../../../daemon/core/mesh/index.ts'

/** What the dialer, tor and the room may say of a way, and what a person is to do about it. */
const WAYS: ReadonlyArray<readonly [codes: readonly string[], next: RegExp]> = [
  [
    [
      'no-descriptor',
      'introduction-failed',
      'introduction-timeout',
      'rendezvous-failed',
      'not-served',
      'cut',
      'unreachable',
    ],
    /See that its machine is on, has a network and runs `shallot daemon`/,
  ],
  [['tor-unreachable', 'network-unreachable', 'socks-closed', 'closed'], /see `shallot status`/],
  [['authorisation-missing', 'authorisation-wrong'], /`shallot mesh list` there/],
  [['stalled'], /another is being made; nothing has to be done/],
  [['dial-timeout'], /Tor to it stalls\. See that its machine/],
  [['frame-too-large', 'bad-note'], /ever later\. .*same version.*`shallot mesh remove`/],
  [['too-slow'], /ever later\. See whether its machine is overloaded/],
  [['too-much'], /heard slowly\. .*`shallot mesh remove`/],
]

const SENTENCES = /^[A-Z`].*\.$/s

describe('what is wrong, in words', () => {
  for (const [codes, next] of WAYS) {
    it(`tells what to do about ${codes.join(', ')}`, () => {
      for (const code of codes) {
        const said = sayWay({ code, detail: 'the cause is this' })
        assert.match(said, SENTENCES)
        assert.match(said, /^The cause is this\. /)
        assert.match(said, next)
      }
    })
  }

  it('tells of disks, logs and clocks with cause and next step', () => {
    const said = [
      sayUnkept('storage: database or disk is full'),
      sayUntaken(300_000),
      sayFault('entry 7 carries what its signer did not seal'),
      saySkew(3_600_000),
      saySkew(-90_000_000),
    ]
    for (const each of said) assert.match(each, SENTENCES)
    assert.match(said[0]!, /disk is full\. Make room on the disk of this machine/)
    assert.match(said[1]!, /for 5 min\. Its disk may be full: see `shallot mesh status` there\.$/)
    assert.match(said[2]!, /Entry 7 carries .* See `shallot log verify` there/)
    assert.match(said[3]!, /60 min ahead of the one here.* Set the clock that is wrong\.$/)
    assert.match(said[4]!, /25 h behind the one here/)
  })
})
