// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Frame } from '../../../daemon/core/envelope/index.ts'
import { idOf } from '../../../daemon/core/model/index.ts'
import type { Asked } from '../../../daemon/core/receive.ts'
import { CODES, type Code } from '../../../schemas/gen/ts/codes.ts'
import { REQUEST_WINDOW } from '../../../schemas/gen/ts/wire.ts'
import {
  type CoreHome,
  HOME,
  LAMP,
  NONCE,
  OTHER,
  OWNER,
  openCoreHome,
  ROOT,
  STRANGER,
} from '../../support/core-home.ts'
import { sha256 } from '../../support/request.ts'

const ASKED: Asked = { method: 'GET', path: '/things', digest: sha256(new Uint8Array()), origin: 'unix' }

suite('identify()', () => {
  test('names the owner that sealed the request, and where it came in', async (t) => {
    const home = await openCoreHome(t)
    const who = home.desk.identify(home.request(), ASKED)
    assert.deepEqual(who, {
      ok: true,
      value: { id: idOf(OWNER.key), name: 'ada', kind: 'owner', origin: 'unix' },
    })
  })

  const refusals: [string, Code, (home: CoreHome) => Frame, Partial<Asked>?][] = [
    ['a request of a stranger', 'unknown-signer', (home) => home.request({}, STRANGER)],
    ['a request sealed by the root itself', 'unknown-signer', (home) => home.request({}, ROOT)],
    ['a request for another home', 'wrong-audience', (home) => home.request({ audience: idOf(OTHER.key) })],
    [
      'a request that ends now',
      'expired',
      (home) => home.request({ expiresAt: home.now, sealedAt: home.now - 9 }),
    ],
    [
      'a request from the future',
      'not-yet',
      (home) => home.request({ sealedAt: home.now + 301, expiresAt: home.now + 360 }),
    ],
    [
      'a request that would live too long',
      'bad-claims',
      (home) => home.request({ expiresAt: home.now + 121 }),
    ],
    ['another method', 'unauthorized', (home) => home.request(), { method: 'DELETE' }],
    ['another path', 'unauthorized', (home) => home.request(), { path: '/things?x=1' }],
    ['another body', 'unauthorized', (home) => home.request(), { digest: sha256(Uint8Array.of(1)) }],
    ['a command in place of a request', 'unknown-signer', (home) => home.command()],
    ['garbage', 'wrong-tag', () => Uint8Array.of(0xd1, 0)],
    ['nothing', 'cbor-truncated', () => new Uint8Array()],
    [
      'a flipped bit of the signature',
      'bad-signature',
      (home) => {
        const frame = home.request()
        frame[frame.length - 40]! ^= 1
        return frame
      },
    ],
  ]
  for (const [what, why, frame, asked] of refusals) {
    test(`refuses ${what}: ${why}`, async (t) => {
      const home = await openCoreHome(t)
      const who = home.desk.identify(frame(home), { ...ASKED, ...asked })
      assert.equal(who.ok ? 'taken' : who.why, why)
    })
  }

  test('takes what a page asked all at once, in any order', async (t) => {
    const home = await openCoreHome(t)
    const frames = Array.from({ length: REQUEST_WINDOW }, () => home.request())
    assert(frames.toReversed().every((frame) => home.desk.identify(frame, ASKED).ok))
  })

  test('refuses a request that it has seen, and one older than all that it remembers', async (t) => {
    const home = await openCoreHome(t)
    const frames = Array.from({ length: REQUEST_WINDOW + 2 }, () => home.request())
    assert(frames.slice(1).every((frame) => home.desk.identify(frame, ASKED).ok))
    for (const frame of frames.slice(0, 3)) {
      const again = home.desk.identify(frame, ASKED)
      assert.equal(again.ok ? 'taken' : again.why, 'replayed')
    }
  })

  test('what was sealed before a restart is refused by the hub that comes back: it may have been taken', async (t) => {
    const home = await openCoreHome(t)
    const [taken, unused] = [home.request(), home.request()]
    assert(home.desk.identify(taken, ASKED).ok)
    await home.clock.advance(1000)
    home.openCore()
    for (const frame of [taken, unused]) {
      const again = home.desk.identify(frame, ASKED)
      assert.equal(again.ok ? 'taken' : again.why, 'replayed')
    }
    assert(home.desk.identify(home.request(), ASKED).ok)
  })

  test('a refused request does not use up its sequence', async (t) => {
    const home = await openCoreHome(t)
    const frame = home.request()
    assert(!home.desk.identify(frame, { ...ASKED, path: '/log' }).ok)
    assert(home.desk.identify(frame, ASKED).ok)
  })
})

