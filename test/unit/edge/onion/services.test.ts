// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeOf, isCode, no, type Verdict, yes } from '../../../../daemon/base/error.ts'
import { Latch } from '../../../../daemon/base/lifetime.ts'
import { Log, type LogLine } from '../../../../daemon/base/log.ts'
import { systemRandom } from '../../../../daemon/base/random.ts'
import { Secret } from '../../../../daemon/base/secret.ts'
import { x25519Public } from '../../../../daemon/core/identity/index.ts'
import { onionKeyOf, serviceIdOf } from '../../../../daemon/edge/onion/address.ts'
import type { Control } from '../../../../daemon/edge/onion/control.ts'
import { type OnionCode, OnionError } from '../../../../daemon/edge/onion/error.ts'
import type { OnionService } from '../../../../daemon/edge/onion/offer.ts'
import type { Reply } from '../../../../daemon/edge/onion/reply.ts'
import { rendezvousOf } from '../../../../daemon/edge/onion/revoke.ts'
import { PUBLISHING_MAX, Services } from '../../../../daemon/edge/onion/services.ts'
import { ManualClock, settled } from '../../../support/manual-clock.ts'

const seed = (n: number) => new Secret(new Uint8Array(32).fill(n))
const idOf = (n: number) => serviceIdOf(onionKeyOf(seed(n)).address)
const service = (n: number, more: Partial<OnionService> = {}): OnionService => ({
  name: `s${n}`,
  seed: seed(n),
  target: '/run/t',
  port: 80,
  clients: [],
  ...more,
})

/** A tor in memory: obeys, and tells of uploads when the test says so. */
class FakeTor implements Control {
  readonly commands: string[] = []
  readonly #listeners = new Set<(event: Reply) => void>()
  readonly #closed = new Latch<OnionError>()
  refuse: string | undefined
  circuits: string[] = []

  get closed(): Promise<OnionError> {
    return this.#closed.promise
  }

  async command(line: string): Promise<Reply> {
    this.commands.push(line)
    const [verb, argument] = line.split(' ')
    if (verb === this.refuse) return { code: 550, lines: [{ text: 'Onion address collision' }] }
    if (verb === 'CLOSECIRCUIT')
      this.circuits = this.circuits.filter((one) => !one.startsWith(`${argument} `))
    if (verb === 'GETINFO') return reply({ text: 'circuit-status=', data: this.circuits.join('\n') })
    return verb === 'ADD_ONION' ? reply({ text: `ServiceID=${this.#idOf(argument!)}` }) : reply()
  }

  /** What real tor does too: the address follows from the key alone. */
  #idOf(key: string): string {
    for (let n = 0; n < 256; n++) {
      if (key === `ED25519-V3:${onionKeyOf(seed(n)).expandedBase64()}`) return idOf(n)
    }
    return 'unknown'
  }

  onEvent(listener: (event: Reply) => void): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  upload(n: number): void {
    const text = `HS_DESC UPLOADED ${idOf(n)} UNKNOWN $AA~relay`
    for (const listener of this.#listeners) listener({ code: 650, lines: [{ text }] })
  }

  die(): void {
    this.#closed.open(new OnionError('control-closed', 'tor closed the control socket'))
  }

  verbs(): string[] {
    return this.commands.map((line) => line.split(' ')[0]!)
  }

  added(): number {
    return this.verbs().filter((verb) => verb === 'ADD_ONION').length
  }

  [Symbol.dispose](): void {
    this.die()
  }
}

function reply(...lines: Reply['lines']): Reply {
  return { code: 250, lines: [...lines, { text: 'OK' }] }
}

function bench() {
  const clock = new ManualClock()
  const lines: LogLine[] = []
  const ready = new Latch<void>()
  let answer: () => Verdict<void, OnionCode> = () => yes(undefined)
  let probes = 0
  const services = new Services(
    {
      clock,
      random: systemRandom,
      log: new Log(clock, (line) => void lines.push(line)),
      ready: () => ready.promise,
      probe: async () => {
        probes++
        return answer()
      },
      changed: () => {},
    },
    600_000,
  )
  const life = new AbortController()
  return {
    clock,
    lines,
    ready,
    services,
    life,
    probes: () => probes,
    probing: (next: () => Verdict<void, OnionCode>) => {
      answer = next
    },
    serve: (tor: FakeTor) => {
      const serving = services.serve(tor, life.signal).then(
        () => 'ended',
        (error) => codeOf(error) ?? 'unnamed',
      )
      return settled().then(() => ({ serving }))
    },
    states: () => services.statuses().map(({ state }) => state),
  }
}

