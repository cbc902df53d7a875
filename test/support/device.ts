// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * A device in TypeScript, for tests and benchmarks: the other end of the link, over real TLS, with everything that SPEC 6
 * and 7 ask of a device. It checks the hub as the firmware does: the leaf against raw CA keys, the seal against the leaf.
 */
import { createHash, createHmac, hkdfSync } from 'node:crypto'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { systemRandom } from '../../daemon/base/random.ts'
import {
  type Body,
  type Command,
  type Ed25519,
  type Enrolled,
  encodeCbor,
  type Frame,
  type Hello,
  type Message,
  openEnvelope,
  type Sample,
  type Signer,
  sealEnvelope,
  type Welcome,
} from '../../daemon/core/envelope/index.ts'
import { checkHubLeaf, privateKeyPem, toPem, writeCsr } from '../../daemon/core/identity/certificates.ts'
import { idOf, type PartyId } from '../../daemon/core/model/index.ts'
import { FrameReader, KEEP_ALIVE, writeFrame } from '../../daemon/edge/link/frames.ts'
import { ALPN_ENROL, ALPN_LINK, DEVICE_ENVELOPE_BYTES_MAX } from '../../schemas/gen/ts/wire.ts'
import { readHubNote } from './hub-notes.ts'

/** How to find and recognise a hub: what an enrolment code holds. */
export interface Hub {
  readonly host: string
  readonly port: number
  readonly homeId: PartyId
  readonly hubCaKeys: readonly Uint8Array[]
}

export interface DeviceKeys {
  readonly ed25519: Ed25519
  readonly seed: Uint8Array
  readonly signer: Signer
  readonly id: PartyId
}

export interface Kind {
  readonly board: string
  readonly firmware: string
  readonly affordances: readonly number[]
}

export const LAMP: Kind = { board: 'test', firmware: '0.1.0', affordances: [1, 2, 5] }

export function deviceKeys(ed25519: Ed25519, seed: Uint8Array = systemRandom.bytes(32)): DeviceKeys {
  const signer = ed25519.signer(seed)
  return { ed25519, seed, signer, id: idOf(signer.key) }
}

/** What S of an enrolment code stands for (SPEC 7.1). */
export function permitOf(secret: Uint8Array): {
  permit: Uint8Array
  hubKey: Uint8Array
  ownerKey: Uint8Array
} {
  const part = (info: string, size: number) =>
    new Uint8Array(hkdfSync('sha256', secret, 'shallot-enrol/1', info, size))
  return { permit: part('id', 8), hubKey: part('hub', 32), ownerKey: part('owner', 32) }
}

/** The hub said no, or closed: `code` is what its note said, `link-closed` if it said nothing. */
export class Refused extends Error {
  readonly code: string
  constructor(code: string) {
    super(`the hub refused: ${code}`)
    this.code = code
  }
}

/** What resumes a TLS session, and the hub's key that its first handshake proved. */
export interface Ticket {
  readonly session: Buffer
  readonly hubKey: Uint8Array
}

/** Opens TLS as a device and checks the hub's leaf. `extra` overrides what TLS is asked for, for hostile tests. */
export async function dial(
  hub: Hub,
  keys: DeviceKeys,
  protocol: string,
  certificate?: Uint8Array,
  extra: ConnectionOptions = {},
  ticket?: Ticket,
): Promise<Wire> {
  const own = certificate && {
    cert: toPem('CERTIFICATE', certificate),
    key: privateKeyPem(keys.seed),
  }
  const resume = ticket && { session: ticket.session }
  const options = { host: hub.host, port: hub.port, ALPNProtocols: [protocol], ...own, ...resume, ...extra }
  const socket = connectTls({ minVersion: 'TLSv1.3', rejectUnauthorized: false, ...options })
  const wire = new Wire(socket)
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve)
    wire.closed.then(() => reject(new Refused('link-closed')))
  })
  if (ticket && socket.isSessionReused()) {
    wire.hubKey = ticket.hubKey
    return wire
  }
  const leaf = socket.getPeerX509Certificate()!.raw
  const checked = checkHubLeaf(leaf, hub.hubCaKeys, Date.now(), keys.ed25519)
  if (!checked.ok) {
    socket.destroy()
    throw new Error(`not our hub: ${checked.detail}`)
  }
  wire.hubKey = checked.value
  return wire
}

/** Frames over one TLS connection, from the device's side. */
export class Wire {
  readonly socket: TLSSocket
  /** Resolves with the code of the hub's note, or `link-closed`. */
  readonly closed: Promise<string>
  hubKey: Uint8Array = new Uint8Array(32)
  keepAlives = 0
  onEnvelope: (frame: Frame) => void = () => {}
  onStored: (epoch: Uint8Array, sequence: number) => void = () => {}
  #refusal: string | undefined
  #session: Buffer | undefined
  readonly #reader = new FrameReader()

