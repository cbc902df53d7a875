// SPDX-License-Identifier: GPL-3.0-or-later
import { createHash } from 'node:crypto'
import type { ConnectionOptions } from 'node:tls'
import { systemRandom } from '../../daemon/base/random.ts'
import {
  type Body,
  type Command,
  encodeCbor,
  type Frame,
  type Hello,
  type Message,
  openEnvelope,
  type Sample,
  sealEnvelope,
  type Welcome,
} from '../../daemon/core/envelope/index.ts'
import { ALPN_LINK, DEVICE_ENVELOPE_BYTES_MAX } from '../../schemas/gen/ts/wire.ts'
import { type DeviceKeys, type Hub, type Kind, LAMP } from './keys.ts'
import { dial, Refused, type Ticket, type Wire } from './wire.ts'

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
