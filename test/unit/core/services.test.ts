// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import { Secret } from '../../../daemon/base/secret.ts'
import { nativeEd25519 } from '../../../daemon/core/envelope/index.ts'
import { onionAddress, x25519Public } from '../../../daemon/core/identity/index.ts'
import { idOf } from '../../../daemon/core/model/index.ts'
import { type Offer, openServices, type Publisher } from '../../../daemon/core/services.ts'
import type { State } from '../../../daemon/state/index.ts'
import { LAMP, OWNER, openCoreHome } from '../../support/core-home.ts'

const MASTER = new Secret(new Uint8Array(32).fill(7))
const BY = { signer: idOf(OWNER.key), origin: 'unix' }
const ed25519 = nativeEd25519()

/** Publishes to nobody, and remembers. */
class Wall implements Publisher {
  readonly offers: Offer[] = []
  readonly withdrawn: string[] = []
  onOffer = (): void => {}

  async offer(offer: Offer): Promise<string> {
    assert(!this.live().has(offer.service), `${offer.service} is offered already`)
    this.offers.push(offer)
    this.onOffer()
    await new Promise((resolve) => setImmediate(resolve))
    return onionAddress(ed25519.signer(offer.seed.reveal()).key)
  }

  async withdraw(service: string): Promise<void> {
    this.withdrawn.push(service)
  }

  state: 'queued' | 'reachable' = 'queued'

  status() {
    return { state: this.state, since: 0 }
  }

  live(): ReadonlySet<string> {
    const live = new Set(this.offers.map(({ service }) => service))
    for (const service of this.withdrawn) {
      const times = (list: readonly string[]) => list.filter((each) => each === service).length
      if (times(this.withdrawn) >= times(this.offers.map((offer) => offer.service))) live.delete(service)
    }
    return live
  }
}

async function open(t: TestContext, state?: State, master = MASTER) {
  const home = await openCoreHome(t)
  const { services: book, journal } = state ?? home.state
  const publisher = new Wall()
  const onFault = (error: unknown) => {
    throw error
  }
  const services = await openServices({ clock: home.clock, master, book, journal, publisher, onFault })
  return { home, services, publisher }
}

async function invited(
  services: Awaited<ReturnType<typeof open>>['services'],
  name: string,
  authorised = true,
) {
  const answer = await services.invite(name, authorised, BY)
  assert(answer.ok, answer.ok ? '' : answer.why)
  return answer.value
}

