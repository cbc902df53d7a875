// SPDX-License-Identifier: GPL-3.0-or-later
import { useEffect, useState } from 'preact/hooks'
import type { Thing } from '../answers.ts'
import { capabilityOf, sayName, titleOf } from '../kind.ts'
import { usePage } from '../parts/context.ts'
import { Control } from '../parts/controls.tsx'
import { Heading } from '../parts/heading.tsx'
import { PlotFigure } from '../parts/plot-figure.tsx'
import { Warning } from '../parts/warning.tsx'
import { Presence } from './things.tsx'

/** One device with everything it can do, and its past. */
export function ThingView({ thing }: { thing: Thing }) {
  const { words } = usePage()
  return (
    <>
      <p>
        <a href="#/">← {words.thing.back}</a>
      </p>
      <Heading>{sayName(thing)}</Heading>
      <Presence thing={thing} />
      <Warning thing={thing} />
      <div class="card">
        {[...thing.affordances.values()].map((held) => (
          <Control key={held.name} thing={thing} held={held} />
        ))}
      </div>
      {readable(thing).length > 0 && <History thing={thing} />}
    </>
  )
}

function readable(thing: Thing): string[] {
  const all = [...thing.affordances.values()].filter(({ may }) => may.read).map(({ name }) => name)
  // The bytes of a picture are no history of anything.
  return all.filter((name) => capabilityOf(name)?.name !== 'still')
}

const SPANS_MS = { hour: 3_600_000, day: 86_400_000, week: 604_800_000 } as const
type Span = keyof typeof SPANS_MS

function History({ thing }: { thing: Thing }) {
  const { app, state, words, now } = usePage()
  const names = readable(thing)
  const [property, setProperty] = useState(names[0]!)
  const [span, setSpan] = useState<Span>('day')
  useEffect(() => {
    void app.perform({ act: 'history', thing: thing.id, property, since: now - SPANS_MS[span] })
  }, [thing.id, property, span])
  const view = state.history
  return (
    <section>
      <h2>{words.history.title(titleOf(property, words))}</h2>
      <fieldset class="choices">
        <legend class="only-read">{words.history.show}</legend>
        {names.length > 1 &&
          names.map((name) => (
            <button
              key={name}
              type="button"
              aria-pressed={name === property}
              onClick={() => setProperty(name)}
            >
              {titleOf(name, words)}
            </button>
          ))}
      </fieldset>
      <fieldset class="choices">
        <legend class="only-read">{words.history.time}</legend>
        {(Object.keys(SPANS_MS) as Span[]).map((each) => (
          <button key={each} type="button" aria-pressed={each === span} onClick={() => setSpan(each)}>
            {words.history.spans[each]}
          </button>
        ))}
      </fieldset>
      {view && view.thing === thing.id && view.property === property && <PlotFigure view={view} />}
    </section>
  )
}