suite('command()', () => {
  const target = { affordance: 1, operation: 'write' } as const

  test('is recorded with its desire before it is delivered', async (t) => {
    const home = await openCoreHome(t)
    const device = await home.lamp()
    const frame = home.command()
    const delivered = await home.desk.command(frame, { device, ...target }, home.caller)
    assert(delivered.ok)
    assert.deepEqual(home.sent, [{ device: device.id, frame, entries: 1 }])
    assert.deepEqual(home.kinds(), ['command'])
    const { desired } = home.state.devices.twin(device.id)
    assert.deepEqual(
      desired.map(({ affordance, value }) => [affordance, value]),
      [[1, true]],
    )
  })

  test('an invocation desires nothing', async (t) => {
    const home = await openCoreHome(t)
    const device = await home.lamp()
    const frame = home.command({ operation: 'invoke', affordance: 5 })
    const delivered = await home.desk.command(
      frame,
      { device, affordance: 5, operation: 'invoke' },
      home.caller,
    )
    assert(delivered.ok)
    assert.deepEqual(home.state.devices.twin(device.id).desired, [])
  })

  type Target = { affordance: number; operation: 'write' | 'invoke' }
  const refusals: [string, Code, (home: CoreHome) => Frame, Partial<Target>?][] = [
    ['a stranger', 'unknown-signer', (home) => home.command({}, STRANGER)],
    ['the root itself', 'unknown-signer', (home) => home.command({}, ROOT)],
    ['another device', 'unknown-signer', (home) => home.command({}, OTHER)],
    ['for another device', 'wrong-audience', (home) => home.command({ audience: idOf(OTHER.key) })],
    ['for the home', 'wrong-audience', (home) => home.command({ audience: HOME })],
    ['for another life of the device', 'stale-nonce', (home) => home.command({ nonce: new Uint8Array(8) })],
    [
      'whose time has come',
      'expired',
      (home) => home.command({ expiresAt: home.now, sealedAt: home.now - 5 }),
    ],
    [
      'from the future',
      'not-yet',
      (home) => home.command({ sealedAt: home.now + 301, expiresAt: home.now + 310 }),
    ],
    ['for more than a day', 'bad-claims', (home) => home.command({ expiresAt: home.now + 86_401 })],
    [
      'sealed for another property than the route',
      'bad-request',
      (home) => home.command({ affordance: 2, value: 5 }),
    ],
    [
      'sealed as an action on the route of a property',
      'bad-request',
      (home) => home.command({ operation: 'invoke', affordance: 1 }),
    ],
    [
      'for a property that the device has not',
      'no-such-affordance',
      (home) => home.command({ affordance: 257 }),
      { affordance: 257 },
    ],
    [
      'for a capability that nobody has',
      'no-such-affordance',
      (home) => home.command({ affordance: 200 }),
      { affordance: 200 },
    ],
    [
      'to write an action',
      'no-such-affordance',
      (home) => home.command({ affordance: 5 }),
      { affordance: 5 },
    ],
    [
      'to write what can only be read',
      'read-only',
      (home) => home.command({ affordance: 3, value: 2000 }),
      { affordance: 3 },
    ],
    ['with a value of the wrong kind', 'bad-value', (home) => home.command({ value: 1 })],
    [
      'with a value out of range',
      'bad-value',
      (home) => home.command({ affordance: 2, value: 101 }),
      { affordance: 2 },
    ],
    [
      'with a value for an action that takes none',
      'bad-value',
      (home) => home.command({ operation: 'invoke', affordance: 5, value: 1 }),
      { affordance: 5, operation: 'invoke' },
    ],
    [
      'without the value that an action takes',
      'bad-value',
      (home) => home.command({ operation: 'invoke', affordance: 6 }),
      { affordance: 6, operation: 'invoke' },
    ],
    ['that is a request', 'unknown-signer', (home) => home.request()],
    ['that is cut short', 'cbor-truncated', (home) => home.command().subarray(0, -1)],
    ['with a byte behind it', 'cbor-trailing', (home) => Uint8Array.of(...home.command(), 0)],
  ]
  for (const [what, why, frame, change] of refusals) {
    test(`refuses a command ${what}: ${why}, with an entry and no delivery`, async (t) => {
      const home = await openCoreHome(t)
      const device = await home.lamp()
      const answer = await home.desk.command(frame(home), { device, ...target, ...change }, home.caller)
      assert.equal(answer.ok ? 'taken' : answer.why, why)
      assert.deepEqual(home.sent, [])
      assert.deepEqual(
        home.journal().map(({ kind, code }) => [kind, code]),
        [['refused', CODES[why]]],
      )
      assert.deepEqual(home.state.devices.twin(device.id).desired, [])
    })
  }

  test('refuses a command that it has delivered: replayed', async (t) => {
    const home = await openCoreHome(t)
    const device = await home.lamp()
    const frame = home.command()
    assert((await home.desk.command(frame, { device, ...target }, home.caller)).ok)
    const again = await home.desk.command(frame, { device, ...target }, home.caller)
    assert.equal(again.ok ? 'taken' : again.why, 'replayed')
    assert.equal(home.sent.length, 1)
    assert.deepEqual(home.kinds(), ['command', 'refused'])
  })

  test('of two that come at once with one sequence only one is delivered', async (t) => {
    const home = await openCoreHome(t)
    const device = await home.lamp()
    const frame = home.command()
    const answers = await Promise.all(
      [1, 2].map(() => home.desk.command(frame, { device, ...target }, home.caller)),
    )
    assert.deepEqual(answers.map(({ ok }) => ok).sort(), [false, true])
    assert.equal(home.sent.length, 1)
  })

  test('refuses every command for a device that never said hello: stale-nonce', async (t) => {
    const home = await openCoreHome(t)
    const added = await home.state.devices.enrol(
      { id: idOf(LAMP.key), name: 'lamp', board: 'host', firmware: '1', affordances: [1] },
      home.clock.now(),
    )
    assert(added.ok)
    const answer = await home.desk.command(home.command(), { device: added.value, ...target }, home.caller)
    assert.equal(answer.ok ? 'taken' : answer.why, 'stale-nonce')
  })

  test('refuses a command when too many wait, and desires nothing by it: queue-full', async (t) => {
    const home = await openCoreHome(t)
    const device = await home.lamp()
    const send = (value: number) =>
      home.desk.command(
        home.command({ affordance: 2, value }),
        { device, ...target, affordance: 2 },
        home.caller,
      )
    const answers: unknown[] = []
    for (let value = 0; value < 40; value++) {
      const answer = await send(value)
      answers.push(answer.ok ? 'ok' : answer.why)
    }
    const taken = answers.indexOf('queue-full')
    assert(taken > 0, `all ${answers.length} were taken`)
    assert(answers.slice(taken).every((answer) => answer === 'queue-full'))
    assert.equal(home.sent.length, taken)
    assert.equal(home.state.devices.twin(device.id).desired[0]!.value, taken - 1)
  })
})

