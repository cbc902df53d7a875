// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemRandom } from '../../../../daemon/base/random.ts'
import {
  encodeCbor,
  openEnvelope,
  sealEnvelope,
  type Welcome,
} from '../../../../daemon/core/envelope/index.ts'
import { Session } from '../../../../daemon/edge/link/session.ts'
import { HubVoice } from '../../../../daemon/edge/link/voice.ts'
import { type DeviceKeys, deviceKeys, LAMP, sealEnrol } from '../../../../scripts/device/index.ts'
import { ed25519, FakeLine, linkRoom, signerOf } from '../../../support/link-room.ts'

const EPOCH = new Uint8Array(8).fill(1)
const VALUES = [{ affordance: 1, at: 0, value: true }]
const idle = () => new Promise<void>((resolve) => setImmediate(resolve))

function setUp() {
  const home = linkRoom()
  const keys = deviceKeys(ed25519)
  const join = () => {
    home.desk.add({ id: keys.id, name: 'porch', ...LAMP })
  }
  const open = (who: DeviceKeys = keys, voice = home.room.voice) => {
    const line = new FakeLine()
    const leaf = { key: who.signer.key, ca: home.issuer.key, from: 0, until: Number.MAX_SAFE_INTEGER }
    const session = new Session({ ...home.room, voice }, line, leaf, false)
    line.talk = session
    return { line, session }
  }
  const claims = (sequence: number, epoch = EPOCH) => ({
    audience: home.room.homeId,
    sealedAt: 0,
    epoch,
    sequence,
  })
  const hello = (sequence = 0, epoch = EPOCH, signer = keys.signer) =>
    sealEnvelope({ type: 'hello', ...LAMP, lost: 0, ...claims(sequence, epoch) }, signer)
  const reading = (sequence: number, epoch = EPOCH, signer = keys.signer) =>
    sealEnvelope({ type: 'reading', values: VALUES, ...claims(sequence, epoch) }, signer)
  const act = (sequence: number, signer = keys.signer) =>
    sealEnvelope(
      { type: 'act', source: 'keypad', affordance: 9, at: 0, code: 0, values: VALUES, ...claims(sequence) },
      signer,
    )
  const record = (key = keys.signer.key) =>
    sealEnvelope(
      { type: 'enrolment', name: 'porch', key, permit: new Uint8Array(8), ...claims(1) },
      signerOf(60),
    )
  /** A session that has been welcomed; what it was sent is forgotten. */
  const welcomed = async () => {
    join()
    const { line, session } = open()
    await line.take(hello())
    line.sent.length = 0
    return { line, session }
  }
  const welcomeOf = (line: FakeLine) => {
    const opened = openEnvelope(
      line.sent[0]!,
      { sizeMax: 1024, accepts: () => true, isAudience: (body) => body.audience === keys.id },
      ed25519,
    )
    assert.ok(opened.ok)
    assert.deepEqual(opened.value.signer, home.hub.key)
    return opened.value.body as Welcome
  }
  return { ...home, keys, join, open, claims, hello, reading, act, record, welcomed, welcomeOf }
}

const noted = (line: FakeLine) => line.sent.map((note) => note.toHex())
const storedNote = (sequence: number, epoch = EPOCH) => encodeCbor([epoch, sequence]).toHex()

