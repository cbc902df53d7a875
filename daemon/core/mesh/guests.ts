// SPDX-License-Identifier: GPL-3.0-or-later
import { hash } from 'node:crypto'
import { GUEST_BYTES, GUESTS_MAX } from '../../../schemas/gen/ts/wire.ts'
import { Allowances } from '../../base/allowance.ts'
import { toBase64url, toHex, utf8 } from '../../base/bytes.ts'
import type { Clock, Instant } from '../../base/clock.ts'
import { Turns } from '../../base/lifetime.ts'
import type { Log } from '../../base/log.ts'
import type { Caller } from '../callers.ts'
import type { Feed } from '../feed.ts'
import { onionAddress, onionKey } from '../identity/index.ts'
import type { PartyId } from '../model/index.ts'
import { GUEST, INVITATION, type Services, type ServiceView } from '../services.ts'
import type { Papers } from './papers.ts'
import type { GuestBook } from './ports.ts'
import type { Talk } from './talk.ts'
import { decodeTalk, encodeTalk, type GuestItem, type OfferItem, type TalkWord } from './words.ts'

export interface GuestDeps {
  readonly clock: Clock
  readonly log: Log
  readonly feed: Feed
  readonly own: PartyId
  readonly papers: Papers
  readonly services: () => Services
  readonly book: GuestBook
  readonly talk: Pick<Talk, 'say' | 'peers'>
  /** Whether this key may still ask, as far as is known here. */
  readonly stands: (key: PartyId) => boolean
  /** When a daemon that is not connected was last heard. */
  readonly silentSince: (member: PartyId) => Instant | undefined
  /** Addresses that are offered here to guests of all other daemons together. */
  readonly most: number
}

/** An address of another home, for who came by an invitation of this one. */
export interface OtherWay {
  /** What that home's daemon is called. */
  readonly home: string
  /** `….onion` */
  readonly address: string
  readonly clientKey?: Uint8Array | undefined
}

/** The home that let in who came by an address that is offered for it here. */
export interface HostView {
  readonly home: string
  readonly connected: boolean
  /** While it is not connected. */
  readonly heardAt?: Instant | undefined
}

type Said = TalkWord & { readonly word: 'guests' | 'offers' }

/** What an invitation is called among daemons: it says nothing of its address to who does not know that. */
export function guestId(address: string): Uint8Array {
  const key = onionKey(address) ?? utf8(address)
  return Uint8Array.from(hash('sha256', Buffer.concat([LABEL, key]), 'buffer').subarray(0, GUEST_BYTES))
}

const MARK_CHARS = 16
/** So that who keeps none need not ask. */
const MARK_OF_NONE = '0'
/** As many as there can be at once, then one a minute. */
const MAKES = { burst: GUESTS_MAX, perS: 1 / 60, namesMax: 64 }
/** One tor is given 200 services: some are left for who is let in here. */
const SERVICES_MOST = 160
const REST_MS = 30_000
const LABEL = utf8('shallot-guest/1')

/**
 * Who was let in by one daemon has an address at each other one, for the day the first is down (SPEC 14.9). Each daemon says
 * which invitations it would have answered elsewhere, and which addresses it offers to the other's guests: always all of them, so
 * that what is not said any more is taken back. An invitation counts once somebody proven came by it from outside: an address
 * that nobody uses costs nothing elsewhere.
 *
 * Always true: nothing is offered for a daemon that is no member, or for a key that was taken back, whichever of both is heard
 * first; who is offered what depends on what is known, not on the order in which it came.
 */
