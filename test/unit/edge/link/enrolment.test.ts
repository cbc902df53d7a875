// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Turns } from '../../../../daemon/base/lifetime.ts'
import {
  type Body,
  type Enrolled,
  openEnvelope,
  sealEnvelope,
} from '../../../../daemon/core/envelope/index.ts'
import { checkDeviceLeaf, writeCsr } from '../../../../daemon/core/identity/certificates.ts'
import { idOf } from '../../../../daemon/core/model/index.ts'
import { Enrolment } from '../../../../daemon/edge/link/enrolment.ts'
import { type DeviceKeys, deviceKeys, LAMP, permitOf, sealEnrol } from '../../../../scripts/device/index.ts'
import { ed25519, FakeLine, linkRoom, signerOf } from '../../../support/link-room.ts'

const SECRET = new Uint8Array(16).fill(1)
const OTHER_SECRET = new Uint8Array(16).fill(2)

function setUp() {
  const home = linkRoom()
  const turns = new Turns()
  const { permit, hubKey } = permitOf(SECRET)
  const expiresAt = home.clock.now() + 900_000
  home.desk.permits.set(permit.toHex(), { permit, name: 'porch', expiresAt, proofKey: hubKey })
  const open = () => {
    const line = new FakeLine()
    line.talk = new Enrolment(home.room, line, turns)
    return line
  }
  const ask = async (
    keys: DeviceKeys,
    secret = SECRET,
    change: Partial<Extract<Body, { type: 'enrol' }>> = {},
  ) => {
    const line = open()
    const code = await line.take(sealEnrol(home.address, keys, secret, LAMP, change))
    return { code: code ?? 'ok', line }
  }
  const answerOf = (line: FakeLine, keys: DeviceKeys): Enrolled => {
    const opened = openEnvelope(
      line.sent[0]!,
      { sizeMax: 1024, accepts: () => true, isAudience: (body) => body.audience === keys.id },
      ed25519,
    )
    assert.ok(opened.ok)
    assert.deepEqual(opened.value.signer, home.hub.key)
    return opened.value.body as Enrolled
  }
  return { ...home, open, ask, answerOf, permit: permit.toHex() }
}

const someone = () => deviceKeys(ed25519)

describe('enrolment [SPEC 7]', () => {
  it('gives a certificate that passes our own check, the name of the permit and the time', async () => {
    const home = setUp()
    const keys = someone()
    const { line } = await home.ask(keys)
    const answer = home.answerOf(line, keys)
    const leaf = checkDeviceLeaf(answer.certificate, [home.issuer.key], home.clock.now(), ed25519)
    assert.deepEqual(leaf, { ok: true, value: keys.signer.key })
    assert.equal(answer.name, 'porch')
    assert.equal(answer.sealedAt, Math.floor(home.clock.now() / 1000))
  })

  it('answers for the epoch that asked', async () => {
    const home = setUp()
    const keys = someone()
    const epoch = new Uint8Array(8).fill(9)
    const { line } = await home.ask(keys, SECRET, { epoch })
    assert.deepEqual(home.answerOf(line, keys).nonce, epoch)
  })

  it('hands the desk the sealed enrol and the sealed answer', async () => {
    const home = setUp()
    const keys = someone()
    const { line } = await home.ask(keys)
    const permit = home.desk.permits.get(home.permit)!
    assert.equal(permit.usedBy, keys.id)
    assert.deepEqual(permit.enrolled, line.sent[0])
    assert.equal(permit.enrol?.[0], 0xd2)
  })

  it('answers a repeat by the same key with the same certificate, for the new epoch', async () => {
    const home = setUp()
    const keys = someone()
    const first = home.answerOf((await home.ask(keys)).line, keys)
    const epoch = new Uint8Array(8).fill(5)
    const second = home.answerOf((await home.ask(keys, SECRET, { epoch })).line, keys)
    assert.deepEqual(second.certificate, first.certificate)
    assert.deepEqual(second.nonce, epoch)
    assert.equal(home.desk.devices.size, 1)
  })
})

