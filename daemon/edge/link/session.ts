// SPDX-License-Identifier: GPL-3.0-or-later

import type { Code } from '../../../schemas/gen/ts/codes.ts'
import { DEVICE_ENVELOPE_BYTES_MAX } from '../../../schemas/gen/ts/wire.ts'
import { concat, equal } from '../../base/bytes.ts'
import { Latch } from '../../base/lifetime.ts'
import {
  type Act,
  admit,
  type Body,
  type DirectServer,
  type Frame,
  type Hello,
  type Message,
  openEnvelope,
  type Reading,
  type Receipt,
  type Receiver,
  type Still,
} from '../../core/envelope/index.ts'
import type { DeviceLeaf } from '../../core/identity/certificates.ts'
import { idOf, type PartyId } from '../../core/model/index.ts'
import type { Line, Outcome, Talk } from './connection.ts'
import { ServerPapers } from './direct.ts'
import { writeFrame } from './frames.ts'
import { NOTE_AFTER, NOTE_MS, type Noting } from './note-round.ts'
import { isEnvelope, readGot, readPiece, readWanted, storedFrame } from './notes.ts'
import { nextPapers, renewalDue } from './renewal.ts'
import type { LinkRoom } from './room.ts'
import type { Told } from './voice.ts'

type Kept = Message<Reading> | Message<Receipt> | Message<Act>

const KEPT: ReadonlySet<Body['type']> = new Set(['reading', 'receipt', 'act'])

const SEALED_BY_DEVICES: ReadonlySet<Body['type']> = new Set([
  'hello',
  'reading',
  'receipt',
  'act',
  'still',
  'enrol',
])

/** A reading, receipt or act on its way to the disk, in the order of arrival. */
interface Unstored {
  readonly epoch: Uint8Array
  readonly sequence: number
  stored: boolean
}

/**
 * A device's session (SPEC 6.4, 6.5): hello, welcome, then readings, receipts and acts in, commands and grants out.
 *
 *   awaiting-hello ──hello──▶ open                        (a device of this home)
 *   awaiting-hello ──hello──▶ awaiting-record ──record──▶ open   (a restored hub that does not know it)
 *
 * The key proven in TLS is the only one whose seal counts here. In `open` another hello begins a new epoch.
 */
export class Session implements Talk, Receiver, Noting {
  readonly device: PartyId
  readonly sizeMax = DEVICE_ENVELOPE_BYTES_MAX
  readonly #key: Uint8Array
  readonly #room: LinkRoom
  readonly #line: Line
  readonly #resumed: boolean
  #state: 'awaiting-hello' | 'awaiting-record' | 'open' = 'awaiting-hello'
  /** The desk was told of this session, so it must be told of its end. */
  #announced = false
  #hello: Message<Hello> | undefined
  /** Epoch and sequence of the latest reading or receipt: within one epoch they rise. */
  #epoch: Uint8Array | undefined
  #sequence = -1
  readonly #unstored: Unstored[] = []
  #space: Latch<void> | undefined
  /** The latest that is stored and not yet noted, how many it stands for, and whether a note is on its way. */
  #noted: Unstored | undefined
  #unsaid = 0
  #planned = false
  #saidAt = Number.NEGATIVE_INFINITY

  /** When its certificate is due for renewal, and the epoch of its latest hello. */
  #renewAt: number
  #life: Uint8Array | undefined
  #told: Told | undefined
  /** The device's own server, as its latest hello has it. */
  #server: DirectServer | undefined
  readonly #serverPapers: ServerPapers

  constructor(room: LinkRoom, line: Line, leaf: DeviceLeaf, resumed: boolean) {
    this.#room = room
    this.#line = line
    this.#key = leaf.key
    this.device = idOf(leaf.key)
    this.#resumed = resumed
    this.#renewAt = renewalDue(leaf, room.issuer().key)
    this.#serverPapers = new ServerPapers(room, this.device, line.address)
  }

