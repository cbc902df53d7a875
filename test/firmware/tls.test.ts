// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, createServer as createTcpServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls'
import { EMULATED, isEmulated, type Port } from '../../scripts/firmware.ts'
import { type Firmware, startFirmware } from '../support/firmware.ts'
import {
  type Ca,
  CLIENT_AUTH,
  caPem,
  flipSignatureBit,
  impostorOf,
  issueLeaf,
  type Leaf,
  makeCa,
  makeKeys,
  rawKeyOf,
} from '../support/tls-pki.ts'
import { type Lies, startTls13Server } from '../support/tls13-server.ts'

const ALPN = 'shallot/1'
const RECORD_OVERHEAD_BYTES = 17
const HOUR_MS = 3_600_000

type Pki = { hub: Ca; next: Ca; devices: Ca; devicesPem: string; leaf: Leaf; device: Leaf }

async function makePki(): Promise<Pki> {
  const [hub, next, devices] = [await makeCa('hub'), await makeCa('hub'), await makeCa('device')]
  const device = await issueLeaf(devices, { purposes: [CLIENT_AUTH], subject: 'CN=porch-light' })
  return { hub, next, devices, devicesPem: await caPem(devices), leaf: await issueLeaf(hub), device }
}

/** `socket(n)` is the n-th connection once its handshake is done here too, which is after the client's. */
type Listening = { port: number; socket(index: number): Promise<TLSSocket> } & AsyncDisposable

/** An echoing Node server, as the daemon's link would configure it. */
async function listen(pki: Pki, options: TlsOptions = {}): Promise<Listening> {
  const sockets: TLSSocket[] = []
  const server = createServer(
    {
      key: pki.leaf.keys.pem,
      cert: pki.leaf.pem,
      ca: pki.devicesPem,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.3',
      ALPNProtocols: [ALPN],
      ...options,
    },
    (socket) => {
      sockets.push(socket)
      socket.on('error', () => socket.destroy())
      socket.pipe(socket)
    },
  )
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  const connections = new Set<Socket>()
  server.on('connection', (socket: Socket) => connections.add(socket))
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    port: (server.address() as { port: number }).port,
    async socket(index) {
      while (sockets.length <= index)
        await once(server, 'secureConnection', { signal: AbortSignal.timeout(30_000) })
      return sockets[index]!
    },
    async [Symbol.asyncDispose]() {
      for (const socket of connections) socket.destroy()
      await new Promise((closed) => server.close(closed))
    },
  }
}

/** A relay that notes the size of every TLS record that the server sends. */
async function watchRecords(target: number): Promise<{ port: number; sizes: number[] } & AsyncDisposable> {
  const sizes: number[] = []
  const sockets: Socket[] = []
  const server = createTcpServer((near) => {
    const far = connect(target, '127.0.0.1')
    let held = Buffer.alloc(0)
    near.pipe(far)
    sockets.push(near, far)
    for (const socket of [near, far]) {
      socket.on('error', () => socket.destroy())
      socket.on('close', () => (socket === near ? far : near).destroy())
    }
    far.on('data', (piece: Buffer) => {
      near.write(piece)
      held = Buffer.concat([held, piece])
      while (held.length >= 5 && held.length >= 5 + held.readUInt16BE(3)) {
        sizes.push(held.readUInt16BE(3))
        held = held.subarray(5 + held.readUInt16BE(3))
      }
    })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    port: (server.address() as { port: number }).port,
    sizes,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((closed) => server.close(closed))
    },
  }
}

