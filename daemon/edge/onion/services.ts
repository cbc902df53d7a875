// SPDX-License-Identifier: GPL-3.0-or-later
import { Backoff } from '../../base/backoff.ts'
import type { Clock } from '../../base/clock.ts'
import { ignore, isCode, sentenceOf, type Verdict } from '../../base/error.ts'
import { abortable, Latch } from '../../base/lifetime.ts'
import type { Log } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import { type Control, obey } from './control.ts'
import { type OnionCode, OnionError } from './error.ts'
import { Offer, type OnionCause, type OnionService, type OnionStatus } from './offer.ts'
import type { Reply } from './reply.ts'
import { revoke } from './revoke.ts'
import { Slots } from './slots.ts'

export interface ServicesDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Settles once tor can build circuits. */
  readonly ready: () => Promise<void>
  readonly probe: (offer: Offer, signal: AbortSignal) => Promise<Verdict<void, OnionCode>>
  readonly changed: (status: OnionStatus) => void
  /** Where a tor of our own runs; targets are told from there. */
  readonly torDirectory?: string | undefined
}

/** Measured: a tor that is given 50 at once loses half of them and stops answering for 19 s; ten are no burden. */
export const PUBLISHING_MAX = 10
const SERVICES_MAX = 200
/** How long one address may hold up the next when no directory takes it. */
const PATIENCE_MS = 30_000
const NO_UPLOAD_MS = 120_000
const REFUSED_PAUSE_MS = 5000
/** The first directory has it; the other eleven follow within the second. */
const FIRST_PROBE_MS = 1500
const PROBES_AT_ONCE = 2
const PROBE_AGAIN = { firstMs: 3000, msMax: 300_000 }
/** How long our own address must be unknown before it is added again, and how long that wait may grow. */
const FORGOTTEN = { firstMs: 60_000, msMax: 1_800_000 }

/**
 * Causes that publishing anew can cure: the directories forgot us, or know introduction points that are gone; or the circuits to
 * these hang, which tor never tells: a relay that stands still keeps its connections open, and the first one of ours has them all.
 */
const CURABLE: ReadonlySet<OnionCode> = new Set<OnionCode>([
  ...(['no-descriptor', 'bad-descriptor', 'introduction-failed'] as const),
  ...(['introduction-timeout', 'rendezvous-failed', 'ttl-expired', 'not-served', 'dial-timeout'] as const),
])

interface Session {
  readonly control: Control
  readonly signal: AbortSignal
  readonly slots: Slots
  readonly failed: Latch<never>
}

/** Every service the daemon offers, kept in whichever tor there is at the time. */
export class Services {
  readonly #deps: ServicesDeps
  readonly #probeEveryMs: number
  readonly #offers = new Map<string, Offer>()
  readonly #probes = new Slots(PROBES_AT_ONCE)
  /** Withdrawn while no tor listened; what a tor that outlived us still holds of them is cut first of all. */
  readonly #toRevoke = new Set<string>()
  #session: Session | undefined

  constructor(deps: ServicesDeps, probeEveryMs: number) {
    this.#deps = deps
    this.#probeEveryMs = probeEveryMs
  }

