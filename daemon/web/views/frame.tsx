// SPDX-License-Identifier: GPL-3.0-or-later
import { useEffect, useState } from 'preact/hooks'
import { parseId } from '../../core/model/index.ts'
import { usePage } from '../parts/context.ts'
import { Icon } from '../parts/icon.tsx'
import { LogView } from './log.tsx'
import { MeView } from './me.tsx'
import { MovedView } from './moved.tsx'
import { OthersView } from './others.tsx'
import { PeopleView } from './people.tsx'
import { ThingView } from './thing.tsx'
import { ThingsView } from './things.tsx'

/** The page around a view: how the home is reached, the view, where one can go. */
export function Frame() {
  const { words } = usePage()
  const route = useRoute()
  const here = (path: string) => (route === path ? ('page' as const) : undefined)
  return (
    <>
      <LinkState />
      <MovedView />
      <OthersView />
      <main>
        <View key={route} route={route} />
      </main>
      <nav>
        <a href="#/" aria-current={here('#/')}>
          <Icon name="light" />
          {words.menu.things}
        </a>
        <a href="#/people" aria-current={here('#/people')}>
          <Icon name="people" />
          {words.menu.people}
        </a>
        <a href="#/log" aria-current={here('#/log')}>
          <Icon name="log" />
          {words.menu.log}
        </a>
        <a href="#/me" aria-current={here('#/me')}>
          <Icon name="me" />
          {words.menu.me}
        </a>
      </nav>
    </>
  )
}

function View({ route }: { route: string }) {
  const { state } = usePage()
  if (route === '#/people') return <PeopleView />
  if (route === '#/log') return <LogView />
  if (route === '#/me') return <MeView />
  const id = parseId(route.slice('#/thing/'.length))
  const thing = id && state.things.get(id)
  return thing ? <ThingView thing={thing} /> : <ThingsView />
}

function LinkState() {
  const { app, state, words } = usePage()
  const { link } = state
  return (
    <header>
      <div class={`link ${link.kind}`} role="status">
        <span>{words.link[link.kind]}</span>
        {link.kind === 'lost' && (
          <>
            <span>{words.reason(link.code)}</span>
            <button type="button" onClick={app.retry}>
              {words.link.retry}
            </button>
          </>
        )}
      </div>
    </header>
  )
}

function useRoute(): string {
  const read = () => (location.hash.startsWith('#/') ? location.hash : '#/')
  const [route, setRoute] = useState(read)
  useEffect(() => {
    const changed = () => setRoute(read())
    addEventListener('hashchange', changed)
    return () => removeEventListener('hashchange', changed)
  }, [])
  return route
}