suite('permit()', () => {
  test('opens a permit once, and says so in the journal', async (t) => {
    const home = await openCoreHome(t)
    const proofKey = new Uint8Array(32).fill(3)
    assert((await home.desk.permit(home.permit(), proofKey, home.caller)).ok)
    assert.deepEqual(home.state.permits.get(new Uint8Array(8).fill(1))?.proofKey, proofKey)
    assert.deepEqual(home.kinds(), ['permit'])
  })

  const refusals: [string, Code, (home: CoreHome) => Frame][] = [
    ['of a stranger', 'unknown-signer', (home) => home.permit({}, STRANGER)],
    ['for another home', 'wrong-audience', (home) => home.permit({ audience: idOf(OTHER.key) })],
    ['that has ended', 'expired', (home) => home.permit({ sealedAt: home.now - 900, expiresAt: home.now })],
    [
      'that lives longer than a permit may',
      'bad-claims',
      (home) => home.permit({ expiresAt: home.now + 901 }),
    ],
    [
      'that only a clock ahead of ours makes short',
      'bad-claims',
      (home) => home.permit({ sealedAt: home.now + 299, expiresAt: home.now + 1100 }),
    ],
    ['for the name of another device', 'name-taken', (home) => home.permit({ name: 'lamp' })],
    ['that is a record', 'unknown-signer', (home) => home.record()],
  ]
  for (const [what, why, frame] of refusals) {
    test(`refuses a permit ${what}: ${why}, with an entry`, async (t) => {
      const home = await openCoreHome(t)
      await home.lamp()
      const answer = await home.desk.permit(frame(home), new Uint8Array(32), home.caller)
      assert.equal(answer.ok ? 'taken' : answer.why, why)
      assert.equal(home.state.permits.get(new Uint8Array(8).fill(1)), undefined)
      assert.deepEqual(
        home.journal().map(({ kind, code }) => [kind, code]),
        [['refused', CODES[why]]],
      )
    })
  }

  test('refuses a permit that was handed in before, also under another name: conflict', async (t) => {
    const home = await openCoreHome(t)
    const key = new Uint8Array(32).fill(3)
    assert((await home.desk.permit(home.permit(), key, home.caller)).ok)
    const again = await home.desk.permit(home.permit({ name: 'other' }), new Uint8Array(32), home.caller)
    assert.equal(again.ok ? 'taken' : again.why, 'conflict')
    assert.deepEqual(home.state.permits.get(new Uint8Array(8).fill(1))?.proofKey, key)
  })

  test('of two that hand in one permit at once the second is refused', async (t) => {
    const home = await openCoreHome(t)
    const answers = await Promise.allSettled(
      [1, 2].map((n) => home.desk.permit(home.permit(), new Uint8Array(32).fill(n), home.caller)),
    )
    const taken = answers.map((each) => each.status === 'fulfilled' && each.value.ok)
    assert.deepEqual(taken, [true, false])
    assert.equal(home.state.permits.get(new Uint8Array(8).fill(1))?.proofKey?.[0], 1)
  })
})

