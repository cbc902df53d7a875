// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { type Clock, systemClock } from '../../daemon/base/clock.ts'
import { systemRandom } from '../../daemon/base/random.ts'
import { Secret } from '../../daemon/base/secret.ts'
import { readMeshCode, writeMeshCode } from '../../daemon/core/identity/index.ts'
import { idOf } from '../../daemon/core/model/index.ts'
import { inviteAt, joinWith, openTestMesh, pairUp, removal, type TestMesh } from '../support/mesh-home.ts'
import { BOB, STRANGER } from '../support/mesh-papers.ts'
import { Onions } from '../support/mesh-room.ts'
import { until } from '../support/until.ts'

const names = ({ home }: TestMesh) =>
  home
    .report()
    .map(({ name }) => name)
    .sort()
const position = (at: TestMesh, of: TestMesh) => at.state.shelf.head(of.id).position
/** As the desk of people does it: the mesh notices by itself. */
const removeAt = (at: TestMesh, list: Uint8Array) => at.revocations.take(list)
const write = (at: TestMesh, count: number) =>
  Promise.all(
    Array.from({ length: count }, (_, n) =>
      at.state.journal.append({ kind: 'renamed', at: n, note: `${at.name} ${n}` }),
    ),
  )

describe('a home with one daemon', () => {
  it('does not load libp2p until it invites', async (t) => {
    const town = await openTestMesh(t, new Onions(), 'town')
    assert.deepEqual([town.hasRoom(), town.home.isMesh], [false, false])
    await inviteAt(town)
    assert.equal(town.hasRoom(), true)
  })
})

describe('an invitation [SPEC 14.1]', () => {
  it('makes two daemons one home; both show the same six digits', async (t) => {
    const onions = new Onions()
    const [town, cabin] = [await openTestMesh(t, onions, 'town'), await openTestMesh(t, onions, 'cabin')]
    const { code, ticket } = await inviteAt(town)
    const joined = await joinWith(cabin, code)
    assert('state' in joined && joined.state === 'joined')
    const { guest } = town.home.invitations.get(ticket)!
    assert.deepEqual([guest?.name, guest?.shortCode, joined.host], ['cabin', joined.shortCode, 'town'])
    assert.match(joined.shortCode, /^\d{3} \d{3}$/)
    assert.deepEqual(
      [names(town), names(cabin)],
      [
        ['cabin', 'town'],
        ['cabin', 'town'],
      ],
    )
    await until(
      'they are connected',
      () => town.home.isConnected(cabin.id) && cabin.home.isConnected(town.id),
    )
  })

  it('is good for one daemon alone', async (t) => {
    const onions = new Onions()
    const town = await openTestMesh(t, onions, 'town')
    const { code } = await inviteAt(town)
    await joinWith(await openTestMesh(t, onions, 'cabin'), code)
    const late = await joinWith(await openTestMesh(t, onions, 'boat'), code)
    assert.deepEqual('code' in late && late.code, 'permit-used')
    assert.deepEqual(names(town), ['cabin', 'town'])
  })

  it('is not taken up by who guessed its secret, nor believed when another daemon answers', async (t) => {
    const onions = new Onions()
    const [town, cabin] = [await openTestMesh(t, onions, 'town'), await openTestMesh(t, onions, 'cabin')]
    const read = readMeshCode((await inviteAt(town)).code)
    assert(read.ok)
    const guessed = writeMeshCode({ ...read.value, secret: new Secret(systemRandom.bytes(16)) }).reveal()
    const refused = await joinWith(cabin, guessed)
    assert.deepEqual('code' in refused && refused.code, 'permit-unknown')
    assert.deepEqual(names(town), ['town'])
  })

  it('is not for whom no owner made a member, nor for one that was removed', async (t) => {
    const onions = new Onions()
    const [town, cabin] = [await openTestMesh(t, onions, 'town'), await openTestMesh(t, onions, 'cabin')]
    const { code } = await inviteAt(town)
    const stranger = await joinWith(cabin, code, cabin.paper(STRANGER))
    assert.equal('code' in stranger && stranger.code, 'unknown-signer')
    await removeAt(town, removal([cabin]))
    const removed = await joinWith(cabin, code)
    assert.equal('code' in removed && removed.code, 'forbidden')
    assert.deepEqual(names(town), ['town'])
  })

  it('may be taken up with the paper of any owner', async (t) => {
    const onions = new Onions()
    const [town, cabin] = [await openTestMesh(t, onions, 'town'), await openTestMesh(t, onions, 'cabin')]
    const joined = await joinWith(cabin, (await inviteAt(town)).code, cabin.paper(BOB))
    assert('state' in joined && joined.state === 'joined')
  })
})