suite('invite()', () => {
  test('offers an address with one client key, and says so in the journal', async (t) => {
    const { home, services, publisher } = await open(t)
    const invitation = await invited(services, 'phone')
    const [offer] = publisher.offers
    assert.deepEqual(offer?.clients, [x25519Public(invitation.clientKey!)])
    assert.equal(invitation.address, onionAddress(ed25519.signer(offer!.seed.reveal()).key))
    assert.deepEqual(home.kinds(), ['invited'])
  })

  test('asked again gives the same invitation and offers nothing twice', async (t) => {
    const { home, services, publisher } = await open(t)
    const first = await invited(services, 'phone')
    const second = await invited(services, 'phone')
    assert.deepEqual([second.address, second.clientKey?.reveal()], [first.address, first.clientKey?.reveal()])
    assert.equal(publisher.offers.length, 1)
    assert.deepEqual(home.kinds(), ['invited'])
  })

  test('is in no list before it has an address', async (t) => {
    const { home, services, publisher } = await open(t)
    const kept: unknown[] = []
    const seen: unknown[] = []
    publisher.onOffer = () => {
      kept.push(...home.state.services.list())
      seen.push(...services.list())
    }
    const { address } = await invited(services, 'far')
    assert.deepEqual([kept.length, seen], [1, []])
    assert.deepEqual(
      services.list().map((service) => service.address),
      [address],
    )
  })

  test('asked twice at once gives one address, to both', async (t) => {
    const { services, publisher } = await open(t)
    const [first, second] = await Promise.all([invited(services, 'phone'), invited(services, 'phone')])
    assert.match(first.address, /\.onion$/)
    assert.equal(second.address, first.address)
    assert.equal(publisher.offers.length, 1)
  })

  test('of different names gives different addresses and keys', async (t) => {
    const { services } = await open(t)
    const both = [await invited(services, 'a'), await invited(services, 'b')]
    assert.equal(new Set(both.map(({ address }) => address)).size, 2)
    assert.equal(new Set(both.map(({ clientKey }) => clientKey!.reveal().toHex())).size, 2)
  })

  test('without authorisation gives no key', async (t) => {
    const { services, publisher } = await open(t)
    const invitation = await invited(services, 'kiosk', false)
    assert.equal(invitation.clientKey, undefined)
    assert.deepEqual([publisher.offers[0]?.clients, publisher.offers[0]?.probeKey], [[], undefined])
  })

  for (const authorised of [true, false]) {
    test(`refuses to turn ${authorised ? 'a closed' : 'an open'} address into the other kind: conflict`, async (t) => {
      const { services, publisher } = await open(t)
      await invited(services, 'phone', authorised)
      const answer = await services.invite('phone', !authorised, BY)
      assert.equal(answer.ok ? 'done' : answer.why, 'conflict')
      assert.equal(publisher.offers.length, 1)
    })
  }

  const bad = [
    '',
    ' ',
    '-a',
    '.',
    '../x',
    'a/b',
    'a ',
    ' a',
    'a\n',
    'a\0',
    'ä',
    'a'.repeat(33),
    'device:x',
    'a:b',
  ]
  for (const name of bad) {
    test(`refuses the name ${JSON.stringify(name)}: bad-request`, async (t) => {
      const { home, services, publisher } = await open(t)
      const answer = await services.invite(name, true, BY)
      assert.equal(answer.ok ? 'done' : answer.why, 'bad-request')
      assert.deepEqual([publisher.offers, home.kinds()], [[], []])
    })
  }
})

suite('withdraw()', () => {
  test('takes exactly that one, and says so in the journal', async (t) => {
    const { home, services, publisher } = await open(t)
    await invited(services, 'a')
    const b = await invited(services, 'b')
    assert((await services.withdraw('invitation:a', BY)).ok)
    assert.deepEqual(publisher.withdrawn, ['invitation:a'])
    assert.deepEqual(
      services.list().map(({ address }) => address),
      [b.address],
    )
    assert.deepEqual(home.kinds(), ['invited', 'invited', 'withdrawn'])
  })

  test('then invite() gives another address and another key', async (t) => {
    const { services } = await open(t)
    const first = await invited(services, 'phone')
    await services.withdraw('invitation:phone', BY)
    const second = await invited(services, 'phone')
    assert.notEqual(second.address, first.address)
    assert.notEqual(second.clientKey!.reveal().toHex(), first.clientKey!.reveal().toHex())
    assert.deepEqual([first.epoch, second.epoch], [0, 1])
  })

  test('refuses one that is not there, or was withdrawn, or is only named like one: not-found', async (t) => {
    const { services, publisher } = await open(t)
    await invited(services, 'phone')
    await services.withdraw('invitation:phone', BY)
    for (const service of ['invitation:phone', 'invitation:other', 'phone', 'device:phone', '']) {
      const answer = await services.withdraw(service, BY)
      assert.equal(answer.ok ? 'done' : answer.why, 'not-found')
    }
    assert.deepEqual(publisher.withdrawn, ['invitation:phone'])
  })

  test('asked twice at once is done once', async (t) => {
    const { home, services, publisher } = await open(t)
    await invited(services, 'phone')
    const answers = await Promise.all([1, 2].map(() => services.withdraw('invitation:phone', BY)))
    assert.deepEqual(
      answers.map(({ ok }) => ok),
      [true, false],
    )
    assert.deepEqual(publisher.withdrawn, ['invitation:phone'])
    assert.deepEqual(home.kinds(), ['invited', 'withdrawn'])
  })

  test('and invite() at once leave one or none, never two of a name', async (t) => {
    const { services, publisher } = await open(t)
    const first = await invited(services, 'phone')
    const [, again] = await Promise.all([
      services.withdraw('invitation:phone', BY),
      invited(services, 'phone'),
    ])
    assert.notEqual(again.address, first.address)
    assert.deepEqual(
      services.list().map(({ address }) => address),
      [again.address],
    )
    assert.deepEqual([...publisher.live()], ['invitation:phone'])
  })
})

