// SPDX-License-Identifier: GPL-3.0-or-later
import type { Held, Thing } from '../answers.ts'
import { capabilityOf, kindOf, sayName, sayWhen } from '../kind.ts'
import { usePage } from '../parts/context.ts'
import { Control } from '../parts/controls.tsx'
import { Heading } from '../parts/heading.tsx'
import { Icon } from '../parts/icon.tsx'
import { Warning } from '../parts/warning.tsx'
import { pictureKey } from '../state.ts'

export function ThingsView() {
  const { state, words } = usePage()
  const things = [...state.things.values()]
  return (
    <>
      <Heading>{words.menu.things}</Heading>
      {state.me && things.length === 0 && <p>{words.thing.none}</p>}
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
  const { state, words } = usePage()
  const kind = kindOf(thing)
  // A picture is fetched where somebody looks at the device alone: through Tor it takes a while.
  const isShown = ({ name }: Held) =>
    capabilityOf(name)?.name !== 'still' || state.pictures.has(pictureKey(thing.id, name))
  return (
    <article class={thing.connected ? 'card' : 'card away'} aria-label={sayName(thing)}>
      <header>
        <ThingIcon thing={thing} />
        <h2>
          <a href={`#/thing/${thing.id}`}>{sayName(thing)}</a>
        </h2>
        <Presence thing={thing} />
      </header>
      <Warning thing={thing} />
      {atHand(thing)
        .filter(isShown)
        .map((held) => (
          <Control key={held.name} thing={thing} held={held} />
        ))}
      <span class="only-read">{words.kind[kind]}</span>
    </article>
  )
}

/** What belongs on a card: everything but what is for setting a device up. */
function atHand(thing: Thing): Held[] {
  const rare = new Set(['identify', 'fail-safe', 'toggle'])
  const isCalm = ({ name, value }: Held) =>
    name === 'fault' ? !value : (name === 'jammed' || name === 'keypad-locked') && value !== true
  return [...thing.affordances.values()].filter((held) => !rare.has(held.name) && !isCalm(held))
}

function ThingIcon({ thing }: { thing: Thing }) {
  const kind = kindOf(thing)
  const is = (name: string) => thing.affordances.get(name)?.value
  if (kind === 'lock' && is('locked') === false) return <Icon name="unlocked" lit />
  return <Icon name={kind} lit={thing.connected && is('on') === true} />
}

export function Presence({ thing }: { thing: Thing }) {
  const { state, words, language, now } = usePage()
  if (state.link.kind === 'lost' && state.near.has(thing.id))
    return <small class="presence here">{words.thing.near}</small>
  const { home, unreachable, since } = thing
  const isCutOff = !thing.connected && home !== undefined && unreachable !== undefined
  const away = isCutOff
    ? words.thing.unreachable(home, sayWhen(unreachable, now, language))
    : words.thing.absent(sayWhen(since, now, language))
  const said = thing.connected ? words.thing.present : away
  return <small class={thing.connected ? 'presence here' : 'presence'}>{said}</small>
}
