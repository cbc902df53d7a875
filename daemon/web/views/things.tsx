// SPDX-License-Identifier: GPL-3.0-or-later
import type { Thing } from '../answers.ts'
import { kindOf, sayWhen } from '../kind.ts'
import { usePage } from '../parts/context.ts'
import { Property } from '../parts/controls.tsx'
import { Heading } from '../parts/heading.tsx'
import { Icon } from '../parts/icon.tsx'
import { Warning } from '../parts/warning.tsx'

export function ThingsView() {
  const { state, words } = usePage()
  const things = [...state.things.values()]
  return (
    <>
      <Heading>{words.menu.things}</Heading>
      {state.home && things.length === 0 && <p>{words.thing.none}</p>}
      <ul class="cards">
        {things.map((thing) => (
          <li key={thing.id}>
            <Card thing={thing} />
          </li>
        ))}
      </ul>
    </>
  )
}

function Card({ thing }: { thing: Thing }) {
  const { words } = usePage()
  const kind = kindOf(thing)
  const lit = thing.connected && thing.properties.get('on')?.value === true
  return (
    <article class={thing.connected ? 'card' : 'card away'} aria-label={thing.name}>
      <header>
        <Icon name={kind} lit={lit} />
        <h2>
          <a href={`#/thing/${thing.id}`}>{thing.name}</a>
        </h2>
        <Presence thing={thing} />
      </header>
      <Warning thing={thing} />
      {[...thing.properties.keys()].map((name) => (
        <Property key={name} thing={thing} name={name} />
      ))}
      <span class="only-read">{words.kind[kind]}</span>
    </article>
  )
}

export function Presence({ thing }: { thing: Thing }) {
  const { words, language, now } = usePage()
  const said = thing.connected ? words.thing.present : words.thing.absent(sayWhen(thing.since, now, language))
  return <small class={thing.connected ? 'presence here' : 'presence'}>{said}</small>
}