suite('expose()', () => {
  test('offers what serves that device alone', async (t) => {
    const { services, publisher } = await open(t)
    const id = idOf(LAMP.key)
    const answer = await services.expose(id, true, BY)
    assert(answer.ok)
    assert.deepEqual([publisher.offers[0]?.service, publisher.offers[0]?.only], [`device:${id}`, id])
  })

  test('an invitation cannot take the name of a device', async (t) => {
    const { services, publisher } = await open(t)
    const id = idOf(LAMP.key).replace(/^[_-]/, 'x')
    await services.expose(id as never, true, BY)
    await services.invite(id.slice(0, 32), true, BY)
    assert.equal(publisher.offers.filter(({ only }) => only !== undefined).length, 1)
  })
})

suite('lend() and behind() [SPEC 14.9]', () => {
  const guest = 'guest:AAAAAAAAAAAAAAAAAAAAAA'

  test('an address for a guest, with a client key or without, is the same again and after a restart', async (t) => {
    const { services, home, publisher } = await open(t)
    const lent = await services.lend(guest, true, BY)
    assert(lent?.clientKey)
    assert.deepEqual(publisher.offers[0]?.clients, [x25519Public(lent.clientKey)])
    assert.deepEqual((await services.lend(guest, true, BY))?.address, lent.address)
    const open_ = await services.lend(`${guest}2`, false, BY)
    assert.deepEqual([open_?.clientKey, open_?.address === lent.address], [undefined, false])
    const again = await open(t, home.state)
    assert.equal((await again.services.lend(guest, true, BY))?.address, lent.address)
  })

  test('is none while it stands with the other kind of authorisation, and another one after it went', async (t) => {
    const { services } = await open(t)
    const lent = await services.lend(guest, true, BY)
    assert.equal(await services.lend(guest, false, BY), undefined)
    assert((await services.withdraw(guest, BY)).ok)
    const later = await services.lend(guest, false, BY)
    assert(lent && later && lent.address !== later.address)
  })

  test('a service is known by the origin of who comes by it, a renewed one by its new address alone', async (t) => {
    const { services } = await open(t)
    const { address } = await invited(services, 'anna')
    assert.equal(services.behind('onion:invitation:anna')?.address, address)
    const renewed = await services.renew('anna', BY)
    assert(renewed.ok)
    assert.equal(services.behind('onion:invitation:anna~1')?.address, renewed.value.address)
    for (const origin of [
      'onion:invitation:anna',
      'onion:invitation:ben',
      'invitation:anna',
      'unix',
      'lan',
      '',
    ]) {
      assert.equal(services.behind(origin), undefined, origin)
    }
  })
})