describe('hello and welcome [SPEC 6.4]', () => {
  it('a hello of a known device is answered by a welcome for its epoch, with the time', async () => {
    const home = setUp()
    home.join()
    const { line } = home.open()
    assert.equal(await line.take(home.hello()), undefined)
    const welcome = home.welcomeOf(line)
    assert.deepEqual(welcome.nonce, EPOCH)
    assert.equal(welcome.timeMs, home.clock.now())
    assert.equal(welcome.wantsRecord, false)
    assert.equal(line.expected, 'nothing')
  })

  it('carries the home’s zone [SPEC 12.6]', async () => {
    const zone = { offset: 60, changesAt: 1_806_195_600, thereafter: 120 }
    const home = setUp()
    const voice = new HubVoice(home.hub, home.clock, systemRandom, { zone: () => zone })
    home.join()
    const { line } = home.open(home.keys, voice)
    await line.take(home.hello())
    assert.deepEqual(home.welcomeOf(line).zone, zone)
  })

  it('hub-elsewhere: another daemon of the home has charge of it; where this one is, it is not told for a while [SPEC 14.7]', async () => {
    const home = setUp()
    home.join()
    home.desk.elsewhere.add(home.keys.id)
    const { line } = home.open()
    assert.equal(await line.take(home.hello()), 'hub-elsewhere')
    assert.deepEqual([line.sent, home.desk.hellos], [[], []])
    assert.equal(home.room.turnedAway.has(line.address), true)
    assert.equal(home.room.turnedAway.has('192.0.2.2'), false)
    home.clock.advance(20_000)
    assert.equal(home.room.turnedAway.has(line.address), false)
  })

  it('the papers follow the welcome', async () => {
    const home = setUp()
    home.join()
    home.desk.letters = [home.record(), home.record()]
    const { line } = home.open()
    await line.take(home.hello())
    assert.deepEqual(line.sent.slice(1), home.desk.letters)
  })

  it('the desk has the hello before the device has the welcome', async () => {
    const home = setUp()
    home.join()
    const { line } = home.open()
    let sentBefore = -1
    home.desk.hello = async () => {
      sentBefore = line.sent.length
    }
    await line.take(home.hello())
    assert.equal(sentBefore, 0)
  })

  it('what waited for the device can be sent once it is welcomed, and comes after the welcome', async () => {
    const home = setUp()
    home.join()
    const { line, session } = home.open()
    const waiting = home.record()
    home.desk.whenWelcomed = () => assert.equal(session.send(waiting), 'sent')
    await line.take(home.hello())
    assert.ok(line.sent.length >= 2)
    assert.equal(line.sent.at(-1), waiting)
  })

  describe('is said again [SPEC 6.4]', () => {
    const summer = { offset: 120, changesAt: 0, thereafter: 120 }
    async function inZone() {
      const home = setUp()
      const now = Math.floor(home.clock.now() / 1000)
      const zones = [{ offset: 60, changesAt: now + 3600, thereafter: 120 }]
      const voice = new HubVoice(home.hub, home.clock, systemRandom, { zone: () => zones[0] })
      home.join()
      const { line, session } = home.open(home.keys, voice)
      await line.take(home.hello())
      line.sent.length = 0
      return { ...home, line, session, zones }
    }

    it('when local time has changed, with the next change, once', async () => {
      const home = await inZone()
      home.session.retell()
      assert.deepEqual(home.line.sent, [])
      home.clock.advance(3_600_000)
      home.zones[0] = summer
      for (let looks = 0; looks < 3; looks++) home.session.retell()
      assert.equal(home.line.sent.length, 1)
      const { zone, nonce, timeMs, wantsRecord } = home.welcomeOf(home.line)
      assert.deepEqual([zone, nonce, timeMs, wantsRecord], [summer, EPOCH, home.clock.now(), false])
    })

    it('when somebody set the clock', async () => {
      const home = await inZone()
      home.clock.setWall(home.clock.now() - 60_000)
      home.session.retell()
      assert.equal(home.welcomeOf(home.line).timeMs, home.clock.now())
    })

    it('once a day', async () => {
      const home = await inZone()
      home.clock.advance(86_400_000 - 1)
      home.session.retell()
      assert.deepEqual(home.line.sent, [])
      home.clock.advance(1)
      home.session.retell()
      assert.equal(home.line.sent.length, 1)
    })

    it('not before the hello, nor after the end', async () => {
      const home = setUp()
      home.join()
      const { line, session } = home.open()
      home.clock.advance(2 * 86_400_000)
      session.retell()
      assert.deepEqual(line.sent, [])
    })
  })

  it('another hello in the session begins another epoch and is welcomed again', async () => {
    const home = setUp()
    const { line } = await home.welcomed()
    const epoch = new Uint8Array(8).fill(2)
    await line.take(home.hello(0, epoch))
    assert.deepEqual(home.welcomeOf(line).nonce, epoch)
    assert.equal(home.desk.hellos.length, 2)
    assert.equal(home.desk.ends.length, 0)
  })

  it('after another hello, what was not noted is sent again with its old sequence', async () => {
    const home = setUp()
    const { line } = await home.welcomed()
    await line.take(home.reading(3))
    await line.take(home.reading(4))
    await line.take(home.hello(5))
    assert.equal(await line.take(home.reading(3)), undefined)
    assert.equal(home.desk.readings.length, 3)
  })

  it('a second session of one device ends the first as superseded', async () => {
    const home = setUp()
    const first = await home.welcomed()
    const second = home.open()
    await second.line.take(home.hello())
    assert.equal(first.line.code, 'superseded')
    assert.deepEqual(home.desk.ends, [{ device: home.keys.id, why: 'superseded' }])
    assert.equal(home.room.roster.get(home.keys.id), second.session)
  })

  it('the end of the first leaves the second in its place', async () => {
    const home = setUp()
    const first = await home.welcomed()
    const second = home.open()
    await second.line.take(home.hello())
    first.session.ended('link-closed')
    assert.equal(second.session.send(home.record()), 'sent')
    assert.equal(home.room.roster.get(home.keys.id), second.session)
  })

  it('a session that ends while the desk is busy with its hello is not opened', async () => {
    const home = setUp()
    home.join()
    const { line } = home.open()
    const desk = Promise.withResolvers<void>()
    home.desk.hello = () => desk.promise
    const taking = line.take(home.hello())
    line.end('silent')
    desk.resolve()
    await taking
    assert.equal(line.sent.length, 0)
    assert.equal(home.room.roster.size, 0)
    assert.deepEqual(home.desk.ends, [{ device: home.keys.id, why: 'silent' }])
  })

  it('the desk is not told of the end of a device that never said hello', () => {
    const home = setUp()
    home.join()
    home.open().line.end('silent')
    assert.deepEqual(home.desk.ends, [])
  })
})

