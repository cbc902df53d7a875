// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * A TLS 1.3 server (RFC 8446) that can lie where OpenSSL cannot: about CertificateVerify and Finished. It knows one
 * suite, TLS_CHACHA20_POLY1305_SHA256 over X25519, sends each handshake message in its own record, asks for no client
 * certificate and answers no application data. An honest one completes a handshake, which shows that a client that
 * refuses a lying one refuses the lie.
 */
import {
  createCipheriv,
  createHash,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  randomBytes,
  sign,
} from 'node:crypto'
import { createServer, type Socket } from 'node:net'
import type { Leaf } from './tls-pki.ts'

export type Lies = {
  /** Signs CertificateVerify instead of the leaf's own key. */
  signingKeyPem?: string
  /** Changes the signature of CertificateVerify. */
  signature?: (honest: Buffer) => Buffer
  /** Changes the MAC of Finished. */
  finished?: (honest: Buffer) => Buffer
  /** The ALPN protocol that is answered; undefined answers none. */
  alpn?: string
}

const HANDSHAKE = 22
const APPLICATION = 23
const MESSAGE = {
  serverHello: 2,
  encryptedExtensions: 8,
  certificate: 11,
  certificateVerify: 15,
  finished: 20,
}
const EXTENSION = { alpn: 16, supportedVersions: 43, keyShare: 51 }
const X25519 = 0x001d
const ED25519 = 0x0807
const SUITE = 0x1303
const SPKI_X25519 = Buffer.from('302a300506032b656e032100', 'hex')