  /** @throws OnionError bad-service | bad-path | name-taken | address-taken | too-many */
  offer(service: OnionService): string {
    if (this.#offers.has(service.name)) {
      throw new OnionError('name-taken', `an onion service named ${service.name} is already offered`)
    }
    if (this.#offers.size >= SERVICES_MAX) {
      throw new OnionError('too-many', `${SERVICES_MAX} onion services are the most one tor is given`)
    }
    const { clock, torDirectory, changed } = this.#deps
    const offer = new Offer(service, torDirectory, () => clock.now(), changed)
    for (const other of this.#offers.values()) {
      if (other.id === offer.id) {
        throw new OnionError(
          'address-taken',
          `${service.name} and ${other.service.name} would have one address`,
        )
      }
    }
    this.#offers.set(service.name, offer)
    this.#deps.changed(offer.status)
    if (this.#session !== undefined) this.#begin(offer, this.#session)
    return offer.key.address
  }

  async withdraw(name: string): Promise<void> {
    const offer = this.#offers.get(name)
    if (offer === undefined) return
    this.#offers.delete(name)
    offer.withdrawn.abort(new OnionError('closed', `${name} was withdrawn`))
    this.#toRevoke.add(offer.id)
    const session = this.#session
    if (session === undefined) return
    try {
      await this.#revokeIn(session, offer.id)
    } catch (error) {
      // A withdrawal that lost its tor is finished by the next one; any other failure is the session's.
      if (!session.signal.aborted) session.failed.fail(error)
    }
    this.#deps.log.say('info', 'onion-withdrawn', { name })
  }

  /** Measures it now, not when its turn comes. Does nothing for names that are not offered. */
  doubt(name: string): void {
    this.#offers.get(name)?.doubt()
  }

  status(name: string): OnionStatus | undefined {
    return this.#offers.get(name)?.status
  }

  statuses(): readonly OnionStatus[] {
    return [...this.#offers.values()].map((offer) => offer.status)
  }

  /** Keeps all services in this tor for as long as it is there; always ends by a throw. */
  async serve(control: Control, signal: AbortSignal): Promise<never> {
    const lost = new AbortController()
    const session: Session = {
      control,
      signal: AbortSignal.any([signal, lost.signal]),
      slots: new Slots(PUBLISHING_MAX),
      failed: new Latch<never>(),
    }
    using _events = control.onEvent((event) => this.#hear(event))
    try {
      await Promise.all([...this.#toRevoke].map((id) => this.#revokeIn(session, id)))
      this.#session = session
      for (const offer of this.#offers.values()) this.#begin(offer, session)
      throw await Promise.race([control.closed, session.failed.promise])
    } finally {
      this.#session = undefined
      lost.abort(new OnionError('control-closed', 'tor is gone'))
      for (const offer of this.#offers.values()) offer.become('queued', cause('tor-died', 'tor is starting'))
    }
  }

  async #revokeIn(session: Session, id: string): Promise<void> {
    await revoke(this.#deps.clock, session.control, id, session.signal)
    this.#toRevoke.delete(id)
  }

  #begin(offer: Offer, session: Session): void {
    const signal = AbortSignal.any([session.signal, offer.withdrawn.signal])
    this.#keep(offer, session, signal).catch((error) => {
      if (signal.aborted) ignore(error, 'withdrawn, or tor is gone and the next session begins anew')
      else session.failed.fail(error)
    })
  }

  async #keep(offer: Offer, session: Session, signal: AbortSignal): Promise<never> {
    const again = new Backoff(this.#deps.random, FORGOTTEN)
    for (;;) {
      await this.#publish(offer, session, signal)
      await this.#watch(offer, again, signal)
      this.#deps.log.say('warn', 'onion-published-again', { name: offer.service.name })
      // Without cutting anything: who is connected stays connected, and the address comes back at once.
      await session.control.command(`DEL_ONION ${offer.id}`)
    }
  }

  async #publish(offer: Offer, session: Session, signal: AbortSignal): Promise<void> {
    offer.become('queued')
    using _slot = await session.slots.take(signal)
    offer.firstUpload = new Latch()
    offer.become('publishing')
    await this.#add(offer, session.control, signal)
    await this.#uploadWithin(offer, PATIENCE_MS, signal)
  }

  async #add(offer: Offer, control: Control, signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        return await this.#addOnce(offer, control)
      } catch (error) {
        signal.throwIfAborted()
        if (!isCode(error, 'command-refused')) throw error
        this.#settle(offer, 'unreachable', cause('command-refused', sentenceOf(error)))
        await this.#deps.clock.sleep(REFUSED_PAUSE_MS, signal)
        await control.command(`DEL_ONION ${offer.id}`)
      }
    }
  }