describe('an unknown device [SPEC 6.5]', () => {
  it('gets a welcome that wants its record, and the hello’s time to show it', async () => {
    const home = setUp()
    const { line } = home.open()
    await line.take(home.hello())
    assert.equal(home.welcomeOf(line).wantsRecord, true)
    assert.deepEqual(line.expected, { ms: 10_000, code: 'unknown-device' })
    assert.equal(home.desk.hellos.length, 0)
  })

  it('is in when the desk takes the record, without a second welcome', async () => {
    const home = setUp()
    home.desk.record = () => undefined
    home.desk.letters = [home.record()]
    const { line, session } = home.open()
    await line.take(home.hello())
    assert.equal(await line.take(home.record()), undefined)
    assert.deepEqual(line.sent.slice(1), home.desk.letters)
    assert.equal(home.desk.hellos.length, 1)
    assert.equal(session.send(home.record()), 'sent')
  })

  it('that leaves while the desk judges its record is not opened', async () => {
    const home = setUp()
    const { line } = home.open()
    await line.take(home.hello())
    const judged = Promise.withResolvers<void>()
    home.desk.record = () => undefined
    const readmit = home.desk.readmit.bind(home.desk)
    home.desk.readmit = async (hello, record) => {
      await judged.promise
      return readmit(hello, record)
    }
    const taking = line.take(home.record())
    line.end('link-closed')
    judged.resolve()
    await taking
    assert.equal(home.room.roster.size, 0)
    assert.equal(home.desk.hellos.length, 0)
  })

  it('is refused when the desk does not take it', async () => {
    const home = setUp()
    const { line } = home.open()
    await line.take(home.hello())
    assert.equal(await line.take(home.record()), 'unknown-device')
  })

  it('is refused with the record of another key, and the desk is not asked', async () => {
    const home = setUp()
    home.desk.record = () => assert.fail('asked')
    const { line } = home.open()
    await line.take(home.hello())
    assert.equal(await line.take(home.record(signerOf(61).key)), 'unknown-signer')
  })

  it('may send nothing else', async () => {
    const home = setUp()
    const { line } = home.open()
    await line.take(home.hello())
    assert.equal(await line.take(home.reading(1)), 'unexpected-message')
    assert.equal(home.desk.readings.length, 0)
  })

  it('is no way to send commands to', async () => {
    const home = setUp()
    const { line, session } = home.open()
    await line.take(home.hello())
    assert.equal(session.send(home.record()), 'away')
    assert.equal(line.sent.length, 1)
  })
})

