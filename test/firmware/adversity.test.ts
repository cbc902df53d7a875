// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { connect, createServer as createTcpServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createServer, type TLSSocket } from 'node:tls'
import { systemRandom } from '../../daemon/base/random.ts'
import { openEnvelope, sealEnvelope } from '../../daemon/core/envelope/index.ts'
import { hubLeaf } from '../../daemon/core/identity/certificates.ts'
import { idOf } from '../../daemon/core/model/index.ts'
import { CODES, type Code } from '../../schemas/gen/ts/codes.ts'
import type { Port } from '../../scripts/firmware.ts'
import { type Firmware, startFirmware } from '../support/firmware.ts'
import { codeName, command, type FirmwareHome, openFirmwareHome, until } from '../support/firmware-home.ts'
import { ed25519 } from '../support/link-home.ts'

const ON = 1
const SILENCE_MS = 25_000
const PKCS8_SEED = '302e020100300506032b657004220420'

/** The network between a device and whatever answers at `target`. */
interface Wire extends AsyncDisposable {
  readonly port: number
  target: number
  /** Ends what is open; the next connection goes to the target of that moment. */
  cut(): void
  /** Keeps what is open, and carries nothing on it any more. */
  freeze(): void
}

async function openWire(target: number): Promise<Wire> {
  const open = new Set<Socket>()
  const server = createTcpServer((near) => {
    const far = connect({ port: wire.target, host: '127.0.0.1', noDelay: true })
    near.setNoDelay(true)
    near.pipe(far).pipe(near)
    for (const socket of [near, far]) {
      open.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        open.delete(socket)
        for (const other of [near, far]) other.destroy()
      })
    }
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const wire: Wire = {
    port: (server.address() as { port: number }).port,
    target,
    cut() {
      for (const socket of open) socket.destroy()
    },
    freeze() {
      for (const socket of open) socket.unpipe().pause()
    },
    async [Symbol.asyncDispose]() {
      wire.cut()
      await new Promise((closed) => server.close(closed))
    },
  }
  return wire
}

/** A home behind a wire: codes lead to the wire. */
async function openHome(): Promise<{ home: FirmwareHome; wire: Wire } & AsyncDisposable> {
  const home = await openFirmwareHome()
  const wire = await openWire(home.home.hub.port)
  Object.assign(home.home.hub, { port: wire.port })
  return {
    home,
    wire,
    async [Symbol.asyncDispose]() {
      await wire[Symbol.asyncDispose]()
      await home[Symbol.asyncDispose]()
    },
  }
}

async function enrolled(home: FirmwareHome, port: Port): Promise<Firmware> {
  const firmware = await startFirmware({ port, program: 'porch-light' })
  firmware.say(home.code('porch'))
  await firmware.line(/^connected$/)
  return firmware
}

/** The device obeys in its `count`-th session. */
async function obeys(home: FirmwareHome, count: number): Promise<void> {
  const { id, hello } = await home.device('porch', count)
  const order = command(hello, home.owner, { operation: 'write', affordance: ON, value: true })
  assert.equal(codeName((await home.send(id, order)).body.code), 'ok')
}

const ended = (code: Code): RegExp => new RegExp(`^link ended -${CODES[code]}$`)