const u8 = (value: number): Buffer => Buffer.from([value])
const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255])
const u24 = (value: number): Buffer => Buffer.from([value >> 16, (value >> 8) & 255, value & 255])
const vector8 = (bytes: Buffer): Buffer => Buffer.concat([u8(bytes.length), bytes])
const vector16 = (...parts: Buffer[]): Buffer => {
  const bytes = Buffer.concat(parts)
  return Buffer.concat([u16(bytes.length), bytes])
}
const message = (type: number, ...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts)
  return Buffer.concat([u8(type), u24(body.length), body])
}
const extension = (type: number, body: Buffer): Buffer => Buffer.concat([u16(type), vector16(body)])
const sha256 = (...parts: Buffer[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest()
const hmac = (key: Buffer, data: Buffer): Buffer => createHmac('sha256', key).update(data).digest()

/** HKDF-Expand-Label (§7.1); one block is enough for everything here. */
function expandLabel(secret: Buffer, label: string, context: Buffer, size: number): Buffer {
  const info = Buffer.concat([u16(size), vector8(Buffer.from(`tls13 ${label}`)), vector8(context)])
  return hmac(secret, Buffer.concat([info, u8(1)])).subarray(0, size)
}

/** The server's handshake traffic secret (§7.1). */
function handshakeSecret(shared: Buffer, transcript: Buffer): Buffer {
  const early = hmac(Buffer.alloc(32), Buffer.alloc(32))
  const secret = hmac(expandLabel(early, 'derived', sha256(), 32), shared)
  return expandLabel(secret, 's hs traffic', transcript, 32)
}

/** What is needed of a ClientHello (§4.1.2): the session id to echo and the X25519 share. */
function readClientHello(hello: Buffer): { sessionId: Buffer; share: Buffer } {
  let at = 4 + 2 + 32
  const sessionId = hello.subarray(at + 1, at + 1 + hello[at]!)
  at += 1 + hello[at]!
  at += 2 + hello.readUInt16BE(at)
  at += 1 + hello[at]! + 2
  for (; at < hello.length; at += 4 + hello.readUInt16BE(at + 2)) {
    if (hello.readUInt16BE(at) !== EXTENSION.keyShare) continue
    if (hello.readUInt16BE(at + 6) !== X25519) break
    return { sessionId, share: hello.subarray(at + 10, at + 10 + hello.readUInt16BE(at + 8)) }
  }
  throw new Error('the client offers no X25519 share first')
}

class RecordWriter {
  #socket: Socket
  #key: Buffer
  #iv: Buffer
  #sequence = 0

  constructor(socket: Socket, secret: Buffer) {
    this.#socket = socket
    this.#key = expandLabel(secret, 'key', Buffer.alloc(0), 32)
    this.#iv = expandLabel(secret, 'iv', Buffer.alloc(0), 12)
  }

  /** One protected record (§5.2). */
  write(content: Buffer): void {
    const nonce = Buffer.from(this.#iv)
    nonce[11]! ^= this.#sequence++
    const header = Buffer.concat([u8(APPLICATION), u16(0x0303), u16(content.length + 1 + 16)])
    const cipher = createCipheriv('chacha20-poly1305', this.#key, nonce, { authTagLength: 16 })
    cipher.setAAD(header, { plaintextLength: content.length + 1 })
    const sealed = Buffer.concat([cipher.update(Buffer.concat([content, u8(HANDSHAKE)])), cipher.final()])
    this.#socket.write(Buffer.concat([header, sealed, cipher.getAuthTag()]))
  }
}

function answer(socket: Socket, hello: Buffer, leaf: Leaf, lies: Lies): void {
  const { sessionId, share } = readClientHello(hello)
  const own = generateKeyPairSync('x25519')
  const ownShare = own.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)
  const publicKey = createPublicKey({ key: Buffer.concat([SPKI_X25519, share]), format: 'der', type: 'spki' })
  const shared = diffieHellman({ privateKey: own.privateKey, publicKey })
  const serverHello = message(
    MESSAGE.serverHello,
    u16(0x0303),
    randomBytes(32),
    vector8(sessionId),
    u16(SUITE),
    u8(0),
    vector16(
      extension(EXTENSION.supportedVersions, u16(0x0304)),
      extension(EXTENSION.keyShare, Buffer.concat([u16(X25519), vector16(ownShare)])),
    ),
  )
  socket.write(Buffer.concat([u8(HANDSHAKE), u16(0x0303), vector16(serverHello)]))
  const secret = handshakeSecret(shared, sha256(hello, serverHello))
  const records = new RecordWriter(socket, secret)
  const said = [hello, serverHello]
  const say = (one: Buffer): void => {
    said.push(one)
    records.write(one)
  }

  const alpn =
    lies.alpn === undefined ? [] : [extension(EXTENSION.alpn, vector16(vector8(Buffer.from(lies.alpn))))]
  say(message(MESSAGE.encryptedExtensions, vector16(...alpn)))
  const entry = Buffer.concat([u24(leaf.der.length), leaf.der, u16(0)])
  say(message(MESSAGE.certificate, u8(0), u24(entry.length), entry))
  const context = Buffer.from(`${' '.repeat(64)}TLS 1.3, server CertificateVerify\0`)
  const honest = sign(null, Buffer.concat([context, sha256(...said)]), lies.signingKeyPem ?? leaf.keys.pem)
  say(message(MESSAGE.certificateVerify, u16(ED25519), vector16(lies.signature?.(honest) ?? honest)))
  const mac = hmac(expandLabel(secret, 'finished', Buffer.alloc(0), 32), sha256(...said))
  say(message(MESSAGE.finished, lies.finished?.(mac) ?? mac))
}

/** Listens on a free port of 127.0.0.1. */
export async function startTls13Server(leaf: Leaf, lies: Lies): Promise<{ port: number } & AsyncDisposable> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    let held = Buffer.alloc(0)
    let answered = false
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    socket.on('data', (piece: Buffer) => {
      held = Buffer.concat([held, piece])
      if (answered || held.length < 5 || held.length < 5 + held.readUInt16BE(3)) return
      answered = true
      answer(socket, Buffer.from(held.subarray(5, 5 + held.readUInt16BE(3))), leaf, lies)
    })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as { port: number }
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((closed) => server.close(closed))
    },
  }
}
