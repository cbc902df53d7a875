// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { nativeEd25519 } from '../../../../daemon/core/envelope/index.ts'
import {
  Charges,
  type FarThing,
  hereOf,
  openAdoption,
  withAdoption,
  withCharges,
} from '../../../../daemon/core/mesh/index.ts'
import { idOf } from '../../../../daemon/core/model/index.ts'
import { HUB, LAMP, newDevice, OTHER, OWNER, openCoreHome, STRANGER } from '../../../support/core-home.ts'
import { signerOf } from '../../../support/state.ts'

const ed25519 = nativeEd25519()
const TOWN = signerOf(8200)
const lamp = idOf(LAMP.key)
const [here, there] = [{ hub: HUB.key }, { hub: TOWN.key }]

/** One daemon of the home, and what it was told of the lamp by another. */
async function openAttic(t: TestContext, told?: Partial<FarThing>) {
  const home = await openCoreHome(t)
  const { state, authority, clock, carrier, feed } = home
  const { trust, groups } = authority
  const ended: string[] = []
  const device = {
    ...newDevice(LAMP, 'porch'),
    enrolledAt: 0,
    lost: 0,
    presence: { connected: false, since: 0 },
  }
  const far = told && { member: idOf(TOWN.key), device, twin: { reported: [], desired: [] }, ...told }
  const open = () =>
    new Charges({
      ...{ own: idOf(HUB.key), clock, trust, ed25519, carrier },
      ...{ papers: state.papers, devices: state.devices },
      far: (id) => (far && far.device.id === id ? far : undefined),
      ended: (id) => void ended.push(id),
    })
  const charges = open()
  const devices = hereOf(state.devices, charges)
  const shared = { clock, charges, groups, feed, journal: state.journal }
  const adoption = openAdoption({ ...shared, here: devices, far: () => (far ? [far] : []) })
  const link = withCharges(home.deviceDesk, charges, groups)
  const desk = withAdoption(home.desk, adoption, { charges, groups, devices })
  const by = { ...home.caller, origin: 'unix' }
  return { home, charges, devices, adoption, link, desk, ended, again: open, by }
}