suite('confirm()', () => {
  test('keeps the record, names the device by it and passes it on', async (t) => {
    const home = await openCoreHome(t)
    const device = await home.lamp()
    const frame = home.record()
    const confirmed = await home.desk.confirm(frame, home.caller)
    assert(confirmed.ok)
    assert.equal(home.state.devices.get(device.id)?.name, 'porch')
    assert.deepEqual(home.state.devices.get(device.id)?.record, frame)
    assert.deepEqual(home.kinds(), ['confirmed'])
    assert.deepEqual(
      home.sent.map(({ frame }) => frame),
      [frame],
    )
  })

  const refusals: [string, Code, (home: CoreHome) => Frame][] = [
    ['of a stranger', 'unknown-signer', (home) => home.record({}, STRANGER)],
    ['of the device itself', 'unknown-signer', (home) => home.record({}, LAMP)],
    ['of the root', 'unknown-signer', (home) => home.record({}, ROOT)],
    ['for another home', 'wrong-audience', (home) => home.record({ audience: idOf(OTHER.key) })],
    ['of a device that nobody knows', 'not-found', (home) => home.record({ key: STRANGER.key })],
    ['with the name of another device', 'name-taken', (home) => home.record({ name: 'second' })],
    ['from the future', 'not-yet', (home) => home.record({ sealedAt: home.now + 301 })],
  ]
  for (const [what, why, frame] of refusals) {
    test(`refuses a record ${what}: ${why}, with an entry`, async (t) => {
      const home = await openCoreHome(t)
      const device = await home.lamp()
      await home.lamp(OTHER, 'second')
      const answer = await home.desk.confirm(frame(home), home.caller)
      assert.equal(answer.ok ? 'taken' : answer.why, why)
      assert.equal(home.state.devices.get(device.id)?.record, undefined)
      assert.deepEqual(home.sent, [])
      assert.deepEqual(
        home.journal().map(({ kind, code }) => [kind, code]),
        [['refused', CODES[why]]],
      )
    })
  }
})