describe('a session refuses', () => {
  it('forgotten: a device that was forgotten between TLS and hello', async () => {
    const home = setUp()
    home.join()
    const { line } = home.open()
    home.desk.forgotten.add(home.keys.id)
    assert.equal(await line.take(home.hello()), 'forgotten')
  })

  it('unknown-signer: a hello that another key sealed', async () => {
    const home = setUp()
    home.join()
    const { line } = home.open()
    assert.equal(await line.take(home.hello(0, EPOCH, signerOf(62))), 'unknown-signer')
  })

  it('unknown-signer: another device’s reading', async () => {
    const home = setUp()
    const { line } = await home.welcomed()
    assert.equal(await line.take(home.reading(1, EPOCH, signerOf(63))), 'unknown-signer')
    assert.equal(home.desk.readings.length, 0)
  })

  it('wrong-audience: a reading for another home', async () => {
    const home = setUp()
    const { line } = await home.welcomed()
    const audience = home.keys.id
    const frame = sealEnvelope(
      { type: 'reading', values: VALUES, ...home.claims(1), audience },
      home.keys.signer,
    )
    assert.equal(await line.take(frame), 'wrong-audience')
  })

  it('unexpected-message: a reading before the hello', async () => {
    const home = setUp()
    home.join()
    assert.equal(await home.open().line.take(home.reading(1)), 'unexpected-message')
  })

  it('unexpected-message: a note before the hello', async () => {
    const home = setUp()
    home.join()
    const note = Uint8Array.of(0x81, 0x48, 1, 2, 3, 4, 5, 6, 7, 8)
    assert.equal(await home.open().line.take(note), 'unexpected-message')
  })

  it('unknown-signer: a command that the device sealed itself [SPEC 2.6]', async () => {
    const home = setUp()
    const { line } = await home.welcomed()
    const command = sealEnvelope(
      {
        type: 'command',
        operation: 'invoke',
        affordance: 5,
        expiresAt: Math.floor(home.clock.now() / 1000) + 60,
        nonce: EPOCH,
        ...home.claims(1),
        sealedAt: Math.floor(home.clock.now() / 1000),
      },
      home.keys.signer,
    )
    assert.equal(await line.take(command), 'unknown-signer')
  })

  it('unknown-signer: a record that nobody asked for', async () => {
    const home = setUp()
    const { line } = await home.welcomed()
    assert.equal(await line.take(home.record()), 'unknown-signer')
  })

  it('unexpected-message: an enrol', async () => {
    const home = setUp()
    const { line } = await home.welcomed()
    const enrol = sealEnrol(home.address, home.keys, new Uint8Array(16), LAMP)
    assert.equal(await line.take(enrol), 'unexpected-message')
  })

  it('replayed: a reading twice', async () => {
    const home = setUp()
    const { line } = await home.welcomed()
    await line.take(home.reading(4))
    assert.equal(await line.take(home.reading(4)), 'replayed')
  })

  it('replayed: a reading older than the one before it', async () => {
    const home = setUp()
    const { line } = await home.welcomed()
    await line.take(home.reading(4))
    assert.equal(await line.take(home.reading(3)), 'replayed')
    assert.equal(home.desk.readings.length, 1)
  })

  it('bad-signature: a reading with one bit turned', async () => {
    const home = setUp()
    const { line } = await home.welcomed()
    const frame = home.reading(1)
    frame[frame.length - 50]! ^= 4
    assert.equal(await line.take(frame), 'bad-signature')
  })

  it('bad-note: what only a hub says', async () => {
    const { line } = await setUp().welcomed()
    assert.equal(await line.take(encodeCbor([EPOCH, 3])), 'bad-note')
  })

  it('internal: the desk fails at the hello', async () => {
    const home = setUp()
    home.join()
    home.desk.hello = () => Promise.reject(new Error('disk full'))
    assert.equal(await home.open().line.take(home.hello()), 'internal')
  })
})

