// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  type Act,
  type Frame,
  type Grant,
  type Lease,
  nativeEd25519,
  openEnvelope,
  type Receipt,
  type Signer,
} from '../../../daemon/core/envelope/index.ts'
import { idOf } from '../../../daemon/core/model/index.ts'
import type { HeldGrant } from '../../../daemon/core/policy/index.ts'
import { CODES } from '../../../schemas/gen/ts/codes.ts'
import {
  type CoreHome,
  HOME,
  HUB,
  LAMP,
  NONCE,
  OTHER,
  OWNER,
  openCoreHome,
  ROOT,
  STRANGER,
} from '../../support/core-home.ts'
import { grantFrame, holderFrame, newId, personFrame, revocationFrame } from '../../support/papers.ts'
import { sha256 } from '../../support/request.ts'
import { until } from '../../support/until.ts'

const ed25519 = nativeEd25519()
const LAMP_ID = idOf(LAMP.key)
const GUEST = STRANGER

async function granted(home: CoreHome, said: Partial<Grant> = {}, by: Signer = OWNER): Promise<HeldGrant> {
  const key = said.pin ? {} : { key: GUEST.key }
  const taken = await home.desk.people.grant(grantFrame(home.as(by), { ...key, ...said }), home.caller)
  assert(taken.ok, taken.ok ? '' : taken.why)
  return taken.value
}

const PIN = { salt: new Uint8Array(16), rounds: 1000, key: new Uint8Array(32) }

function typeOf(frame: Frame): string {
  const opened = openEnvelope(frame, { sizeMax: 1024, accepts: () => true, isAudience: () => true }, ed25519)
  assert(opened.ok)
  return opened.value.body.type
}

function leasesIn(frames: readonly Frame[]): readonly Lease[] {
  return frames.flatMap((frame) => {
    const accepts = (_body: unknown, signer: Uint8Array) => idOf(signer) === idOf(HUB.key)
    const opened = openEnvelope(frame, { sizeMax: 1024, accepts, isAudience: () => true }, ed25519)
    return opened.ok && opened.value.body.type === 'lease' ? [opened.value.body] : []
  })
}

const papersOf = (home: CoreHome) => home.deviceDesk.papers(LAMP_ID)
const types = (frames: readonly Frame[]) => frames.map(typeOf)
const sentTo = (home: CoreHome, from = 0) => home.sent.slice(from).map(({ frame }) => frame)

suite('after its welcome a device hears [SPEC 6.4, 12.4]', () => {
  test('owners, lists, codes for its keypad and leases, in this order', async (t) => {
    const home = await openCoreHome(t)
    await home.lamp()
    await granted(home, { pin: PIN, leaseS: 3600 })
    await home.desk.people.revoke(revocationFrame(home.as(OWNER), [newId()]), 'unix')
    assert.deepEqual(types(papersOf(home)), ['owner', 'revocation', 'grant', 'lease'])
  })

  test('a lease for each live grant that names it, and for no other', async (t) => {
    const home = await openCoreHome(t)
    await home.lamp()
    const mine = await granted(home, { leaseS: 3600 })
    await granted(home, { leaseS: 3600, devices: [OTHER.key] })
    await granted(home, { leaseS: 0 })
    await granted(home, { leaseS: 3600, expiresAt: home.now + 1 })
    home.clock.advance(2000)
    const [lease, ...more] = leasesIn(papersOf(home))
    assert.deepEqual(more, [])
    assert.deepEqual(lease!.grants, [mine.body.id])
    assert.deepEqual([lease!.audience, lease!.expiresAt - lease!.sealedAt], [LAMP_ID, 3600])
  })

  test('many leases in envelopes of 32, and no more codes than its backlog holds', async (t) => {
    const home = await openCoreHome(t)
    await home.lamp()
    for (let i = 0; i < 70; i++) await granted(home, { pin: PIN, leaseS: 60 })
    const papers = papersOf(home)
    assert.deepEqual(
      leasesIn(papers).map(({ grants }) => grants.length),
      [32, 32, 6],
    )
    assert.ok(papers.every(({ length }) => length <= 1024))
    assert.ok(papers.reduce((sum, { length }) => sum + length + 2, 0) < 16_384)
    assert.ok(types(papers).filter((type) => type === 'grant').length > 20)
  })

  test('nothing of what was taken back', async (t) => {
    const home = await openCoreHome(t)
    await home.lamp()
    const gone = await granted(home, { pin: PIN, leaseS: 60 })
    await home.desk.people.revoke(revocationFrame(home.as(OWNER), [gone.body.id]), 'unix')
    assert.deepEqual(types(papersOf(home)), ['owner', 'revocation'])
  })
})

