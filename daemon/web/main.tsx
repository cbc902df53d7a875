// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The phone page: a client of edge/http in a browser. What came with the address, the browser's storage and the home's
 * answers enter; pixels, and envelopes sealed with the phone's own key, leave.
 *
 * Always true: the key is made here and sent nowhere; nothing is asked of anybody but the origin of the page; names from
 * outside are text, never markup; what a device did is believed from its receipt alone.
 * Absent on purpose: crypto.subtle, service workers, push (a plain-http onion is no secure context), fonts, anything remote.
 */
import { render } from 'preact'
import { useEffect, useMemo, useReducer, useState } from 'preact/hooks'
import { equal } from '../base/bytes.ts'
import { systemClock } from '../base/clock.ts'
import { systemRandom } from '../base/random.ts'
import { openApp } from './app.ts'
import { type Identity, readKey } from './identity.ts'
import { Keep, type Storage } from './keep.ts'
import { PageProvider } from './parts/context.ts'
import { readPhoneCode } from './phone-code.ts'
import './style.css'
import { Frame } from './views/frame.tsx'
import { JoiningView } from './views/joining.tsx'
import { StrangerView } from './views/stranger.tsx'
import { splitBrought } from './ways.ts'
import { chooseLanguage, type Language, wordsOf } from './words/index.ts'

/** Where a browser keeps nothing at all, even asking for the storage is an error. */
function browserStorage(): Storage {
  try {
    return localStorage
  } catch {
    return { getItem: () => null, setItem: () => {}, removeItem: () => {} }
  }
}

const keep = new Keep(browserStorage())
const deps = {
  clock: systemClock,
  random: systemRandom,
  keep,
  fetch: fetch.bind(globalThis),
  origin: location.origin,
}

/** A secret in the address is taken out of it at once: it must not stay in the history, nor be shown. */
function takeBrought(): string | undefined {
  const fragment = decodeURIComponent(location.hash.slice(1))
  if (!fragment.startsWith(PREFIX)) return undefined
  history.replaceState(null, '', '/')
  return fragment
}

const PREFIX = 'shallot:'

/** Who is here: somebody known, somebody with a phone code, or a stranger. */
type Visitor =
  | { readonly is: 'known'; readonly identity: Identity }
  | { readonly is: 'joining'; readonly code: string; readonly seed: Uint8Array }
  | { readonly is: 'stranger'; readonly brought: string | undefined }

/** What was brought lets in at once, unless it would replace another key or is locked: then one is asked. */
function enter(text: string | undefined): Visitor {
  const kept = keep.identity()
  const { text: brought, ways } = text === undefined ? { text, ways: [] } : splitBrought(text)
  if (brought === undefined) {
    const begun = keep.joining()
    if (kept) return { is: 'known', identity: kept }
    return begun ? { is: 'joining', ...begun } : { is: 'stranger', brought }
  }
  if (!kept && readPhoneCode(brought).ok) return beginJoining(brought)
  const read = readKey(brought)
  if (!read.ok || read.value.locked) return { is: 'stranger', brought }
  const { identity } = read.value
  if (kept && !equal(kept.seed, identity.seed)) return { is: 'stranger', brought }
  // From another home of the same owner: the way back, and what else was known there.
  if (ways.length > 0) keep.setOthers(ways)
  return known(identity)
}

function known(identity: Identity): Visitor {
  keep.setIdentity(identity)
  keep.endJoining()
  return { is: 'known', identity }
}

/** The key is made here, once for each code, and never leaves the phone. */
function beginJoining(code: string): Visitor {
  const begun = keep.joining()
  const seed = begun && begun.code === code ? begun.seed : systemRandom.bytes(SEED_BYTES)
  keep.setJoining(code, seed)
  return { is: 'joining', code, seed }
}

const SEED_BYTES = 32

function Page({ brought }: { brought: string | undefined }) {
  const [language, setLanguage] = useState(() => chooseLanguage(keep.language(), navigator.languages))
  const [visitor, setVisitor] = useState(() => enter(brought))
  const words = wordsOf(language)
  useEffect(() => {
    document.documentElement.lang = language
    document.title = words.title
  }, [language])
  // A code that is opened where the page is open already does not load it anew.
  useEffect(() => {
    const changed = () => {
      const more = takeBrought()
      if (more !== undefined) setVisitor(enter(more))
    }
    addEventListener('hashchange', changed)
    return () => removeEventListener('hashchange', changed)
  }, [])
  const choose = (chosen: Language) => {
    keep.setLanguage(chosen)
    setLanguage(chosen)
  }
  const forget = () => {
    keep.forget()
    location.reload()
  }
  const welcome = (identity: Identity) => setVisitor(known(identity))
  if (visitor.is === 'known') {
    return <Known identity={visitor.identity} language={language} setLanguage={choose} forget={forget} />
  }
  return (
    <main>
      {visitor.is === 'joining' ? (
        <JoiningView
          {...visitor}
          words={words}
          deps={deps}
          welcome={welcome}
          giveUp={() => {
            keep.endJoining()
            setVisitor({ is: 'stranger', brought: undefined })
          }}
        />
      ) : (
        <StrangerView
          key={visitor.brought}
          words={words}
          brought={visitor.brought}
          welcome={welcome}
          join={(code) => setVisitor(beginJoining(code))}
        />
      )}
    </main>
  )
}

interface KnownProps {
  readonly identity: Identity
  readonly language: Language
  readonly setLanguage: (language: Language) => void
  readonly forget: () => void
}

const TICK_MS = 30_000

function Known({ identity, language, setLanguage, forget }: KnownProps) {
  const [, draw] = useReducer((count: number) => count + 1, 0)
  const leaving = useMemo(() => new AbortController(), [identity])
  const app = useMemo(() => openApp(deps, identity, leaving.signal), [identity])
  useEffect(() => {
    const unwatch = app.watch(() => draw(undefined))
    const tick = systemClock.every(TICK_MS, () => draw(undefined))
    const retry = () => document.visibilityState === 'visible' && app.retry()
    addEventListener('online', retry)
    document.addEventListener('visibilitychange', retry)
    return () => {
      unwatch()
      tick[Symbol.dispose]()
      removeEventListener('online', retry)
      document.removeEventListener('visibilitychange', retry)
      leaving.abort()
    }
  }, [app])
  const now = systemClock.now()
  const words = wordsOf(language)
  return (
    <PageProvider value={{ app, state: app.state(), keep, words, language, setLanguage, now, forget }}>
      <Frame />
    </PageProvider>
  )
}

render(<Page brought={takeBrought()} />, document.getElementById('page')!)