  constructor(socket: TLSSocket) {
    this.socket = socket
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.on('session', (session) => {
      this.#session = session
    })
    socket.on('data', (chunk: Buffer) => this.#arrived(chunk))
    this.closed = new Promise((resolve) => {
      socket.on('close', () => resolve(this.#refusal ?? 'link-closed'))
    })
  }

  /** The latest ticket that the hub sent, if it has arrived yet. */
  get ticket(): Ticket | undefined {
    return this.#session && { session: this.#session, hubKey: this.hubKey }
  }

  send(payload: Uint8Array): void {
    this.socket.write(writeFrame(payload))
  }

  keepAlive(): void {
    this.socket.write(KEEP_ALIVE)
  }

  #arrived(chunk: Uint8Array): void {
    this.#reader.push(chunk)
    for (let frame = this.#reader.next(); frame !== undefined; frame = this.#reader.next()) {
      if ('why' in frame) return void this.socket.destroy()
      if (frame.length === 0) this.keepAlives++
      else if (frame[0] === 0xd2) this.onEnvelope(Uint8Array.from(frame))
      else this.#note(frame)
    }
  }

  #note(frame: Uint8Array): void {
    const note = readHubNote(frame)
    if (!note.ok) throw new Error('the hub sent a damaged note')
    if (note.value.note === 'refusal') this.#refusal = note.value.code
    else this.onStored(note.value.epoch, note.value.sequence)
  }

  /** Opens what the hub itself sealed for this device. */
  open<B extends Body>(frame: Frame, type: B['type'], keys: DeviceKeys): Message<B> {
    const opened = openEnvelope(
      frame,
      {
        sizeMax: DEVICE_ENVELOPE_BYTES_MAX,
        accepts: (body, signer) => body.type === type && idOf(signer) === idOf(this.hubKey),
        isAudience: (body) => body.audience === keys.id,
      },
      keys.ed25519,
    )
    if (!opened.ok) throw new Error(`the hub sealed no ${type}: ${opened.why}`)
    return opened.value as Message<B>
  }
}

/** The enrol envelope of SPEC 7.2; `change` spoils it for hostile tests. */
export function sealEnrol(
  hub: Hub,
  keys: DeviceKeys,
  secret: Uint8Array,
  kind: Kind,
  change: Partial<Extract<Body, { type: 'enrol' }>> = {},
): Frame {
  const { permit, hubKey, ownerKey } = permitOf(secret)
  const prove = (key: Uint8Array) =>
    Uint8Array.from(createHmac('sha256', key).update(keys.signer.key).digest())
  return sealEnvelope(
    {
      type: 'enrol',
      audience: hub.homeId,
      sealedAt: 0,
      epoch: systemRandom.bytes(8),
      sequence: 0,
      permit,
      csr: writeCsr(keys.signer),
      proofForHub: prove(hubKey),
      proofForOwner: prove(ownerKey),
      ...kind,
      ...change,
    },
    keys.signer,
  )
}

export interface Enrolment {
  readonly certificate: Uint8Array
  readonly name: string
  /** The hub's time, seconds. */
  readonly time: number
}

/** Enrols with a code's secret. @throws Refused with the hub's code */
export async function enrolDevice(
  hub: Hub,
  keys: DeviceKeys,
  secret: Uint8Array,
  kind: Kind = LAMP,
): Promise<Enrolment> {
  const wire = await dial(hub, keys, ALPN_ENROL)
  return askEnrolment(wire, keys, sealEnrol(hub, keys, secret, kind))
}

/** Sends this enrol envelope, whatever it holds, and waits for the answer. @throws Refused */
export async function askEnrolment(wire: Wire, keys: DeviceKeys, enrol: Frame): Promise<Enrolment> {
  const answered = new Promise<Frame>((resolve) => {
    wire.onEnvelope = resolve
  })
  wire.send(enrol)
  const first = await Promise.race([answered, wire.closed])
  if (typeof first === 'string') throw new Refused(first)
  const { body } = wire.open<Enrolled>(first, 'enrolled', keys)
  wire.socket.destroy()
  return { certificate: body.certificate, name: body.name, time: body.sealedAt }
}

export interface SessionOptions {
  readonly kind?: Kind
  /** The boot nonce; another one is another boot. */
  readonly epoch?: Uint8Array
  readonly sequence?: number
  readonly lost?: number
  /** From an earlier session's `ticket`. */
  readonly ticket?: Ticket | undefined
  /** The record to show when the hub wants it. */
  readonly record?: Frame
  readonly tls?: ConnectionOptions
}

/** Connects, says hello and waits for the welcome. @throws Refused */
export async function openSession(
  hub: Hub,
  keys: DeviceKeys,
  certificate: Uint8Array,
  options: SessionOptions = {},
): Promise<DeviceSession> {
  const wire = await dial(hub, keys, ALPN_LINK, certificate, options.tls, options.ticket)
  const session = new DeviceSession(wire, hub, keys, options)
  await session.hello(options.lost ?? 0)
  return session
}

/** A welcomed device. */
export class DeviceSession {
  readonly wire: Wire
  readonly keys: DeviceKeys
  /** Resolves with the code of the hub's note, or `link-closed`. */
  readonly closed: Promise<string>
  welcome: Message<Welcome> | undefined
  epoch: Uint8Array
  /** Envelopes after the welcome: owners, enrolments, commands. */
  readonly envelopes: Frame[] = []
  /** Called for each of them. */
  onEnvelope: (frame: Frame) => void = () => {}
  /** The highest sequence of the present epoch that the hub noted as stored. */
  storedUpTo = -1
  readonly #hub: Hub
  readonly #kind: Kind
  readonly #record: Frame | undefined
  #sequence: number
  readonly #waiting: { sequence: number; resolve: () => void }[] = []

