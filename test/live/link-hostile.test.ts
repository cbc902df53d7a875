// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { systemRandom } from '../../daemon/base/random.ts'
import { deviceLeaf } from '../../daemon/core/identity/certificates.ts'
import { writeFrame } from '../../daemon/edge/link/frames.ts'
import { ALPN_LINK } from '../../schemas/gen/ts/wire.ts'
import { type DeviceSession, deviceKeys, dial, enrolDevice, openSession } from '../../scripts/device/index.ts'
import { ed25519, type LinkHome, openLinkHome } from '../support/link-home.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { until } from '../support/until.ts'

const VALUES = [{ affordance: 1, at: 0, value: true }]

/** A home whose time stands still, near enough to the real one for certificates. */
async function stillHome(limits = {}): Promise<{ home: LinkHome; clock: ManualClock }> {
  const clock = new ManualClock(Date.now())
  return { home: await openLinkHome({ clock, limits }), clock }
}

async function tcp(
  home: LinkHome,
  from = '127.0.0.1',
): Promise<{ socket: Socket; closed: Promise<unknown> }> {
  const socket = connect({ host: home.hub.host, port: home.hub.port, localAddress: from })
  socket.on('error', () => {})
  // An alert that nobody reads would hide the end behind it.
  socket.resume()
  const closed = new Promise((resolve) => socket.on('close', resolve))
  await Promise.race([once(socket, 'connect'), closed])
  return { socket, closed }
}

/** Lets what was sent arrive: nothing here waits for a clock. */
async function settle(session: DeviceSession): Promise<void> {
  const before = session.wire.keepAlives
  session.wire.keepAlive()
  await until('a keep-alive answered', () => session.wire.keepAlives > before)
}

async function device(home: LinkHome, name = 'porch'): Promise<DeviceSession> {
  const { keys, certificate } = home.known(name)
  return openSession(home.hub, keys, certificate)
}

/** Node passes it on to the socket; its types do not say so. */
const FROM_ELSEWHERE: ConnectionOptions & { localAddress: string } = { localAddress: '127.0.0.9' }

const codesOf = (home: LinkHome) => home.lines.map((line) => line.fields.code).filter(Boolean)

describe('a device that vanishes', () => {
  it('is gone after 25 s of silence, and the desk is told within 26 s', async () => {
    const { home, clock } = await stillHome()
    await using _ = home
    const session = await device(home)
    session.wire.socket.pause()
    clock.advance(24_000)
    assert.equal(home.link.connected(), 1)
    clock.advance(2000)
    assert.equal(home.link.connected(), 0)
    assert.deepEqual(home.desk.ends, [{ device: session.keys.id, why: 'silent' }])
  })

  it('is gone at once when its system says so', async () => {
    await using home = await openLinkHome()
    const session = await device(home)
    session.vanish()
    await until('gone', () => home.desk.ends.length === 1)
    assert.deepEqual(home.desk.ends, [{ device: session.keys.id, why: 'link-closed' }])
  })

  it('is not one that keeps alive every 10 s', async () => {
    const { home, clock } = await stillHome()
    await using _ = home
    const session = await device(home)
    for (let i = 0; i < 6; i++) {
      clock.advance(10_000)
      await settle(session)
    }
    assert.equal(home.link.connected(), 1)
  })

  it('comes back by its ticket, as the same device', async () => {
    const { home, clock } = await stillHome()
    await using _ = home
    const { keys, certificate } = home.known('porch')
    const first = await openSession(home.hub, keys, certificate)
    await until('a ticket', () => first.wire.ticket !== undefined)
    const ticket = first.wire.ticket
    clock.advance(26_000)
    assert.equal(home.link.connected(), 0)
    const second = await openSession(home.hub, keys, certificate, { ticket })
    assert.equal(second.resumed, true)
    assert.equal(home.link.connected(), 1)
  })
})