suite('leases go out again', () => {
  test('before half of the shortest has passed, and not much earlier', async (t) => {
    const home = await openCoreHome(t)
    await home.lamp()
    await granted(home, { leaseS: 3600 })
    await granted(home, { leaseS: 60 })
    papersOf(home)
    const from = home.sent.length
    home.clock.advance(27_000)
    assert.deepEqual(sentTo(home, from), [])
    home.clock.advance(3_000)
    assert.equal(leasesIn(sentTo(home, from)).length, 1)
    home.clock.advance(30_000)
    assert.equal(leasesIn(sentTo(home, from)).length, 2)
  })

  test('at once when a grant is added, and no more to a device that is gone', async (t) => {
    const home = await openCoreHome(t)
    await home.lamp()
    const grant = await granted(home, { leaseS: 60 })
    assert.deepEqual(leasesIn(sentTo(home))[0]?.grants, [grant.body.id])
    const from = home.sent.length
    home.deviceDesk.gone(LAMP_ID, 'link-closed')
    home.clock.advance(120_000)
    assert.deepEqual(sentTo(home, from), [])
  })

  test('but not when everything was taken back: the hub withholds', async (t) => {
    const home = await openCoreHome(t)
    await home.lamp()
    const grant = await granted(home, { leaseS: 60 })
    await home.desk.people.revoke(revocationFrame(home.as(OWNER), [grant.body.id]), 'unix')
    const from = home.sent.length
    home.clock.advance(120_000)
    assert.deepEqual(sentTo(home, from), [])
  })
})

suite('before a command by a grant', () => {
  const command = async (home: CoreHome, grant: HeldGrant) => {
    const device = home.state.devices.get(LAMP_ID)!
    const frame = home.command({ grant: grant.body.id }, GUEST)
    const sealer = home.desk.sealer(frame, 'lan')
    assert(sealer.ok)
    const target = { device, affordance: 1, operation: 'write' } as const
    const delivery = await home.desk.command(sealer.value.command, target, sealer.value.caller)
    assert(delivery.ok)
    return frame
  }

  test('the chain and then a lease that names it, once in the life of the device', async (t) => {
    const home = await openCoreHome(t)
    await home.lamp()
    const grant = await granted(home, { leaseS: 60 })
    const from = home.sent.length
    await command(home, grant)
    await command(home, grant)
    assert.deepEqual(types(sentTo(home, from)), ['grant', 'lease', 'command', 'command'])
    const again = home.sent.length
    await home.deviceDesk.hello(LAMP_ID, home.hello(LAMP, new Uint8Array(8).fill(1)))
    const frame = home.command({ grant: grant.body.id, nonce: new Uint8Array(8).fill(1) }, GUEST)
    const device = home.state.devices.get(LAMP_ID)!
    assert((await home.desk.command(frame, { device, affordance: 1, operation: 'write' }, home.caller)).ok)
    assert.deepEqual(types(sentTo(home, again)), ['grant', 'lease', 'command'])
  })

  test('what waited for the device follows its chain, too', async (t) => {
    const home = await openCoreHome(t)
    await home.lamp()
    const grant = await granted(home)
    home.away.add(LAMP_ID)
    await command(home, grant)
    home.away.clear()
    const from = home.sent.length
    await home.deviceDesk.hello(LAMP_ID, home.hello())
    home.deviceDesk.welcomed(LAMP_ID)
    assert.deepEqual(types(sentTo(home, from)).at(-1), 'command')
  })

  test('a use is given back when the device cannot have got the command, and not when it may have', async (t) => {
    const home = await openCoreHome(t)
    await home.lamp()
    const grant = await granted(home, { uses: 9 })
    const { uses } = home.authority
    await command(home, grant)
    home.away.add(LAMP_ID)
    await command(home, grant)
    assert.equal(uses.count(grant.body.id), 2)
    home.clock.advance(31_000)
    await until('one is given back', () => uses.count(grant.body.id) === 1)
    assert.equal(uses.count(grant.body.id), 1)
  })
})

