// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The page's side of the HTTP API (SPEC 9): an action enters, what happens because of it leaves as happenings of state.ts.
 *
 * Always true: an action never rejects; its failure is a happening with a code that the page has words for. What a device is
 * said to have done comes from a receipt that it sealed.
 */
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import { keyOf, type PartyId } from '../core/model/index.ts'
import {
  type Move,
  type Others,
  type Papers,
  type Picture,
  readEvent,
  readHistory,
  type Thing,
} from './answers.ts'
import { Asker } from './ask.ts'
import { carryOut, type PassedStage, type Wish } from './command.ts'
import { type DealDeps, give, removePerson, renamePerson, takeBack, withdrawAddress } from './deal.ts'
import { failureOf, PageError } from './error.ts'
import { endForm, listForms, makeForm } from './form.ts'
import type { NewPhone } from './guest.ts'
import { Guests } from './guests.ts'
import type { Keep } from './keep.ts'
import { capabilityOf } from './kind.ts'
import { Log } from './log.ts'
import { Near } from './near.ts'
import { judged, type KnownGrant, type KnownPerson, readGrants, readPeople, type Terms } from './people.ts'
import type { Person } from './person.ts'
import { fetchPicture, type Wanted } from './picture.ts'
import { type Believed, believe, prove } from './proof.ts'
import {
  type Happening,
  type LogFilter,
  pictureKey,
  progressKey,
  type Standing,
  type State,
} from './state.ts'
import { WAYS_MAX } from './ways.ts'

/** Everything that a person can have done. */
export type Action =
  | { readonly act: 'command'; readonly wish: Wish }
  | { readonly act: 'history'; readonly thing: PartyId; readonly property: string; readonly since: number }
  /** The newest that is kept, of a property `still`. */
  | { readonly act: 'picture'; readonly thing: PartyId; readonly property: string }
  /** From the newest on, a page further back, or what came meanwhile. */
  | { readonly act: 'log'; readonly read: 'older' | 'newer' | LogFilter }
  | { readonly act: 'people' }
  | { readonly act: 'give'; readonly to: KnownPerson; readonly terms: Terms }
  /** A grant, or a phone by its key. */
  | { readonly act: 'take-back'; readonly what: KnownGrant | PartyId }
  | { readonly act: 'rename-person'; readonly id: string; readonly name: string }
  /** Somebody of whom no phone and no grant holds any more. */
  | { readonly act: 'remove-person'; readonly id: string }
  /** The address of a phone that this person let in, by the name of its invitation. */
  | { readonly act: 'withdraw'; readonly invitation: string }
  /** Lets another phone in: a code, then a yes or no to who asks with it. */
  | { readonly act: 'invite'; readonly phone: NewPhone }
  | { readonly act: 'admit' }
  | { readonly act: 'decline' }
  /** Pages without scripts: which there are, one more, one less. */
  | { readonly act: 'forms' }
  | { readonly act: 'make-form'; readonly terms: readonly Terms[] }
  | { readonly act: 'end-form'; readonly name: string }

export interface ApiDeps {
  readonly clock: Clock
  readonly random: Random
  readonly fetch: typeof fetch
  readonly keep: Keep
  /** Of the page. */
  readonly origin: string
  readonly person: Person
  readonly state: () => State
  readonly tell: (happening: Happening) => void
}

/** The hub says something every 15 s. */
const SILENCE_MS_MAX = 50_000

export class Api {
  readonly #deps: ApiDeps
  readonly #asker: Asker
  readonly #near: Near
  readonly #signal: AbortSignal
  readonly #guests: Guests
  readonly #log: Log
  #believed: Believed | undefined

  constructor(deps: ApiDeps, signal: AbortSignal) {
    this.#deps = deps
    this.#asker = new Asker(deps, deps.person)
    this.#near = new Near(deps)
    this.#signal = signal
    this.#guests = new Guests({ ...deps, asker: this.#asker }, signal)
    this.#log = new Log({ ...deps, asker: this.#asker, believed: () => this.#believed }, signal)
  }

  perform(action: Action): Promise<void> {
    switch (action.act) {
      case 'command':
        return this.#command(action.wish)
      case 'history':
        return this.#history(action)
      case 'picture':
        return this.#picture(action)
      case 'log':
        return this.#readLog(action.read)
      case 'people':
        return this.#people(async () => {})
      case 'give':
        return this.#people((deps) => give(deps, action.to, action.terms, this.#signal))
      case 'take-back':
        return this.#people((deps) => takeBack(deps, action.what, this.#signal))
      case 'rename-person':
        return this.#people((deps) => renamePerson(deps, action.id, action.name, this.#signal))
      case 'remove-person':
        return this.#people((deps) => removePerson(deps, action.id, this.#signal))
      case 'withdraw':
        return this.#people((deps) => withdrawAddress(deps, action.invitation, this.#signal))
      case 'invite':
        return this.#guests.invite(action.phone)
      case 'admit':
        return this.#guests.admit().then(() => this.#people(async () => {}))
      case 'decline':
        return this.#guests.decline()
      case 'forms':
        return this.#forms(async () => undefined)
      case 'make-form':
        return this.#forms((deps, hub) => makeForm({ ...deps, hub }, action.terms, this.#signal))
      case 'end-form':
        return this.#forms((deps) => endForm(deps, action.name, this.#signal))
    }
  }