describe('stored [SPEC 6.3, 6.4]', () => {
  it('is said when the desk has the reading, not before', async () => {
    const home = setUp()
    const { line } = await home.welcomed()
    const disk = Promise.withResolvers<void>()
    home.desk.storing = () => disk.promise
    await line.take(home.reading(1))
    await idle()
    assert.deepEqual(noted(line), [])
    disk.resolve()
    await idle()
    assert.deepEqual(noted(line), [storedNote(1)])
  })

  it('is said of a receipt too', async () => {
    const home = setUp()
    const { line } = await home.welcomed()
    const receipt = { type: 'receipt' as const, command: new Uint8Array(32), code: 0, values: [] }
    await line.take(sealEnvelope({ ...receipt, ...home.claims(1) }, home.keys.signer))
    await idle()
    assert.deepEqual(noted(line), [storedNote(1)])
    assert.equal(home.desk.receipts.length, 1)
  })

  it('is said once for what the disk took together', async () => {
    const home = setUp()
    const { line } = await home.welcomed()
    const disk = Promise.withResolvers<void>()
    home.desk.storing = () => disk.promise
    for (const sequence of [1, 2, 3]) await line.take(home.reading(sequence))
    disk.resolve()
    await idle()
    assert.deepEqual(noted(line), [storedNote(3)])
  })

  it('does not pass over a reading that is still on its way', async () => {
    const home = setUp()
    const { line } = await home.welcomed()
    const slow = Promise.withResolvers<void>()
    home.desk.storing = (reading) => (reading.body.sequence === 1 ? slow.promise : Promise.resolve())
    for (const sequence of [1, 2]) await line.take(home.reading(sequence))
    await idle()
    assert.deepEqual(noted(line), [])
    slow.resolve()
    await idle()
    assert.deepEqual(noted(line), [storedNote(2)])
  })

  it('is not said of what the desk could not store, nor of anything after it', async () => {
    const home = setUp()
    const { line } = await home.welcomed()
    home.desk.storing = (reading) =>
      reading.body.sequence === 2 ? Promise.reject(new Error('disk full')) : Promise.resolve()
    for (const sequence of [1, 2, 3]) await line.take(home.reading(sequence))
    await idle()
    home.clock.advance(1000)
    await idle()
    assert.ok(!noted(line).includes(storedNote(2)) && !noted(line).includes(storedNote(3)))
    assert.equal(line.code, 'internal')
  })

  it('waits for company after one note, for a tenth of a second', async () => {
    const home = setUp()
    const { line } = await home.welcomed()
    for (const sequence of [1, 2, 3]) {
      await line.take(home.reading(sequence))
      await idle()
    }
    assert.deepEqual(noted(line), [storedNote(1)])
    home.clock.advance(100)
    await idle()
    assert.deepEqual(noted(line), [storedNote(1), storedNote(3)])
  })

  it('does not wait when eight have come together', async () => {
    const home = setUp()
    const { line } = await home.welcomed()
    for (let sequence = 1; sequence <= 9; sequence++) {
      await line.take(home.reading(sequence))
      await idle()
    }
    assert.deepEqual(noted(line), [storedNote(1), storedNote(9)])
  })

  it('names each epoch for itself when an older one’s are sent again', async () => {
    const home = setUp()
    const { line } = await home.welcomed()
    const older = new Uint8Array(8).fill(7)
    const disk = Promise.withResolvers<void>()
    home.desk.storing = () => disk.promise
    await line.take(home.reading(40, older))
    await line.take(home.reading(1))
    disk.resolve()
    await idle()
    home.clock.advance(1000)
    await idle()
    assert.deepEqual(noted(line), [storedNote(40, older), storedNote(1)])
  })

  it('no more than 64 are on their way: the 64th makes the device wait until half are stored', async () => {
    const home = setUp()
    const { line, session } = await home.welcomed()
    const disk: (() => void)[] = []
    home.desk.storing = () => new Promise((resolve) => disk.push(resolve))
    for (let sequence = 1; sequence < 64; sequence++)
      assert.equal(session.take(home.reading(sequence)), undefined)
    const last = session.take(home.reading(64))
    assert.ok(last instanceof Promise)
    for (const resolve of disk.splice(0, 32)) resolve()
    await idle()
    const early = await Promise.race([last, idle().then(() => 'still waiting')])
    assert.equal(early, 'still waiting')
    disk.shift()!()
    assert.equal(await last, undefined)
    assert.equal(line.ended, false)
  })

  it('a session that ends lets go of a device that waited', async () => {
    const home = setUp()
    const { line, session } = await home.welcomed()
    home.desk.storing = () => new Promise(() => {})
    for (let sequence = 1; sequence < 64; sequence++) session.take(home.reading(sequence))
    const last = session.take(home.reading(64))
    line.end('superseded')
    assert.equal(await last, undefined)
  })
})

describe('towards the device', () => {
  it('got notes reach the desk', async () => {
    const home = setUp()
    const { line } = await home.welcomed()
    await line.take(Uint8Array.of(0x81, 0x48, 1, 2, 3, 4, 5, 6, 7, 8))
    assert.deepEqual(home.desk.gots, [Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)])
  })

  it('send() is away before the welcome and after the end', async () => {
    const home = setUp()
    home.join()
    const { line, session } = home.open()
    assert.equal(session.send(home.record()), 'away')
    await line.take(home.hello())
    assert.equal(session.send(home.record()), 'sent')
    line.end('silent')
    assert.equal(session.send(home.record()), 'away')
  })
})

