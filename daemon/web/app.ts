// SPDX-License-Identifier: GPL-3.0-or-later
/** The page without its looks: follows the home, carries actions out, and tells whoever draws when something changed. */
import { Backoff } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import { type Action, Api } from './api.ts'
import { failureOf } from './error.ts'
import type { Identity } from './identity.ts'
import type { Keep } from './keep.ts'
import { Person } from './person.ts'
import { EMPTY, type Happening, next, type State } from './state.ts'

export interface AppDeps {
  readonly clock: Clock
  readonly random: Random
  readonly keep: Keep
  readonly fetch: typeof fetch
  /** Of the page: `http://….onion`. */
  readonly origin: string
}

export interface App {
  readonly person: Person
  readonly state: () => State
  readonly perform: (action: Action) => Promise<void>
  /** Connects at once, instead of when the pause is over. */
  readonly retry: () => void
  /** @returns how to stop being told */
  readonly watch: (changed: () => void) => () => void
}

/** From the end of one stream to the picture of the next: a pause, and some round trips through Tor. */
const SILENT_MS_MAX = 6000

/** Between two looks at devices that answer by themselves. */
const LOOK_MS = 5000

/** Follows the home until the signal aborts. */
export function openApp(deps: AppDeps, identity: Identity, signal: AbortSignal): App {
  const person = new Person(deps, identity)
  const watchers = new Set<() => void>()
  let state = EMPTY
  let pause = new AbortController()
  const tell = (happening: Happening): void => {
    state = next(state, happening)
    for (const changed of watchers) changed()
  }
  const api = new Api({ ...deps, person, state: () => state, tell }, signal)

  /** A stream that ended is opened anew at once; a home that does not answer then is not live any more. */
  const doubt = (): void => {
    const { me } = state
    const isSilent = () => state.me === me && state.link.kind === 'live'
    deps.clock.sleep(SILENT_MS_MAX, signal).then(
      () => isSilent() && tell({ it: 'doubted' }),
      () => {},
    )
  }

  /** While the home is lost, what can be reached without it is shown as it is. */
  let looking = false
  const lookAround = async (): Promise<void> => {
    if (looking) return
    looking = true
    while (state.link.kind === 'lost' && !signal.aborted) {
      await api.lookAround()
      await deps.clock.sleep(LOOK_MS, signal).catch(() => {})
    }
    looking = false
  }

  const followAll = async (): Promise<void> => {
    const backoff = new Backoff(deps.random, { firstMs: 1000, msMax: 30_000 })
    while (!signal.aborted) {
      try {
        await api.follow(signal)
        backoff.reset()
        doubt()
      } catch (error) {
        if (state.link.kind === 'live') backoff.reset()
        tell({ it: 'lost', ...failureOf(error) })
        void lookAround()
      }
      pause = new AbortController()
      await deps.clock.sleep(backoff.nextMs(), pause.signal).catch(() => {})
    }
  }
  void followAll()

  return {
    person,
    state: () => state,
    perform: (action) => api.perform(action),
    retry: () => pause.abort(),
    watch(changed) {
      watchers.add(changed)
      return () => watchers.delete(changed)
    },
  }
}