describe('enrolment refuses [SPEC 7.4]', () => {
  it('permit-unknown: a secret that no permit stands for', async () => {
    assert.equal((await setUp().ask(someone(), OTHER_SECRET)).code, 'permit-unknown')
  })

  it('permit-expired: at the permit’s last millisecond', async () => {
    const home = setUp()
    home.clock.advance(900_000)
    assert.equal((await home.ask(someone())).code, 'permit-expired')
  })

  it('permit-used: another key, also one that knows the secret', async () => {
    const home = setUp()
    await home.ask(someone())
    assert.equal((await home.ask(someone())).code, 'permit-used')
  })

  it('permit-used: the slower of two that ask at once', async () => {
    const home = setUp()
    const enrolled = home.desk.enrolled.bind(home.desk)
    home.desk.enrolled = async (device) => {
      await new Promise((resolve) => setImmediate(resolve))
      return enrolled(device)
    }
    const answers = await Promise.all([home.ask(someone()), home.ask(someone()), home.ask(someone())])
    assert.deepEqual(
      answers.map(({ code }) => code),
      ['ok', 'permit-used', 'permit-used'],
    )
  })

  it('bad-proof: the permit’s id without its secret', async () => {
    const { permit } = permitOf(SECRET)
    assert.equal((await setUp().ask(someone(), OTHER_SECRET, { permit })).code, 'bad-proof')
  })

  it('bad-proof: a proof that was made for another key', async () => {
    const home = setUp()
    const [owner, thief] = [someone(), someone()]
    const seen = sealEnrol(home.address, owner, SECRET, LAMP)
    const opened = openEnvelope(seen, { sizeMax: 1024, accepts: () => true, isAudience: () => true }, ed25519)
    assert.ok(opened.ok)
    const { proofForHub } = opened.value.body as Extract<Body, { type: 'enrol' }>
    assert.equal((await home.ask(thief, SECRET, { proofForHub })).code, 'bad-proof')
  })

  it('bad-proof: the owner’s proof in the hub’s place', async () => {
    const home = setUp()
    const keys = someone()
    const opened = openEnvelope(
      sealEnrol(home.address, keys, SECRET, LAMP),
      { sizeMax: 1024, accepts: () => true, isAudience: () => true },
      ed25519,
    )
    assert.ok(opened.ok)
    const { proofForOwner } = opened.value.body as Extract<Body, { type: 'enrol' }>
    assert.equal((await home.ask(keys, SECRET, { proofForHub: proofForOwner })).code, 'bad-proof')
  })

  it('bad-csr: a request for somebody else’s key', async () => {
    const csr = writeCsr(signerOf(50))
    assert.equal((await setUp().ask(someone(), SECRET, { csr })).code, 'bad-csr')
  })

  it('bad-csr: bytes that are no request', async () => {
    assert.equal((await setUp().ask(someone(), SECRET, { csr: new Uint8Array(40) })).code, 'bad-csr')
  })

  it('name-taken: the name has become another device’s meanwhile', async () => {
    const home = setUp()
    home.desk.add({ id: idOf(signerOf(51).key), name: 'porch', board: 'b', firmware: 'f', affordances: [1] })
    assert.equal((await home.ask(someone())).code, 'name-taken')
  })

  it('forgotten: a key that was forgotten', async () => {
    const home = setUp()
    const keys = someone()
    home.desk.forgotten.add(keys.id)
    assert.equal((await home.ask(keys)).code, 'forgotten')
  })

  it('wrong-audience: another home’s enrol', async () => {
    assert.equal(
      (await setUp().ask(someone(), SECRET, { audience: idOf(signerOf(52).key) })).code,
      'wrong-audience',
    )
  })

  it('bad-signature: any bit of the signature turned', async () => {
    const home = setUp()
    const frame = sealEnrol(home.address, someone(), SECRET, LAMP)
    frame[frame.length - 40]! ^= 1
    assert.equal(await home.open().take(frame), 'bad-signature')
  })

  it('bad-note: a note', async () => {
    assert.equal(
      await setUp()
        .open()
        .take(Uint8Array.of(0x81, 0x48, 1, 2, 3, 4, 5, 6, 7, 8)),
      'bad-note',
    )
  })

  it('unexpected-message: a hello', async () => {
    const home = setUp()
    const keys = someone()
    const claims = { audience: home.room.homeId, sealedAt: 0, epoch: new Uint8Array(8), sequence: 0 }
    const hello = sealEnvelope({ type: 'hello', ...LAMP, lost: 0, ...claims }, keys.signer)
    assert.equal(await home.open().take(hello), 'unexpected-message')
  })

  it('unexpected-message: a second enrol on the same connection', async () => {
    const home = setUp()
    const keys = someone()
    const { line } = await home.ask(keys)
    assert.equal(await line.take(sealEnrol(home.address, keys, SECRET, LAMP)), 'unexpected-message')
  })

  it('internal: the desk fails, and the permit is still good for the next try', async () => {
    const home = setUp()
    const keys = someone()
    const enrolled = home.desk.enrolled.bind(home.desk)
    home.desk.enrolled = () => Promise.reject(new Error('disk full'))
    assert.equal((await home.ask(keys)).code, 'internal')
    home.desk.enrolled = enrolled
    assert.equal((await home.ask(keys)).code, 'ok')
  })

  it('nothing of a refused enrol reaches the books', async () => {
    const home = setUp()
    await home.ask(someone(), OTHER_SECRET)
    await home.ask(someone(), SECRET, { csr: new Uint8Array(40) })
    assert.equal(home.desk.devices.size, 0)
    assert.equal(home.desk.permits.get(home.permit)?.usedBy, undefined)
  })
})

