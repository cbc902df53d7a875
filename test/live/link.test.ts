// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sealEnvelope } from '../../daemon/core/envelope/index.ts'
import { deviceLeaf } from '../../daemon/core/identity/certificates.ts'
import { writeFrame } from '../../daemon/edge/link/frames.ts'
import { openLink } from '../../daemon/edge/link/index.ts'
import { ALPN_LINK } from '../../schemas/gen/ts/wire.ts'
import {
  askEnrolment,
  deviceKeys,
  dial,
  enrolDevice,
  LAMP,
  openSession,
  sealEnrol,
} from '../../scripts/device/index.ts'
import { ed25519, openLinkHome, signerOf } from '../support/link-home.ts'
import { until } from '../support/until.ts'

const VALUES = [{ affordance: 1, at: 0, value: true }]

async function ticketOf(session: Awaited<ReturnType<typeof openSession>>) {
  await until('a ticket', () => session.wire.ticket !== undefined)
  return session.wire.ticket!
}

describe('a device over real TLS', () => {
  it('enrols, opens a session, and its readings and receipts are stored', async () => {
    await using home = await openLinkHome()
    const keys = deviceKeys(ed25519)
    const { certificate, name } = await enrolDevice(home.hub, keys, home.permit('porch'))
    assert.equal(name, 'porch')
    const session = await openSession(home.hub, keys, certificate)
    await session.reading(VALUES)
    await session.receipt(new Uint8Array(4), 0, VALUES)
    assert.deepEqual(home.desk.readings[0]?.body.values, VALUES)
    assert.equal(home.desk.receipts.length, 1)
    assert.equal(home.link.connected(), 1)
  })

  it('is served TLS 1.3, X25519, ChaCha20, and the hub’s leaf without its CA', async () => {
    await using home = await openLinkHome()
    const { keys, certificate } = home.known('porch')
    const { socket } = (await openSession(home.hub, keys, certificate)).wire
    assert.equal(socket.getProtocol(), 'TLSv1.3')
    assert.equal(socket.getCipher().standardName, 'TLS_CHACHA20_POLY1305_SHA256')
    assert.equal((socket.getEphemeralKeyInfo() as { name: string }).name, 'X25519')
    assert.equal(socket.getPeerX509Certificate()?.issuerCertificate, undefined)
  })

  it('gets commands, answers them, and its notes of arrival reach the desk', async () => {
    await using home = await openLinkHome()
    const { keys, certificate } = home.known('porch')
    const session = await openSession(home.hub, keys, certificate)
    const now = Math.floor(Date.now() / 1000)
    const command = sealEnvelope(
      {
        type: 'command',
        audience: keys.id,
        sealedAt: now,
        expiresAt: now + 60,
        nonce: session.epoch,
        epoch: new Uint8Array(8),
        sequence: 1,
        operation: 'write',
        affordance: 1,
        value: true,
      },
      home.root,
    )
    assert.equal(home.link.send(keys.id, command), 'sent')
    await until('the command', () => session.envelopes.length === 1)
    assert.equal(session.openCommand(session.envelopes[0]!).body.value, true)
    session.got(command)
    await session.receipt(command, 0)
    assert.equal(home.desk.gots.length, 1)
  })

  it('has its keep-alives answered, once for many that come together', async () => {
    await using home = await openLinkHome()
    const { keys, certificate } = home.known('porch')
    const { wire } = await openSession(home.hub, keys, certificate)
    wire.socket.write(new Uint8Array(2000))
    await until('an answer', () => wire.keepAlives > 0)
    assert.ok(wire.keepAlives < 5)
  })

  it('that is unknown to a restored hub is in again after showing its record', async () => {
    await using home = await openLinkHome()
    const keys = deviceKeys(ed25519)
    const certificate = deviceLeaf(home.deviceCa, keys.signer.key, new Uint8Array(8).fill(1), Date.now())
    const owner = signerOf(1)
    const record = sealEnvelope(
      {
        type: 'enrolment',
        audience: home.hub.homeId,
        sealedAt: 0,
        epoch: new Uint8Array(8),
        sequence: 1,
        name: 'porch',
        key: keys.signer.key,
        permit: new Uint8Array(8),
      },
      owner,
    )
    home.desk.record = () => undefined
    const session = await openSession(home.hub, keys, certificate, { record })
    assert.equal(session.welcome?.body.wantsRecord, true)
    await session.reading(VALUES)
    assert.equal(home.desk.standing(keys.id), 'known')
  })

  it('that loses the answer to its enrol gets the same certificate again; another key does not', async () => {
    await using home = await openLinkHome()
    const keys = deviceKeys(ed25519)
    const secret = home.permit('porch')
    const lost = await dial(home.hub, keys, 'shallot-enrol/1')
    lost.send(sealEnrol(home.hub, keys, secret, LAMP))
    await until('the desk has it', () => home.desk.devices.size === 1)
    lost.socket.destroy()
    const again = await enrolDevice(home.hub, keys, secret)
    await openSession(home.hub, keys, again.certificate)
    await assert.rejects(enrolDevice(home.hub, deviceKeys(ed25519), secret), { code: 'permit-used' })
  })

  it('hears the code of a refused enrolment', async () => {
    await using home = await openLinkHome()
    const keys = deviceKeys(ed25519)
    await assert.rejects(enrolDevice(home.hub, keys, new Uint8Array(16)), { code: 'permit-unknown' })
    const wire = await dial(home.hub, keys, 'shallot-enrol/1')
    await assert.rejects(askEnrolment(wire, keys, Uint8Array.of(0xd2, 0x84)), { code: 'cbor-truncated' })
  })
})

