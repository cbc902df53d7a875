// SPDX-License-Identifier: GPL-3.0-or-later
import type { Code } from '../../../schemas/gen/ts/codes.ts'
import { toHex } from '../../base/bytes.ts'
import { type Clock, deadline, type Instant } from '../../base/clock.ts'
import { no, sentenceOf, type Verdict, yes } from '../../base/error.ts'
import { Turns } from '../../base/lifetime.ts'
import type { Log } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import type { Secret } from '../../base/secret.ts'
import type { Ed25519, Frame, Signer } from '../envelope/index.ts'
import type { Feed } from '../feed.ts'
import { x25519Public } from '../identity/index.ts'
import { idOf, type PartyId } from '../model/index.ts'
import type { Trust } from '../policy/index.ts'
import type { DeviceBook, Entry, Journal, ReadingBook } from '../ports.ts'
import type { Delivery } from '../router/index.ts'
import type { By, Services } from '../services.ts'
import type { Stills } from '../stills/index.ts'
import { BeaconSealer } from './beacons.ts'
import { Bridges } from './bridges.ts'
import { FarThings } from './far.ts'
import { Guests } from './guests.ts'
import { Histories } from './histories.ts'
import { Invitations } from './invitations.ts'
import { Keeping } from './keeping.ts'
import type { ShowDeps } from './look-shows.ts'
import { Orders } from './orders.ts'
import type { OtherPapers } from './others.ts'
import { Papers, readWays } from './papers.ts'
import { Pictures } from './pictures.ts'
import type {
  FarBook,
  FarReadingBook,
  GuestBook,
  HeardBook,
  LogShelf,
  MeshEar,
  MeshPaperBook,
  MeshRoom,
  OnionKeys,
  Revocations,
} from './ports.ts'
import { type MemberReport, reportOf } from './report.ts'
import { Showing } from './showing.ts'
import { Talk } from './talk.ts'
import { sayUnreachable } from './unreachable.ts'
import type { TalkWord } from './words.ts'

export interface MeshHomeDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly ed25519: Ed25519
  readonly trust: Trust
  readonly revocations: Revocations
  readonly others: OtherPapers
  readonly signer: Signer
  readonly clientKey: Secret
  readonly book: MeshPaperBook & FarBook & HeardBook & GuestBook
  readonly shelf: LogShelf
  readonly devices: DeviceBook
  readonly readings: ReadingBook
  readonly journal: Journal
  readonly feed: Feed
  readonly services: () => Services
  readonly keys: OnionKeys
  /** Opens the room, once, the first time it is needed; it is handed our ear. */
  readonly openRoom: (ear: MeshEar) => Promise<MeshRoom>
  readonly carryOut: (device: PartyId, command: Frame, from: PartyId) => Promise<Verdict<Delivery, Code>>
  /** Pictures of our devices that another daemon's client asks for, judged as any other (SPEC 19.6). */
  readonly show: ShowDeps['show']
  readonly stills: Pick<Stills, 'read'>
  readonly hubOf?: (device: PartyId) => PartyId | undefined
  readonly farReadings: FarReadingBook
  /** At which resolution readings of other homes are kept, seconds; 0: every one. */
  readonly everyS: number
  /** Whether a key may still ask, as far as is known here; absent: all may. */
  readonly stands?: (key: PartyId) => boolean
  /** How many guests of other daemons are offered an address here (SPEC 14.9). */
  readonly guestsMost: number
}

export type Joining =
  | { readonly state: 'working' }
  | { readonly state: 'joined'; readonly host: string; readonly shortCode: string }
  | { readonly state: 'refused'; readonly code: Code; readonly detail?: string | undefined }

const PING_MS_MAX = 60_000
const TICK_MS = 1000
/** How often it is written down that a connected daemon was heard. */
const HEARD_EVERY_MS = 60_000