/** Somebody who holds a leaf of the home's own CA, and says what he likes once TLS is up. */
async function startImpostor(
  home: FirmwareHome,
  say: (socket: TLSSocket, welcome: (hello: Uint8Array) => Uint8Array) => void,
): Promise<{ port: number } & AsyncDisposable> {
  const seed = systemRandom.bytes(32)
  const leaf = hubLeaf(home.home.hubCa, ed25519.signer(seed).key, systemRandom.bytes(8))
  const pem = (label: string, der: Uint8Array): string =>
    `-----BEGIN ${label}-----\n${Buffer.from(der)
      .toString('base64')
      .replaceAll(/(.{64})(?=.)/g, '$1\n')}\n-----END ${label}-----\n`
  const sockets = new Set<Socket>()
  /** The answer to a hello, sealed by the key that he proves. */
  const welcome = (hello: Uint8Array): Uint8Array => {
    const opened = openEnvelope(
      hello,
      { sizeMax: 1024, accepts: () => true, isAudience: () => true },
      ed25519,
    )
    assert(opened.ok)
    const { body, signer: device } = opened.value
    const claims = { audience: idOf(device), sealedAt: 1, epoch: systemRandom.bytes(8), sequence: 1 }
    const time = { nonce: body.epoch, timeMs: Date.now(), wantsRecord: false }
    return sealEnvelope({ type: 'welcome', ...claims, ...time }, ed25519.signer(seed))
  }
  const server = createServer(
    {
      key: pem('PRIVATE KEY', Buffer.concat([Buffer.from(PKCS8_SEED, 'hex'), seed])),
      cert: pem('CERTIFICATE', leaf),
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
      ALPNProtocols: ['shallot/1'],
    },
    (socket) => {
      socket.on('error', () => socket.destroy())
      say(socket, welcome)
    },
  )
  server.on('connection', (socket: Socket) => sockets.add(socket))
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    port: (server.address() as { port: number }).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((closed) => server.close(closed))
    },
  }
}

