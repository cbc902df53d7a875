// SPDX-License-Identifier: GPL-3.0-or-later
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Code } from '../../../schemas/gen/ts/codes.ts'
import type { Clock } from '../../base/clock.ts'
import type { No } from '../../base/error.ts'
import type { Frame } from '../../core/envelope/index.ts'
import type { PartyId } from '../../core/model/index.ts'
import type { LinkDiary } from './diary.ts'
import { FrameReader, KEEP_ALIVE, writeFrame } from './frames.ts'
import type { LinkLimits } from './limits.ts'
import { refusalFrame } from './notes.ts'

/** A code ends the connection; nothing lets it go on. */
export type Outcome = Code | undefined

/** What is spoken over a connection: a session or an enrolment. */
export interface Talk {
  /** Takes one envelope or note. Until a promise has settled, nothing more is read from the peer; it never rejects. */
  take(frame: Frame): Outcome | Promise<Outcome>
  /** Called once, when the connection has ended or is about to. */
  ended(why: Code): void
  /** Who speaks, when that is proven: for the log. */
  readonly device?: PartyId
}

/** What a talk may do with its connection. */
export interface Line {
  readonly address: string
  readonly ended: boolean
  /** Ends the connection with `code` unless `expect` or `relax` is called again within `ms`. */
  expect(ms: number, code: Code): void
  /** From now on only silence ends it. */
  relax(): void
  /** Sends an envelope or a note. */
  send(payload: Uint8Array): void
  /** Writes a frame, or several in a row; a peer that does not read is cut off. */
  write(frames: Uint8Array): void
  /** Says why and closes. */
  end(why: Code, detail?: string): void
}

export interface ConnectionDeps {
  readonly clock: Clock
  readonly diary: LinkDiary
  readonly limits: LinkLimits
}

const NEVER = Number.POSITIVE_INFINITY

/**
 * One accepted connection, from the first byte of TLS to the last: frames in and out, and every limit of SPEC 6.6 that
 * concerns one peer. It has no timer of its own: the link sweeps all connections once a second.
 */
export class Connection implements Line {
  readonly address: string
  /** The leaf of the hub's that this connection is shown. */
  readonly shown: Uint8Array
  readonly #deps: ConnectionDeps
  readonly #raw: Socket
  readonly #reader = new FrameReader()
  #tls: TLSSocket | undefined
  #talk: Talk | undefined
  #ended = false
  #waiting = false
  /** Monotonic; when what is expected next must have happened, and the code if it has not. */
  #deadline: number
  #deadlineCode: Code = 'handshake-timeout'
  #heardAt: number
  #frameDeadline = NEVER

  constructor(deps: ConnectionDeps, raw: Socket, address: string, shown: Uint8Array) {
    this.#deps = deps
    this.#raw = raw
    this.address = address
    this.shown = shown
    this.#heardAt = deps.clock.monotonic()
    this.#deadline = this.#heardAt + deps.limits.handshakeMsMax
  }

  get ended(): boolean {
    return this.#ended
  }

  /** TLS is done: from here a refusal can be told. */
  secured(tls: TLSSocket): void {
    this.#tls = tls
  }

  /** From here the talk decides. */
  begin(talk: Talk): void {
    this.#talk = talk
    this.expect(this.#deps.limits.helloMsMax, 'handshake-timeout')
    this.#tls!.on('data', (chunk: Uint8Array) => this.#arrived(chunk))
  }

  expect(ms: number, code: Code): void {
    this.#deadline = this.#deps.clock.monotonic() + ms
    this.#deadlineCode = code
  }

  relax(): void {
    this.#deadline = NEVER
  }

  send(payload: Uint8Array): void {
    this.write(writeFrame(payload))
  }

  write(frames: Uint8Array): void {
    if (this.#ended || !this.#tls) return
    const backlog = this.#tls.writableLength + frames.length
    if (backlog <= this.#deps.limits.backlogBytesMax) this.#tls.write(frames)
    else this.end('too-slow')
  }

  /** A peer that does not close in its turn is destroyed by a later sweep. */
  end(why: Code, detail?: string): void {
    if (this.#ended) return
    this.#finish(why)
    this.#deps.diary.refused(why, this.address, this.#talk?.device, detail)
    if (!this.#tls || why === 'too-slow' || why === 'silent') this.destroy()
    else this.#sayWhy(this.#tls, why)
  }

  #sayWhy(tls: TLSSocket, why: Code): void {
    tls.end(refusalFrame(why))
    // What the peer still sends is read and dropped, or its end would never be seen.
    tls.resume()
    this.#deadline = this.#deps.clock.monotonic() + this.#deps.limits.frameMsMax
  }

  /** The socket has closed. */
  closed(): void {
    if (!this.#ended) this.#finish('link-closed')
  }

  /** The link itself closes: without a word, as when the power fails. */
  leave(): void {
    this.closed()
    this.destroy()
  }

  destroy(): void {
    this.#tls?.destroy()
    this.#raw.destroy()
  }

  #finish(why: Code): void {
    this.#ended = true
    this.#talk?.ended(why)
  }

  /** Applies the limits of time. @param now monotonic */
  sweep(now: number): void {
    const late = this.#late(now)
    if (late !== undefined && this.#ended) this.destroy()
    else if (late !== undefined) this.end(late)
  }

  #late(now: number): Outcome {
    if (now >= this.#deadline) return this.#deadlineCode
    if (this.#ended || this.#waiting) return undefined
    if (now >= this.#frameDeadline) return 'too-slow'
    const silent = this.#deadline === NEVER && now - this.#heardAt >= this.#deps.limits.silenceMsMax
    return silent ? 'silent' : undefined
  }

  #arrived(chunk: Uint8Array): void {
    if (this.#ended) return
    this.#heardAt = this.#deps.clock.monotonic()
    this.#reader.push(chunk)
    if (!this.#waiting) this.#pump()
  }

  /** Hands over frame after frame until one makes us wait, one ends it, or none is left. */
  #pump(): void {
    let complete = false
    let keptAlive = false
    for (let frame = this.#reader.next(); frame !== undefined; frame = this.#reader.next()) {
      complete = true
      if (frame instanceof Uint8Array && frame.length === 0) keptAlive = true
      else if (!this.#handOver(frame)) break
    }
    // However many came in one piece, one answer is enough.
    if (keptAlive) this.write(KEEP_ALIVE)
    this.#timeFrame(complete)
  }

  /** False when no more frames may be handed over for now, or ever. */
  #handOver(frame: Frame | No<Code>): boolean {
    const outcome = frame instanceof Uint8Array ? this.#talk!.take(frame) : frame.why
    if (outcome instanceof Promise) this.#wait(outcome)
    else if (outcome !== undefined) this.end(outcome)
    return !this.#waiting && !this.#ended
  }

  /** The time a frame may take runs from its first byte, however its bytes are spread over chunks. */
  #timeFrame(complete: boolean): void {
    if (!this.#reader.begun || this.#waiting) this.#frameDeadline = NEVER
    else if (complete || this.#frameDeadline === NEVER)
      this.#frameDeadline = this.#heardAt + this.#deps.limits.frameMsMax
  }

  async #wait(outcome: Promise<Outcome>): Promise<void> {
    this.#waiting = true
    this.#tls!.pause()
    const code = await outcome
    this.#waiting = false
    if (this.#ended) return
    if (code !== undefined) this.end(code)
    else this.#goOn()
  }

  #goOn(): void {
    this.#heardAt = this.#deps.clock.monotonic()
    this.#tls!.resume()
    this.#pump()
  }
}