/** The mesh as one home's daemon has it: papers, logs, other homes' devices and commands for them. */
export class MeshHome implements AsyncDisposable {
  readonly papers: Papers
  readonly far: FarThings
  readonly invitations: Invitations
  readonly talk: Talk
  readonly orders: Orders
  readonly histories: Histories
  readonly guests: Guests
  readonly pictures: Pictures
  readonly own: PartyId
  joining: Joining | undefined
  readonly #deps: MeshHomeDeps
  readonly #beacons: BeaconSealer
  readonly #bridges: Bridges
  readonly #showing: Showing
  readonly #keeping = new Keeping()
  readonly #turns = new Turns()
  readonly #heardAt = new Map<PartyId, Instant>()
  readonly #ticking: Disposable
  /** Of the papers as they were last told to all. */
  #told: string
  #room: Promise<MeshRoom> | undefined
  #roomNow: MeshRoom | undefined

  constructor(deps: MeshHomeDeps) {
    const { clock, random, ed25519, trust, signer, book, shelf, devices, readings, feed } = deps
    const { revocations, others } = deps
    this.#deps = deps
    this.own = idOf(signer.key)
    const { own } = this
    this.papers = new Papers({ trust, ed25519, book, revocations, others })
    const client = x25519Public(deps.clientKey)
    const sealing = { home: trust.home, signer, client, now: () => clock.now(), epoch: random.bytes(8) }
    const ways = readWays(this.papers.member(own)?.beacon?.body.ways ?? new Uint8Array())
    this.#beacons = new BeaconSealer(sealing, this.papers.sequenceOf(own), ways)
    const isRevoked = (key: Uint8Array) => revocations.isRevoked(key)
    this.far = new FarThings({ trust, ed25519, book, isRevoked, hubOf: deps.hubOf })
    const keeping = this.#keeping
    const shared = { own, ed25519, papers: this.papers, shelf, beacons: this.#beacons, keeping }
    this.talk = new Talk({
      ...shared,
      revocations,
      others,
      wire: {
        send: (peer, stream, bytes) => this.#roomNow?.send(peer, stream, bytes),
        cut: (peer, why) => this.#roomNow?.leave(peer, why),
      },
      changed: () => void this.settle(),
      hear: (peer, word) => this.#hear(peer, word),
      greeted: (peer) => {
        this.#showing.showAll(peer)
        this.histories.connected(peer)
        this.orders.connected(peer)
        this.guests.connected(peer)
        this.#tellOthers()
      },
    })
    this.orders = new Orders({
      clock,
      ed25519,
      home: trust.home,
      say: (peer, word) => this.talk.say(peer, word),
      carryOut: deps.carryOut,
    })
    this.pictures = new Pictures({
      ...{ clock, ed25519, log: deps.log, home: trust.home, show: deps.show },
      say: (peer, word) => this.talk.say(peer, word),
      read: (...part) => deps.stills.read(...part),
      memberOf: (device) => this.far.get(device)?.member,
      nameOf: (member) => this.papers.nameOf(member),
      unreachable: (member) => this.unreachable(member),
    })
    this.histories = new Histories({
      ...{
        clock,
        ed25519,
        home: trust.home,
        book: deps.farReadings,
        devices,
        far: this.far,
        everyS: deps.everyS,
      },
      say: (peer, word) => this.talk.say(peer, word),
    })
    this.#showing = new Showing({ devices, readings, feed, talk: this.talk })
    const room = () => this.#openRoom()
    const { services, keys, clientKey, log, guestsMost, stands = () => true } = deps
    this.guests = new Guests({
      ...{ clock, log, feed, own, papers: this.papers, services, book, talk: this.talk, stands },
      silentSince: (member) => this.silentSince(member),
      most: guestsMost,
    })
    this.#bridges = new Bridges({
      own,
      papers: this.papers,
      services,
      keys,
      clientKey,
      room,
      removed: async (member) => {
        await this.far.forget(member)
        await this.guests.forget(member)
      },
      wasHeard: (member) => deps.book.heardAt(member) !== undefined,
    })
    this.invitations = new Invitations({
      ...{ clock, random, own, shelf, services, keys, room, root: trust.root },
      ...{ papers: this.papers, beacons: this.#beacons, talk: this.talk, journal: deps.journal },
      settle: () => this.settle(),
    })
    this.#told = toHex(this.papers.digest())
    this.#ticking = clock.every(TICK_MS, () => this.#tick())
  }