describe('an act [SPEC 12.8]', () => {
  it('goes to the desk, and is noted as stored like a reading', async () => {
    const home = setUp()
    const { line } = await home.welcomed()
    assert.equal(await line.take(home.act(1)), undefined)
    await idle()
    assert.deepEqual(
      home.desk.acts.map(({ body }) => body.source),
      ['keypad'],
    )
    assert.deepEqual(noted(line), [storedNote(1)])
  })

  it('before the hello, of another key, or twice, ends the connection', async () => {
    const home = setUp()
    home.join()
    const early = home.open().line
    await early.take(home.act(1))
    assert.equal(early.code, 'unexpected-message')
    const forged = (await home.welcomed()).line
    await forged.take(home.act(1, signerOf(9)))
    assert.equal(forged.code, 'unknown-signer')
    const twice = (await home.welcomed()).line
    await twice.take(home.act(3))
    await twice.take(home.act(3))
    assert.equal(twice.code, 'replayed')
  })
})

describe('pictures [SPEC 19]', () => {
  const DIGEST = new Uint8Array(32).fill(5)
  const still = ({ claims, keys }: ReturnType<typeof setUp>, sequence: number, signer = keys.signer) => {
    const body = { affordance: 30, command: DIGEST, digest: DIGEST, size: 700, at: 0 }
    return sealEnvelope({ type: 'still', ...body, ...claims(sequence) }, signer)
  }
  const piece = (offset: number, size = 512) => encodeCbor([2, offset, new Uint8Array(size).fill(1)])

  it('a still and its pieces reach the desk, and hold no sequence of readings up', async () => {
    const home = setUp()
    const { line } = await home.welcomed()
    await line.take(home.reading(5))
    assert.equal(await line.take(still(home, 3)), undefined)
    assert.equal(await line.take(still(home, 3)), undefined, 'again, as after a cut')
    await line.take(piece(0))
    assert.equal(await line.take(piece(512, 188)), undefined)
    assert.equal(await line.take(home.reading(6)), undefined)
    assert.equal(home.desk.stills.length, 2)
    assert.deepEqual(
      home.desk.pieces.map(({ offset, bytes }) => [offset, bytes.length]),
      [
        [0, 512],
        [512, 188],
      ],
    )
  })

  it('nothing more is read while a picture is on its way to the disk; what cannot be kept is our fault', async () => {
    const home = setUp()
    const { line } = await home.welcomed()
    home.desk.piece = () => Promise.reject(new Error('disk full'))
    const taken = line.take(piece(0))
    assert.ok(taken instanceof Promise)
    assert.equal(await taken, 'internal')
  })

  for (const [what, frame, code] of [
    ['no bytes', encodeCbor([2, 0, new Uint8Array(0)]), 'bad-note'],
    ['513 bytes', encodeCbor([2, 0, new Uint8Array(513)]), 'bad-note'],
    ['text', encodeCbor([2, 0, 'x']), 'bad-note'],
    ['a place below 0', encodeCbor([2, -1, new Uint8Array(9)]), 'bad-note'],
    ['a place beyond any picture', encodeCbor([2, 65_537, new Uint8Array(9)]), 'bad-note'],
    ['four of them', encodeCbor([2, 0, new Uint8Array(9), 0]), 'bad-note'],
    ['an end that is missing', piece(0).subarray(0, -1), 'bad-note'],
  ] as const)
    it(`${code}: a piece with ${what}`, async () => {
      const home = setUp()
      const { line } = await home.welcomed()
      assert.equal(await line.take(frame), code)
      assert.deepEqual(home.desk.pieces, [])
    })

  it('unknown-signer: another device’s', async () => {
    const home = setUp()
    const { line } = await home.welcomed()
    assert.equal(await line.take(still(home, 3, signerOf(77))), 'unknown-signer')
  })

  it('unexpected-message before the hello', async () => {
    const home = setUp()
    home.join()
    const { line } = home.open()
    assert.equal(await line.take(still(home, 3)), 'unexpected-message')
    assert.equal(await line.take(piece(0)), 'unexpected-message')
    assert.deepEqual([home.desk.stills, home.desk.pieces], [[], []])
  })
})