describe('resumption [SPEC 6.1, 6.2]', () => {
  it('a device that returns resumes by ticket, and is the same device', async () => {
    await using home = await openLinkHome()
    const { keys, certificate } = home.known('porch')
    const first = await openSession(home.hub, keys, certificate)
    const ticket = await ticketOf(first)
    await first.close()
    const second = await openSession(home.hub, keys, certificate, { ticket })
    assert.equal(second.resumed, true)
    await second.reading(VALUES)
    assert.deepEqual(home.desk.readings[0]?.signer, keys.signer.key)
  })

  it('a forgotten device is refused on a resumed connection', async () => {
    await using home = await openLinkHome()
    const { keys, certificate } = home.known('porch')
    const first = await openSession(home.hub, keys, certificate)
    const ticket = await ticketOf(first)
    home.desk.forgotten.add(keys.id)
    home.link.drop(keys.id, 'forgotten')
    assert.equal(await first.closed, 'forgotten')
    const wire = await dial(home.hub, keys, ALPN_LINK, certificate, {}, ticket)
    assert.equal(wire.socket.isSessionReused(), true)
    assert.equal(await wire.closed, 'forgotten')
  })

  it('an unknown device stays unknown on a resumed connection', async () => {
    await using home = await openLinkHome()
    const { keys, certificate } = home.known('porch')
    const first = await openSession(home.hub, keys, certificate)
    const ticket = await ticketOf(first)
    home.desk.devices.delete(keys.id)
    const second = await openSession(home.hub, keys, certificate, { ticket })
    assert.equal(second.resumed, true)
    assert.equal(second.welcome?.body.wantsRecord, true)
    assert.equal(
      home.link.send(keys.id, new Uint8Array(10)),
      'sent',
      'the first session is the one that stands',
    )
    first.vanish()
    await until('only the stranger is left', () => home.link.connected() === 0)
  })

  it('a ticket of enrolment is none for a session: it carries no certificate', async () => {
    await using home = await openLinkHome()
    const keys = deviceKeys(ed25519)
    const enrolling = await dial(home.hub, keys, 'shallot-enrol/1')
    await until('a ticket', () => enrolling.ticket !== undefined)
    const wire = await dial(home.hub, keys, ALPN_LINK, undefined, {}, enrolling.ticket)
    assert.equal(await wire.closed, 'no-client-certificate')
  })

  it('one device’s ticket does not carry another device’s messages', async () => {
    await using home = await openLinkHome()
    const [porch, shed] = [home.known('porch'), home.known('shed')]
    const ticket = await ticketOf(await openSession(home.hub, porch.keys, porch.certificate))
    await assert.rejects(openSession(home.hub, shed.keys, shed.certificate, { ticket }), {
      code: 'unknown-signer',
    })
  })

  it('a ticket of a hub that has restarted falls back to a full handshake', async () => {
    await using before = await openLinkHome()
    const { keys, certificate } = before.known('porch')
    const ticket = await ticketOf(await openSession(before.hub, keys, certificate))
    await using after = await before.restart()
    const session = await openSession(after.hub, keys, certificate, { ticket })
    assert.equal(session.resumed, false)
    assert.equal(after.link.connected(), 1)
  })

  it('a ticket with one bit turned falls back to a full handshake', async () => {
    await using home = await openLinkHome()
    const { keys, certificate } = home.known('porch')
    const ticket = await ticketOf(await openSession(home.hub, keys, certificate))
    const session = Buffer.from(ticket.session)
    session[ticketOffset(session) + 40]! ^= 1
    const again = await openSession(home.hub, keys, certificate, { ticket: { ...ticket, session } })
    assert.equal(again.resumed, false)
  })
})