  /** Whether another daemon belongs to the home: only then is there anything to do. */
  get isMesh(): boolean {
    return this.papers.members().some(({ id }) => id !== this.own)
  }

  /** Brings addresses and connections in line with membership; one at a time. */
  settle(): Promise<void> {
    const { clock, log } = this.#deps
    const turn = this.#turns.take(async () => {
      if (!this.isMesh && !this.#roomNow) return
      // First what is new, or a daemon that it removes would lose its connection without having heard.
      this.#tellNews()
      const ways = await this.#bridges.settle()
      if (this.#beacons.setWays(ways)) await this.talk.announce(clock.now())
    })
    return turn.catch((error) => log.taskFailed('mesh', error))
  }

  async invite(by: By): ReturnType<Invitations['invite']> {
    return this.invitations.invite(by)
  }

  /** Begins to take an invitation up; `joining` tells how it goes. */
  join(text: string, member: Frame, by: By): Verdict<Joining, Code> {
    const { log } = this.#deps
    if (this.joining?.state === 'working') return no('conflict', 'an invitation is being taken up already')
    const code = this.invitations.read(text)
    if (!code.ok) return code
    this.joining = { state: 'working' }
    this.invitations
      .join(code.value, member, by)
      .then((joined) => {
        this.joining = joined.ok
          ? { state: 'joined', ...joined.value }
          : { state: 'refused', code: joined.why, detail: joined.detail }
      })
      .catch((error) => {
        this.joining = { state: 'refused', code: 'internal' }
        log.taskFailed('mesh', error)
      })
    return yes(this.joining)
  }

  /** What happened in another home, as its daemon wrote it; also of one that is gone for good. */
  log(member: PartyId, before: number, limit: number): readonly Entry[] {
    return this.#deps.shelf.read(member, before, limit)
  }

  /** Whose logs are here: name and id, also of daemons that are no members any more. */
  authors(): ReadonlyArray<{ readonly id: PartyId; readonly name: string; readonly entries: number }> {
    const { shelf } = this.#deps
    return shelf
      .authors()
      .map((id) => ({ id, name: this.papers.nameOf(id), entries: shelf.head(id).position }))
  }

