// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NOON, type OpenHome, partyOf } from '../support/state.ts'

const [PORCH, HALL] = [partyOf(1), partyOf(2)]
const SAID = { device: PORCH, inForce: 1, announced: 2, code: 324, at: NOON }

/** What every ConfirmationBook does. */
export function confirmationBookContract(where: string, open: OpenHome): void {
  describe(`ConfirmationBook ${where}`, () => {
    it('gives what was put, and nothing of another device', async (t) => {
      const { confirmations } = await open(t)
      await confirmations.put(SAID)
      assert.deepEqual(confirmations.get(PORCH), SAID)
      assert.equal(confirmations.get(HALL), undefined)
    })

    it('put() replaces', async (t) => {
      const { confirmations } = await open(t)
      await confirmations.put(SAID)
      await confirmations.put({ ...SAID, inForce: 2, code: 0 })
      assert.deepEqual(confirmations.get(PORCH), { ...SAID, inForce: 2, code: 0 })
    })

    it('answers only for what is on disk', async (t) => {
      const { confirmations } = await open(t)
      const put = confirmations.put(SAID)
      assert.equal(confirmations.get(PORCH), undefined)
      await put
      assert.deepEqual(confirmations.get(PORCH), SAID)
    })
  })
}