test('offer() gives the address before there is any tor', () => {
  const { services } = bench()
  assert.equal(services.offer(service(1)), onionKeyOf(seed(1)).address)
  assert.equal(services.status('s1')?.state, 'queued')
})

test('offer() refuses a name or an address that is taken', () => {
  const { services } = bench()
  services.offer(service(1))
  assert.throws(
    () => services.offer(service(1)),
    (error) => isCode(error, 'name-taken'),
  )
  assert.throws(
    () => services.offer({ ...service(1), name: 'other' }),
    (error) => isCode(error, 'address-taken'),
  )
  assert.equal(services.statuses().length, 1)
})

test('offer() refuses services that tor would refuse or publish wrongly', () => {
  const { services } = bench()
  const key = (length: number) => ({ publicKey: new Uint8Array(length) })
  for (const [more, code] of [
    [{ port: 0 }, 'bad-service'],
    [{ port: 65_536 }, 'bad-service'],
    [{ port: 1.5 }, 'bad-service'],
    [{ seed: new Secret(new Uint8Array(31)) }, 'bad-service'],
    [{ clients: [key(31)] }, 'bad-service'],
    [{ clients: [key(32)], probeKey: new Secret(new Uint8Array(33)) }, 'bad-service'],
    [{ clients: Array.from({ length: 331 }, () => key(32)) }, 'bad-service'],
    [{ target: 'relative' }, 'bad-path'],
    [{ target: `/${'x'.repeat(107)}` }, 'bad-path'],
    [{ target: '/a b' }, 'bad-path'],
  ] as const) {
    assert.throws(
      () => services.offer(service(1, more)),
      (error) => isCode(error, code),
    )
  }
  assert.deepEqual(services.statuses(), [])
})

test('offer() refuses the service after the two hundredth', () => {
  const { services } = bench()
  for (let n = 0; n < 200; n++) services.offer(service(n))
  assert.throws(
    () => services.offer(service(200)),
    (error) => isCode(error, 'too-many'),
  )
})

test('services are sent to tor ten at a time, the next when one is uploaded, in the order offered', async () => {
  const { services, serve, life, states } = bench()
  for (let n = 0; n < 25; n++) services.offer(service(n))
  const tor = new FakeTor()
  await serve(tor)
  assert.equal(tor.added(), PUBLISHING_MAX)
  tor.upload(3)
  tor.upload(3)
  await settled()
  assert.equal(tor.added(), PUBLISHING_MAX + 1)
  assert.equal(states()[3], 'published')
  assert.equal(states()[10], 'publishing')
  assert.equal(states()[11], 'queued')
  for (let n = 0; n < 25; n++) {
    tor.upload(n)
    await settled()
  }
  assert.equal(tor.added(), 25)
  life.abort()
  tor.die()
})

test('services that nobody takes do not hold up the others for ever, once there is a network', async () => {
  const { services, serve, clock, ready, life } = bench()
  for (let n = 0; n < 12; n++) services.offer(service(n))
  const tor = new FakeTor()
  await serve(tor)
  await clock.pass(600_000)
  assert.equal(tor.added(), 10)
  ready.open()
  await clock.pass(29_000)
  assert.equal(tor.added(), 10)
  await clock.pass(1500)
  assert.equal(tor.added(), 12)
  life.abort()
  tor.die()
})

test('a service that no directory takes is shown as unreachable and added again', async () => {
  const { services, serve, clock, ready, life } = bench()
  services.offer(service(1))
  ready.open()
  const tor = new FakeTor()
  await serve(tor)
  await clock.pass(149_000)
  assert.deepEqual(tor.verbs(), ['ADD_ONION'])
  await clock.pass(2000)
  assert.deepEqual(tor.verbs(), ['ADD_ONION', 'DEL_ONION', 'ADD_ONION'])
  life.abort()
  tor.die()
})