suite('what devices say of papers', () => {
  const receipt = (home: CoreHome, frame: Frame, code: number, sequence: number) =>
    home.deviceDesk.receipt(
      LAMP_ID,
      home.fromDevice<Receipt>('receipt', { command: sha256(frame), code, values: [] }, LAMP, {
        epoch: NONCE,
        sequence,
      }),
    )

  test('after a list of the root the owners that are left are said again, with their lists', async (t) => {
    const home = await openCoreHome(t)
    await home.lamp()
    await home.desk.people.revoke(revocationFrame(home.as(OWNER), [newId()]), 'unix')
    const before = home.sent.length
    await home.desk.people.revoke(revocationFrame(home.as(ROOT), [STRANGER.key]), 'unix')
    assert.deepEqual(types(sentTo(home, before)), ['revocation', 'owner', 'revocation'])
  })

  test('is in the log: the first time, and whenever it refuses', async (t) => {
    const home = await openCoreHome(t)
    await home.lamp()
    const list = revocationFrame(home.as(OWNER), [newId()])
    await home.desk.people.revoke(list, 'unix')
    await receipt(home, list, CODES['grants-full'], 1)
    await receipt(home, list, 0, 2)
    await receipt(home, list, 0, 3)
    const receipts = home.state.journal.read({ limit: 99 }).filter(({ kind }) => kind === 'receipt')
    assert.deepEqual(
      receipts.map(({ code, note }) => [code, note]),
      [
        [CODES['grants-full'], 'revocation'],
        [0, 'revocation'],
      ],
    )
  })
})

suite('act [SPEC 12.8]', () => {
  test('is kept once, names the person whose grant shares the id, and is told', async (t) => {
    const home = await openCoreHome(t)
    await home.lamp()
    const person = newId()
    const { people } = home.desk
    assert(
      (await people.person(personFrame(home.as(OWNER), { name: 'eve', person }), person, home.caller)).ok,
    )
    const holder = holderFrame(home.as(OWNER), { key: GUEST.key, person })
    assert((await people.holder(holder, idOf(GUEST.key), home.caller)).ok)
    const id = newId()
    await granted(home, { id })
    await granted(home, { id, pin: PIN })
    const watching = home.feed.watch()
    const act = home.act({ grant: id, values: [{ affordance: 1, at: 0, value: true }] })
    await home.deviceDesk.act(LAMP_ID, act)
    await home.deviceDesk.act(LAMP_ID, act)
    watching.close()
    const entries = home.state.journal.read({ limit: 99 }).filter(({ kind }) => kind === 'act')
    assert.equal(entries.length, 1)
    const [entry] = entries
    assert.deepEqual([entry!.origin, entry!.person, entry!.chain, entry!.code], ['keypad', person, [id], 0])
    const told: string[] = []
    for await (const event of watching) told.push(event.event)
    assert.deepEqual(told, ['act', 'reading'])
  })

  test('what came directly is in the log as its signer’s, by the copy of the grant that is theirs [SPEC 18.5]', async (t) => {
    const home = await openCoreHome(t)
    await home.lamp()
    const person = newId()
    const { people } = home.desk
    assert(
      (await people.person(personFrame(home.as(OWNER), { name: 'eve', person }), person, home.caller)).ok,
    )
    const holder = holderFrame(home.as(OWNER), { key: GUEST.key, person })
    assert((await people.holder(holder, idOf(GUEST.key), home.caller)).ok)
    const id = newId()
    const expiresAt = Math.floor(home.clock.now() / 1000) + 3600
    await granted(home, { id, key: GUEST.key, uses: 3, expiresAt })
    const command = new Uint8Array(32).fill(9)
    const watching = home.feed.watch()
    const values = [{ affordance: 1, at: 0, value: true }]
    const direct = { source: 'direct', affordance: 1, values, command } as const
    const [byGuest, byOwner, failed] = [
      home.act({ ...direct, grant: id, signer: GUEST.key }),
      home.act({ ...direct, signer: OWNER.key }),
      home.act({ ...direct, grant: id, signer: GUEST.key, code: CODES['device-fault'], values: [] }),
    ]
    for (const act of [byGuest, byGuest, byOwner, failed]) await home.deviceDesk.act(LAMP_ID, act)
    watching.close()
    const entries = home.state.journal.read({ limit: 99 }).filter(({ kind }) => kind === 'act')
    assert.deepEqual(
      entries.map(({ origin, signer, person, chain, code, command }) => [
        origin,
        signer,
        person,
        chain,
        code,
        command,
      ]),
      [
        ['direct', idOf(GUEST.key), person, [id], 0, command],
        ['direct', idOf(OWNER.key), undefined, undefined, 0, command],
        ['direct', idOf(GUEST.key), person, [id], CODES['device-fault'], command],
      ],
    )
    assert.equal(home.state.uses.count(id), 1, 'once, and only for what was done')
    const told: unknown[] = []
    for await (const event of watching)
      if (event.event === 'act') told.push([event.source, event.by, event.command])
    assert.deepEqual(told, [
      ['direct', idOf(GUEST.key), command],
      ['direct', idOf(OWNER.key), command],
      ['direct', idOf(GUEST.key), command],
    ])
  })

  test('a write that came directly and was done is what was last asked, as one by the hub is [SPEC 18.5]', async (t) => {
    const home = await openCoreHome(t)
    await home.lamp()
    const NOW = home.clock.now()
    const command = (n: number) => new Uint8Array(32).fill(n)
    const desired = () => home.state.devices.twin(LAMP_ID).desired
    const wrote = (n: number, value: boolean, at: number, more: Partial<Act> = {}) =>
      home.act({
        ...{ source: 'direct', affordance: 1, at, signer: OWNER.key, command: command(n) },
        ...{ values: [{ affordance: 1, at, value }], ...more },
      })
    const tell = (act: ReturnType<typeof wrote>) => home.deviceDesk.act(LAMP_ID, act)
    const first = wrote(1, true, NOW)
    await tell(first)
    const wish = { affordance: 1, value: true, command: command(1), at: NOW }
    assert.deepEqual(desired(), [wish])
    // What was not done, what nobody asked for from outside, what is no write, and what tells of something else.
    for (const act of [
      wrote(2, false, NOW + 1, { code: CODES['device-fault'] }),
      wrote(3, false, NOW + 1, { source: 'button' }),
      wrote(4, false, NOW + 1, { affordance: 5, values: [{ affordance: 5, at: NOW, value: 3 }] }),
      wrote(5, false, NOW + 1, { values: [{ affordance: 2, at: NOW, value: 3 }] }),
      wrote(6, false, NOW + 1, { values: [] }),
    ])
      await tell(act)
    assert.deepEqual(desired(), [wish])
    // What was asked later stays, whatever is heard of before it only then; the same again changes nothing.
    await home.state.devices.desire(LAMP_ID, 1, false, command(7), NOW + 1000)
    for (const act of [wrote(8, true, NOW + 999), wrote(9, true, NOW + 1000), first]) await tell(act)
    assert.deepEqual(desired(), [{ affordance: 1, value: false, command: command(7), at: NOW + 1000 }])
    await tell(wrote(10, true, NOW + 1001))
    assert.deepEqual(desired(), [{ affordance: 1, value: true, command: command(10), at: NOW + 1001 }])
    // A device that does not know when it was: now.
    home.clock.advance(5000)
    await tell(wrote(11, false, 0))
    assert.deepEqual(desired()[0], { affordance: 1, value: false, command: command(11), at: NOW + 5000 })
  })

  test('a wrong code is in the log with its reason', async (t) => {
    const home = await openCoreHome(t)
    await home.lamp()
    await home.deviceDesk.act(LAMP_ID, home.act({ code: CODES['wrong-pin'] }))
    const last = home.state.journal.read({ limit: 1 })[0]!
    assert.deepEqual([last.kind, last.code, last.person], ['act', CODES['wrong-pin'], undefined])
  })
})