for (const port of ['host', ...EMULATED] as const satisfies Port[]) {
  describe(`TLS on the ${port} port`, { timeout: 240_000 }, () => {
    let pki: Pki
    let firmware: Firmware

    before(async () => {
      pki = await makePki()
      const { device, hub, next } = pki
      const pins = Buffer.concat([next.keys.raw, hub.keys.raw])
      const blobs = { pins, alpn: Buffer.from(ALPN), seed: device.keys.seed, certificate: device.der }
      firmware = await startFirmware({ port, program: 'tls-check', blobs })
      await firmware.line(/^ready$/)
    })
    after(async () => {
      const status = await firmware.end()
      await firmware[Symbol.asyncDispose]()
      if (!isEmulated(port)) return
      assert.equal(status, 0, firmware.lines.join('\n'))
      assert.ok(firmware.lines.some((line) => line.startsWith('flashcheck: ok')))
    })

    const open = (target: { port: number }, more = ''): Promise<string> =>
      firmware.ask(`open 127.0.0.1 ${target.port}${more}`)

    /** Opens against a server that shows this leaf; gives the name of the code. */
    async function outcome(leaf: Leaf, options: TlsOptions = {}): Promise<string> {
      await using server = await listen(pki, { key: leaf.keys.pem, cert: leaf.pem, ...options })
      return (await open(server)).split(' ')[1]!
    }

    async function outcomeOfLies(lies: Lies): Promise<string> {
      await using server = await startTls13Server(pki.leaf, { alpn: ALPN, ...lies })
      return (await open(server)).split(' ')[1]!
    }

    it('shakes hands with Node: mutual, X25519, ChaCha20-Poly1305, our ALPN, and learns its key', async () => {
      await using server = await listen(pki)
      assert.match(
        await open(server),
        new RegExp(`^open ok resumed=0 key=${rawKeyOf(pki.leaf.pem).toString('hex')}`),
      )
      assert.equal(await firmware.ask('echo hello'), 'echo ok hello')
      const socket = await server.socket(0)
      assert.equal(socket.authorized, true)
      assert.equal(socket.getProtocol(), 'TLSv1.3')
      assert.equal(socket.getCipher().standardName, 'TLS_CHACHA20_POLY1305_SHA256')
      assert.equal(socket.alpnProtocol, ALPN)
      assert.equal(socket.getPeerCertificate().subject.CN, 'porch-light')
      await firmware.ask('close')
    })

    it('accepts a leaf of the current and of the next pinned CA', async () => {
      assert.equal(await outcome(await issueLeaf(pki.hub)), 'ok')
      assert.equal(await outcome(await issueLeaf(pki.next)), 'ok')
    })

    it('makes Node keep its records within 1024 bytes', async () => {
      await using server = await listen(pki)
      await using relay = await watchRecords(server.port)
      assert.match(await open(relay), /^open ok/)
      const socket = await server.socket(0)
      socket.write(Buffer.alloc(5000, 'x'))
      for (let got = 0; got < 5000; got += 64) assert.match(await firmware.ask('read 2000'), /^read ok/)
      await firmware.ask('close')
      assert.ok(relay.sizes.length > 5)
      assert.ok(
        Math.max(...relay.sizes) <= 1024 + RECORD_OVERHEAD_BYTES,
        `largest ${Math.max(...relay.sizes)}`,
      )
    })

    it('waits as long as it is told for data that does not come', async () => {
      await using server = await listen(pki)
      assert.match(await open(server), /^open ok/)
      await firmware.ask('read 50')
      const waited = Number(/ms=(\d+)/.exec(await firmware.ask('read 700'))![1])
      assert.ok(waited >= 690, `${waited}`)
      assert.equal(await firmware.ask('echo awake'), 'echo ok awake')
      await firmware.ask('close')
    })

    it('resumes with a ticket, as the same device, knowing the same key', async () => {
      await using server = await listen(pki)
      const full = await open(server)
      await firmware.ask('echo first')
      assert.match(await firmware.ask('save'), /^save ok size=[1-9]/)
      await firmware.ask('close')
      const resumed = await open(server, ' ticket')
      assert.match(resumed, /^open ok resumed=1/)
      assert.equal(/key=\w+/.exec(resumed)![0], /key=\w+/.exec(full)![0])
      assert.equal(await firmware.ask('echo second'), 'echo ok second')
      const socket = await server.socket(1)
      assert.equal(socket.isSessionReused(), true)
      assert.equal(socket.getPeerCertificate().subject.CN, 'porch-light')
      await firmware.ask('close')
    })

    it('falls back to a full handshake when the ticket is corrupted', async () => {
      await using server = await listen(pki)
      await open(server)
      await firmware.ask('echo first')
      await firmware.ask('save')
      await firmware.ask('close')
      await firmware.ask('corrupt')
      assert.match(await open(server, ' ticket'), /^open ok resumed=0/)
      assert.equal(await firmware.ask('echo second'), 'echo ok second')
      await firmware.ask('close')
    })

    it('refuses a certificate that another key signed under the CA name', async () => {
      const forger = await impostorOf(pki.hub)
      assert.equal(await outcome(await issueLeaf(forger)), 'tls-bad-chain')
    })

    it('refuses a certificate with one bit of its signature flipped', async () => {
      const flipped = flipSignatureBit(pki.leaf)
      await using server = await startTls13Server(flipped, { alpn: ALPN })
      assert.match(await open(server), /^open tls-bad-chain/)
    })

    it('refuses a self-signed certificate, also under the CA name', async () => {
      const stranger = await makeCa('hub')
      const own = await issueLeaf(stranger, { subject: stranger.name, keys: stranger.keys })
      assert.equal(await outcome(own), 'tls-self-signed')
      const impostor = await impostorOf(pki.hub)
      const posing = await issueLeaf(impostor, { subject: impostor.name, keys: impostor.keys })
      assert.equal(await outcome(posing), 'tls-self-signed')
    })

    it('completes with the lying server when it does not lie', async () => {
      assert.equal(await outcomeOfLies({}), 'ok')
    })

    it('refuses a tampered CertificateVerify', async () => {
      const flip = (at: number) => (honest: Buffer) =>
        honest.map((byte, index) => (index === at ? byte ^ 1 : byte)) as Buffer
      assert.equal(await outcomeOfLies({ signature: flip(3) }), 'tls-bad-proof')
      assert.equal(await outcomeOfLies({ signature: flip(40) }), 'tls-bad-proof')
      assert.equal(await outcomeOfLies({ signature: () => Buffer.alloc(64, 0xff) }), 'tls-bad-proof')
    })

    it('refuses a CertificateVerify made with a key that is not the certificate’s', async () => {
      const other = await makeKeys()
      assert.equal(await outcomeOfLies({ signingKeyPem: other.pem }), 'tls-bad-proof')
    })

    it('refuses a Finished that is not the server’s', async () => {
      assert.equal(await outcomeOfLies({ finished: (mac) => Buffer.from(mac).fill(0, 0, 1) }), 'tls-failed')
    })

    it('refuses a leaf of the device CA, which is what any other device holds', async () => {
      assert.equal(await outcome(await issueLeaf(pki.devices)), 'tls-bad-chain')
      assert.equal(await outcome(pki.device), 'tls-bad-chain')
    })

    it('refuses a leaf that is a CA', async () => {
      assert.equal(await outcome(await issueLeaf(pki.hub, { constraints: { ca: true } })), 'tls-profile')
    })

    it('refuses a leaf that is not for servers, or for more than that', async () => {
      assert.equal(await outcome(await issueLeaf(pki.hub, { purposes: null })), 'tls-profile')
      assert.equal(await outcome(await issueLeaf(pki.hub, { purposes: [CLIENT_AUTH] })), 'tls-profile')
      const both = await issueLeaf(pki.hub, { purposes: ['1.3.6.1.5.5.7.3.1', CLIENT_AUTH] })
      assert.equal(await outcome(both), 'tls-profile')
    })

    it('refuses a leaf whose key may do more than sign here, and takes one that may do that alone', async () => {
      const [DIGITAL_SIGNATURE, KEY_ENCIPHERMENT, DECIPHER_ONLY] = [1, 4, 256]
      for (const more of [KEY_ENCIPHERMENT, DECIPHER_ONLY]) {
        const leaf = await issueLeaf(pki.hub, { keyUsage: DIGITAL_SIGNATURE | more })
        assert.equal(await outcome(leaf), 'tls-profile')
      }
      assert.equal(await outcome(await issueLeaf(pki.hub, { keyUsage: DIGITAL_SIGNATURE })), 'ok')
    })

    it('refuses a leaf that is not named by its own key, and is not hurt by a very long name', async () => {
      const parts = ['O', 'OU', 'L', 'ST', 'CN'].map((kind) => `${kind}=${kind.repeat(30)}`)
      const id = pki.leaf.keys.raw.toString('base64url')
      for (const subject of [parts.join(', '), 'CN=hub', `CN=${id}, O=home`, `O=${id}`])
        assert.equal(await outcome(await issueLeaf(pki.hub, { subject, keys: pki.leaf.keys })), 'tls-profile')
    })

    it('refuses a serial number of more than 20 octets', async () => {
      assert.equal(await outcome(await issueLeaf(pki.hub, { serial: '7f'.repeat(21) })), 'tls-profile')
      assert.equal(await outcome(await issueLeaf(pki.hub, { serial: '7f'.repeat(20) })), 'ok')
    })

    it('refuses a chain through a CA below the pinned one', async () => {
      const below = await makeCa('hub')
      const certificate = await issueLeaf(pki.hub, {
        constraints: { ca: true },
        purposes: null,
        subject: below.name,
        keys: below.keys,
      })
      const leaf = await issueLeaf(below)
      assert.notEqual(await outcome({ ...leaf, pem: `${leaf.pem}\n${certificate.pem}\n` }), 'ok')
    })

    it('judges the end of a leaf when it has the time, and its beginning never: the time was the hub’s', async () => {
      const past = await issueLeaf(pki.hub, { notAfter: new Date(Date.now() - 60_000) })
      const future = await issueLeaf(pki.hub, { notBefore: new Date(Date.now() + HOUR_MS / 2) })
      assert.equal(await outcome(past), 'ok')
      assert.equal(await firmware.ask(`time ${Math.floor(Date.now() / 1000)}`), 'time ok')
      assert.equal(await outcome(past), 'tls-expired')
      assert.equal(await outcome(future), 'ok')
      assert.equal(await outcome(await issueLeaf(pki.hub)), 'ok')
      await firmware.ask('time 0')
    })

    it('refuses a server that chose another protocol or none', async () => {
      assert.equal(await outcome(pki.leaf, { ALPNProtocols: ['h2'] }), 'tls-alpn')
      assert.equal(await outcomeOfLies({ alpn: 'shallot/2' }), 'tls-alpn')
      await using silent = await startTls13Server(pki.leaf, {})
      assert.match(await open(silent), /^open tls-alpn/)
    })

    it('does not speak TLS 1.2', async () => {
      assert.equal(await outcome(pki.leaf, { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }), 'tls-failed')
    })

    it('learns at its first read that the server refused its certificate', async () => {
      await using server = await listen(pki, { ca: await caPem(await makeCa('device')) })
      assert.match(await open(server), /^open ok/)
      assert.match(await firmware.ask('read 3000'), /^read (link-closed|tls-failed)/)
      await firmware.ask('close')
    })

    it('reports a server that ends the connection', async () => {
      await using server = await listen(pki)
      assert.match(await open(server), /^open ok/)
      const socket = await server.socket(0)
      socket.end()
      assert.match(await firmware.ask('read 3000'), /^read link-closed/)
      await firmware.ask('close')
    })

    it('gives up on a server that accepts and keeps silent', async () => {
      const mute = createTcpServer((socket) => void socket.on('error', () => socket.destroy()))
      await new Promise<void>((listening) => mute.listen(0, '127.0.0.1', listening))
      const line = await open(mute.address() as { port: number })
      mute.close()
      assert.match(line, /^open handshake-timeout/)
    })

    it('reports a port on which nobody listens', async () => {
      const server = await listen(pki)
      await server[Symbol.asyncDispose]()
      assert.match(await open(server), /^open port-network/)
    })

    it('connects without a certificate of its own, as in enrolment', async () => {
      const blobs = { pins: pki.hub.keys.raw, alpn: Buffer.from(ALPN) }
      await using bare = await startFirmware({ port, program: 'tls-check', blobs })
      await using server = await listen(pki, { requestCert: false })
      assert.match(await bare.ask(`open 127.0.0.1 ${server.port}`), /^open ok/)
      assert.equal(await bare.ask('echo hello'), 'echo ok hello')
    })

    it('refuses a pin that is a point of small order', async () => {
      const blobs = { pins: Buffer.alloc(32), alpn: Buffer.from(ALPN) }
      await using bare = await startFirmware({ port, program: 'tls-check', blobs })
      await using server = await listen(pki, { requestCert: false })
      assert.match(await bare.ask(`open 127.0.0.1 ${server.port}`), /^open bad-key/)
    })

    it('calls a full arena what it is, never a bad signature', async () => {
      const blobs = { pins: pki.hub.keys.raw, alpn: Buffer.from(ALPN) }
      const step = isEmulated(port) ? 200 : 1000
      await using server = await listen(pki, { requestCert: false })
      await using bare = await startFirmware({ port, program: 'tls-check', blobs })
      const seen = new Set<string>()
      for (let taken = 0; taken < 60 && (await bare.ask(`hog ${step}`)) === 'hog ok'; taken++) {
        seen.add((await bare.ask(`open 127.0.0.1 ${server.port}`)).split(' ')[1]!)
      }
      assert.deepEqual([...seen].sort(), ['ok', 'tls-out-of-memory'])
    })

    it('keeps what it stores and gives back what was stored last', async () => {
      assert.equal(await firmware.ask('store note one'), 'store ok')
      assert.equal(await firmware.ask('store note two'), 'store ok')
      assert.equal(await firmware.ask('load note'), 'load ok two')
      assert.equal(readFileSync(join(firmware.directory, 'note'), 'latin1'), 'two')
      assert.equal(await firmware.ask('remove note'), 'remove ok')
      assert.equal(await firmware.ask('load note'), 'load missing')
    })

    it('drives outputs, reads inputs, and says when one is missing', async () => {
      firmware.connect('pin-0', '1')
      assert.equal(await firmware.ask('pin 0'), 'pin ok high')
      firmware.connect('pin-0', '0')
      assert.equal(await firmware.ask('pin 0'), 'pin ok low')
      assert.match(await firmware.ask('pin 5'), /^pin device-fault/)
      assert.match(await firmware.ask('pin 8'), /^pin device-fault/)
      assert.equal(await firmware.ask('output 0 420'), 'output ok')
      assert.equal(readFileSync(join(firmware.directory, 'world', 'output-0'), 'latin1'), '0420\n')
      assert.equal(await firmware.ask('output 0 1001'), 'output device-fault')
    })
  })
}