suite('rename() and forget()', () => {
  test('rename() refuses the name of another, and a device that is not there', async (t) => {
    const home = await openCoreHome(t)
    const device = await home.lamp()
    await home.lamp(OTHER, 'second')
    const taken = await home.desk.rename(device.id, 'second', home.caller)
    assert.equal(taken.ok ? 'done' : taken.why, 'name-taken')
    const absent = await home.desk.rename(idOf(STRANGER.key), 'third', home.caller)
    assert.equal(absent.ok ? 'done' : absent.why, 'not-found')
    assert.equal(home.state.devices.get(device.id)?.name, 'lamp')
    assert.equal(home.kinds().includes('renamed'), false)
  })

  test('rename() is in the journal', async (t) => {
    const home = await openCoreHome(t)
    const device = await home.lamp()
    assert((await home.desk.rename(device.id, 'porch', home.caller)).ok)
    assert.deepEqual(home.kinds(), ['renamed'])
  })

  test('forget() cuts the device off, ends what waits for it and is for ever', async (t) => {
    const home = await openCoreHome(t)
    const device = await home.lamp()
    const target = { device, affordance: 1, operation: 'write' } as const
    const delivery = await home.desk.command(home.command(), target, home.caller)
    assert(delivery.ok)
    assert((await home.desk.forget(device.id, home.caller)).ok)
    assert.deepEqual(home.dropped, [{ device: device.id, why: 'forgotten' }])
    const stages: string[] = []
    for await (const { stage } of delivery.value) stages.push(stage)
    assert.deepEqual(stages, ['at-hub', 'expired'])
    assert.deepEqual(home.kinds(), ['command', 'forgotten'])
    assert.equal(home.deviceDesk.standing(device.id), 'forgotten')
  })

  test('forget() refuses a device that is gone already', async (t) => {
    const home = await openCoreHome(t)
    const device = await home.lamp()
    assert((await home.desk.forget(device.id, home.caller)).ok)
    const again = await home.desk.forget(device.id, home.caller)
    assert.equal(again.ok ? 'done' : again.why, 'not-found')
    assert.equal(home.dropped.length, 1)
  })
})

suite('enrolled()', () => {
  const permit = new Uint8Array(8).fill(1)
  const asking = (name: string, key = LAMP.key) => ({
    id: idOf(key),
    name,
    board: 'host',
    firmware: '1',
    affordances: [1],
    permit,
    enrol: Uint8Array.of(1),
    enrolled: Uint8Array.of(2),
  })

  test('adds the device, spends the permit and tells who watches', async (t) => {
    const home = await openCoreHome(t)
    await home.desk.permit(home.permit(), new Uint8Array(32).fill(3), home.caller)
    const watcher = home.feed.watch()
    assert((await home.deviceDesk.enrolled(asking('porch'))).ok)
    assert.equal(home.deviceDesk.standing(idOf(LAMP.key)), 'known')
    assert.deepEqual(home.state.permits.get(permit)?.proofKey, undefined)
    const { value } = await watcher[Symbol.asyncIterator]().next()
    assert.equal(value.event, 'enrolment')
    assert.deepEqual(home.kinds(), ['permit', 'enrolled'])
  })

  test('refuses a name that was taken meanwhile, and the permit stays open', async (t) => {
    const home = await openCoreHome(t)
    await home.desk.permit(home.permit(), new Uint8Array(32).fill(3), home.caller)
    await home.lamp(OTHER, 'porch')
    const answer = await home.deviceDesk.enrolled(asking('porch'))
    assert.equal(answer.ok ? 'taken' : answer.why, 'name-taken')
    assert.notEqual(home.state.permits.get(permit)?.proofKey, undefined)
    assert.equal(home.kinds().includes('enrolled'), false)
  })

  test('a second device does not come in by the same permit, nor is it in the journal', async (t) => {
    const home = await openCoreHome(t)
    await home.desk.permit(home.permit(), new Uint8Array(32).fill(3), home.caller)
    assert((await home.deviceDesk.enrolled(asking('porch'))).ok)
    const answer = await home.deviceDesk.enrolled(asking('porch', OTHER.key))
    assert.equal(answer.ok ? 'taken' : answer.why, 'name-taken')
    assert.equal(home.state.permits.get(permit)?.usedBy, idOf(LAMP.key))
    assert.equal(home.deviceDesk.standing(idOf(OTHER.key)), 'unknown')
    assert.deepEqual(home.kinds(), ['permit', 'enrolled'])
  })

  test('a forgotten device does not come in by a fresh permit, and the permit stays open', async (t) => {
    const home = await openCoreHome(t)
    const device = await home.lamp()
    await home.desk.forget(device.id, home.caller)
    await home.desk.permit(home.permit(), new Uint8Array(32).fill(3), home.caller)
    const answer = await home.deviceDesk.enrolled(asking('porch'))
    assert.equal(answer.ok ? 'taken' : answer.why, 'forgotten')
    assert.equal(home.deviceDesk.standing(device.id), 'forgotten')
    assert.equal(home.state.permits.get(permit)?.usedBy, undefined)
    assert.equal(home.kinds().includes('enrolled'), false)
  })
})