  constructor(wire: Wire, hub: Hub, keys: DeviceKeys, options: SessionOptions) {
    this.wire = wire
    this.keys = keys
    this.closed = wire.closed
    this.#hub = hub
    this.#kind = options.kind ?? LAMP
    this.#record = options.record
    this.epoch = options.epoch ?? systemRandom.bytes(8)
    this.#sequence = options.sequence ?? 0
    wire.onStored = (epoch, sequence) => this.#stored(epoch, sequence)
  }

  get resumed(): boolean {
    return this.wire.socket.isSessionReused()
  }

  get sequence(): number {
    return this.#sequence
  }

  async hello(lost = 0): Promise<void> {
    // What follows the welcome may come in the same piece.
    const welcomed = new Promise<Frame>((resolve) => {
      this.wire.onEnvelope = (frame) => {
        this.wire.onEnvelope = (next) => this.#received(next)
        resolve(frame)
      }
    })
    this.wire.send(this.seal<Hello>({ type: 'hello', ...this.#kind, lost }))
    const first = await Promise.race([welcomed, this.closed])
    if (typeof first === 'string') throw new Refused(first)
    this.welcome = this.wire.open<Welcome>(first, 'welcome', this.keys)
    if (this.welcome.body.wantsRecord && this.#record) this.wire.send(this.#record)
  }

  /** Seals a body of ours with the next sequence. */
  seal<B extends Body>(body: Omit<B, 'audience' | 'sealedAt' | 'epoch' | 'sequence'>): Frame {
    const claims = { audience: this.#hub.homeId, sealedAt: 0, epoch: this.epoch, sequence: this.#sequence++ }
    return sealEnvelope({ ...body, ...claims } as unknown as B, this.keys.signer)
  }

  sealReading(values: readonly Sample[]): Frame {
    return this.seal<Extract<Body, { type: 'reading' }>>({ type: 'reading', values })
  }

  /** Sends a reading; resolves when the hub noted it as stored. */
  reading(values: readonly Sample[]): Promise<void> {
    const sequence = this.#sequence
    this.wire.send(this.sealReading(values))
    return this.stored(sequence)
  }

  receipt(command: Frame, code: number, values: readonly Sample[] = []): Promise<void> {
    const sequence = this.#sequence
    const digest = Uint8Array.from(createHash('sha256').update(command).digest())
    this.wire.send(
      this.seal<Extract<Body, { type: 'receipt' }>>({ type: 'receipt', command: digest, code, values }),
    )
    return this.stored(sequence)
  }

  /** Notes the arrival of an envelope (SPEC 6.3). */
  got(frame: Frame): void {
    const digest = createHash('sha256').update(frame).digest().subarray(0, 8)
    this.wire.send(encodeCbor([Uint8Array.from(digest)]))
  }

  stored(sequence: number): Promise<void> {
    if (sequence <= this.storedUpTo) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push({ sequence, resolve }))
  }

  /** Opens a command as the firmware's first steps do; who may command is not judged. */
  openCommand(frame: Frame): Message<Command> {
    const opened = openEnvelope(
      frame,
      {
        sizeMax: DEVICE_ENVELOPE_BYTES_MAX,
        accepts: (body) => body.type === 'command',
        isAudience: (body) => body.audience === this.keys.id,
      },
      this.keys.ed25519,
    )
    if (!opened.ok) throw new Refused(opened.why)
    return opened.value as Message<Command>
  }

  /** Pulls the plug: no goodbye. */
  vanish(): void {
    this.wire.socket.destroy()
  }

  async close(): Promise<void> {
    this.wire.socket.end()
    await this.closed
  }

  #received(frame: Frame): void {
    this.envelopes.push(frame)
    this.onEnvelope(frame)
  }

  #stored(epoch: Uint8Array, sequence: number): void {
    if (epoch.toHex() !== this.epoch.toHex()) return
    this.storedUpTo = sequence
    while (this.#waiting[0] && this.#waiting[0].sequence <= sequence) this.#waiting.shift()!.resolve()
  }
}