export class Guests {
  readonly #deps: GuestDeps
  readonly #asked = new Map<PartyId, readonly GuestItem[]>()
  readonly #offers = new Map<PartyId, readonly OfferItem[]>()
  /** By guest, who came by its address: one key, or several. */
  readonly #arrivals = new Map<string, PartyId | undefined>()
  /** What this daemon offers, by guest. */
  readonly #offered = new Map<string, OfferItem>()
  /** As each connected peer was told last. */
  readonly #told = new Map<PartyId, Map<Said['word'], string>>()
  readonly #ids = new Map<string, Uint8Array>()
  readonly #turns = new Turns()
  /** For which guests addresses were last brought in line; undefined: not yet, or that did not succeed. */
  #settledFor: string | undefined
  /** After what did not succeed, as on a full disk; monotonic. */
  #restsUntil = 0
  #begun = false
  /** By daemon, new addresses that may be made for it. */
  readonly #makes: Allowances

  constructor(deps: GuestDeps) {
    this.#deps = deps
    this.#makes = new Allowances(deps.clock, MAKES)
    for (const { guest, key } of deps.book.arrivals()) this.#arrivals.set(toHex(guest), key)
    for (const { member, word } of deps.book.said()) {
      const said = decodeTalk(word)
      if (said?.word === 'guests') this.#asked.set(member, said.guests)
      if (said?.word === 'offers') this.#offers.set(member, said.offers)
    }
  }

  /** Once services are there: another daemon may come in by the first of them before the last is offered, and is told then. */
  begin(): void {
    this.#begun = true
    this.#forgetPast()
    this.tick()
  }

  /** Who came by addresses that are no more does not matter any more. */
  #forgetPast(): void {
    const services = this.#deps.services().list()
    const present = new Set(services.map((service) => toHex(this.#guestOf(service))))
    for (const text of [...this.#arrivals.keys()]) {
      if (present.has(text)) continue
      this.#arrivals.delete(text)
      this.#report(this.#turns.take(() => this.#deps.book.dropArrival(Uint8Array.fromHex(text))))
    }
  }

  /** Somebody proven came: by this address, it is used from outside. */
  arrived({ origin, id, kind }: Pick<Caller, 'origin' | 'id' | 'kind'>): void {
    if (kind === 'token' || !origin.startsWith(`onion:${INVITATION}`)) return
    const service = this.#deps.services().behind(origin)
    if (!service) return
    const guest = this.#guestOf(service)
    const text = toHex(guest)
    const isKnown = this.#arrivals.has(text)
    const before = this.#arrivals.get(text)
    if (isKnown && (before === undefined || before === id)) return
    const key = isKnown ? undefined : id
    this.#arrivals.set(text, key)
    this.#report(this.#turns.take(() => this.#deps.book.keepArrival(guest, key)))
  }

  /** The addresses of other homes for this caller: of the invitation that it came by, or that is its alone. */
  othersFor({ origin, id, kind }: Pick<Caller, 'origin' | 'id' | 'kind'>): readonly OtherWay[] {
    return kind === 'token' ? [] : this.#waysOf(this.#cameAs(origin, id))
  }

  #waysOf(guest: Uint8Array | undefined): readonly OtherWay[] {
    if (guest === undefined) return []
    const text = toHex(guest)
    return this.#deps.papers.members().flatMap(({ id: member, name }) => {
      const offer = this.#offers.get(member)?.find((each) => toHex(each.guest) === text)
      return offer ? [{ home: name, address: onionAddress(offer.onion), clientKey: offer.clientKey }] : []
    })
  }

  /** Where else whoever came by this invitation of ours is answered. */
  elsewhere(service: Pick<ServiceView, 'address'>): readonly OtherWay[] {
    return this.#waysOf(this.#guestOf(service))
  }

  /** For whom another daemon asked us to offer this address: that one, and the key, if it is one's alone. */
  invitedBy(service: string): { readonly home: string; readonly key: PartyId | undefined } | undefined {
    const host = this.#deps.papers.members().find(({ id }) => this.#asksFor(id, service))
    const text = guestIn(service)
    const item = host && this.#asked.get(host.id)?.find(({ guest }) => toHex(guest) === text)
    return item && { home: host.name, key: item.key }
  }