suite('readmit()', () => {
  test('lets in a device with the record that an owner sealed for its key', async (t) => {
    const home = await openCoreHome(t)
    const answer = await home.deviceDesk.readmit(home.hello(), home.record())
    assert(answer.ok)
    assert.equal(answer.value.name, 'porch')
    assert.deepEqual(home.kinds(), ['enrolled'])
  })

  test('a name that another bears by now is told apart, not taken away', async (t) => {
    const home = await openCoreHome(t)
    await home.lamp(OTHER, 'porch')
    const answer = await home.deviceDesk.readmit(home.hello(), home.record())
    assert(answer.ok)
    assert.equal(answer.value.name, `porch-${idOf(LAMP.key).slice(0, 6)}`)
    assert.equal(home.state.devices.named('porch')?.id, idOf(OTHER.key))
  })

  const refusals: [string, (home: CoreHome) => Frame][] = [
    ['a record for another key', (home) => home.record({ key: OTHER.key })],
    ['a record that the device sealed itself', (home) => home.record({}, LAMP)],
    ['a record of an owner whom the root did not make', (home) => home.record({}, STRANGER)],
    ['a record that the root sealed', (home) => home.record({}, ROOT)],
    ['a record of another home', (home) => home.record({ audience: idOf(OTHER.key) })],
    [
      'a record with another name written into it',
      (home) => {
        const frame = home.record()
        const at = Buffer.from(frame).indexOf('porch')
        frame[at] = 'P'.charCodeAt(0)
        return frame
      },
    ],
    ['a permit in place of a record', (home) => home.permit()],
    ['its own hello', (home) => home.hello().frame],
    ['garbage', () => Uint8Array.of(0xd2, 0x84)],
  ]
  for (const [what, record] of refusals) {
    test(`refuses ${what}: unknown-device`, async (t) => {
      const home = await openCoreHome(t)
      const answer = await home.deviceDesk.readmit(home.hello(), record(home))
      assert.equal(answer.ok ? 'taken' : answer.why, 'unknown-device')
      assert.equal(home.deviceDesk.standing(idOf(LAMP.key)), 'unknown')
      assert.deepEqual(home.kinds(), [])
    })
  }

  test('refuses a device that was forgotten, whatever record it has: forgotten', async (t) => {
    const home = await openCoreHome(t)
    const device = await home.lamp()
    await home.desk.forget(device.id, home.caller)
    const answer = await home.deviceDesk.readmit(home.hello(), home.record())
    assert.equal(answer.ok ? 'taken' : answer.why, 'forgotten')
    assert.equal(home.state.devices.get(device.id), undefined)
    assert.equal(home.kinds().includes('enrolled'), false)
  })
})