  async #addOnce(offer: Offer, control: Control): Promise<void> {
    const { lines } = await obey(control, offer.addCommand())
    if (!lines.some(({ text }) => text === `ServiceID=${offer.id}`)) {
      throw new OnionError('reply-unexpected', `tor published ${offer.service.name} under another address`)
    }
    const probeKey = offer.probeKeyCommand()
    if (probeKey !== undefined) await obey(control, probeKey)
  }

  /** Waits for the first upload, counting time only while tor has a network. @returns whether it came */
  async #uploadWithin(offer: Offer, ms: number, signal: AbortSignal): Promise<boolean> {
    const waited = new AbortController()
    const both = AbortSignal.any([signal, waited.signal])
    const patience = abortable(this.#deps.ready(), both)
      .then(() => this.#deps.clock.sleep(ms, both))
      .then(() => false)
    const upload = offer.firstUpload.promise.then(() => true)
    try {
      return await Promise.race([upload, patience])
    } finally {
      waited.abort()
    }
  }

  /** Returns when the service should be published anew. */
  async #watch(offer: Offer, again: Backoff, signal: AbortSignal): Promise<void> {
    if (!(await this.#uploadWithin(offer, NO_UPLOAD_MS, signal))) {
      return this.#settle(offer, 'unreachable', cause('no-upload', 'no directory has taken this address'))
    }
    if (!offer.measurable) {
      this.#settle(offer, 'published', cause('authorisation-missing', 'not measured: there is no probe key'))
      await abortable(new Promise<never>(() => {}), signal)
    }
    await this.#deps.clock.sleep(FIRST_PROBE_MS, signal)
    await this.#probeWhileKnown(offer, again, signal)
  }

  async #probeWhileKnown(offer: Offer, again: Backoff, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#deps
    const retry = new Backoff(random, PROBE_AGAIN)
    const forgottenMs = again.nextMs()
    let failures = 0
    let curableSince: number | undefined
    for (;;) {
      const doubted = offer.believe()
      const began = clock.monotonic()
      const verdict = await this.#probe(offer, signal)
      if (verdict.ok) {
        failures = 0
        curableSince = undefined
        retry.reset()
        again.reset()
        this.#settle(offer, 'reachable')
        await this.#rest(this.#probeEveryMs * (0.75 + random.fraction() / 2), doubted, signal)
        continue
      }
      failures++
      // One failed circuit is nothing to frighten people with; a dead target is certain at once.
      const certain = failures > 1 || verdict.why === 'target-dead'
      const state = certain ? 'unreachable' : offer.status.state
      this.#settle(offer, state, cause(verdict.why, verdict.detail ?? verdict.why))
      curableSince = CURABLE.has(verdict.why) ? (curableSince ?? began) : undefined
      if (curableSince !== undefined && clock.monotonic() - curableSince >= forgottenMs) return
      await clock.sleep(retry.nextMs(), signal)
    }
  }

  async #rest(ms: number, doubted: AbortSignal, signal: AbortSignal): Promise<void> {
    try {
      await this.#deps.clock.sleep(ms, AbortSignal.any([signal, doubted]))
    } catch (error) {
      signal.throwIfAborted()
      ignore(error, 'it is doubted')
    }
  }

  async #probe(offer: Offer, signal: AbortSignal): Promise<Verdict<void, OnionCode>> {
    using _turn = await this.#probes.take(signal)
    await abortable(this.#deps.ready(), signal)
    const verdict = await this.#deps.probe(offer, signal)
    signal.throwIfAborted()
    offer.probed()
    return verdict
  }

  #settle(offer: Offer, state: OnionStatus['state'], why?: OnionCause): void {
    const before = offer.status
    offer.become(state, why)
    if (before.state === state && before.cause?.code === why?.code) return
    const level = state === 'unreachable' ? 'warn' : 'info'
    // The address is half a key to the house: the diary holds the name alone.
    this.#deps.log.say(level, 'onion-state', { name: offer.service.name, state, cause: why?.code })
  }

  #hear(event: Reply): void {
    const uploaded = /^HS_DESC UPLOADED ([a-z2-7]{56}) /.exec(event.lines[0]!.text)
    if (uploaded === null) return
    for (const offer of this.#offers.values()) {
      if (offer.id !== uploaded[1]) continue
      offer.uploaded()
      if (offer.status.state === 'publishing') this.#settle(offer, 'published')
    }
  }
}

function cause(code: OnionCode, sentence: string): OnionCause {
  return { code, sentence }
}