describe('limits of time [SPEC 6.6]', () => {
  it('a peer that says nothing is cut after 10 s', async () => {
    const { home, clock } = await stillHome()
    await using _ = home
    const { closed } = await tcp(home)
    await device(home)
    clock.advance(10_000)
    await closed
    assert.ok(codesOf(home).includes('handshake-timeout'))
  })

  it('a handshake of a byte now and then is cut after 10 s', async () => {
    const { home, clock } = await stillHome()
    await using _ = home
    const { socket, closed } = await tcp(home)
    let ended = false
    closed.then(() => {
      ended = true
    })
    const hello = Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03)
    const other = await device(home)
    for (const byte of hello) {
      if (!ended) socket.write(Uint8Array.of(byte))
      await settle(other)
      clock.advance(1000)
    }
    await closed
    assert.equal(home.link.connected(), 1)
  })

  it('a peer that does TLS and then nothing is told handshake-timeout after 10 s', async () => {
    const { home, clock } = await stillHome()
    await using _ = home
    const { keys, certificate } = home.known('porch')
    const wire = await dial(home.hub, keys, ALPN_LINK, certificate)
    await device(home, 'other')
    clock.advance(10_000)
    assert.equal(await wire.closed, 'handshake-timeout')
  })

  it('keep-alives are no hello', async () => {
    const { home, clock } = await stillHome()
    await using _ = home
    const { keys, certificate } = home.known('porch')
    const wire = await dial(home.hub, keys, ALPN_LINK, certificate)
    for (let i = 1; i <= 5; i++) {
      wire.keepAlive()
      await until('an answer', () => wire.keepAlives === i || wire.socket.destroyed)
      clock.advance(2000)
    }
    assert.equal(await wire.closed, 'handshake-timeout')
  })

  it('an enrolment that never asks ends like that too', async () => {
    const { home, clock } = await stillHome()
    await using _ = home
    const wire = await dial(home.hub, deviceKeys(ed25519), 'shallot-enrol/1')
    await device(home)
    clock.advance(10_000)
    assert.equal(await wire.closed, 'handshake-timeout')
  })

  it('an unknown device that does not show its record is told unknown-device after 10 s', async () => {
    const { home, clock } = await stillHome()
    await using _ = home
    const { keys, certificate } = home.known('porch')
    home.desk.devices.delete(keys.id)
    const session = await openSession(home.hub, keys, certificate)
    clock.advance(10_000)
    assert.equal(await session.closed, 'unknown-device')
  })

  it('a frame that is begun and not ended is cut after 5 s, though its bytes keep coming', async () => {
    const { home, clock } = await stillHome()
    await using _ = home
    const [slow, other] = [await device(home), await device(home, 'other')]
    const frame = slow.sealReading(VALUES)
    const bytes = writeFrame(frame)
    for (let i = 0; i < 6; i++) {
      slow.wire.socket.write(bytes.subarray(i, i + 1))
      await settle(other)
      clock.advance(1000)
    }
    await slow.closed
    assert.ok(home.desk.ends.some(({ device, why }) => device === slow.keys.id && why === 'too-slow'))
    await other.reading(VALUES)
  })

  it('a frame whose bytes come one by one in time is read', async () => {
    await using home = await openLinkHome()
    const session = await device(home)
    const sequence = session.sequence
    for (const byte of writeFrame(session.sealReading(VALUES))) session.wire.socket.write(Uint8Array.of(byte))
    await session.stored(sequence)
    assert.equal(home.desk.readings.length, 1)
  })

  it('a refused peer that does not close is destroyed', async () => {
    const { home, clock } = await stillHome()
    await using _ = home
    const { keys, certificate } = home.known('porch')
    const stubborn = { allowHalfOpen: true } as object
    const { socket } = await dial(home.hub, keys, ALPN_LINK, certificate, stubborn)
    const other = await device(home, 'other')
    socket.write(writeFrame(Uint8Array.of(0xff)))
    await once(socket, 'end')
    for (let i = 0; i < 5; i++) socket.write(Uint8Array.of(0))
    await settle(other)
    assert.equal(socket.destroyed, false)
    clock.advance(6000)
    // Who writes to a socket that is gone is told so by the hub's system.
    await until('destroyed', () => socket.destroyed || !socket.write(Uint8Array.of(0)))
    await until('destroyed', () => socket.destroyed)
  })
})