  /** Round trips to another daemon now, ms. */
  async ping(member: PartyId, times: number): Promise<Verdict<readonly number[], Code>> {
    if (!this.#roomNow || !this.isConnected(member)) return no('unreachable', 'there is no connection to it')
    using limit = deadline(this.#deps.clock, PING_MS_MAX)
    try {
      return yes(await this.#roomNow.ping(member, times, limit.signal))
    } catch (error) {
      return no('unreachable', sentenceOf(error))
    }
  }

  /** How long ago that home was last heard, when there is no way to it. */
  silentSince(member: PartyId): Instant | undefined {
    return this.#heardAt.get(member) ?? this.#deps.book.heardAt(member)
  }

  /** That there is no way to it, in a sentence; undefined while there is one. */
  unreachable(member: PartyId): string | undefined {
    if (this.isConnected(member)) return undefined
    return sayUnreachable(this.papers.nameOf(member), this.silentSince(member), this.#deps.clock.now())
  }

  isConnected(member: PartyId): boolean {
    return this.talk.peers().includes(member)
  }

  report(): readonly MemberReport[] {
    return reportOf({
      own: this.own,
      now: this.#deps.clock.now(),
      papers: this.papers,
      talk: this.talk,
      shelf: this.#deps.shelf,
      room: this.#roomNow,
      unkept: this.#keeping.trouble,
      silentSince: (member) => this.silentSince(member),
    })
  }

  readonly ear: MeshEar = {
    mayEnter: (peer, door) => {
      if (door?.startsWith('join:')) return this.invitations.isOpen
      if (door !== undefined && door !== `mesh:${peer}`) return false
      // Whom we call we know; it may be the one that invited us, of whom there is no paper here yet.
      return door === undefined || this.papers.isMember(peer)
    },
    connected: (peer) => {
      this.#heard(peer)
      this.talk.connected(peer, this.#deps.clock.now())
    },
    gone: (peer) => {
      const { feed, clock } = this.#deps
      this.talk.gone(peer, clock.now())
      this.histories.gone(peer)
      this.guests.gone(peer)
      this.pictures.gone(peer)
      this.#tellOthers()
      for (const device of this.far.away(peer)) {
        feed.publish({ event: 'presence', device, at: clock.now(), connected: false, why: 'unreachable' })
      }
    },
    heard: async (peer, stream, message) => {
      this.#heard(peer)
      return this.talk.heard(peer, stream, message, this.#deps.clock.now())
    },
    asked: (peer, question) => this.invitations.answer(peer, question),
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ticking[Symbol.dispose]()
    this.#showing[Symbol.dispose]()
  }

  /** Whoever opened the room, before anybody can come in: what is said to the first must have a way. */
  attach(room: MeshRoom): void {
    this.#roomNow = room
  }

  #openRoom(): Promise<MeshRoom> {
    this.#room ??= this.#deps.openRoom(this.ear).then((room) => {
      this.attach(room)
      return room
    })
    return this.#room
  }

  #tick(): void {
    const { clock, log } = this.#deps
    const report = (error: unknown) => log.taskFailed('mesh', error)
    this.#tellNews()
    this.talk.tick(clock.now())
    this.#showing.tick()
    this.orders.tick()
    this.histories.tick()
    this.guests.tick()
    this.pictures.tick()
    this.invitations.tick().catch(report)
  }

  /** What the desks of people took in since: also a list that takes a daemon out. */
  #tellNews(): void {
    const digest = toHex(this.papers.digest())
    if (this.#told === digest) return
    this.#told = digest
    this.talk.tellAll(this.#deps.clock.now())
    this.settle()
  }

  /** Whether a home answers is news for who has an address there. */
  #tellOthers(): void {
    const { feed, clock } = this.#deps
    feed.publish({ event: 'others', at: clock.now() })
  }

  #heard(peer: PartyId): void {
    const { clock, book, log } = this.#deps
    const now = clock.now()
    this.#heardAt.set(peer, now)
    if (now - (book.heardAt(peer) ?? 0) < HEARD_EVERY_MS) return
    const write = () => book.heard(peer, now)
    this.#keeping.keep(write, now).catch((error) => log.taskFailed('mesh', error))
  }

  async #hear(peer: PartyId, word: TalkWord): Promise<void> {
    const { feed, clock } = this.#deps
    const at = clock.now()
    switch (word.word) {
      case 'thing': {
        const before = this.far.get(word.device)?.device.presence.connected
        if (!(await this.far.take(peer, word))) return
        this.histories.told(peer, word.device)
        if (before === word.connected) return
        const why = word.connected ? 'connected' : 'away'
        feed.publish({ event: 'presence', device: word.device, at, connected: word.connected, why })
        return
      }
      case 'gone':
        return this.far.drop(peer, word.device)
      case 'reading': {
        const values = await this.far.reading(peer, word.device, word.frame)
        if (values) this.histories.changed(peer, word.device)
        if (values && values.length > 0) feed.publish({ event: 'reading', device: word.device, at, values })
        return
      }
      case 'presence':
        this.far.presence(peer, word.device, word.connected, word.since)
        return
      case 'order':
        // Not waited for: the next message must not wait for a device.
        this.orders.heardOrder(peer, word).catch((error) => this.#deps.log.taskFailed('mesh', error))
        return
      case 'stage':
        return this.orders.heardStage(peer, word)
      case 'past':
        return this.histories.answer(peer, word)
      case 'passed':
        return this.histories.heard(peer, word)
      case 'guests':
      case 'offers':
        return this.guests.heard(peer, word)
      case 'look':
      case 'looked':
      case 'part':
      case 'got':
        return this.pictures.heard(peer, word)
    }
  }
}