describe('who has charge of a device [SPEC 14.7]', () => {
  it('what another daemon tells that it has is left to it, until an owner gives it to this one', async (t) => {
    const { home, link, adoption, devices, by } = await openAttic(t, {})
    assert.equal(link.standing(lamp), 'elsewhere')
    const record = home.record(here)
    const taken = await adoption.take(record, by)
    assert.deepEqual(taken.ok && [taken.value.id, taken.value.hub], [lamp, idOf(HUB.key)])
    assert.equal(link.standing(lamp), 'known')
    assert.deepEqual([devices.named('porch')?.id, devices.get(lamp)?.record], [lamp, record])
    assert.ok(home.kinds().includes('adopted'))
  })

  it('a device of which nobody told is taken in as it comes, by the record that it shows', async (t) => {
    const { home, link, devices } = await openAttic(t)
    assert.equal(link.standing(lamp), 'unknown')
    const readmitted = await link.readmit(home.hello(), home.record())
    assert.deepEqual([readmitted.ok, devices.get(lamp)?.name], [true, 'porch'])
  })

  it('what it shows may say that it is another daemon’s', async (t) => {
    const { home, link, devices } = await openAttic(t)
    const readmitted = await link.readmit(home.hello(), home.record(there))
    assert.equal(!readmitted.ok && readmitted.why, 'hub-elsewhere')
    assert.equal(devices.get(lamp), undefined)
    assert.equal(link.standing(lamp), 'elsewhere')
  })

  it('given here before it came, it is taken in by the newer record', async (t) => {
    const { home, link, charges, devices, by } = await openAttic(t)
    const old = home.record(there)
    const record = home.record(here)
    assert.deepEqual(await charges.take(record, by), { ok: true, value: 'new' })
    assert.equal(devices.get(lamp), undefined, 'nothing is known of it yet')
    const readmitted = await link.readmit(home.hello(), old)
    assert.deepEqual([readmitted.ok, devices.get(lamp)?.record], [true, record])
  })

  it('who had it lets go, whatever was waiting for it there, and keeps its past', async (t) => {
    const { home, link, charges, devices, ended, by } = await openAttic(t)
    await home.lamp(LAMP, 'porch')
    const record = home.record(there)
    assert.deepEqual(await charges.take(record, by), { ok: true, value: 'new' })
    assert.deepEqual([link.standing(lamp), devices.get(lamp), devices.list()], ['elsewhere', undefined, []])
    assert.deepEqual([ended, home.dropped], [[lamp], [{ device: lamp, why: 'hub-elsewhere' }]])
    assert.deepEqual(home.sent.at(-1)?.frame, record, 'so that it looks for the other at once')
    assert.deepEqual(home.state.devices.get(lamp)?.record, record)
    const [fresh] = [await home.state.devices.enrol(newDevice(OTHER, 'porch'), 1)]
    assert.equal(fresh.ok, true, 'its name is free')
  })

  it('the newest record counts, in whatever order they come, also after a restart', async (t) => {
    const { home, charges, again, by } = await openAttic(t, {})
    const [first, second, third] = [home.record(there), home.record(here), home.record(there)]
    await charges.take(second, by)
    assert.deepEqual(await charges.take(first, by), {
      ok: false,
      why: 'replayed',
      detail: 'a newer record of this device is held',
    })
    assert.equal(charges.isElsewhere(lamp), false)
    await charges.take(third, by)
    assert.deepEqual(await charges.take(third, by), { ok: true, value: 'known' })
    assert.deepEqual([charges.isElsewhere(lamp), again().isElsewhere(lamp)], [true, true])
  })

  it('two of one moment come to the same everywhere', async (t) => {
    const one = await openAttic(t, {})
    const other = await openAttic(t, {})
    const sequence = 5_000_000_000_000
    const [a, b] = [one.home.record({ ...here, sequence }), one.home.record({ ...there, sequence })]
    for (const frame of [a, b]) await one.charges.take(frame, one.by)
    for (const frame of [b, a]) await other.charges.take(frame, other.by)
    assert.equal(one.charges.hubOf(lamp), other.charges.hubOf(lamp))
  })

  it('daemons that heard the same records, in any order and more than once, agree', async (t) => {
    const daemons = [await openAttic(t, {}), await openAttic(t, {}), await openAttic(t, {})]
    const [{ home, by }] = daemons as [Awaited<ReturnType<typeof openAttic>>]
    const hubs = [here, there, { hub: OTHER.key }, {}]
    let random = 7
    const below = (count: number) => {
      random = (random * 48_271) % 2_147_483_647
      return random % count
    }
    const records = Array.from({ length: 40 }, () =>
      home.record({ ...hubs[below(hubs.length)], sequence: 1_000_000_000_000 + below(12) }),
    )
    const named = home.record({ ...here, sequence: 1 })
    for (const daemon of daemons) {
      await daemon.charges.take(named, by)
      const order = [...records, ...records].sort(() => below(3) - 1)
      for (const frame of order) await daemon.charges.take(frame, by)
    }
    const held = daemons.map(({ charges }) => charges.record(lamp)?.frame.toHex())
    assert.deepEqual(held, [held[0], held[0], held[0]])
  })

  it('nobody but an owner gives a device away', async (t) => {
    const { home, charges, adoption, by } = await openAttic(t, {})
    for (const signer of [STRANGER, HUB, LAMP]) {
      const taken = await charges.take(home.record(there, signer), by)
      assert.equal(!taken.ok && taken.why, 'unknown-signer')
    }
    const other = await adoption.take(home.record({ ...here, key: LAMP.key }, STRANGER), by)
    assert.equal(!other.ok && other.why, 'unknown-signer')
    assert.equal(home.kinds().at(-1), 'refused')
    assert.equal(charges.hubOf(lamp), undefined)
  })

  it('what was forgotten here is not taken in again', async (t) => {
    const { home, adoption, by } = await openAttic(t, {})
    await home.lamp(LAMP, 'porch')
    await home.state.devices.forget(lamp, 1)
    const taken = await adoption.take(home.record(here), by)
    assert.equal(!taken.ok && taken.why, 'forgotten')
  })

  it('a name that is taken here is refused, and one that came by another way stands aside', async (t) => {
    const { home, adoption, charges, devices, by } = await openAttic(t, {})
    await home.lamp(OTHER, 'porch')
    const taken = await adoption.take(home.record(here), by)
    assert.equal(!taken.ok && taken.why, 'name-taken')
    await charges.take(home.record(here), by)
    assert.equal(devices.get(lamp)?.name, `porch-${lamp.slice(0, 6)}`)
  })

  it('a record that names no daemon changes nothing where none was named', async (t) => {
    const { home, charges, adoption, desk, by } = await openAttic(t)
    assert.deepEqual(await charges.take(home.record(), by), { ok: true, value: 'known' })
    const taken = await adoption.take(home.record(), by)
    assert.equal(!taken.ok && taken.why, 'bad-request')
    await home.lamp(LAMP, 'porch')
    assert.equal((await desk.confirm(home.record(), by)).ok, true)
    assert.equal(home.kinds().at(-1), 'confirmed')
  })

  it('other groups of a device that is given to this daemon leave it there', async (t) => {
    const { home, adoption, charges, desk, devices, by } = await openAttic(t, {})
    await adoption.take(home.record(here), by)
    const confirmed = await desk.confirm(home.record({ ...here, groups: ['doors'] }), by)
    assert.deepEqual([confirmed.ok, charges.hubOf(lamp)], [true, idOf(HUB.key)])
    assert.deepEqual(home.authority.groups.of(devices.get(lamp)!), ['doors'])
    const away = await desk.confirm(home.record(there, OWNER), by)
    assert.deepEqual([!away.ok && away.why, charges.isElsewhere(lamp)], ['not-found', true])
  })
})