describe('too-many-tries [SPEC 7.4]', () => {
  const guess = (home: ReturnType<typeof setUp>) => home.ask(someone(), OTHER_SECRET)

  it('the desk hears of each that was refused, from where and why, and of none that was not', async () => {
    const home = setUp()
    const { permit } = permitOf(SECRET)
    await home.ask(someone(), OTHER_SECRET, { permit })
    await home.ask(someone(), OTHER_SECRET)
    await home.ask(someone())
    assert.deepEqual(
      home.desk.refused.map(({ why, address }) => [why, address]),
      [
        ['bad-proof', '192.0.2.1'],
        ['permit-unknown', '192.0.2.1'],
      ],
    )
  })

  it('after ten wrong tries even the right secret is refused', async () => {
    const home = setUp()
    for (let i = 0; i < 10; i++) assert.equal((await guess(home)).code, 'permit-unknown')
    assert.equal((await home.ask(someone())).code, 'too-many-tries')
  })

  it('wrong proofs count like unknown permits', async () => {
    const home = setUp()
    const { permit } = permitOf(SECRET)
    for (let i = 0; i < 10; i++) await home.ask(someone(), OTHER_SECRET, { permit })
    assert.equal((await home.ask(someone())).code, 'too-many-tries')
  })

  it('a minute after them the right secret is heard again', async () => {
    const home = setUp()
    for (let i = 0; i < 10; i++) await guess(home)
    home.clock.advance(59_999)
    assert.equal((await home.ask(someone())).code, 'too-many-tries')
    home.clock.advance(1)
    assert.equal((await home.ask(someone())).code, 'ok')
  })

  it('being refused for too many tries is not another try', async () => {
    const home = setUp()
    for (let i = 0; i < 10; i++) await guess(home)
    home.clock.advance(30_000)
    for (let i = 0; i < 10; i++) await guess(home)
    home.clock.advance(30_000)
    assert.equal((await home.ask(someone())).code, 'ok')
  })

  it('tries that show the secret do not count', async () => {
    const home = setUp()
    await home.ask(someone())
    for (let i = 0; i < 20; i++) assert.equal((await home.ask(someone())).code, 'permit-used')
  })
})