test('an uploaded service is probed, and probed seldom while it is well', async () => {
  const { services, serve, clock, ready, life, probes } = bench()
  services.offer(service(1))
  ready.open()
  const tor = new FakeTor()
  await serve(tor)
  tor.upload(1)
  assert.equal(services.status('s1')?.uploads, 1)
  await clock.pass(1500)
  assert.equal(services.status('s1')?.state, 'reachable')
  assert.equal(services.status('s1')?.probedAt, clock.now())
  await clock.pass(449_000)
  assert.equal(probes(), 1)
  await clock.pass(302_000)
  assert.equal(probes(), 2)
  life.abort()
  tor.die()
})

test('one failed probe names its cause, two make the service unreachable, one success makes it reachable', async () => {
  const { services, serve, clock, ready, life, probing } = bench()
  services.offer(service(1))
  ready.open()
  probing(() => no('introduction-failed', 'it does not answer'))
  const tor = new FakeTor()
  await serve(tor)
  tor.upload(1)
  await clock.pass(1500)
  const first = services.status('s1')!
  assert.deepEqual([first.state, first.cause?.code], ['published', 'introduction-failed'])
  await clock.pass(3000)
  const second = services.status('s1')!
  assert.deepEqual([second.state, second.cause?.sentence], ['unreachable', 'it does not answer'])
  probing(() => yes(undefined))
  await clock.pass(6000)
  assert.equal(services.status('s1')?.state, 'reachable')
  assert.equal(services.status('s1')?.cause, undefined)
  life.abort()
  tor.die()
})

test('an address that the directories forgot is added again, later each time, and its streams are left alone', async () => {
  const { services, serve, clock, ready, life, probing } = bench()
  services.offer(service(1))
  ready.open()
  probing(() => no('no-descriptor', 'unknown'))
  const tor = new FakeTor()
  await serve(tor)
  tor.upload(1)
  await clock.pass(29_000)
  assert.equal(tor.added(), 1)
  const times: number[] = []
  for (let s = 0; s < 1200 && times.length < 3; s++) {
    const before = tor.added()
    await clock.pass(1000)
    if (tor.added() === before) continue
    times.push(s)
    tor.upload(1)
  }
  assert.equal(times.length, 3)
  assert.ok(times[0]! < 150, `first after ${times[0]} s`)
  assert.ok(times[2]! - times[1]! > times[0]! / 2)
  assert.equal(tor.verbs().includes('CLOSECIRCUIT'), false)
  life.abort()
  tor.die()
})

test('a service that is doubted is measured at once, and published anew when its circuits hang', async () => {
  const { services, serve, clock, ready, life, probing, probes } = bench()
  services.offer(service(1))
  ready.open()
  const tor = new FakeTor()
  await serve(tor)
  tor.upload(1)
  await clock.pass(1500)
  services.doubt('s1')
  services.doubt('unknown')
  await clock.pass(0)
  assert.deepEqual([probes(), tor.added()], [2, 1])
  for (const why of ['dial-timeout', 'rendezvous-failed', 'introduction-timeout'] as const) {
    const before = tor.added()
    probing(() => no(why, 'it hangs'))
    services.doubt('s1')
    await clock.pass(0)
    for (let s = 0; s < 600 && tor.added() === before; s++) await clock.pass(1000)
    assert.equal(tor.added(), before + 1, why)
    probing(() => yes(undefined))
    tor.upload(1)
    await clock.pass(1500)
    assert.equal(services.status('s1')?.state, 'reachable')
  }
  assert.equal(tor.verbs().includes('CLOSECIRCUIT'), false)
  life.abort()
  tor.die()
})

test('a dead target is no reason to publish again', async () => {
  const { services, serve, clock, ready, life, probing } = bench()
  services.offer(service(1))
  ready.open()
  probing(() => no('target-dead', 'nothing listens'))
  const tor = new FakeTor()
  await serve(tor)
  tor.upload(1)
  await clock.pass(1500)
  assert.equal(services.status('s1')?.state, 'unreachable')
  await clock.pass(3_600_000)
  assert.equal(tor.added(), 1)
  life.abort()
  tor.die()
})