  /** Of the list for who comes by this invitation: another list has another mark. Undefined for any other origin. */
  markFor(origin: string): string | undefined {
    if (!origin.startsWith(`onion:${INVITATION}`) || !this.#deps.services().behind(origin)) return undefined
    const ways = this.#waysOf(this.#cameAs(origin))
    if (ways.length === 0) return MARK_OF_NONE
    const text = ways.map(({ home, address, clientKey }) => [home, address, clientKey && toHex(clientKey)])
    return hash('sha256', JSON.stringify(text), 'hex').slice(0, MARK_CHARS)
  }

  /** For who came by an address that is offered for another daemon: that one. */
  hostOf(origin: string): HostView | undefined {
    const { services, papers, talk, silentSince } = this.#deps
    if (!origin.startsWith(`onion:${GUEST}`)) return undefined
    const service = services().behind(origin)?.service
    const host = papers.members().find(({ id }) => this.#asksFor(id, service))
    if (!host) return undefined
    const connected = talk.peers().includes(host.id)
    return { home: host.name, connected, ...(!connected && { heardAt: silentSince(host.id) }) }
  }

  connected(peer: PartyId): void {
    this.#told.set(peer, new Map())
    if (this.#begun) this.#tell(peer, this.#ours())
  }

  gone(peer: PartyId): void {
    this.#told.delete(peer)
  }

  /** All that this daemon has to say of guests now; what it said before counts no more. */
  async heard(peer: PartyId, word: Said): Promise<void> {
    const { book, feed, clock } = this.#deps
    if (word.word === 'guests') this.#asked.set(peer, word.guests)
    else this.#offers.set(peer, word.offers)
    this.tick()
    if (word.word === 'offers') feed.publish({ event: 'others', at: clock.now() })
    await book.keepSaid(peer, word.word, encodeTalk(word))
  }

  /** A daemon was removed. */
  async forget(member: PartyId): Promise<void> {
    const { book, feed, clock } = this.#deps
    const had = [this.#asked.delete(member), this.#offers.delete(member)]
    if (!had.includes(true)) return
    this.tick()
    feed.publish({ event: 'others', at: clock.now() })
    await book.dropSaid(member)
  }

  /** Invitations, lists and members change elsewhere: what follows from them is done now. */
  tick(): void {
    if (!this.#begun) return
    this.#tellAll()
    const wanted = [...this.#wanted().keys()].sort().join()
    if (wanted === this.#settledFor || this.#deps.clock.monotonic() < this.#restsUntil) return
    this.#settledFor = wanted
    this.#report(this.#turns.take(() => this.#settle()))
  }

  /** Resolves when what was begun until now is done. */
  settled(): Promise<void> {
    return this.#turns.take(async () => {})
  }

  /** Brings the addresses offered here in line. */
  async #settle(): Promise<void> {
    try {
      const { services, papers } = this.#deps
      const wanted = this.#wanted()
      const there = new Set(
        services()
          .list()
          .map(({ service }) => service),
      )
      for (const service of there) {
        const text = guestIn(service)
        if (text === undefined || wanted.has(text)) continue
        this.#offered.delete(text)
        await services().withdraw(service, { origin: 'mesh' })
        there.delete(service)
      }
      for (const [text, { item, member }] of wanted) {
        if (this.#offered.has(text)) continue
        const service = GUEST + toBase64url(item.guest)
        // Each new one costs tor, and an entry in the log: who asks for others all the time waits.
        const isNew = !there.has(service)
        if (isNew && (there.size >= SERVICES_MOST || !this.#makes.of(member).draw())) {
          this.#settledFor = undefined
          continue
        }
        there.add(service)
        const by = { origin: `mesh:${papers.nameOf(member)}` }
        const lent = await services().lend(service, item.authorised, by)
        if (!lent) continue
        const clientKey = lent.clientKey?.reveal()
        this.#offered.set(text, { guest: item.guest, onion: lent.key, ...(clientKey && { clientKey }) })
      }
    } catch (error) {
      this.#settledFor = undefined
      this.#restsUntil = this.#deps.clock.monotonic() + REST_MS
      throw error
    }
    this.#tellAll()
  }

  /**
   * The guests of others that are offered an address here: each daemon's oldest first, then each one's second, as many as there
   * may be. So one that asks for many takes nothing from another.
   */
  #wanted(): Map<string, { readonly item: GuestItem; readonly member: PartyId }> {
    const { own, papers, stands, most } = this.#deps
    const wanted = new Map<string, { readonly item: GuestItem; readonly member: PartyId }>()
    if (papers.isRemoved(own)) return wanted
    const asked = papers
      .members()
      .filter(({ id }) => id !== own)
      .map(({ id }) => ({
        member: id,
        guests: (this.#asked.get(id) ?? []).filter(({ key }) => key === undefined || stands(key)),
      }))
    for (let rank = 0; rank < GUESTS_MAX; rank++) {
      for (const { member, guests } of asked) {
        const item = guests[rank]
        if (!item) continue
        if (wanted.size >= most) return wanted
        const text = toHex(item.guest)
        if (!wanted.has(text)) wanted.set(text, { item, member })
      }
    }
    return wanted
  }

  /** Our invitations that others should answer too, the oldest first. */
  #ours(): readonly GuestItem[] {
    const { services, stands } = this.#deps
    return services()
      .list()
      .flatMap((service) => {
        if (!service.service.startsWith(INVITATION)) return []
        const guest = this.#guestOf(service)
        const text = toHex(guest)
        const key = this.#arrivals.get(text)
        if (!this.#arrivals.has(text) || (key !== undefined && !stands(key))) return []
        return [{ guest, authorised: service.authorised, ...(key !== undefined && { key }) }]
      })
      .slice(0, GUESTS_MAX)
  }

  /** The invitation by which a caller came, as far as it is one of ours that holds. */
  #cameAs(origin: string, id?: PartyId): Uint8Array | undefined {
    const service = this.#deps.services().behind(origin)
    if (service?.service.startsWith(INVITATION)) return this.#guestOf(service)
    if (origin !== 'lan' && origin !== 'unix') return undefined
    return id && this.#ours().find(({ key }) => key === id)?.guest
  }

  #asksFor(member: PartyId, service: string | undefined): boolean {
    return (
      member !== this.#deps.own &&
      (this.#asked.get(member) ?? []).some(({ guest }) => GUEST + toBase64url(guest) === service)
    )
  }

  #tellAll(): void {
    if (this.#told.size === 0) return
    const ours = this.#ours()
    for (const peer of this.#told.keys()) this.#tell(peer, ours)
  }

  #tell(peer: PartyId, ours: readonly GuestItem[]): void {
    const told = this.#told.get(peer)
    if (!told || !this.#deps.papers.isMember(peer)) return
    const asked = this.#asked.get(peer) ?? []
    const offers = asked.flatMap(({ guest }) => this.#offered.get(toHex(guest)) ?? [])
    const words: readonly Said[] = [
      { word: 'guests', guests: ours },
      { word: 'offers', offers },
    ]
    for (const word of words) {
      const bytes = toHex(encodeTalk(word))
      if (told.get(word.word) === bytes) continue
      told.set(word.word, bytes)
      this.#deps.talk.say(peer, word)
    }
  }

  #guestOf({ address }: Pick<ServiceView, 'address'>): Uint8Array {
    const known = this.#ids.get(address)
    if (known) return known
    const guest = guestId(address)
    if (this.#ids.size >= IDS_MAX) this.#ids.clear()
    this.#ids.set(address, guest)
    return guest
  }

  #report(done: Promise<unknown>): void {
    done.catch((error) => this.#deps.log.taskFailed('mesh', error))
  }
}

/** Only so that a hash is not made anew at each request. */
const IDS_MAX = 1024

/** The guest that an address here is offered to, in hexadecimal. */
function guestIn(service: string): string | undefined {
  if (!service.startsWith(GUEST)) return undefined
  return Buffer.from(service.slice(GUEST.length), 'base64url').toString('hex')
}