suite('renew() [SPEC 10.4]', () => {
  const anna = 'onion:invitation:anna'

  test('gives the next epoch, and keeps the address before it', async (t) => {
    const { services, publisher } = await open(t)
    const first = await invited(services, 'anna')
    const renewed = await services.renew('anna', BY)
    assert(renewed.ok)
    assert.notEqual(renewed.value.address, first.address)
    assert.notDeepEqual(renewed.value.clientKey?.reveal(), first.clientKey?.reveal())
    assert.deepEqual([renewed.value.service, renewed.value.epoch], ['invitation:anna', 1])
    assert.equal(publisher.live().size, 2)
    assert.deepEqual(publisher.withdrawn, [])
  })

  test('tells whoever comes by the old address, once the new one can be reached, and nobody else', async (t) => {
    const { services, publisher } = await open(t)
    await invited(services, 'anna')
    await invited(services, 'ben')
    const renewed = await services.renew('anna', BY)
    assert(renewed.ok)
    assert.equal(services.movedTo(anna), undefined)
    publisher.state = 'reachable'
    const moved = services.movedTo(anna)
    assert.equal(moved?.address, renewed.value.address)
    assert.deepEqual(moved?.clientKey?.reveal(), renewed.value.clientKey?.reveal())
    for (const origin of ['unix', 'lan', 'onion:invitation:ben', `${anna}~1`, 'onion:former:anna', '']) {
      assert.equal(services.movedTo(origin), undefined, origin)
    }
  })

  test('the first who comes by the new address ends the old one; coming by the old one does not', async (t) => {
    const { services, publisher } = await open(t)
    await invited(services, 'anna')
    const renewed = await services.renew('anna', BY)
    assert(renewed.ok)
    for (const origin of [anna, 'unix', 'lan', 'onion:invitation:ben~1']) services.arrived(origin)
    await services.invite('anna', true, BY)
    assert.deepEqual(publisher.withdrawn, [])
    services.arrived(`${anna}~1`)
    services.arrived(`${anna}~1`)
    await services.invite('anna', true, BY)
    assert.deepEqual(publisher.withdrawn, ['invitation:anna'])
    publisher.state = 'reachable'
    assert.equal(services.movedTo(anna), undefined)
    const list = services.list()
    assert.deepEqual(
      list.map(({ service, address }) => [service, address]),
      [['invitation:anna', renewed.value.address]],
    )
  })

  test('goes on after a restart, with the same two addresses', async (t) => {
    const { services, home } = await open(t)
    const first = await invited(services, 'anna')
    const renewed = await services.renew('anna', BY)
    assert(renewed.ok)
    const again = await open(t, home.state)
    const offered = new Set(again.services.list().map(({ address }) => address))
    assert.deepEqual(offered, new Set([first.address, renewed.value.address]))
    again.publisher.state = 'reachable'
    assert.equal(again.services.movedTo('onion:former:anna')?.address, renewed.value.address)
    again.services.arrived(anna)
    await again.services.invite('anna', true, BY)
    assert.deepEqual(again.publisher.withdrawn, ['former:anna'])
  })

  test('is refused for nobody, and while the holder has not come by the new address', async (t) => {
    const { services } = await open(t)
    const nobody = await services.renew('anna', BY)
    assert.equal(!nobody.ok && nobody.why, 'not-found')
    await invited(services, 'anna')
    await services.renew('anna', BY)
    const twice = await services.renew('anna', BY)
    assert.equal(!twice.ok && twice.why, 'conflict')
  })

  test('withdraw() takes both addresses, and the name gets a third', async (t) => {
    const { services, publisher } = await open(t)
    await invited(services, 'anna')
    await services.renew('anna', BY)
    assert((await services.withdraw('invitation:anna', BY)).ok)
    assert.equal(publisher.live().size, 0)
    assert.deepEqual(services.list(), [])
    assert.equal((await invited(services, 'anna')).epoch, 2)
  })

  test('isBy() knows a service by the name it is published under', async (t) => {
    const { services } = await open(t)
    await invited(services, 'anna')
    assert.equal(services.isBy(anna, 'invitation:anna'), true)
    await services.renew('anna', BY)
    assert.equal(services.isBy(anna, 'invitation:anna'), false)
    assert.equal(services.isBy(`${anna}~1`, 'invitation:anna'), true)
  })
})

suite('openServices()', () => {
  test('offers after a restart what the book holds, at the same addresses, and no withdrawn one', async (t) => {
    const { home, services } = await open(t)
    const kept = await invited(services, 'kept')
    await invited(services, 'gone')
    await services.withdraw('invitation:gone', BY)
    const again = await open(t, home.state)
    assert.deepEqual(
      again.services.list().map(({ address }) => address),
      [kept.address],
    )
    assert.deepEqual(
      again.publisher.offers.map(({ service }) => service),
      ['invitation:kept'],
    )
  })

  test('the same words and names give the same addresses and keys to a home with an empty book', async (t) => {
    const first = await invited((await open(t)).services, 'phone')
    const second = await invited((await open(t)).services, 'phone')
    assert.deepEqual([second.address, second.clientKey!.reveal()], [first.address, first.clientKey!.reveal()])
  })

  test('other words give other addresses', async (t) => {
    const first = await invited((await open(t)).services, 'phone')
    const other = await open(t, undefined, new Secret(new Uint8Array(32).fill(8)))
    assert.notEqual((await invited(other.services, 'phone')).address, first.address)
  })
})
