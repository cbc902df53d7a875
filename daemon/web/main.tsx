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
import { type Identity, KEY_PREFIX, readKey } from './identity.ts'
import { Keep } from './keep.ts'
import { PageProvider } from './parts/context.ts'
import './style.css'
import { Frame } from './views/frame.tsx'
import { StrangerView } from './views/stranger.tsx'
import { chooseLanguage, type Language, wordsOf } from './words/index.ts'

const keep = new Keep(localStorage)

/** A secret in the address is taken out of it at once: it must not stay in the history, nor be shown. */
function takeBrought(): string | undefined {
  const fragment = decodeURIComponent(location.hash.slice(1))
  if (!fragment.startsWith(KEY_PREFIX)) return undefined
  history.replaceState(null, '', '/')
  return fragment
}

/** A personal link lets its owner in at once; one that would replace another key, or is locked, is asked about. */
function enter(brought: string): Identity | undefined {
  const read = readKey(brought)
  if (!read.ok || read.value.locked) return undefined
  const { identity } = read.value
  const kept = keep.identity()
  if (kept && !equal(kept.seed, identity.seed)) return undefined
  keep.setIdentity(identity)
  return identity
}

function Page({ brought }: { brought: string | undefined }) {
  const [language, setLanguage] = useState(() => chooseLanguage(keep.language(), navigator.languages))
  const [identity, setIdentity] = useState(() => (brought ? enter(brought) : keep.identity()))
  const words = wordsOf(language)
  useEffect(() => {
    document.documentElement.lang = language
    document.title = words.title
  }, [language])
  const choose = (chosen: Language) => {
    keep.setLanguage(chosen)
    setLanguage(chosen)
  }
  const welcome = (known: Identity) => {
    keep.setIdentity(known)
    setIdentity(known)
  }
  if (!identity) {
    return (
      <main>
        <StrangerView words={words} brought={brought} welcome={welcome} />
      </main>
    )
  }
  const forget = () => {
    keep.forget()
    location.reload()
  }
  return <Known identity={identity} language={language} setLanguage={choose} forget={forget} />
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
  const app = useMemo(() => {
    const deps = { clock: systemClock, random: systemRandom, keep, fetch: fetch.bind(globalThis) }
    return openApp(deps, identity, leaving.signal)
  }, [identity])
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