describe('a device in adversity', { concurrency: 2, timeout: 120_000 }, () => {
  it('leaves a hub that has been silent for 25 seconds, and comes back', async () => {
    await using place = await openHome()
    await using firmware = await enrolled(place.home, 'host')
    await obeys(place.home, 1)
    place.wire.freeze()
    /* A keep-alive may have come just before. */
    await new Promise((resolve) => setTimeout(resolve, SILENCE_MS - 12_000))
    assert.ok(!firmware.lines.some((line) => line.startsWith('link ended')), 'it is patient')
    await firmware.line(ended('silent'))
    await firmware.line(/^connected resumed$/)
    await obeys(place.home, 2)
  })

  for (const port of ['sanitize', 'qemu'] as const)
    it(`makes a full handshake within its memory when a hub that began again refuses its ticket, ${port}`, async () => {
      await using place = await openHome()
      await using firmware = await enrolled(place.home, port)
      await obeys(place.home, 1)
      await using again = await place.home.home.restart()
      place.wire.target = again.link.port
      await firmware.line(/^link ended/)
      assert.equal(await firmware.line(/^connected/), 'connected', 'no ticket is good any more')
      await until('its second hello', () => (again.desk.hellos.length >= 2 ? true : undefined))
      await firmware.end()
      if (port === 'qemu') assert.match(firmware.lines.join('\n'), / arena_failures=0$/m)
    })

  it('resumes after a power cut with the ticket that it stored', async () => {
    await using place = await openHome()
    await using firmware = await enrolled(place.home, 'sanitize')
    await obeys(place.home, 1)
    await firmware.kill()
    const { directory } = firmware
    await using again = await startFirmware({ port: 'sanitize', program: 'porch-light', directory })
    await again.line(/^connected resumed$/)
    await obeys(place.home, 2)
  })

  for (const [what, spoil] of [
    ['cut short', (ticket: Buffer) => ticket.subarray(0, 83)],
    ['empty', () => Buffer.alloc(0)],
    ['too long', (ticket: Buffer) => Buffer.concat([ticket, Buffer.alloc(400)])],
    ['of another version', (ticket: Buffer) => flipped(ticket, 6)],
    ['flipped in its lifetime', (ticket: Buffer) => flipped(ticket, 11)],
    ['flipped in its secret', (ticket: Buffer) => flipped(ticket, 34)],
    ['flipped in the key of the hub that gave it', (ticket: Buffer) => flipped(ticket, 64)],
    ['flipped in its bytes', (ticket: Buffer) => flipped(ticket, 200)],
    ['noise', (ticket: Buffer) => Buffer.alloc(ticket.length, 0xa5)],
  ] as const)
    it(`connects in full when its stored ticket is ${what}`, async () => {
      await using place = await openHome()
      await using firmware = await enrolled(place.home, 'sanitize')
      await obeys(place.home, 1)
      await firmware.kill()
      const { directory } = firmware
      const ticket = readFileSync(join(directory, 'ticket'))
      const blobs = { ticket: spoil(ticket) }
      await using again = await startFirmware({ port: 'sanitize', program: 'porch-light', directory, blobs })
      await again.line(/^connected$/)
      await obeys(place.home, 2)
      assert.notDeepEqual(readFileSync(join(directory, 'ticket')), blobs.ticket, 'the bad one is gone')
    })

  for (const port of ['sanitize', 'qemu'] as const)
    it(`never accepts another home's hub in its hub's place, and keeps trying, ${port}`, async () => {
      await using place = await openHome()
      await using other = await openFirmwareHome()
      await using firmware = await enrolled(place.home, port)
      const { port: right } = place.home.home.link
      place.wire.target = other.home.link.port
      place.wire.cut()
      await firmware.line(ended('link-closed'))
      for (let tries = 0; tries < 3; tries++) await firmware.line(ended('tls-bad-chain'))
      assert.equal(other.home.desk.hellos.length, 0)
      place.wire.target = right
      await firmware.line(/^connected$/)
      await obeys(place.home, 2)
    })

  const GARBAGE: [what: string, bytes: string, code: Code][] = [
    ['a frame of 65,535 bytes', 'ffff', 'frame-too-large'],
    ['a cut envelope before the welcome', '0003d28400', 'cbor-truncated'],
    ['a note before the welcome', '000a8248000000000000000000', 'bad-note'],
    ['text', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n').toString('hex'), 'frame-too-large'],
  ]
  for (const [what, bytes, code] of GARBAGE)
    it(`leaves a hub whose first word is ${what}: ${code}`, async () => {
      await using place = await openHome()
      await using firmware = await enrolled(place.home, 'sanitize')
      await using impostor = await startImpostor(
        place.home,
        (socket) => void socket.write(Buffer.from(bytes, 'hex')),
      )
      const right = place.wire.target
      place.wire.target = impostor.port
      place.wire.cut()
      await firmware.line(ended('link-closed'))
      await firmware.line(ended(code))
      place.wire.target = right
      await firmware.line(/^connected/)
      await obeys(place.home, 2)
    })

  /** A stall is a hub that is there and does not go on; the test's clock is the device's. */
  const STALLS: [
    what: string,
    say: (socket: TLSSocket, welcome: (hello: Uint8Array) => Uint8Array) => void,
  ][] = [
    ['that says nothing after the handshake', () => {}],
    ['that begins a frame and does not end it', (socket) => void socket.write(Buffer.of(0, 200, 0xd2))],
    [
      'that welcomes it, then begins a frame and does not end it',
      (socket, welcome) =>
        void socket.once('data', (hello: Buffer) => {
          socket.write(framed(welcome(hello.subarray(2))))
          socket.write(Buffer.of(3, 255, 0xd2, 0x84))
        }),
    ],
  ]
  for (const [what, say] of STALLS)
    it(`leaves a hub ${what}, and obeys the next`, async () => {
      await using place = await openHome()
      await using firmware = await enrolled(place.home, 'sanitize')
      let isStalling = false
      await using impostor = await startImpostor(place.home, (socket, welcome) => {
        say(socket, welcome)
        socket.once('data', () => {
          isStalling = true
        })
      })
      const right = place.wire.target
      place.wire.target = impostor.port
      place.wire.cut()
      await until('the stall', () => isStalling || undefined)
      if (what.includes('welcomes')) await firmware.line(/^connected/)
      place.wire.target = right
      firmware.leap()
      await firmware.line(ended('silent'))
      firmware.leap()
      await firmware.line(/^connected/)
      await obeys(place.home, 2)
    })

  it('leaves a place where a connection is taken and nothing is said', async () => {
    await using place = await openHome()
    await using firmware = await enrolled(place.home, 'sanitize')
    const taken: Socket[] = []
    const silence = createTcpServer((socket) => void taken.push(socket.on('error', () => socket.destroy())))
    await new Promise<void>((listening) => silence.listen(0, '127.0.0.1', listening))
    const right = place.wire.target
    place.wire.target = (silence.address() as { port: number }).port
    place.wire.cut()
    await until('its connection', () => taken.length > 0 || undefined)
    place.wire.target = right
    firmware.leap()
    await firmware.line(ended('handshake-timeout'))
    await firmware.line(/^connected/)
    await obeys(place.home, 2)
    for (const socket of taken) socket.destroy()
    await new Promise((closed) => silence.close(closed))
  })

  const FLOODS: [what: string, flood: (owner: Uint8Array) => Buffer][] = [
    ['20,000 keep-alives', () => Buffer.alloc(40_000)],
    ['300 envelopes that nobody can read', () => repeated(300, Buffer.from('d28400', 'hex'))],
    [
      '3,000 notes about what was never sent',
      () => repeated(300, Buffer.from('8248a0a1a2a3a4a5a6a703', 'hex')),
    ],
    ['50 owners whom the root did not make', (owner) => repeated(50, Buffer.from(owner))],
  ]
  for (const [what, flood] of FLOODS)
    it(`outlives a hub that welcomes it and then sends ${what}, and is the same device afterwards`, async () => {
      await using place = await openHome()
      const { home, wire } = place
      await using firmware = await enrolled(home, 'sanitize')
      const forged = Buffer.from(home.ownerLetter(systemRandom.bytes(32)))
      forged[forged.length - 1]! ^= 1
      let isWelcomed = false
      await using impostor = await startImpostor(home, (socket, welcome) => {
        socket.once('data', (hello: Buffer) => {
          socket.write(framed(welcome(hello.subarray(2))))
          socket.write(flood(forged))
          isWelcomed = true
        })
      })
      const right = wire.target
      wire.target = impostor.port
      wire.cut()
      await until('the flood', () => (isWelcomed ? true : undefined))
      await firmware.line(/^connected/)
      wire.target = right
      wire.cut()
      await until('its hello to the right hub', () => (home.home.desk.hellos.length >= 2 ? true : undefined))
      await obeys(home, home.home.desk.hellos.length)
      assert.equal(
        firmware.lines.filter((line) => line.startsWith('device ')).length,
        2,
        'it never began anew',
      )
    })

  for (const which of ['the same', 'a fresh'] as const)
    it(`enrols with ${which} code after a power cut between the hub's word and its own storage`, async () => {
      await using place = await openHome()
      const { home } = place
      const { desk } = home.home
      const enrol = desk.enrolled.bind(desk)
      await using firmware = await startFirmware({ port: 'host', program: 'porch-light' })
      desk.enrolled = async (device) => {
        const outcome = await enrol(device)
        await firmware.kill()
        return outcome
      }
      const code = home.code('porch')
      firmware.say(code)
      assert.equal(await firmware.exited, null)
      assert.equal(desk.devices.size, 1, 'the hub knows it')
      desk.enrolled = enrol
      await using again = await startFirmware({
        port: 'host',
        program: 'porch-light',
        directory: firmware.directory,
      })
      await again.line(/^waiting for an enrolment code$/)
      again.say(which === 'the same' ? code : home.code('porch'))
      await again.line(/^connected$/)
      await obeys(home, 1)
      assert.equal(desk.devices.size, 1, 'it is still one device')
    })
})

function framed(content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(content.length >> 8, content.length & 255), content])
}

function repeated(times: number, content: Buffer): Buffer {
  return Buffer.concat(Array(times).fill(framed(content)))
}

function flipped(bytes: Buffer, at: number): Buffer {
  const spoiled = Buffer.from(bytes)
  spoiled[at]! ^= 1
  return spoiled
}
