// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Enrolled, openEnvelope, sealEnvelope } from '../../../../daemon/core/envelope/index.ts'
import { checkDeviceLeaf, type DeviceLeaf } from '../../../../daemon/core/identity/certificates.ts'
import { renewalDue } from '../../../../daemon/edge/link/renewal.ts'
import { Rescue } from '../../../../daemon/edge/link/rescue.ts'
import { Session } from '../../../../daemon/edge/link/session.ts'
import { deviceKeys, LAMP } from '../../../../scripts/device/index.ts'
import { ed25519, FakeLine, linkRoom, signerOf } from '../../../support/link-room.ts'

const DAY = 86_400_000
const EPOCH = new Uint8Array(8).fill(1)

function setUp() {
  const home = linkRoom()
  const keys = deviceKeys(ed25519)
  const now = home.clock.now()
  const leaf = (change: Partial<DeviceLeaf> = {}): DeviceLeaf => ({
    key: keys.signer.key,
    ca: home.issuer.key,
    from: now,
    until: now + 365 * DAY,
    ...change,
  })
  const hello = (signer = keys.signer, audience: string = home.room.homeId) =>
    sealEnvelope(
      { type: 'hello', ...LAMP, lost: 0, audience, sealedAt: 0, epoch: EPOCH, sequence: 0 },
      signer,
    )
  const join = () => home.desk.add({ id: keys.id, name: 'porch', ...LAMP })
  /** The papers among what was sent, opened as the device would. */
  const papersIn = (line: FakeLine): Enrolled[] =>
    line.sent.flatMap((frame) => {
      const receiver = {
        sizeMax: 1024,
        accepts: ({ type }: { type: string }) => type === 'enrolled',
        isAudience: (body: { audience: string }) => body.audience === keys.id,
      }
      const opened = openEnvelope(frame, receiver, ed25519)
      return opened.ok ? [opened.value.body as Enrolled] : []
    })
  const session = async (change: Partial<DeviceLeaf> = {}) => {
    join()
    const line = new FakeLine()
    const talk = new Session(home.room, line, leaf(change), false)
    line.talk = talk
    await line.take(hello())
    return { line, talk }
  }
  const rescue = () => {
    const line = new FakeLine()
    const talk = new Rescue(home.room, line, keys.signer.key)
    line.talk = talk
    return line
  }
  return { ...home, keys, now, leaf, hello, join, papersIn, session, rescue }
}

describe('a device is given its next certificate [SPEC 6.7]', () => {
  it('two thirds of the way through the life of this one', () => {
    const { leaf, issuer, now } = setUp()
    assert.equal(renewalDue(leaf(), issuer.key), now + Math.floor((365 * DAY * 2) / 3))
  })

  it('at once when another CA issues now', () => {
    assert.equal(renewalDue(setUp().leaf({ ca: signerOf(9).key }), setUp().issuer.key), 0)
  })

  it('after the welcome, by name, for the life that said hello', async () => {
    const home = setUp()
    const { line } = await home.session({ from: home.now - 244 * DAY, until: home.now + 121 * DAY })
    const [papers] = home.papersIn(line)
    assert.equal(papers!.name, 'porch')
    assert.deepEqual(papers!.nonce, EPOCH)
    const read = checkDeviceLeaf(papers!.certificate, [home.issuer.key], home.now + 364 * DAY - 1, ed25519)
    assert.ok(read.ok)
    assert.deepEqual(read.value, home.keys.signer.key)
  })

  it('in a session that lasts that long, once', async () => {
    const home = setUp()
    const { line, talk } = await home.session()
    talk.renew()
    assert.equal(home.papersIn(line).length, 0, 'it is too early')
    home.clock.setWall(home.now + 244 * DAY)
    talk.renew()
    talk.renew()
    assert.equal(home.papersIn(line).length, 1)
  })

  it('not before it was welcomed', async () => {
    const home = setUp()
    const line = new FakeLine()
    const talk = new Session(home.room, line, home.leaf({ until: home.now + 1 }), false)
    talk.renew()
    assert.equal(line.sent.length, 0)
  })

  it('not when it was forgotten meanwhile', async () => {
    const home = setUp()
    const { line, talk } = await home.session()
    home.desk.forgotten.add(home.keys.id)
    home.clock.setWall(home.now + 300 * DAY)
    talk.renew()
    assert.equal(home.papersIn(line).length, 0)
  })
})

describe('what a certificate that has ended is still good for [SPEC 6.7]', () => {
  it('the hello of a known device is answered with the next one, and no welcome', async () => {
    const home = setUp()
    home.join()
    const line = home.rescue()
    assert.equal(await line.take(home.hello()), undefined)
    assert.equal(line.sent.length, 1)
    assert.equal(home.papersIn(line).length, 1)
    assert.equal(home.desk.hellos.length, 0, 'it is not connected')
    assert.deepEqual(line.expected, { ms: home.room.limits.helloMsMax, code: 'expired' })
  })

  it('expired: a device that this hub does not know', async () => {
    const home = setUp()
    assert.equal(await home.rescue().take(home.hello()), 'expired')
  })

  it('forgotten: one that was forgotten, also since the connection began', async () => {
    const home = setUp()
    home.join()
    const line = home.rescue()
    home.desk.forgotten.add(home.keys.id)
    assert.equal(await line.take(home.hello()), 'forgotten')
  })

  it('hub-elsewhere: one of which another daemon of the home has charge', async () => {
    const home = setUp()
    home.join()
    home.desk.elsewhere.add(home.keys.id)
    const line = home.rescue()
    assert.equal(await line.take(home.hello()), 'hub-elsewhere')
    assert.equal(line.sent.length, 0)
  })

  it('unknown-signer: a hello sealed by another key than TLS proved', async () => {
    const home = setUp()
    home.join()
    assert.equal(await home.rescue().take(home.hello(signerOf(9))), 'unknown-signer')
  })

  it('wrong-audience: a hello for another home', async () => {
    const home = setUp()
    home.join()
    assert.equal(await home.rescue().take(home.hello(home.keys.signer, home.keys.id)), 'wrong-audience')
  })

  it('unknown-signer: anything but a hello', async () => {
    const home = setUp()
    home.join()
    const values = [{ affordance: 1, at: 0, value: true }]
    const claims = { audience: home.room.homeId, sealedAt: 0, epoch: EPOCH, sequence: 1 }
    const reading = sealEnvelope({ type: 'reading', values, ...claims }, home.keys.signer)
    assert.equal(await home.rescue().take(reading), 'unknown-signer')
    assert.equal(await home.rescue().take(Uint8Array.of(0x80)), 'bad-note')
  })

  it('unexpected-message: a second hello', async () => {
    const home = setUp()
    home.join()
    const line = home.rescue()
    await line.take(home.hello())
    assert.equal(await line.take(home.hello()), 'unexpected-message')
    assert.equal(line.sent.length, 1)
  })
})