suite('the log is not filled by those who may not', () => {
  test('strangers: 30 a minute, and the next entry says how many more there were', async (t) => {
    const home = await openCoreHome(t)
    const forged = () => home.desk.people.revoke(revocationFrame(home.as(STRANGER), [newId()]), 'lan')
    for (let i = 0; i < 40; i++) assert.equal((await forged()).ok, false)
    home.clock.advance(60_000)
    await forged()
    await new Promise((resolve) => setImmediate(resolve))
    const notes = home.state.journal.read({ limit: 99 }).map(({ note }) => note)
    assert.equal(notes.length, 31)
    assert.match(notes.at(-1)!, /and 10 tries that were not written/)
  })

  test('a guest: 60 a minute; an owner: all', async (t) => {
    const home = await openCoreHome(t)
    const device = await home.lamp()
    const target = { device, affordance: 1, operation: 'write' } as const
    const guest = { ...home.caller, id: idOf(GUEST.key), kind: 'holder' } as const
    for (const caller of [guest, home.caller]) {
      for (let i = 0; i < 70; i++) await home.desk.command(Uint8Array.of(0xd2), target, caller)
    }
    const signers = home.state.journal.read({ limit: 999 }).map(({ signer }) => signer)
    assert.equal(signers.filter((signer) => signer === guest.id).length, 60)
    assert.equal(signers.filter((signer) => signer === home.caller.id).length, 70)
  })
})

test('papers that were changed on the disk count for nothing', async (t) => {
  const home = await openCoreHome(t)
  await home.lamp()
  const grant = await granted(home)
  const forged = Uint8Array.from(grant.frame)
  forged[forged.length - 1]! ^= 1
  const key = sha256(grant.frame)
  await home.state.papers.put('grant', { key, frame: forged, at: 0 }, { kind: 'granted', at: 0 })
  home.openCore()
  assert.deepEqual(home.authority.grants.list(), [])
  assert.equal(home.authority.trust.home, HOME)
})
