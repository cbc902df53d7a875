// SPDX-License-Identifier: GPL-3.0-or-later
import { chmod, lstat, unlink } from 'node:fs/promises'
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { Clock } from '../../base/clock.ts'
import { isCode, RoomError } from '../../base/error.ts'
import { once } from '../../base/lifetime.ts'
import type { PartyId } from '../../core/model/index.ts'
import { problem, problemBody } from './answer.ts'
import type { App, Side } from './app.ts'
import type { HttpLimits } from './limits.ts'
import { type Peer, Peers } from './peers.ts'

export class HttpError extends RoomError<'address-in-use' | 'cannot-listen' | 'bad-certificate'> {}

interface CommonFace {
  /** Where requests by this face come from, for the journal: `unix`, `lan`, `onion:<service>`. */
  readonly origin: string
  /** Serves this device alone. */
  readonly only?: PartyId | undefined
  /** Names that a Host header may have here beside addresses and local names: an onion address. */
  readonly hosts?: readonly string[]
}

export interface UnixFace extends CommonFace {
  readonly kind: 'unix'
  /** In a directory that is ours alone (0700). */
  readonly path: string
}

export interface TlsFace extends CommonFace {
  readonly kind: 'tls'
  readonly host: string
  /** 0: any. */
  readonly port: number
  /** PEM. */
  readonly key: string
  /** PEM: leaf first, then what it was issued by. */
  readonly cert: string
}

export type FaceOptions = UnixFace | TlsFace

export type FaceAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tls'; readonly host: string; readonly port: number }

/** A place where the API is served; disposing it ends its streams, lets answers finish for 2 s, and closes the rest. */
export interface Face extends AsyncDisposable {
  readonly address: FaceAddress
  /** Connections open now. */
  readonly connections: number
  /** Those of them whose TLS handshake is under way. */
  readonly handshakes: number
}

export interface FaceDeps {
  readonly clock: Clock
  readonly limits: HttpLimits
  readonly app: App
}

export async function openFace(deps: FaceDeps, options: FaceOptions): Promise<Face> {
  const { clock, limits } = deps
  const closing = new AbortController()
  const closed = new AbortController()
  const peers = new Peers(clock, limits)
  const server = options.kind === 'tls' ? tlsServer(options, limits) : createServer(serverOptions(limits))
  const side: Side = {
    origin: options.origin,
    scheme: options.kind === 'tls' ? 'https' : 'http',
    only: options.only,
    hosts: (options.hosts ?? []).map((host) => host.toLowerCase()),
    peers,
    closing: closing.signal,
    closed: closed.signal,
  }
  server.maxHeadersCount = limits.headersMax
  serve(server, deps.app, side, peers)
  const address =
    options.kind === 'unix' ? await listenUnix(server, options.path) : await listenTcp(server, options)

  return {
    address,
    get connections() {
      return peers.size
    },
    get handshakes() {
      return peers.shaking
    },
    [Symbol.asyncDispose]: once(async () => {
      const ended = new Promise<void>((resolve) => server.close(() => resolve()))
      closing.abort()
      server.closeIdleConnections()
      const enough = new AbortController()
      await Promise.race([ended, clock.sleep(limits.drainMsMax, enough.signal).catch(() => {})])
      enough.abort()
      closed.abort()
      server.closeAllConnections()
      peers.closeAll()
      await ended
    }),
  }
}

function serverOptions(limits: HttpLimits): ServerOptions {
  return {
    maxHeaderSize: limits.headerBytesMax,
    headersTimeout: limits.headerMsMax,
    requestTimeout: limits.requestMsMax,
    keepAliveTimeout: limits.idleMsMax,
    connectionsCheckingInterval: Math.min(1000, limits.headerMsMax),
    // A missing Host is refused as a wrong one is, with a code.
    requireHostHeader: false,
    keepAlive: true,
    keepAliveInitialDelay: limits.idleMsMax,
    insecureHTTPParser: false,
  }
}

/** Those of TLS 1.3, and of 1.2 what has forward secrecy and is no CBC. */
const SUITES = [
  'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305',
].join(':')

function tlsServer({ key, cert }: TlsFace, limits: HttpLimits): Server {
  try {
    return createTlsServer({
      ...serverOptions(limits),
      key,
      cert,
      minVersion: 'TLSv1.2',
      ciphers: SUITES,
      ALPNProtocols: ['http/1.1'],
      handshakeTimeout: limits.handshakeMsMax,
    })
  } catch (error) {
    throw new HttpError('bad-certificate', 'the certificate or key of the LAN face cannot be read', {
      cause: error,
    })
  }
}

/** Which peer a request's socket belongs to; over TLS the request has another socket than the connection. */
class Seats {
  readonly #seats = new Map<string, Peer>()
  readonly #bySocket = new WeakMap<Socket, Peer>()

