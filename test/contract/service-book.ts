// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NOON, type OpenHome } from '../support/state.ts'

const ANNA = { service: 'invitation:anna', epoch: 0, authorised: true, createdAt: NOON }
const BEN = { service: 'invitation:ben', epoch: 2, authorised: false, createdAt: NOON + 1 }

/** What every ServiceBook does. */
export function serviceBookContract(where: string, open: OpenHome): void {
  describe(`ServiceBook ${where}`, () => {
    it('lists what was put, and gets each by its name', async (t) => {
      const { services } = await open(t)
      await Promise.all([services.put(ANNA), services.put(BEN)])
      assert.deepEqual(services.list(), [ANNA, BEN])
      assert.deepEqual(services.get('invitation:ben'), BEN)
      assert.equal(services.get('invitation:'), undefined)
    })

    it('put() replaces', async (t) => {
      const { services } = await open(t)
      await services.put(ANNA)
      await services.put({ ...ANNA, epoch: 1 })
      assert.deepEqual(services.list(), [{ ...ANNA, epoch: 1 }])
    })

    it('remove() takes exactly that one, once', async (t) => {
      const { services } = await open(t)
      await Promise.all([services.put(ANNA), services.put(BEN)])
      assert.equal(await services.remove(ANNA.service), true)
      assert.equal(await services.remove(ANNA.service), false)
      assert.equal(await services.remove('invitation:nobody'), false)
      assert.deepEqual(services.list(), [BEN])
      assert.equal(services.get(ANNA.service), undefined)
    })

    it('nextEpoch() never gives an epoch again, also after remove()', async (t) => {
      const { services } = await open(t)
      assert.equal(services.nextEpoch(BEN.service), 0)
      await services.put(BEN)
      assert.equal(services.nextEpoch(BEN.service), 3)
      await services.remove(BEN.service)
      assert.equal(services.nextEpoch(BEN.service), 3)
      await services.put({ ...BEN, epoch: 3 })
      assert.deepEqual(services.get(BEN.service), { ...BEN, epoch: 3 })
    })
  })
}