describe('several homes', () => {
  it('a third that joins by the first is known to the second, and reaches it', async (t) => {
    const onions = new Onions()
    const [town, cabin, boat] = [
      await openTestMesh(t, onions, 'town'),
      await openTestMesh(t, onions, 'cabin'),
      await openTestMesh(t, onions, 'boat'),
    ]
    await pairUp(town, cabin)
    await pairUp(town, boat)
    await until(
      'the two others met',
      () => cabin.home.isConnected(boat.id) && boat.home.isConnected(cabin.id),
    )
    await write(cabin, 3)
    await until('its log is at both', () =>
      [town, boat].every((each) => position(each, cabin) === position(cabin, cabin)),
    )
  })

  it('keep the log of one that is lost for good, and give it to the one that takes its place', async (t) => {
    const onions = new Onions()
    const [town, cabin] = [await openTestMesh(t, onions, 'town'), await openTestMesh(t, onions, 'cabin')]
    await write(town, 700)
    await pairUp(town, cabin)
    await until('the log is there', () => position(cabin, town) === position(town, town))
    const lost = position(town, town)
    await town[Symbol.asyncDispose]()
    const restored = await openTestMesh(t, onions, 'town again')
    await pairUp(cabin, restored)
    await until('its predecessor’s log is back', () => position(restored, town) === lost)
    const [last] = restored.home.log(town.id, lost + 1, 1)
    assert.equal(last?.index, lost)
    assert.equal(restored.home.authors().find(({ id }) => id === town.id)?.name, 'town')
  })

  it('go on with a log where they were cut off, after a restart of either', async (t) => {
    const onions = new Onions()
    const path = join(onions.directory, 'cabin.db')
    const town = await openTestMesh(t, onions, 'town')
    {
      await using cabin = await openTestMesh(t, onions, 'cabin', path)
      await pairUp(town, cabin)
      await write(town, 50)
      await until('some of it is there', () => position(cabin, town) > 10)
    }
    await write(town, 600)
    const cabin = await openTestMesh(t, onions, 'cabin', path)
    await until('all of it is there', () => position(cabin, town) === position(town, town))
    assert.equal((await cabin.state.journal.verify()).broken, undefined)
  })

  it('offer an address to who was let in by the other, until one of them is removed [SPEC 14.9]', async (t) => {
    const onions = new Onions()
    const [town, cabin] = [await openTestMesh(t, onions, 'town'), await openTestMesh(t, onions, 'cabin')]
    await pairUp(town, cabin)
    await town.services.invite('far', true, { origin: 'unix' })
    const far = { id: idOf(STRANGER.key), kind: 'holder', origin: 'onion:invitation:far' } as const
    town.home.guests.arrived(far)
    await until('the other home is told', () => town.home.guests.othersFor(far).length === 1)
    const offered = () => cabin.services.list().filter(({ service }) => service.startsWith('guest:'))
    const [way] = town.home.guests.othersFor(far)
    assert.deepEqual([way?.home, way?.address], ['cabin', offered()[0]?.address])
    await removeAt(town, removal([cabin]))
    await until('it is gone at both', () => offered().length === 0)
    assert.deepEqual(town.home.guests.othersFor(far), [])
  })

  it('cut off the one that is removed, and it hears of it as the last', async (t) => {
    const onions = new Onions()
    const [town, cabin] = [await openTestMesh(t, onions, 'town'), await openTestMesh(t, onions, 'cabin')]
    await pairUp(town, cabin)
    await removeAt(town, removal([cabin]))
    await until('it knows', () => cabin.home.papers.isRemoved(cabin.id))
    await until('it is gone', () => !town.home.isConnected(cabin.id) && !cabin.home.isConnected(town.id))
    await until('it has nothing left of the others', () => cabin.services.list().length === 0)
    assert.match(cabin.home.report()[0]!.trouble!, /was removed/)
    const before = position(cabin, town)
    await write(town, 5)
    await systemClock.sleep(1500)
    assert.equal(position(cabin, town), before)
    const offered = () => town.services.list().map(({ service }) => service)
    await until('no address is left for it', () => offered().length === 0)
  })

  it('name a clock that is off, on both sides', async (t) => {
    const onions = new Onions()
    const town = await openTestMesh(t, onions, 'town')
    const ahead: Clock = { ...systemClock, now: () => systemClock.now() + 3_600_000 }
    const cabin = await openTestMesh(t, onions, 'cabin', undefined, ahead)
    await pairUp(town, cabin)
    const troubleOf = (at: TestMesh, of: TestMesh) =>
      at.home.report().find(({ id }) => id === of.id)!.trouble ?? ''
    await until('both say so', () =>
      [troubleOf(town, cabin), troubleOf(cabin, town)].every((said) => said !== ''),
    )
    assert.match(troubleOf(town, cabin), /^Its clock is 60 min ahead of the one here.* Set the clock/)
    assert.match(troubleOf(cabin, town), /^Its clock is 60 min behind the one here/)
    await write(town, 3)
    await until('logs pass all the same', () => position(cabin, town) === position(town, town))
  })

  it('say what is wrong in words', async (t) => {
    const onions = new Onions()
    const [town, cabin] = [await openTestMesh(t, onions, 'town'), await openTestMesh(t, onions, 'cabin')]
    await pairUp(town, cabin)
    await cabin[Symbol.asyncDispose]()
    await until('there is no connection', () => !town.home.isConnected(cabin.id))
    const report = town.home.report().find(({ name }) => name === 'cabin')!
    assert.equal(typeof report.trouble, 'string')
    assert(systemClock.now() - report.heardAt! < 60_000)
  })
})
