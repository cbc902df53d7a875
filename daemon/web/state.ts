// SPDX-License-Identifier: GPL-3.0-or-later
/** What the page shows, and how each happening changes it: pure, so that a test can play any day of a home. */
import type { PartyId } from '../core/model/index.ts'
import type { Act } from './acts.ts'
import type { Held, Me, Move, NamedValue, Others, Owner, Papers, Picture, Thing } from './answers.ts'
import type { PassedStage } from './command.ts'
import type { PageCode } from './error.ts'
import type { KnownGrant, KnownPerson } from './people.ts'
import type { Picture as Still } from './picture.ts'

/** How a device stands with its owner's record. */
export type Standing =
  | { readonly kind: 'unchecked' | 'confirmed' | 'unconfirmed' }
  /** The owner's record has this name for it. */
  | { readonly kind: 'renamed'; readonly recordName: string }
  | { readonly kind: 'distrusted' }

/** Where a command is; the last of a device's affordance is kept until the next. */
export interface Progress {
  readonly stage: 'sealing' | PassedStage | 'done' | 'failed'
  /** It was done by the device itself, without the hub. */
  readonly direct?: boolean | undefined
  readonly code?: PageCode | undefined
  readonly detail?: string | undefined
}

export interface HistoryView {
  readonly thing: PartyId
  readonly property: string
  readonly since: number
  readonly samples: readonly NamedValue[] | undefined
  readonly failed?: PageCode | undefined
}

/** What a camera saw last; the one before stays while another comes. */
export interface PictureView {
  readonly stage: 'coming' | 'there' | 'failed'
  readonly picture?: Still | undefined
  /** Bytes at the hub, of so many. */
  readonly got?: number | undefined
  readonly size?: number | undefined
  readonly code?: PageCode | undefined
}

/** Whose acts, and on which device; without: everybody's, on all. */
export interface LogFilter {
  /** A person's id, or an owner's key. */
  readonly who?: string
  readonly device?: PartyId
}

export interface LogView {
  readonly filter: LogFilter
  /** Newest first. */
  readonly acts: readonly Act[]
  readonly loading: boolean
  /** Nothing older is there. */
  readonly complete: boolean
  readonly failed?: PageCode | undefined
  /** How often something happened that is in the log. */
  readonly news: number
}

export interface PeopleView {
  readonly people: readonly KnownPerson[]
  readonly grants: readonly KnownGrant[]
  readonly loading: boolean
  /** Why the last thing that was asked for did not happen. */
  readonly failed?: PageCode | undefined
}

/** A phone on its way in. */
export type Guest =
  | { readonly kind: 'none' }
  | { readonly kind: 'preparing' }
  /** The link to scan; `match` once the phone has asked, with the proof that it had the code. */
  | { readonly kind: 'invited'; readonly link: string; readonly match?: string | undefined }
  | { readonly kind: 'in'; readonly name: string }
  | { readonly kind: 'failed'; readonly code: PageCode }

/** Links to pages without scripts: those there are, and one that was just made. */
export interface FormsView {
  readonly names: readonly string[]
  readonly made?: string | undefined
  readonly busy: boolean
  readonly failed?: PageCode | undefined
}

export type Link =
  | { readonly kind: 'connecting' | 'live' }
  | { readonly kind: 'lost'; readonly code: PageCode; readonly detail: string }

export interface State {
  readonly link: Link
  readonly me: Me | undefined
  readonly hub: PartyId | undefined
  /** Where this phone is to go. */
  readonly moved: Move | undefined
  /** Addresses at other homes, as this home told of them. */
  readonly others: Others | undefined
  readonly owners: readonly Owner[]
  /** Names by the person's id, as far as they are told. */
  readonly names: ReadonlyMap<string, string>
  readonly things: ReadonlyMap<PartyId, Thing>
  /** Devices that answered by themselves since the home was lost. */
  readonly near: ReadonlySet<PartyId>
  readonly standing: ReadonlyMap<PartyId, Standing>
  readonly progress: ReadonlyMap<string, Progress>
  readonly history: HistoryView | undefined
  /** By pictureKey. */
  readonly pictures: ReadonlyMap<string, PictureView>
  readonly log: LogView
  readonly people: PeopleView
  readonly guest: Guest
  readonly forms: FormsView
}

export const EMPTY: State = {
  link: { kind: 'connecting' },
  me: undefined,
  hub: undefined,
  moved: undefined,
  others: undefined,
  owners: [],
  names: new Map(),
  things: new Map(),
  near: new Set(),
  standing: new Map(),
  progress: new Map(),
  history: undefined,
  pictures: new Map(),
  log: { filter: {}, acts: [], loading: false, complete: false, news: 0 },
  people: { people: [], grants: [], loading: false },
  guest: { kind: 'none' },
  forms: { names: [], busy: false },
}