  sit(socket: Socket, peer: Peer): void {
    this.#bySocket.set(socket, peer)
    const place = placeOf(socket)
    if (place === undefined) return
    this.#seats.set(place, peer)
    socket.once('close', () => this.#seats.get(place) === peer && this.#seats.delete(place))
  }

  of(socket: Socket): Peer | undefined {
    const place = placeOf(socket)
    return this.#bySocket.get(socket) ?? (place === undefined ? undefined : this.#seats.get(place))
  }
}

function placeOf({ remoteAddress, remotePort }: Socket): string | undefined {
  return remoteAddress === undefined ? undefined : `${remoteAddress} ${remotePort}`
}

function serve(server: Server, app: App, side: Side, peers: Peers): void {
  const seats = new Seats()
  server.on('connection', (socket: Socket) => {
    const peer = peers.admit(socket, side.scheme === 'https')
    if (!peer) return socket.destroy()
    seats.sit(socket, peer)
  })
  server.on('secureConnection', (socket: Socket) => {
    const peer = seats.of(socket)
    if (peer) peers.shaken(peer)
  })
  const handle = (request: IncomingMessage, response: ServerResponse, mayContinue: boolean) => {
    const peer = seats.of(request.socket)
    if (!peer) return request.socket.destroy()
    // On a face that closes, a connection is done when its answer is.
    response.once(
      'finish',
      () => side.closing.aborted && response.once('close', () => server.closeIdleConnections()),
    )
    app.handle(request, response, side, peer, mayContinue)
  }
  server.on('request', (request, response) => handle(request, response, false))
  server.on('checkContinue', (request, response) => handle(request, response, true))
  server.on('checkExpectation', (request, response) => handle(request, response, false))
  server.on('connect', (_request, socket: Socket) => refuseByHand(socket, 400, 'Bad Request'))
  server.on('clientError', answerGarbage)
  server.on('tlsClientError', (_error, socket) => socket.destroy())
}

/** The parser gave up: there is no request to answer. */
function answerGarbage(error: Error & { code?: string }, socket: Socket): void {
  const answered = socket.bytesWritten > 0
  if (answered || !socket.writable || error.code === 'ECONNRESET') return void socket.destroy()
  const { status, phrase } = PARSER_STATUS[error.code ?? ''] ?? { status: 400, phrase: 'Bad Request' }
  refuseByHand(socket, status, phrase)
}

/** Where there is no response to write to: the refusal, once, and the connection ends. */
function refuseByHand(socket: Socket, status: number, phrase: string): void {
  const body = problemBody(problem('bad-request', undefined, { status }))
  const head = [
    `HTTP/1.1 ${status} ${phrase}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    'Connection: close',
  ]
  // A socket that the parser let go of has nobody else who hears its errors.
  socket.on('error', () => socket.destroy())
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}

const PARSER_STATUS: Record<string, { status: number; phrase: string }> = {
  HPE_HEADER_OVERFLOW: { status: 431, phrase: 'Request Header Fields Too Large' },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { status: 413, phrase: 'Content Too Large' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, phrase: 'Request Timeout' },
}

async function listenTcp(server: Server, { host, port }: TlsFace): Promise<FaceAddress> {
  try {
    await listen(server, { host, port })
  } catch (error) {
    const inUse = isCode(error, 'EADDRINUSE')
    throw new HttpError(inUse ? 'address-in-use' : 'cannot-listen', `cannot listen on ${host} port ${port}`, {
      cause: error,
    })
  }
  return { kind: 'tls', host, port: (server.address() as AddressInfo).port }
}

/** Listens on a path; a socket there that nobody answers is left over from a daemon that died, and makes way. */
async function listenUnix(server: Server, path: string): Promise<FaceAddress> {
  try {
    await listen(server, { path }).catch(async (error: unknown) => {
      if (!isCode(error, 'EADDRINUSE') || !(await isStale(path))) throw error
      await unlink(path)
      await listen(server, { path })
    })
    await chmod(path, 0o600)
  } catch (error) {
    if (server.listening) server.close()
    const inUse = isCode(error, 'EADDRINUSE')
    throw new HttpError(inUse ? 'address-in-use' : 'cannot-listen', `cannot listen on ${path}`, {
      cause: error,
    })
  }
  return { kind: 'unix', path }
}

async function isStale(path: string): Promise<boolean> {
  if (!(await lstat(path)).isSocket()) return false
  return new Promise((resolve) => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve(false)
    })
    probe.once('error', (error) => resolve(isCode(error, 'ECONNREFUSED')))
  })
}

function listen(server: Server, where: { path: string } | { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(where, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
