// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { systemClock } from '../../../../daemon/base/clock.ts'
import { systemRandom } from '../../../../daemon/base/random.ts'
import { CODES } from '../../../../schemas/gen/ts/codes.ts'
import {
  askCommand,
  begin,
  lines,
  newSigner,
  openTestHome,
  type TestHome,
} from '../../../support/http-home.ts'
import { Sealer } from '../../../support/request.ts'

describe('sealed commands over HTTP [SPEC 4.10, 9.3]', () => {
  let home: TestHome
  let socketPath: string
  const on = '/things/porch-light/properties/on'
  const command = (change: object = {}) =>
    home.owner.command({
      device: home.light.id,
      nonce: home.light.nonce,
      affordance: 1,
      value: true,
      ...change,
    })
  const put = (body: Uint8Array, path = on) => askCommand({ socketPath, path, body, as: home.owner })

  before(async () => {
    home = await openTestHome()
    socketPath = (await home.unix()).socketPath
  })
  afterEach(() => {
    home.light.answers = 0
  })
  after(() => home[Symbol.asyncDispose]())

  it('POST an action delivers it', async () => {
    const body = command({ affordance: 5, operation: 'invoke', value: undefined })
    const answer = await askCommand({
      socketPath,
      method: 'POST',
      path: '/things/porch-light/actions/toggle',
      body,
      as: home.owner,
    })
    assert.equal(lines(answer.text).at(-1)!.stage, 'done')
    assert.deepEqual(home.light.got.at(-1), body)
  })

  it('a command that the device refuses ends in refused, with its code, meaning and sealed receipt', async () => {
    home.light.answers = CODES['device-fault']
    const last = lines((await put(command())).text).at(-1)! as Record<string, unknown>
    assert.deepEqual([last.stage, last.code], ['refused', 'device-fault'])
    assert.equal(last.meaning, 'the device tried and its hardware did not follow')
    assert.equal(typeof last.receipt, 'string')
  })

  it('a command that nobody answers ends in expired, and says that it never reached the device', async () => {
    home.light.answers = 'nothing'
    const sealedAt = Math.floor(systemClock.now() / 1000)
    const last = lines((await put(command({ sealedAt, lifetimeS: 2 }))).text).at(-1)! as Record<
      string,
      unknown
    >
    assert.deepEqual([last.stage, last.reached], ['expired', false])
  })

  describe('without a sealed request beside it [SPEC 9.2]', () => {
    const alone = (body: Uint8Array, headers: Record<string, string> = {}) =>
      askCommand({ socketPath, path: on, body, headers })

    it('a command says by itself who asks', async () => {
      const body = command()
      const answer = await alone(body)
      assert.equal(lines(answer.text).at(-1)!.stage, 'done')
      assert.deepEqual(home.light.got.at(-1), body)
    })

    it('a recorded command is refused as replayed, and the device hears nothing', async () => {
      const body = command()
      await alone(body)
      const heard = home.light.got.length
      assert.equal((await alone(body)).json.code, 'replayed')
      assert.equal(home.light.got.length, heard)
    })

    it("refuses a stranger's command, one with a changed bit, another kind of envelope, and noise", async () => {
      const stranger = new Sealer(newSigner(), home.home.home)
      const asked = { device: home.light.id, nonce: home.light.nonce, affordance: 1, value: true }
      const spoiled = command()
      spoiled[spoiled.length - 1]! ^= 1
      const request = Buffer.from(
        home.owner.authorization({ method: 'PUT', path: on }).replace('Shallot ', ''),
        'base64url',
      )
      const cases: [Uint8Array, string][] = [
        [stranger.command(asked), 'unknown-signer'],
        [spoiled, 'bad-signature'],
        [request, 'unknown-signer'],
        [new Uint8Array(300), 'wrong-tag'],
        [new Uint8Array(), 'cbor-truncated'],
      ]
      const heard = home.light.got.length
      for (const [body, reason] of cases) {
        const answer = await alone(body)
        if (body.length > 0) assert.deepEqual([answer.status, answer.json.reason], [401, reason])
        else assert.ok(answer.status >= 400)
      }
      assert.equal(home.light.got.length, heard)
    })

    it('is held to a sealed request that it carries all the same', async () => {
      const answer = await alone(command(), { authorization: 'Shallot AAAA' })
      assert.equal(answer.status, 401)
    })

    it('holds for commands alone: a record or a permit needs its request', async () => {
      const record = await askCommand({ socketPath, path: '/enrolments/AAAAAAAAAAA/record', body: command() })
      assert.equal(record.status, 401)
    })
  })

  it('a client that leaves does not take its command back', async () => {
    home.light.answers = 'nothing'
    const body = command()
    const { sent, answer } = await begin({
      socketPath,
      method: 'PUT',
      path: on,
      body,
      as: home.owner,
      headers: { 'content-type': 'application/cose' },
    })
    await new Promise((resolve) => answer.once('data', resolve))
    sent.destroy()
    home.light.answers = 0
    await home.light.obey(body)
    assert.equal(home.home.devices.twin(home.light.id).desired[0]!.value, true)
    assert.equal(home.home.journal.read({ limit: 1 })[0]!.kind, 'receipt')
  })

  const stranger = () => new Sealer(newSigner(), home.owner.home)
  const past = () => Math.floor(systemClock.now() / 1000) - 100
  const cases: readonly [string, number, string, () => Uint8Array, string?][] = [
    ['no CBOR', 400, 'cbor-truncated', () => Uint8Array.of(0xd2, 0x84)],
    ['another CBOR item', 400, 'wrong-tag', () => Uint8Array.of(0x01)],
    ['a broken signature', 403, 'bad-signature', () => flipLast(command())],
    [
      'a stranger’s seal',
      403,
      'unknown-signer',
      () =>
        stranger().command({ device: home.light.id, nonce: home.light.nonce, affordance: 1, value: true }),
    ],
    [
      'another type of envelope',
      403,
      'unknown-signer',
      () => home.owner.request({ method: 'PUT', path: on }),
    ],
    ['another device’s command', 403, 'wrong-audience', () => command({ device: home.sensor.id })],
    ['a deadline that has passed', 409, 'expired', () => command({ sealedAt: past() })],
    ['a seal from the future', 409, 'not-yet', () => command({ sealedAt: past() + 1000 })],
    ['an old boot nonce', 409, 'stale-nonce', () => command({ nonce: systemRandom.bytes(8) })],
    ['another property than the path’s', 400, 'bad-request', () => command({ affordance: 2, value: 3 })],
    ['an action where the path names a property', 400, 'bad-request', () => command({ operation: 'invoke' })],
    ['a value of the wrong kind', 422, 'bad-value', () => command({ value: 3 })],
    [
      'a value out of range',
      422,
      'bad-value',
      () => command({ affordance: 2, value: 101 }),
      '/things/porch-light/properties/level',
    ],
    [
      'a sensor’s reading',
      403,
      'read-only',
      () => command({ device: home.sensor.id, nonce: home.sensor.nonce, affordance: 3, value: 1 }),
      '/things/weather/properties/temperature',
    ],
    [
      'a property it has not',
      404,
      'no-such-affordance',
      () => command(),
      '/things/porch-light/properties/colour',
    ],
    [
      'an action as a property',
      404,
      'no-such-affordance',
      () => command(),
      '/things/porch-light/properties/toggle',
    ],
    ['an unknown device', 404, 'not-found', () => command(), '/things/nobody/properties/on'],
  ]
  for (const [what, status, code, body, path] of cases) {
    it(`refuses ${what}: ${status} ${code}, and the device hears nothing`, async () => {
      const heard = home.light.got.length
      const answer = await put(body(), path)
      assert.deepEqual([answer.status, answer.json.code], [status, code])
      assert.equal(home.light.got.length, heard)
    })
  }

  it('refuses the same command a second time: 409 replayed', async () => {
    const body = command()
    assert.equal((await put(body)).status, 200)
    const again = await put(body)
    assert.deepEqual([again.status, again.json.code], [409, 'replayed'])
  })

  it('refuses the seventeenth command that waits: 503 queue-full', async () => {
    await using full = await openTestHome()
    const path = (await full.unix()).socketPath
    full.light.answers = 'nothing'
    const send = () =>
      begin({
        socketPath: path,
        method: 'PUT',
        path: on,
        body: full.owner.command({
          device: full.light.id,
          nonce: full.light.nonce,
          affordance: 1,
          value: true,
        }),
        as: full.owner,
        headers: { 'content-type': 'application/cose' },
      })
    const all = []
    for (let i = 0; i < 17; i++) all.push(await send())
    const statuses = all.map(({ answer }) => answer.statusCode)
    for (const { sent } of all) sent.destroy()
    assert.deepEqual(statuses, [...Array(16).fill(200), 503])
  })
})

function flipLast(frame: Uint8Array): Uint8Array {
  const other = Uint8Array.from(frame)
  other[other.length - 40]! ^= 1
  return other
}
