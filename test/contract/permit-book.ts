// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { StateCode, StateError } from '../../daemon/state/index.ts'
import { NOON, type OpenHome, partyOf } from '../support/state.ts'

const A = partyOf(1)
const B = partyOf(2)
const ID = new Uint8Array(8).fill(5)
const KEY = new Uint8Array(32).fill(6)
const ENROL = new Uint8Array(50).fill(1)
const ENROLLED = new Uint8Array(60).fill(2)
const PERMIT = {
  permit: ID,
  name: 'porch',
  expiresAt: NOON + 900_000,
  proofKey: KEY,
  frame: new Uint8Array(70).fill(3),
}

function coded(code: StateCode) {
  return (error: StateError) => error.code === code
}

/** What every PermitBook does. */
export function permitBookContract(where: string, open: OpenHome): void {
  describe(`PermitBook ${where}`, () => {
    it('gives an open permit with its proof key', async (t) => {
      const { permits } = await open(t)
      await permits.open(PERMIT)
      const permit = permits.get(ID)
      assert.equal(permit?.name, 'porch')
      assert.equal(permit?.expiresAt, NOON + 900_000)
      assert.deepEqual(permit?.proofKey, KEY)
      assert.equal(permit?.usedBy, undefined)
    })

    it('knows nothing of other permits', async (t) => {
      const { permits } = await open(t)
      await permits.open(PERMIT)
      assert.equal(permits.get(new Uint8Array(8)), undefined)
      assert.equal(permits.get(new Uint8Array()), undefined)
    })

    it('refuses a second permit of one id and keeps the first', async (t) => {
      const { permits } = await open(t)
      await permits.open(PERMIT)
      await assert.rejects(permits.open({ ...PERMIT, name: 'attic' }), coded('permit-known'))
      assert.equal(permits.get(ID)?.name, 'porch')
    })

    it('use() keeps both envelopes and wipes the proof key', async (t) => {
      const { permits } = await open(t)
      await permits.open(PERMIT)
      await permits.use(ID, A, ENROL, ENROLLED)
      const permit = permits.get(ID)
      assert.equal(permit?.proofKey, undefined)
      assert.equal(permit?.usedBy, A)
      assert.deepEqual([permit?.enrol, permit?.enrolled], [ENROL, ENROLLED])
    })

    it('use() again by the same device is no error, by another is refused', async (t) => {
      const { permits } = await open(t)
      await permits.open(PERMIT)
      await permits.use(ID, A, ENROL, ENROLLED)
      await permits.use(ID, A, ENROL, ENROLLED)
      await assert.rejects(permits.use(ID, B, ENROL, ENROLLED), coded('permit-used'))
      assert.equal(permits.get(ID)?.usedBy, A)
    })

    it('use() by two devices in one turn serves the first alone', async (t) => {
      const { permits } = await open(t)
      await permits.open(PERMIT)
      const first = permits.use(ID, A, ENROL, ENROLLED)
      await assert.rejects(permits.use(ID, B, ENROL, ENROLLED), coded('permit-used'))
      await first
      assert.equal(permits.get(ID)?.usedBy, A)
    })

    it('use() refuses a permit that never was', async (t) => {
      const { permits } = await open(t)
      await assert.rejects(permits.use(ID, A, ENROL, ENROLLED), coded('permit-unknown'))
    })

    it('a stale permit has no proof key, from its last instant on', async (t) => {
      const { permits, setClock } = await open(t)
      await permits.open(PERMIT)
      setClock(PERMIT.expiresAt - 1)
      assert.deepEqual(permits.get(ID)?.proofKey, KEY)
      setClock(PERMIT.expiresAt)
      assert.equal(permits.get(ID)?.proofKey, undefined)
      assert.equal(permits.get(ID)?.name, 'porch')
    })
  })
}