describe('limits of space [SPEC 6.6]', () => {
  it('a frame above 1,024 bytes is refused by name', async () => {
    await using home = await openLinkHome()
    const session = await device(home)
    session.wire.socket.write(Uint8Array.of(0x04, 0x01))
    assert.equal(await session.closed, 'frame-too-large')
  })

  it('a device that does not read is cut when 16 KiB wait for it', async () => {
    await using home = await openLinkHome()
    const [deaf, other] = [await device(home), await device(home, 'other')]
    deaf.wire.socket.pause()
    const envelope = new Uint8Array(1000).fill(0xd2)
    let answer = 'sent'
    // What the two systems buffer in between comes first: some megabytes on loopback.
    for (let sent = 0; answer === 'sent' && sent < 60_000; sent++) {
      answer = home.link.send(deaf.keys.id, envelope)
      if (sent % 8 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    assert.equal(answer, 'too-slow')
    assert.deepEqual(home.desk.ends, [{ device: deaf.keys.id, why: 'too-slow' }])
    await other.reading(VALUES)
  })

  it('a device faster than the disk has 64 readings on their way, and is not read further', async () => {
    await using home = await openLinkHome()
    const [fast, other] = [await device(home), await device(home, 'other')]
    let started = 0
    const disk = Promise.withResolvers<void>()
    home.desk.storing = (reading) => {
      started++
      return reading.body.values[0]?.at === 1 ? disk.promise : Promise.resolve()
    }
    const first = fast.sequence
    for (let i = 0; i < 100; i++) fast.wire.send(fast.sealReading([{ affordance: 1, at: 1, value: true }]))
    // More than the systems between the two will hold, if the hub does not read it.
    fast.wire.socket.write(new Uint8Array(24_000_000))
    await until('64 are on their way', () => started >= 64)
    for (let i = 0; i < 20; i++) await settle(other)
    assert.equal(started, 64)
    assert.ok(fast.wire.socket.writableLength > 0)
    disk.resolve()
    await fast.stored(first + 99)
    assert.equal(started, 100)
  })

  it('connections from one address stop at the limit, other addresses go on', async () => {
    await using home = await openLinkHome({ limits: { connectionsPerAddressMax: 3 } })
    const held = [await tcp(home, '127.0.0.9'), await tcp(home, '127.0.0.9'), await tcp(home, '127.0.0.9')]
    await (await tcp(home, '127.0.0.9')).closed
    assert.ok(codesOf(home).includes('too-many-connections'))
    await device(home)
    for (const { socket } of held) socket.destroy()
  })

  it('connections in all stop at the limit, and a place that is left is free again', async () => {
    await using home = await openLinkHome({ limits: { connectionsMax: 2 } })
    const held = [await tcp(home, '127.0.0.9'), await tcp(home, '127.0.0.10')]
    await (await tcp(home, '127.0.0.11')).closed
    held[0]!.socket.destroy()
    await until('a place', () => home.lines.some((line) => line.event === 'link-refused'))
    let session: DeviceSession | undefined
    for (let round = 0; !session && round < 50; round++) session = await device(home).catch(() => undefined)
    assert.ok(session)
  })

  it('handshakes of strangers from one address stop at the limit, other addresses go on, and each second lets some in', async () => {
    const { home, clock } = await stillHome({ unprovenBurst: 3, unprovenPerS: 1 })
    await using _ = home
    const stranger = async () => {
      const { keys } = home.known('impostor')
      const foreign = deviceLeaf(
        ed25519.signer(systemRandom.bytes(32)),
        keys.signer.key,
        systemRandom.bytes(8),
        Date.now(),
      )
      const tried = openSession(home.hub, keys, foreign, { tls: FROM_ELSEWHERE })
      return tried.then(
        () => 'a session',
        () => codesOf(home).at(-1),
      )
    }
    const answers = [await stranger(), await stranger(), await stranger(), await stranger()]
    assert.deepEqual(answers, [...Array(3).fill('certificate-profile'), 'too-many-connections'])
    assert.equal((await device(home)).wire.socket.localAddress, '127.0.0.1')
    clock.advance(1000)
    assert.equal(await stranger(), 'certificate-profile')
    assert.equal(await stranger(), 'too-many-connections')
  })

  it('a whole house that comes back at once, again and again, from one address is let in', async () => {
    const { home } = await stillHome({ unprovenBurst: 60, unprovenPerS: 0 })
    await using _ = home
    const house = Array.from({ length: 60 }, (_, n) => home.known(`device-${n}`))
    for (let times = 1; times <= 3; times++) {
      await Promise.all(house.map(({ keys, certificate }) => openSession(home.hub, keys, certificate)))
      assert.equal(home.link.connected(), 60)
    }
    assert.equal(codesOf(home).includes('too-many-connections'), false)
  })

  it('1,000 idle strangers keep no device out, and are cut after 10 s', async () => {
    const { home, clock } = await stillHome()
    await using _ = home
    const idle: Awaited<ReturnType<typeof tcp>>[] = []
    for (let i = 0; i < 1000; i++) idle.push(await tcp(home, `127.0.1.${1 + (i % 4)}`))
    const keys = deviceKeys(ed25519)
    const { certificate } = await enrolDevice(home.hub, keys, home.permit('porch'))
    const session = await openSession(home.hub, keys, certificate)
    await session.reading(VALUES)
    clock.advance(10_000)
    await Promise.all(idle.map(({ closed }) => closed))
    await session.reading(VALUES).catch(() => assert.fail('the device was cut too'))
    assert.equal(home.link.connected(), 1)
    assert.ok(home.lines.length < 100, `${home.lines.length} lines of log`)
  })
})

describe('hostile peers, while another device keeps working', () => {
  const peers: Record<string, (home: LinkHome) => Promise<unknown>> = {
    'random bytes instead of TLS': async (home) => {
      const { socket, closed } = await tcp(home)
      socket.write(systemRandom.bytes(4000))
      await closed
    },
    'plain HTTP': async (home) => {
      const { socket, closed } = await tcp(home)
      socket.write('GET / HTTP/1.1\r\nHost: hub\r\n\r\n')
      await closed
    },
    'a reset in the middle of a handshake': async (home) => {
      const { socket, closed } = await tcp(home)
      socket.write(Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01))
      socket.resetAndDestroy()
      await closed
    },
    'an end in the middle of a handshake': async (home) => {
      const { socket, closed } = await tcp(home)
      socket.end(Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01))
      await closed
    },
    'random frames at enrolment': async (home) => {
      const wire = await dial(home.hub, deviceKeys(ed25519), 'shallot-enrol/1')
      wire.socket.write(systemRandom.bytes(4000))
      assert.notEqual(await wire.closed, 'link-closed')
    },
    'random envelopes at enrolment': async (home) => {
      const wire = await dial(home.hub, deviceKeys(ed25519), 'shallot-enrol/1')
      const bytes = systemRandom.bytes(700)
      bytes[0] = 0xd2
      wire.send(bytes)
      assert.notEqual(await wire.closed, 'link-closed')
    },
    'a device that sends random bytes after its hello': async (home) => {
      const session = await device(home, 'broken')
      session.wire.socket.write(systemRandom.bytes(4000))
      assert.notEqual(await session.closed, 'link-closed')
    },
    'a device that floods keep-alives': async (home) => {
      const session = await device(home, 'chatty')
      for (let i = 0; i < 20; i++) session.wire.socket.write(new Uint8Array(60_000))
      await settle(session)
      session.vanish()
    },
    'a half-open device': async (home) => {
      const session = await device(home, 'half')
      session.wire.socket.end()
      await session.closed
    },
    'no protocol in common': (home) => refusedByTls(home, { ALPNProtocols: ['h2'] }),
    'TLS 1.2': (home) => refusedByTls(home, { maxVersion: 'TLSv1.2', minVersion: 'TLSv1.2' }),
  }

  async function refusedByTls(home: LinkHome, extra: object): Promise<void> {
    const { host, port } = home.hub
    const socket = connectTls({ host, port, rejectUnauthorized: false, ALPNProtocols: [ALPN_LINK], ...extra })
    await assert.rejects(once(socket, 'secureConnect'))
  }

  for (const [what, attack] of Object.entries(peers))
    it(what, async () => {
      await using home = await openLinkHome()
      const session = await device(home)
      await Promise.all(
        [attack(home), attack(home), attack(home)].map((each) => each.catch((error) => error)),
      )
        .then((ends) => ends.filter((end) => end instanceof assert.AssertionError))
        .then((failed) => assert.deepEqual(failed, []))
      await session.reading(VALUES)
      await until('the others are gone', () => home.link.connected() === 1)
    })

  it('a device whose frames are cut at any byte is never heard of by the desk', async () => {
    await using home = await openLinkHome()
    const session = await device(home)
    const frame = session.sealReading(VALUES)
    const { keys, certificate } = home.known('cut')
    for (let size = 1; size < frame.length; size += 17) {
      const other = await openSession(home.hub, keys, certificate)
      other.wire.send(frame.subarray(0, size))
      assert.match(await other.closed, /^cbor-truncated$|^bad-note$/)
    }
    assert.equal(home.desk.readings.length, 0)
  })

  it('a stream of strangers’ refusals becomes no stream of log lines', async () => {
    const { home, clock } = await stillHome()
    await using _ = home
    for (let i = 0; i < 60; i++) {
      const { socket, closed } = await tcp(home)
      socket.write('x'.repeat(100))
      await closed
    }
    await device(home)
    clock.advance(1000)
    const refusals = home.lines.filter((line) => line.event === 'link-refused')
    assert.equal(refusals.length, 20)
    assert.ok(home.lines.some((line) => line.event === 'link-refused-more'))
  })
})