  /** Who may seal what here (SPEC 2.6): the device its own types, and an owner its record when that is wanted. */
  accepts(body: Body, signer: Uint8Array): boolean {
    return body.type === 'enrolment' && this.#state === 'awaiting-record'
      ? equal(body.key, this.#key)
      : SEALED_BY_DEVICES.has(body.type) && equal(signer, this.#key)
  }

  isAudience(body: Body): boolean {
    return body.audience === this.#room.homeId
  }

  take(frame: Frame): Outcome | Promise<Outcome> {
    if (!isEnvelope(frame)) return this.#note(frame)
    const opened = openEnvelope(frame, this, this.#room.ed25519)
    if (!opened.ok) return opened.why
    const admitted = admit(opened.value, { now: Math.floor(this.#room.clock.now() / 1000) })
    return admitted.ok ? this.#message(admitted.value) : admitted.why
  }

  #note(frame: Frame): Outcome | Promise<Outcome> {
    const piece = readPiece(frame)
    if (piece && this.#state === 'open') return this.#asked(this.#room.desk.piece(this.device, piece))
    const digest = readGot(frame)
    const wanted = digest ? undefined : readWanted(frame)
    if (!digest && !wanted && !piece) return 'bad-note'
    if (this.#state !== 'open') return 'unexpected-message'
    if (digest) this.#room.desk.got(this.device, digest)
    if (wanted) this.#room.desk.wanted(this.device, wanted)
    return undefined
  }

  #message(message: Message): Outcome | Promise<Outcome> {
    const { type } = message.body
    if (this.#state === 'awaiting-record')
      return type === 'enrolment' ? this.#asked(this.#readmit(message.frame)) : 'unexpected-message'
    if (type === 'hello') return this.#asked(this.#greet(owned(message as Message<Hello>)))
    if (this.#state !== 'open') return 'unexpected-message'
    if (type === 'still') {
      this.#room.desk.still(this.device, message as Message<Still>)
      return undefined
    }
    return KEPT.has(type) ? this.#keep(message as Kept) : 'unexpected-message'
  }

  /** What the desk could not do is our fault, not the device's: it comes again later. */
  async #asked(answer: Promise<Outcome>): Promise<Outcome> {
    try {
      return await answer
    } catch (error) {
      this.#room.diary.deskFailed(this.device, error)
      return 'internal'
    }
  }

  async #greet(hello: Message<Hello>): Promise<Outcome> {
    const standing = this.#room.desk.standing(this.device)
    if (standing === 'forgotten') return 'forgotten'
    if (standing === 'elsewhere') return 'hub-elsewhere'
    if (standing === 'known') return this.#open(hello, true)
    this.#hello = hello
    this.#state = 'awaiting-record'
    this.#line.expect(this.#room.limits.helloMsMax, 'unknown-device')
    this.#line.send(this.#room.voice.welcome(this.device, hello.body.epoch, true))
    return undefined
  }

  async #readmit(record: Frame): Promise<Outcome> {
    const verdict = await this.#room.desk.readmit(this.#hello!, Uint8Array.from(record))
    return verdict.ok ? this.#open(this.#hello!, false) : verdict.why
  }

  async #open(hello: Message<Hello>, welcome: boolean): Promise<Outcome> {
    if (this.#line.ended) return undefined
    this.#room.roster.enter(this.device, this)
    this.#announced = true
    await this.#room.desk.hello(this.device, hello)
    if (this.#line.ended) return undefined
    if (this.#state !== 'open') this.#room.diary.deviceOpened(this.device, this.#line.address, this.#resumed)
    this.#hello = undefined
    this.#epoch = undefined
    this.#state = 'open'
    this.#line.relax()
    const papers = this.#room.desk.papers(this.device)
    const first = welcome ? [this.#room.voice.welcome(this.device, hello.body.epoch, false)] : []
    this.#line.write(concat(...[...first, ...papers].map(writeFrame)))
    this.#room.desk.welcomed(this.device)
    this.#life = Uint8Array.from(hello.body.epoch)
    this.#told = this.#room.voice.tell()
    this.#server = hello.body.direct
    this.#serverPapers.restart()
    this.renew()
    this.equip()
    return undefined
  }

  /** Tells the device the time and the zone again, when what it was told is not what holds (SPEC 6.4). */
  retell(): void {
    const { voice } = this.#room
    if (this.#state !== 'open' || !this.#life || !this.#told || !voice.isStale(this.#told)) return
    this.#told = voice.tell()
    this.#line.send(voice.welcome(this.device, this.#life, false))
  }

  /** Gives the device its next certificate when that is due (SPEC 6.7), once in a session. */
  renew(): void {
    if (this.#state !== 'open' || !this.#life || this.#room.clock.now() < this.#renewAt) return
    const papers = nextPapers(this.#room, this.#key, this.#life)
    this.#renewAt = Number.POSITIVE_INFINITY
    if (!papers) return
    this.#line.send(papers)
    this.#room.diary.deviceRenewed(this.device, false)
  }

  /** Gives the device's own server its certificate, when it has a server and that is due (SPEC 18.2). */
  equip(): void {
    if (this.#state !== 'open' || !this.#life || !this.#server || this.#line.ended) return
    const papers = this.#serverPapers.next(this.#server, this.#life)
    if (papers) this.#line.send(papers)
  }

  /** Where the device's own server is, when it has one. */
  get serverPlace(): ServerPapers['place'] | undefined {
    return this.#state === 'open' && this.#server ? this.#serverPapers.place : undefined
  }

  #keep(message: Kept): Outcome | Promise<Outcome> {
    const { epoch, sequence } = message.body
    if (this.#epoch && equal(epoch, this.#epoch) && sequence <= this.#sequence) return 'replayed'
    this.#epoch = epoch
    this.#sequence = sequence
    const entry = { epoch, sequence, stored: false }
    this.#unstored.push(entry)
    this.#store(message, entry)
    return this.#unstored.length < this.#room.limits.unstoredMax ? undefined : this.#spaced()
  }

  async #store(message: Kept, entry: Unstored): Promise<void> {
    try {
      await this.#tell(message)
      entry.stored = true
      this.#settle()
    } catch (error) {
      this.#room.diary.deskFailed(this.device, error)
      this.#line.end('internal')
    }
  }

  #tell(message: Kept): Promise<void> {
    const { desk } = this.#room
    const { type } = message.body
    if (type === 'reading') return desk.reading(this.device, message as Message<Reading>)
    if (type === 'receipt') return desk.receipt(this.device, message as Message<Receipt>)
    return desk.act(this.device, message as Message<Act>)
  }

  /** Notes what is stored without a gap: the first at once, more together (`NoteRound`). */
  #settle(): void {
    const held = this.#unstored
    while (held[0]?.stored) {
      const entry = held.shift()!
      if (this.#noted && !equal(this.#noted.epoch, entry.epoch)) this.sayStored()
      this.#noted = entry
      this.#unsaid++
    }
    if (this.#unsaid > 0) this.#planNote()
    if (this.#space && held.length < this.#room.limits.unstoredMax / 2) {
      this.#space.open()
      this.#space = undefined
    }
  }

  #planNote(): void {
    const due = this.#unsaid >= NOTE_AFTER || this.#room.clock.monotonic() - this.#saidAt >= NOTE_MS
    if (!due) this.#room.noteRound.join(this)
    else if (!this.#planned) queueMicrotask(() => this.sayStored())
    this.#planned ||= due
  }

  sayStored(): void {
    this.#planned = false
    if (!this.#noted) return
    const { epoch, sequence } = this.#noted
    this.#noted = undefined
    this.#unsaid = 0
    this.#saidAt = this.#room.clock.monotonic()
    this.#line.write(storedFrame(epoch, sequence))
  }

  async #spaced(): Promise<Outcome> {
    this.#space ??= new Latch<void>()
    await this.#space.promise
    return undefined
  }

  /** Queues an envelope for the device, if it has been welcomed. */
  send(frame: Frame): 'sent' | 'away' | 'too-slow' {
    if (this.#state !== 'open' || this.#line.ended) return 'away'
    this.#line.send(frame)
    return this.#line.ended ? 'too-slow' : 'sent'
  }

  end(why: 'forgotten' | 'superseded' | 'hub-elsewhere' | 'ca-announced'): void {
    this.#line.end(why)
  }

  ended(why: Code): void {
    if (why === 'hub-elsewhere') this.#room.turnedAway.note(this.#line.address)
    this.#room.roster.leave(this.device, this)
    this.#space?.open()
    if (!this.#announced) return
    this.#room.diary.deviceGone(this.device, why)
    this.#room.desk.gone(this.device, why)
  }
}

/** The hello is kept for as long as the device is there; the chunk that it came in need not be. */
function owned(hello: Message<Hello>): Message<Hello> {
  return { ...hello, frame: Uint8Array.from(hello.frame) }
}
