// SPDX-License-Identifier: GPL-3.0-or-later
import { DEVICE_ENVELOPE_BYTES_MAX, PAST_BYTES_MAX, PAST_READINGS_MAX } from '../../../schemas/gen/ts/wire.ts'
import type { Clock, Instant } from '../../base/clock.ts'
import {
  type Act,
  type Ed25519,
  type Frame,
  type Message,
  openEnvelope,
  type Reading,
  type Receipt,
} from '../envelope/index.ts'
import { idOf, type PartyId } from '../model/index.ts'
import type { DeviceBook, ReadingBook } from '../ports.ts'
import type { FarThings } from './far.ts'
import type { FarReadingBook, PastReading, PastSource } from './ports.ts'
import type { TalkWord } from './words.ts'

export type PastMessage = Message<Reading> | Message<Receipt> | Message<Act>
type AskedWord = TalkWord & { readonly word: 'past' }
type PassedWord = TalkWord & { readonly word: 'passed' }

export interface HistoryDeps {
  readonly clock: Clock
  readonly ed25519: Ed25519
  readonly home: PartyId
  readonly book: FarReadingBook
  /** Of which this daemon has charge. */
  readonly devices: DeviceBook
  readonly far: FarThings
  /** One value of each affordance in so many seconds is enough here; 0: all of them. */
  readonly everyS: number
  readonly say: (peer: PartyId, word: TalkWord) => void
}

interface Want {
  readonly device: PartyId
  readonly source: PastSource
  /** Nothing of this moment or later; 0: everything. */
  readonly until: Instant
}

interface Asking {
  readonly wants: Want[]
  /** Our own devices whose past it was asked for. */
  readonly asked: Set<PartyId>
  /** What was asked and not answered, and since when. */
  open?: { readonly want: Want; readonly since: Instant } | undefined
}

/** How long changes gather before they are asked for. */
const GATHER_MS = 30_000
/** An answer that does not come in this time is asked for again. */
const STALLED_MS = 120_000
const SAID: ReadonlySet<string> = new Set(['reading', 'receipt', 'act'])

/**
 * Readings of other homes, and of our own devices from before they were ours (SPEC 14.8): asked for at the resolution that is
 * wanted here, a page at a time, each page from where the one before ended. Only what a device sealed is kept.
 */
export class Histories {
  readonly #deps: HistoryDeps
  readonly #peers = new Map<PartyId, Asking>()
  readonly #changed = new Map<PartyId, Set<PartyId>>()
  #gatheredAt: Instant = 0

  constructor(deps: HistoryDeps) {
    this.#deps = deps
  }

  connected(peer: PartyId): void {
    const asking = { wants: [], asked: new Set<PartyId>() }
    this.#peers.set(peer, asking)
    this.#wantOwn(asking)
    this.#ask(peer)
  }

  gone(peer: PartyId): void {
    this.#peers.delete(peer)
    this.#changed.delete(peer)
  }

  /** That home has told of this device. */
  told(peer: PartyId, device: PartyId): void {
    this.#want(peer, device)
    this.#ask(peer)
  }

  /** That home has a new reading of it. */
  changed(peer: PartyId, device: PartyId): void {
    const known = this.#changed.get(peer) ?? new Set()
    this.#changed.set(peer, known.add(device))
  }

