// SPDX-License-Identifier: GPL-3.0-or-later
/** A device with a door to the LAN (SPEC 18), and the pages and strangers who come there. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { systemRandom } from '../../daemon/base/random.ts'
import { type Hello, type Message, sealEnvelope } from '../../daemon/core/envelope/index.ts'
import { toPem } from '../../daemon/core/identity/certificates.ts'
import {
  type WebKey,
  webCaCertificate,
  webKey,
  webLeaf,
  webScalar,
} from '../../daemon/core/identity/web-certificates.ts'
import type { PartyId } from '../../daemon/core/model/index.ts'
import { type Firmware, type FirmwareOptions, startFirmware } from './firmware.ts'
import type { FirmwareHome } from './firmware-home.ts'

export const ORIGIN = 'https://hub.home.arpa:8443'

export interface Direct extends AsyncDisposable {
  readonly firmware: Firmware
  readonly id: PartyId
  readonly hello: Message<Hello>
  readonly port: number
  /** The web CA's certificate, PEM, and a file with it. */
  readonly ca: string
  readonly caFile: string
  /** Sends the hub's word: a leaf for this point, that is good until a year after `now`. */
  /** Once it answers there. */
  isOpen(): Promise<void>
  give(options?: {
    point?: Uint8Array
    now?: number
    certificate?: Uint8Array
    origins?: readonly string[]
    /** The leaf that was given last. */
    again?: boolean
  }): void
}

const pemToDer = (pem: string): Uint8Array => Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')

/** An enrolled device whose hub has given it a leaf. */
export async function openDirect(
  home: FirmwareHome,
  options: Partial<FirmwareOptions> = {},
): Promise<Direct> {
  await using undo = new AsyncDisposableStack()
  const firmware = undo.use(
    await startFirmware({
      port: 'sanitize',
      program: 'porch-light',
      ...options,
      environment: { SHALLOT_DOOR: '0', ...options.environment },
    }),
  )
  const before = home.home.desk.hellos.length
  if (options.directory === undefined) firmware.say(home.code('porch-light'))
  const { id, hello } = await home.device('porch-light', before + 1)
  const server = hello.body.direct
  if (!server) throw new Error('the hello names no server')
  const webCa: WebKey = webKey(webScalar(randomBytes(48)))
  const ca = toPem('CERTIFICATE', webCaCertificate(webCa))
  const directory = mkdtempSync(join(tmpdir(), 'shallot-direct-'))
  undo.defer(() => rmSync(directory, { recursive: true, force: true }))
  const caFile = join(directory, 'ca.pem')
  writeFileSync(caFile, ca)
  let last: Uint8Array | undefined
  const direct = {
    firmware,
    id,
    hello,
    port: server.port,
    ca,
    caFile,
    async isOpen() {
      while (
        !(await Visitor.come(direct as unknown as Direct).then(
          (visitor) => visitor[Symbol.dispose]() ?? true,
          () => false,
        ))
      )
        await new Promise((resolve) => setTimeout(resolve, 10))
    },
    give({ point = server.key, now = Date.now(), certificate, origins = [ORIGIN], again = false } = {}) {
      const leaf = webLeaf(
        webCa,
        { key: webCa.key, point },
        ['127.0.0.1', 'lamp.local'],
        randomBytes(16),
        now,
      )
      const given = certificate ?? (again && last ? last : pemToDer(leaf.cert))
      last = given
      const frame = sealEnvelope(
        {
          type: 'direct',
          audience: id,
          sealedAt: Math.floor(Date.now() / 1000),
          epoch: systemRandom.bytes(8),
          sequence: 1,
          nonce: hello.body.epoch,
          certificate: given,
          origins,
        },
        home.home.hubKey,
      )
      if (home.home.link.send(id, frame) !== 'sent') throw new Error('no room on the link')
    },
  } satisfies Omit<Direct, keyof AsyncDisposable>
  const owned = undo.move()
  return { ...direct, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/* ---- who comes to the door ---- */

export interface Answer {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
  /** Of a problem. */
  readonly code: string | undefined
}

/** What a page sends with one sealed command. */
export function requestOf(body: Uint8Array, headers: Readonly<Record<string, string>> = {}): Buffer {
  const head = Object.entries({
    host: 'lamp.local',
    'content-type': 'application/cose',
    'content-length': String(body.length),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.concat([Buffer.from(`POST /command HTTP/1.1\r\n${head.join('')}\r\n`, 'latin1'), body])
}

function answerIn(bytes: Buffer): { answer: Answer; size: number } | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n')
  const headers = new Map(
    lines.map((line) => {
      const at = line.indexOf(': ')
      return [line.slice(0, at).toLowerCase(), line.slice(at + 2)]
    }),
  )
  const size = end + 4 + Number(headers.get('content-length') ?? 0)
  if (bytes.length < size) return undefined
  const body = bytes.subarray(end + 4, size)
  const isProblem = headers.get('content-type') === 'application/problem+json'
  const code = isProblem ? String(JSON.parse(body.toString()).code) : undefined
  return { answer: { status: Number(first.split(' ')[1]), headers, body, code }, size }
}

/** One TLS connection, by Node's client. */
export class Visitor implements Disposable {
  readonly #socket: TLSSocket
  #held: Buffer = Buffer.alloc(0)
  #ended = false
  #wake = () => {}
  session: Buffer | undefined

  private constructor(socket: TLSSocket) {
    this.#socket = socket
    socket.on('data', (piece: Buffer) => {
      this.#held = Buffer.concat([this.#held, piece])
      this.#wake()
    })
    socket.on('session', (session) => {
      this.session = session
    })
    for (const event of ['end', 'error', 'close'])
      socket.on(event, () => {
        this.#ended = true
        this.#wake()
      })
  }

  /** Rejects when there is no handshake. */
  static async come(direct: Direct, options: ConnectionOptions = {}): Promise<Visitor> {
    const socket = connectTls({
      host: '127.0.0.1',
      port: direct.port,
      ca: direct.ca,
      servername: 'lamp.local',
      ...options,
    })
    const visitor = new Visitor(socket)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    socket.once('secureConnect', resolve)
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('closed before the handshake')))
    await promise
    return visitor
  }

  get isReused(): boolean {
    return this.#socket.isSessionReused()
  }

  get protocol(): string | null {
    return this.#socket.getProtocol()
  }

  get keyExchange(): string | undefined {
    return (this.#socket.getEphemeralKeyInfo() as { name?: string } | null)?.name
  }

  say(bytes: Uint8Array | string): void {
    this.#socket.write(bytes)
  }

  /** The next answer, or undefined when the device has ended the connection without. */
  async answer(): Promise<Answer | undefined> {
    for (;;) {
      const found = answerIn(this.#held)
      if (found) {
        this.#held = this.#held.subarray(found.size)
        return found.answer
      }
      if (this.#ended) return undefined
      await new Promise<void>((wake) => {
        this.#wake = wake
      })
    }
  }

  ask(bytes: Uint8Array | string): Promise<Answer | undefined> {
    this.say(bytes)
    return this.answer()
  }

  /** Once the device has ended the connection. */
  async ended(): Promise<void> {
    while (!this.#ended)
      await new Promise<void>((wake) => {
        this.#wake = wake
      })
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }
}