test('a refused service shows why and is tried again', async () => {
  const { services, serve, clock, life } = bench()
  services.offer(service(1))
  const tor = new FakeTor()
  tor.refuse = 'ADD_ONION'
  await serve(tor)
  const refused = services.status('s1')!
  assert.deepEqual([refused.state, refused.cause?.code], ['unreachable', 'command-refused'])
  assert.match(refused.cause!.sentence, /550 Onion address collision/)
  tor.refuse = undefined
  await clock.pass(5000)
  tor.upload(1)
  await settled()
  assert.equal(services.status('s1')?.uploads, 1)
  life.abort()
  tor.die()
})

test('a service with clients is added with every key once, and the probe key is given to our tor', async () => {
  const { services, serve, life } = bench()
  const own = new Secret(new Uint8Array(32).fill(7))
  const other = new Uint8Array(32).fill(9)
  services.offer(service(1, { clients: [{ publicKey: other }], probeKey: own }))
  services.offer(service(2, { clients: [{ publicKey: x25519Public(own) }], probeKey: own }))
  services.offer(service(3, { probeKey: own }))
  const tor = new FakeTor()
  await serve(tor)
  const count = (line: string) => line.match(/ClientAuthV3=[A-Z2-7]{52}(?= |$)/g)?.length ?? 0
  const adds = tor.commands.filter((line) => line.startsWith('ADD_ONION'))
  assert.deepEqual(adds.map(count), [2, 1, 0])
  assert.deepEqual(
    adds.map((line) => line.includes('Flags=V3Auth')),
    [true, true, false],
  )
  const keys = tor.commands.filter((line) => line.startsWith('ONION_CLIENT_AUTH_ADD'))
  const expected = (n: number) => `ONION_CLIENT_AUTH_ADD ${idOf(n)} x25519:${own.reveal().toBase64()}`
  assert.deepEqual(keys, [expected(1), expected(2)])
  life.abort()
  tor.die()
})

test('a service that our probe may not read is published and says that it is not measured', async () => {
  const { services, serve, clock, ready, life, probes } = bench()
  services.offer(service(1, { clients: [{ publicKey: new Uint8Array(32).fill(9) }] }))
  ready.open()
  const tor = new FakeTor()
  await serve(tor)
  tor.upload(1)
  await clock.pass(3_600_000)
  const status = services.status('s1')!
  assert.deepEqual([status.state, status.cause?.code, probes()], ['published', 'authorisation-missing', 0])
  life.abort()
  tor.die()
})

test('withdraw() deletes the service and closes its rendezvous circuits and no others', async () => {
  const { services, serve, clock, life } = bench()
  services.offer(service(1))
  services.offer(service(2))
  const tor = new FakeTor()
  await serve(tor)
  const line = (id: number, purpose: string, n: number) =>
    `${id} BUILT $A~a BUILD_FLAGS=IS_INTERNAL PURPOSE=${purpose} HS_STATE=HSSR_JOINED REND_QUERY=${idOf(n)}`
  tor.circuits = [
    line(1, 'HS_SERVICE_REND', 1),
    line(2, 'HS_SERVICE_REND', 2),
    line(3, 'HS_CLIENT_REND', 1),
    line(4, 'HS_SERVICE_REND', 1),
    '5 BUILT $A~a PURPOSE=GENERAL',
  ]
  const withdrawing = services.withdraw('s1')
  await clock.pass(1000)
  await withdrawing
  const sent = tor.commands.filter((one) => /^(?:DEL_ONION|CLOSECIRCUIT)/.test(one))
  assert.deepEqual(sent, [`DEL_ONION ${idOf(1)}`, 'CLOSECIRCUIT 1', 'CLOSECIRCUIT 4'])
  assert.deepEqual(
    services.statuses().map(({ name }) => name),
    ['s2'],
  )
  life.abort()
  tor.die()
})

test('withdraw() also closes a circuit that stood up while it looked', async () => {
  const { services, serve, clock, life } = bench()
  services.offer(service(1))
  const tor = new FakeTor()
  await serve(tor)
  const withdrawing = services.withdraw('s1')
  await settled()
  tor.circuits = [`8 BUILT $A~a PURPOSE=HS_SERVICE_REND REND_QUERY=${idOf(1)}`]
  await clock.pass(2000)
  await withdrawing
  assert.deepEqual(tor.circuits, [])
  life.abort()
  tor.die()
})