/** Where the hub's own bytes begin in a session as OpenSSL keeps it: `[10] EXPLICIT OCTET STRING`, both with two octets of length. */
function ticketOffset(session: Buffer): number {
  for (let at = 0; at < session.length - 8; at++)
    if (
      session[at] === 0xaa &&
      session[at + 1] === 0x82 &&
      session[at + 4] === 0x04 &&
      session[at + 5] === 0x82
    )
      return at + 8
  return assert.fail('no ticket in the session')
}

describe('a certificate that does not open a session [SPEC 6.2, 6.7]', () => {
  const keys = deviceKeys(ed25519)
  const leafOf = (ca: ReturnType<typeof signerOf>, at: number) =>
    deviceLeaf(ca, keys.signer.key, new Uint8Array(8).fill(1), at)
  const LONG_AGO = Date.now() - 400 * 86_400_000

  it('of a stranger’s CA is refused by name', async () => {
    await using home = await openLinkHome()
    home.desk.add({ id: keys.id, name: 'porch', ...LAMP })
    const wire = await dial(home.hub, keys, ALPN_LINK, leafOf(signerOf(9), Date.now()))
    assert.equal(await wire.closed, 'certificate-profile')
    assert.equal(home.link.connected(), 0)
  })

  it('that has ended, of a device that this hub does not know, is refused by name once it has said hello', async () => {
    await using home = await openLinkHome()
    await assert.rejects(openSession(home.hub, keys, leafOf(home.deviceCa, LONG_AGO)), /expired/)
    assert.equal(home.link.connected(), 0)
  })

  it('that has ended, of a device that was forgotten, is refused as ever', async () => {
    await using home = await openLinkHome()
    home.desk.add({ id: keys.id, name: 'porch', ...LAMP })
    home.desk.forgotten.add(keys.id)
    const wire = await dial(home.hub, keys, ALPN_LINK, leafOf(home.deviceCa, LONG_AGO))
    assert.equal(await wire.closed, 'forgotten')
  })
})

describe('the room', () => {
  it('says address-in-use when somebody listens there already', async () => {
    await using home = await openLinkHome()
    await assert.rejects(openLinkHome({ port: home.link.port }), {
      name: 'LinkError',
      code: 'address-in-use',
    })
  })

  it('says cannot-listen for an address that is not this machine’s', async () => {
    await assert.rejects(openLinkHome({ host: '192.0.2.77' }), { name: 'LinkError', code: 'cannot-listen' })
  })

  it('does not open under a signal that has aborted', async () => {
    await assert.rejects(openLink({} as never, {} as never, AbortSignal.abort()), { name: 'AbortError' })
  })

  it('disposal ends every session, tells the desk once, and frees the port', async () => {
    const home = await openLinkHome()
    const { keys, certificate } = home.known('porch')
    const session = await openSession(home.hub, keys, certificate)
    await home[Symbol.asyncDispose]()
    await home[Symbol.asyncDispose]()
    assert.equal(await session.closed, 'link-closed')
    assert.deepEqual(home.desk.ends, [{ device: keys.id, why: 'link-closed' }])
    await using again = await openLinkHome({ port: home.hub.port })
    assert.equal(again.link.port, home.hub.port)
  })

  it('a second connection of one device ends the first', async () => {
    await using home = await openLinkHome()
    const { keys, certificate } = home.known('porch')
    const first = await openSession(home.hub, keys, certificate)
    const second = await openSession(home.hub, keys, certificate)
    assert.equal(await first.closed, 'superseded')
    await second.reading(VALUES)
    assert.equal(home.link.connected(), 1)
  })

  it('send() and drop() for a device that is not there do nothing', async () => {
    await using home = await openLinkHome()
    const { keys } = home.known('porch')
    assert.equal(home.link.send(keys.id, new Uint8Array(3)), 'away')
    home.link.drop(keys.id, 'forgotten')
  })

  it('its log holds no bytes of secrets or envelopes', async () => {
    await using home = await openLinkHome()
    const keys = deviceKeys(ed25519)
    const secret = home.permit('porch')
    await enrolDevice(home.hub, keys, secret)
    const wire = await dial(home.hub, keys, 'shallot-enrol/1')
    wire.socket.write(writeFrame(new TextEncoder().encode('canary-in-the-frame')))
    assert.equal(await wire.closed, 'bad-note')
    const text = JSON.stringify(home.lines)
    assert.match(text, /bad-note/)
    for (const absent of ['canary', secret.toHex(), keys.seed.toHex()]) assert.ok(!text.includes(absent))
  })
})