  #readLog(read: (Action & { act: 'log' })['read']): Promise<void> {
    if (read === 'older') return this.#log.older()
    return read === 'newer' ? this.#log.newer() : this.#log.show(read)
  }

  /**
   * Follows the home until the stream ends; resolves when what is held may be wrong and it should be opened anew.
   * @throws PageError when the home cannot be reached or believed
   */
  async follow(signal: AbortSignal): Promise<void> {
    const { tell } = this.#deps
    const call = { method: 'GET', path: '/events?home=1', accept: 'text/event-stream' } as const
    let name = ''
    for await (const line of this.#asker.lines(call, SILENCE_MS_MAX, signal)) {
      if (line.startsWith('event: ')) name = line.slice('event: '.length)
      if (!line.startsWith('data: ')) continue
      const event = readEvent(name, line.slice('data: '.length))
      if (event?.event === 'changed') return
      if (event?.event === 'home') {
        const picture = this.#believe(event.picture)
        tell({ it: 'opened', picture })
        void this.#proveAll(picture.things)
      }
      if (event?.event === 'moved' && this.#isElsewhere(event.moved))
        tell({ it: 'moved', moved: event.moved })
      if (event?.event === 'others') {
        // Whether the other home answers is also news of its devices.
        if (event.others.host?.connected !== this.#deps.state().others?.host?.connected) return
        tell({ it: 'others', others: this.#keepOthers(event.others) })
      }
      if (event?.event === 'still') this.#renewPictures(event.device)
      if (event?.event === 'logged') tell({ it: 'logged' })
      if (event?.event === 'reading') tell({ it: 'read', thing: event.device, values: event.values })
      if (event?.event === 'presence') {
        if (!this.#deps.state().things.has(event.device)) return
        const { device, connected, at, unreachable } = event
        tell({ it: 'presence', thing: device, connected, at, unreachable })
      }
    }
  }

  /** Asks the devices that have a server of their own how they stand: once each, one after the other. */
  async lookAround(): Promise<void> {
    const { state, tell } = this.#deps
    for (const thing of [...state().things.values()]) {
      if (!this.#believed || !this.#near.reaches(thing, true)) continue
      const values = await this.#near.read(thing, this.#believed, this.#signal).catch(() => undefined)
      if (state().link.kind === 'live') return
      if (values) tell({ it: 'read', thing: thing.id, values })
      tell({ it: 'near', thing: thing.id, answers: values !== undefined })
    }
  }

  /** The picture as far as it is proved: owners are those whom the root did not take back, whatever the home says. */
  #believe(picture: Picture): Picture {
    const { person, keep } = this.#deps
    this.#believed = believe(picture, person.root, person.ed25519, keep.revocations())
    const { trust } = this.#believed
    keep.setRevocations(trust.revocations.map(({ frame }) => frame))
    const { moved, here, others, host } = picture
    return {
      ...picture,
      ...(here !== undefined && others && this.#keepOthers({ here, others, host })),
      owners: picture.owners.filter(({ key }) => trust.isOwner(keyOf(key))),
      moved: moved && this.#isElsewhere(moved) ? moved : undefined,
    }
  }

  /** Those of the home that let this phone in; another one does not know them, and what came along with the key stays. */
  #keepOthers(told: Others): Others {
    const others = told.others.filter((each) => this.#isElsewhere(each)).slice(0, WAYS_MAX)
    if (!told.host) this.#deps.keep.setOthers(others)
    return { ...told, others }
  }

  /** Only an onion sends to another; where one is already, one need not go. */
  #isElsewhere({ address }: Move): boolean {
    const { protocol, hostname } = new URL(this.#deps.origin)
    return protocol === 'http:' && hostname.endsWith('.onion') && hostname !== address
  }

  /** One after the other with a pause between, so that a slow phone stays responsive. */
  async #proveAll(things: readonly Thing[]): Promise<void> {
    for (const thing of things) {
      await this.#deps.clock.sleep(0)
      if (this.#signal.aborted) return
      this.#deps.tell({ it: 'proved', thing: thing.id, standing: this.#standingOf(thing) })
    }
  }

  #standingOf(thing: Thing): Standing {
    if (!thing.hello || !this.#believed) return { kind: 'unchecked' }
    try {
      const { recordName } = prove(thing, this.#believed)
      if (recordName === undefined) return { kind: 'unconfirmed' }
      return recordName === thing.name ? { kind: 'confirmed' } : { kind: 'renamed', recordName }
    } catch (error) {
      if (error instanceof PageError && error.code === 'distrust') return { kind: 'distrusted' }
      throw error
    }
  }

  async #command(wish: Wish): Promise<void> {
    const { person, state, tell } = this.#deps
    const key = progressKey(wish.thing, wish.name)
    const thing = state().things.get(wish.thing)
    const running = state().progress.get(key)?.stage
    if (!thing || !this.#believed || (running && running !== 'done' && running !== 'failed')) return
    tell({ it: 'progress', key, progress: { stage: 'sealing' } })
    let command: Uint8Array | undefined
    try {
      const deps = {
        asker: this.#asker,
        near: this.#near,
        alone: state().link.kind === 'lost',
        person,
        believed: this.#believed,
        onStage: (stage: PassedStage) => tell({ it: 'progress', key, progress: { stage } }),
        onSealed: (sealed: Uint8Array) => {
          command = sealed
        },
        onPapers: (told: PartyId, papers: Papers) => tell({ it: 'papers', thing: told, papers }),
      }
      const { values, direct } = await carryOut(deps, thing, wish, this.#signal)
      tell({ it: 'read', thing: thing.id, values })
      tell({ it: 'progress', key, progress: { stage: 'done', direct } })
      const taken = values.find(({ property }) => capabilityOf(property)?.name === 'still')
      if (taken && command) await this.#picture({ thing: thing.id, property: taken.property, command })
    } catch (error) {
      const { code, detail } = failureOf(error)
      tell({ it: 'progress', key, progress: { stage: 'failed', code, detail } })
    }
  }

  /** The newest picture is another now: those that are shown follow. */
  #renewPictures(thing: PartyId): void {
    for (const [key, { stage }] of this.#deps.state().pictures) {
      const [id, property] = key.split(' ') as [PartyId, string]
      if (id === thing && stage !== 'coming') void this.#picture({ thing, property })
    }
  }

  async #picture({ thing, property, command }: Wanted): Promise<void> {
    const { clock, tell } = this.#deps
    if (!this.#believed) return
    const key = pictureKey(thing, property)
    tell({ it: 'picture', key, view: { stage: 'coming' } })
    const onProgress = (got: number, size: number) =>
      tell({ it: 'picture', key, view: { stage: 'coming', got, size } })
    try {
      const deps = { clock, asker: this.#asker, believed: this.#believed, onProgress }
      const picture = await fetchPicture(deps, { thing, property, command }, this.#signal)
      tell({ it: 'picture', key, view: { stage: 'there', picture } })
    } catch (error) {
      tell({ it: 'picture', key, view: { stage: 'failed', code: failureOf(error).code } })
    }
  }

  async #history({ thing, property, since }: Action & { act: 'history' }): Promise<void> {
    const { tell } = this.#deps
    const view = { thing, property, since }
    tell({ it: 'history', view: { ...view, samples: undefined } })
    try {
      const path = `/things/${thing}/history?property=${encodeURIComponent(property)}&since=${since}&limit=2000`
      const samples = readHistory(await this.#asker.json({ method: 'GET', path }, this.#signal))
      tell({ it: 'history', view: { ...view, samples } })
    } catch (error) {
      tell({ it: 'history', view: { ...view, samples: [], failed: failureOf(error).code } })
    }
  }

  /** Does something to people or grants, and asks how they are then. */
  async #people(first: (deps: DealDeps) => Promise<void>): Promise<void> {
    const { person, random, tell } = this.#deps
    tell({ it: 'people', people: { loading: true, failed: undefined } })
    const asker = this.#asker
    const get = (path: string) => asker.json({ method: 'GET', path }, this.#signal)
    try {
      await first({ asker, person, random })
      const [people, grants] = await Promise.all([get('/people'), get('/grants')])
      tell({
        it: 'people',
        people: {
          ...judged({ people: readPeople(people), grants: readGrants(grants) }, this.#believed?.trust),
          loading: false,
        },
      })
    } catch (error) {
      tell({ it: 'people', people: { loading: false, failed: failureOf(error).code } })
    }
  }

  /** Does something to the links, and asks which there are then; what was made is shown once. */
  async #forms(first: (deps: DealDeps, hub: PartyId) => Promise<string | undefined>): Promise<void> {
    const { person, random, origin, state, tell } = this.#deps
    const { hub } = state()
    if (!hub) return
    const deps = { asker: this.#asker, person, random }
    tell({ it: 'forms', forms: { busy: true, made: undefined, failed: undefined } })
    try {
      const token = await first(deps, hub)
      const names = await listForms(deps, this.#signal)
      tell({ it: 'forms', forms: { names, made: token && `${origin}/form/${token}`, busy: false } })
    } catch (error) {
      tell({ it: 'forms', forms: { busy: false, failed: failureOf(error).code } })
    }
  }
}