test('withdraw() frees the slot of a service that was being published', async () => {
  const { services, serve, clock, life } = bench()
  for (let n = 0; n < 11; n++) services.offer(service(n))
  const tor = new FakeTor()
  await serve(tor)
  const withdrawing = services.withdraw('s0')
  await clock.pass(1000)
  await withdrawing
  assert.equal(tor.added(), 11)
  life.abort()
  tor.die()
})

test('withdraw() of an unknown name does nothing', async () => {
  const { services, serve, life } = bench()
  const tor = new FakeTor()
  await serve(tor)
  await services.withdraw('nobody')
  assert.deepEqual(tor.commands, [])
  life.abort()
  tor.die()
})

test('what is withdrawn while tor is away is cut in the tor that comes, before anything is added', async () => {
  const { services, serve, clock, life } = bench()
  services.offer(service(1))
  services.offer(service(2))
  await services.withdraw('s1')
  const tor = new FakeTor()
  tor.circuits = [`8 BUILT $A~a PURPOSE=HS_SERVICE_REND REND_QUERY=${idOf(1)}`]
  await serve(tor)
  await clock.pass(1000)
  const verbs = tor.verbs().filter((verb) => /^(?:DEL_ONION|CLOSECIRCUIT|ADD_ONION)$/.test(verb))
  assert.deepEqual(verbs, ['DEL_ONION', 'CLOSECIRCUIT', 'ADD_ONION'])
  life.abort()
  tor.die()
})

test('services return in the next tor with the same addresses, and say meanwhile what they wait for', async () => {
  const { services, serve, life } = bench()
  const address = services.offer(service(1))
  const first = new FakeTor()
  const { serving } = await serve(first)
  first.upload(1)
  first.die()
  assert.equal(await serving, 'control-closed')
  const waiting = services.status('s1')!
  assert.deepEqual([waiting.state, waiting.cause?.code, waiting.uploads], ['queued', 'tor-died', 0])
  const second = new FakeTor()
  await serve(second)
  assert.equal(second.added(), 1)
  assert.equal(services.status('s1')?.address, address)
  life.abort()
  second.die()
})

test('a tor that publishes another address than ours ends the session', async () => {
  const { services, serve } = bench()
  services.offer(service(1))
  const tor = new FakeTor()
  const obey = tor.command.bind(tor)
  tor.command = async (line) =>
    line.startsWith('ADD_ONION') ? reply({ text: `ServiceID=${idOf(2)}` }) : obey(line)
  const { serving } = await serve(tor)
  assert.equal(await serving, 'reply-unexpected')
})

test('no time is left running when tor is gone', async () => {
  const { services, serve, clock, ready, life } = bench()
  for (let n = 0; n < 15; n++) services.offer(service(n))
  ready.open()
  const tor = new FakeTor()
  const { serving } = await serve(tor)
  for (let n = 0; n < 5; n++) tor.upload(n)
  await clock.pass(2000)
  life.abort()
  tor.die()
  await serving
  await settled()
  assert.equal(clock.waiting, 0)
})

test('the diary names services and never their addresses', async () => {
  const { services, serve, clock, ready, life, lines } = bench()
  const address = services.offer(service(1))
  ready.open()
  const tor = new FakeTor()
  await serve(tor)
  tor.upload(1)
  await clock.pass(2000)
  assert.ok(lines.length > 0)
  assert.equal(JSON.stringify(lines).includes(serviceIdOf(address)), false)
  life.abort()
  tor.die()
})

test('rendezvousOf() reads circuit lines and passes over what is none', () => {
  const mine = idOf(1)
  const status = [
    `17 BUILT $A~a,$B~b PURPOSE=HS_SERVICE_REND HS_STATE=HSSR_CONNECTING REND_QUERY=${mine} TIME_CREATED=2026-11-23T00:42:48.4`,
    `18 BUILT $A~a PURPOSE=HS_SERVICE_REND REND_QUERY=${mine}x`,
    `19 BUILT $A~a PURPOSE=HS_SERVICE_INTRO REND_QUERY=${mine}`,
    `20 BUILT $A~a PURPOSE=HS_SERVICE_REND SOCKS_USERNAME="REND_QUERY=${mine}"`,
    '',
    'nonsense',
  ].join('\n')
  assert.deepEqual(rendezvousOf(mine, status), ['17'])
  assert.deepEqual(rendezvousOf(mine, ''), [])
})
