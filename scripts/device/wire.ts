// SPDX-License-Identifier: GPL-3.0-or-later
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { type Body, type Frame, type Message, openEnvelope } from '../../daemon/core/envelope/index.ts'
import { checkHubLeaf, privateKeyPem, toPem } from '../../daemon/core/identity/certificates.ts'
import { idOf } from '../../daemon/core/model/index.ts'
import { FrameReader, KEEP_ALIVE, writeFrame } from '../../daemon/edge/link/frames.ts'
import { DEVICE_ENVELOPE_BYTES_MAX } from '../../schemas/gen/ts/wire.ts'
import { readHubNote } from './hub-notes.ts'
import type { DeviceKeys, Hub } from './keys.ts'

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