  tick(): void {
    const now = this.#deps.clock.now()
    for (const [peer, asking] of this.#peers) {
      if (asking.open && now - asking.open.since >= STALLED_MS) {
        asking.wants.push(asking.open.want)
        asking.open = undefined
      }
      this.#wantOwn(asking)
      this.#ask(peer)
    }
    if (now - this.#gatheredAt < GATHER_MS && this.#gatheredAt <= now) return
    this.#gatheredAt = now
    for (const [peer, devices] of this.#changed) {
      this.#changed.delete(peer)
      for (const device of devices) this.#want(peer, device)
      this.#ask(peer)
    }
  }

  /** A daemon of the home asks: a page of what follows, thinned as it likes. */
  answer(peer: PartyId, { device, source, after, until, everyS }: AskedWord): void {
    const { book, say } = this.#deps
    const page = book.page(device, source, after, PAST_READINGS_MAX)
    const wanted = thinned(
      page.readings.flatMap((reading) => this.#trusted(device, reading) ?? []),
      everyS,
    ).filter(({ message, receivedAt }) => until === 0 || timeOf(message, receivedAt) < until)
    const fitting: PastReading[] = []
    let bytes = 0
    for (const { reading } of wanted) {
      bytes += reading.frame.length
      if (bytes > PAST_BYTES_MAX) break
      fitting.push(reading)
    }
    const isCut = fitting.length < wanted.length
    const last = isCut ? fitting.at(-1)!.number : page.last
    say(peer, { word: 'passed', device, source, last, more: isCut || page.more, readings: fitting })
  }

  async heard(peer: PartyId, { device, source, last, more, readings }: PassedWord): Promise<void> {
    const asking = this.#peers.get(peer)
    const { book } = this.#deps
    const open = asking?.open
    if (!asking || open?.want.device !== device || open.want.source !== source) return
    asking.open = undefined
    const messages = readings.flatMap(({ receivedAt, frame }) => {
      const message = this.#open(device, frame, this.#deps.ed25519)
      return message ? [{ message, receivedAt }] : []
    })
    const before = book.cursor(peer, device, source)
    await book.keep({ member: peer, device, source, last: Math.max(last, before), messages })
    // Who says that there is more and moves nowhere would be asked for ever.
    if (more && last > before) asking.wants.unshift(open.want)
    this.#ask(peer)
  }

  /** What our own devices sealed before they came here, once in a connection. */
  #wantOwn({ wants, asked }: Asking): void {
    for (const { id, enrolledAt } of this.#deps.devices.list()) {
      if (asked.has(id)) continue
      asked.add(id)
      wants.push(
        { device: id, source: 'own', until: enrolledAt },
        { device: id, source: 'kept', until: enrolledAt },
      )
    }
  }

  #want(peer: PartyId, device: PartyId): void {
    const wants = this.#peers.get(peer)?.wants
    const isWanted = wants?.some((want) => want.device === device && want.source === 'own')
    if (!isWanted) wants?.push({ device, source: 'own', until: 0 })
  }

  #ask(peer: PartyId): void {
    const { book, clock, everyS, say, far, devices } = this.#deps
    const asking = this.#peers.get(peer)
    if (!asking || asking.open) return
    const isTold = ({ device }: Want) => devices.get(device) || far.get(device)?.member === peer
    let want = asking.wants.shift()
    while (want && !isTold(want)) want = asking.wants.shift()
    if (!want) return
    const { device, source, until } = want
    asking.open = { want, since: clock.now() }
    say(peer, { word: 'past', device, source, after: book.cursor(peer, device, source), until, everyS })
  }

  /** Our own disk's: the seal was checked before it was kept. */
  #trusted(device: PartyId, reading: PastReading) {
    const message = this.#open(device, reading.frame, { ...this.#deps.ed25519, verify: () => true })
    return message && { message, receivedAt: reading.receivedAt, reading }
  }

  #open(device: PartyId, frame: Frame, ed25519: Ed25519): PastMessage | undefined {
    const opened = openEnvelope(
      frame,
      {
        sizeMax: DEVICE_ENVELOPE_BYTES_MAX,
        accepts: (body, signer) => SAID.has(body.type) && idOf(signer) === device,
        isAudience: (body) => body.audience === this.#deps.home,
      },
      ed25519,
    )
    return opened.ok ? (opened.value as PastMessage) : undefined
  }
}

type Timed = { readonly message: PastMessage; readonly receivedAt: Instant }

function timeOf({ body }: PastMessage, receivedAt: Instant): Instant {
  return body.values.find(({ at }) => at > 0)?.at ?? receivedAt
}

/** Of each affordance the first in each span of so many seconds; a message stays if anything in it does. */
function thinned<T extends Timed>(readings: readonly T[], everyS: number): readonly T[] {
  const last = new Map<number, number>()
  return readings.filter(({ message, receivedAt }) => {
    let isNews = false
    for (const { affordance, at } of message.body.values) {
      const span = everyS === 0 ? Number.NaN : Math.floor((at || receivedAt) / (everyS * 1000))
      if (last.get(affordance) === span) continue
      last.set(affordance, span)
      isNews = true
    }
    return isNews
  })
}

/** Our own readings, and behind them what is kept of other homes and of the time before a device was here. */
export function withHistories(readings: ReadingBook, past: FarReadingBook): ReadingBook {
  return {
    append: (device, message, receivedAt, entry) => readings.append(device, message, receivedAt, entry),
    reportedBy: (device) => readings.reportedBy(device),
    history(device, affordance, since, limit) {
      const here = readings.history(device, affordance, since, limit)
      const there = past.history(device, affordance, since, limit)
      if (there.length === 0) return here
      const all = [...here, ...there].sort((a, b) => a.at - b.at)
      const once = all.filter(({ at, value }, i) => all[i - 1]?.at !== at || all[i - 1]?.value !== value)
      return once.slice(-limit)
    },
  }
}