export type Happening =
  | { readonly it: 'opened'; readonly picture: Picture }
  /** The home has not answered again: what is shown may be old. */
  | { readonly it: 'doubted' }
  | { readonly it: 'moved'; readonly moved: Move }
  | { readonly it: 'others'; readonly others: Others }
  | { readonly it: 'lost'; readonly code: PageCode; readonly detail: string }
  | { readonly it: 'papers'; readonly thing: PartyId; readonly papers: Papers }
  | { readonly it: 'proved'; readonly thing: PartyId; readonly standing: Standing }
  | { readonly it: 'read'; readonly thing: PartyId; readonly values: readonly NamedValue[] }
  /** The device answered by itself, or does not any more, while the home is lost. */
  | { readonly it: 'near'; readonly thing: PartyId; readonly answers: boolean }
  | {
      readonly it: 'presence'
      readonly thing: PartyId
      readonly connected: boolean
      readonly at: number
      readonly unreachable: boolean
    }
  | { readonly it: 'progress'; readonly key: string; readonly progress: Progress }
  | { readonly it: 'history'; readonly view: HistoryView }
  | { readonly it: 'picture'; readonly key: string; readonly view: PictureView }
  | { readonly it: 'log'; readonly log: Partial<Omit<LogView, 'news'>> }
  /** Something that is in the log now. */
  | { readonly it: 'logged' }
  | { readonly it: 'people'; readonly people: Partial<PeopleView> }
  | { readonly it: 'guest'; readonly guest: Guest }
  | { readonly it: 'forms'; readonly forms: Partial<FormsView> }

/** The key of a command's progress. */
export function progressKey(thing: PartyId, affordance: string): string {
  return `${thing} ${affordance}`
}

/** The key of a picture: a device and its property `still`. */
export function pictureKey(thing: PartyId, property: string): string {
  return `${thing} ${property}`
}

export function next(state: State, happening: Happening): State {
  switch (happening.it) {
    case 'opened':
      return opened(state, happening.picture)
    case 'doubted':
      return { ...state, link: { kind: 'connecting' } }
    case 'moved':
      return { ...state, moved: happening.moved }
    case 'others':
      return { ...state, others: happening.others }
    case 'lost':
      return { ...state, link: { kind: 'lost', code: happening.code, detail: happening.detail } }
    case 'papers':
      return withThing(state, happening.thing, (thing) => ({ ...thing, ...happening.papers }))
    case 'proved':
      return { ...state, standing: put(state.standing, happening.thing, happening.standing) }
    case 'read':
      return withThing(withSamples(state, happening.thing, happening.values), happening.thing, (thing) => ({
        ...thing,
        affordances: withValues(thing.affordances, happening.values),
      }))
    case 'near': {
      const near = new Set(state.near)
      if (happening.answers) near.add(happening.thing)
      else near.delete(happening.thing)
      return { ...state, near }
    }
    case 'presence':
      return withThing(state, happening.thing, (thing) => ({
        ...thing,
        connected: happening.connected,
        since: happening.at,
        unreachable: happening.unreachable ? happening.at : undefined,
        // Who connects may have been born anew: its hello is asked for when it is needed.
        ...(happening.connected && { hello: undefined, nonce: undefined }),
      }))
    case 'progress':
      return { ...state, progress: put(state.progress, happening.key, happening.progress) }
    case 'history':
      return { ...state, history: happening.view }
    case 'picture':
      return withPicture(state, happening.key, happening.view)
    case 'log':
      return { ...state, log: { ...state.log, ...happening.log } }
    case 'logged':
      return { ...state, log: { ...state.log, news: state.log.news + 1 } }
    case 'forms':
      return { ...state, forms: { ...state.forms, ...happening.forms } }
    case 'guest':
      return { ...state, guest: happening.guest }
    case 'people':
      return { ...state, people: { ...state.people, ...happening.people } }
  }
}

function opened(
  state: State,
  { me, hub, owners, moved, people, things, here, others, host }: Picture,
): State {
  const byName = [...things].sort((a, b) => a.name.localeCompare(b.name))
  return {
    ...state,
    link: { kind: 'live' },
    me,
    hub,
    owners,
    moved,
    others: here === undefined || !others ? undefined : { here, others, host },
    near: new Set(),
    names: people,
    things: new Map(byName.map((thing) => [thing.id, thing])),
  }
}

function withThing(state: State, id: PartyId, change: (thing: Thing) => Thing): State {
  const thing = state.things.get(id)
  return thing ? { ...state, things: put(state.things, id, change(thing)) } : state
}

/** Readings come late when a device was cut off: an older one does not replace a newer. */
function withValues(
  affordances: ReadonlyMap<string, Held>,
  values: readonly NamedValue[],
): ReadonlyMap<string, Held> {
  const changed = new Map(affordances)
  for (const { property, value, at } of values) {
    const held = changed.get(property)
    if (held && (held.at ?? 0) <= at) changed.set(property, { ...held, value, at })
  }
  return changed
}

/** What is there goes when another is: not before, and not because one did not come. */
function withPicture(state: State, key: string, view: PictureView): State {
  const picture = view.picture ?? state.pictures.get(key)?.picture
  return { ...state, pictures: put(state.pictures, key, { ...view, picture }) }
}

/** A plot that is open grows with what is read. */
function withSamples(state: State, thing: PartyId, values: readonly NamedValue[]): State {
  const { history } = state
  if (!history?.samples || history.thing !== thing) return state
  const more = values.filter(({ property }) => property === history.property)
  if (more.length === 0) return state
  const samples = [...history.samples, ...more].sort((a, b) => a.at - b.at)
  return { ...state, history: { ...history, samples } }
}

function put<K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> {
  return new Map(map).set(key, value)
}
