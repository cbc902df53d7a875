// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { toBase64url } from '../../../../daemon/base/bytes.ts'
import { ask } from '../../../support/http-home.ts'
import {
  grantFrame,
  holderFrame,
  newId,
  pairFrame,
  pairingKeys,
  personFrame,
  revocationFrame,
} from '../../../support/papers.ts'
import { openPeopleHome, type PeopleHome } from '../../../support/people-home.ts'

/** Bounded, and the same in every run. */
const RUNS = { numRuns: 60, seed: 20_261_125 }

describe('papers that are garbage, or nearly right', () => {
  let home: PeopleHome
  before(async () => {
    home = await openPeopleHome({ unprovenBurst: 100_000, faceUnprovenBurst: 100_000 })
  })
  after(() => home[Symbol.asyncDispose]())

  const key = () => home.newSealer().signer.key
  const routes: [string, string, boolean, () => Uint8Array][] = [
    [
      'PUT',
      '/people/AAAAAAAAAAA',
      true,
      () => personFrame(home.owner, { name: 'eve', person: new Uint8Array(8) }),
    ],
    [
      'PUT',
      `/holders/${'A'.repeat(43)}`,
      true,
      () => holderFrame(home.owner, { key: key(), person: newId() }),
    ],
    ['POST', '/grants', true, () => grantFrame(home.newSealer(), { key: key() })],
    [
      'PUT',
      '/things/porch-light/record',
      true,
      () => personFrame(home.owner, { name: 'x', person: newId() }),
    ],
    ['PUT', '/revocations', false, () => revocationFrame(home.newSealer(), [newId()])],
    [
      'PUT',
      `/owners/${'A'.repeat(43)}`,
      false,
      () => home.home.ownerFrame(home.newSealer(), 'bob', home.owner),
    ],
    [
      'POST',
      '/pairings/AAAAAAAAAAA/pair',
      false,
      () => pairFrame(home.newSealer(), pairingKeys(new Uint8Array(16)), { pairing: new Uint8Array(8) }),
    ],
  ]

  for (const [method, path, isSealed, frame] of routes) {
    const send = async (body: Uint8Array) => {
      const headers = { 'content-type': 'application/cose' }
      const as = isSealed ? home.owner : undefined
      return ask({ socketPath: home.socketPath, method, path, body, headers, as })
    }
    const isRefusal = (status: number) => status >= 400 && status < 500

    it(`${method} ${path} refuses any bytes, with a code`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 400 }), async (bytes) => {
          const { status, json } = await send(bytes)
          assert.ok(isRefusal(status), String(status))
          assert.equal(typeof json.code, 'string')
        }),
        RUNS,
      )
    })

    it(`${method} ${path} refuses a frame with one bit turned`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.nat(), async (at) => {
          const whole = frame()
          whole[(at >> 3) % whole.length]! ^= 1 << (at & 7)
          const { status } = await send(whole)
          assert.ok(isRefusal(status), String(status))
        }),
        RUNS,
      )
    })
  }

  it('PUT /tokens/x refuses whatever JSON is not of its form', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        const { status } = await home.json('PUT', '/tokens/x', value, home.owner)
        assert.equal(status, 400)
      }),
      RUNS,
    )
  })

  for (const id of ['..', '%00', '%ff', '%2e%2e%2f', toBase64url(new Uint8Array(9)), 'A'.repeat(900)]) {
    it(`an id like ${id.slice(0, 12)} is refused everywhere`, async () => {
      for (const path of [`/people/${id}`, `/pairings/${id}`, `/tokens/${id}`]) {
        const { status } = await home.delete(path, home.owner)
        assert.ok(status >= 400 && status < 500, `${path} ${status}`)
      }
    })
  }

  it('and after all that nothing was kept, and the log is whole', async () => {
    const { people, grants, trust } = home.home.home.authority
    assert.deepEqual(
      [people.people(), grants.list(), trust.revocations, trust.owners.length],
      [[], [], [], 1],
    )
    assert.equal((await home.get('/log/verify', home.owner)).json.broken, undefined)
  })
})