suite('what is tried with a wrong code', () => {
  test('of a device that would enrol stands in the log, as much of it as strangers get', async (t) => {
    const home = await openCoreHome(t)
    for (let tries = 0; tries < 40; tries++) home.deviceDesk.turnedAway('bad-proof', '192.0.2.7')
    await new Promise((written) => setImmediate(written))
    const entries = home.state.journal.read({ limit: 100 }).filter(({ kind }) => kind === 'refused')
    assert.equal(entries.length, 30)
    assert.deepEqual([entries[0]!.origin, entries[0]!.code], ['link', CODES['bad-proof']])
    assert.match(entries[0]!.note!, /192\.0\.2\.7/)
  })
})

suite('what devices say', () => {
  test('a reading is kept and told once, however often it comes', async (t) => {
    const home = await openCoreHome(t)
    const { id } = await home.lamp()
    const values = [{ affordance: 2, at: home.clock.now(), value: 40 }]
    const reading = home.fromDevice('reading', { values })
    const watcher = home.feed.watch()
    await home.deviceDesk.reading(id, reading as never)
    await home.deviceDesk.reading(id, reading as never)
    watcher.close()
    const events: unknown[] = []
    for await (const { event } of watcher) events.push(event)
    assert.deepEqual(events, ['reading'])
    assert.equal(home.state.readings.history(id, 2, 0, 10).length, 1)
  })

  test('a receipt is recorded with the command it answers, once, and ends the delivery', async (t) => {
    const home = await openCoreHome(t)
    const device = await home.lamp()
    const frame = home.command()
    const delivery = await home.desk.command(
      frame,
      { device, affordance: 1, operation: 'write' },
      home.caller,
    )
    assert(delivery.ok)
    const answer = { command: sha256(frame), code: 0, values: [{ affordance: 1, at: 0, value: true }] }
    const receipt = home.fromDevice('receipt', answer) as never
    home.deviceDesk.got(device.id, sha256(frame).subarray(0, 8))
    await home.deviceDesk.receipt(device.id, receipt)
    await home.deviceDesk.receipt(device.id, receipt)
    const stages: string[] = []
    for await (const { stage } of delivery.value) stages.push(stage)
    assert.deepEqual(stages, ['at-hub', 'at-device', 'done'])
    assert.deepEqual(home.kinds(), ['command', 'receipt'])
    assert.equal(home.state.devices.twin(device.id).reported[0]?.value, true)
  })

  test("another device's receipt for the same command ends nothing", async (t) => {
    const home = await openCoreHome(t)
    const device = await home.lamp()
    const other = await home.lamp(OTHER, 'second')
    const frame = home.command()
    const delivery = await home.desk.command(
      frame,
      { device, affordance: 1, operation: 'write' },
      home.caller,
    )
    assert(delivery.ok)
    const answer = { command: sha256(frame), code: 0, values: [] }
    home.deviceDesk.got(other.id, sha256(frame).subarray(0, 8))
    await home.deviceDesk.receipt(other.id, home.fromDevice('receipt', answer, OTHER) as never)
    assert.equal(home.router.waiting(device.id), 1)
  })

  test('a session and its end are told, and a late command finds the device away', async (t) => {
    const home = await openCoreHome(t)
    const watcher = home.feed.watch()
    const { id } = await home.lamp()
    home.deviceDesk.gone(id, 'silent')
    watcher.close()
    const told: unknown[] = []
    for await (const event of watcher) if (event.event === 'presence') told.push([event.connected, event.why])
    assert.deepEqual(told, [
      [true, 'connected'],
      [false, 'silent'],
    ])
    assert.equal(home.state.devices.get(id)?.presence.connected, false)
    assert.deepEqual(home.state.devices.get(id)?.presence.nonce, NONCE)
  })

  test('papers() are the owners, and the record once there is one', async (t) => {
    const home = await openCoreHome(t)
    const { id } = await home.lamp()
    assert.equal(home.deviceDesk.papers(id).length, 1)
    const frame = home.record()
    await home.desk.confirm(frame, home.caller)
    assert.deepEqual(home.deviceDesk.papers(id).slice(1), [frame])
    assert.equal(home.deviceDesk.papers(idOf(STRANGER.key)).length, 1)
  })
})
