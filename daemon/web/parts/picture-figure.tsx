// SPDX-License-Identifier: GPL-3.0-or-later
import { useEffect, useMemo } from 'preact/hooks'
import type { Held, Thing } from '../answers.ts'
import { sayName, sayWhen } from '../kind.ts'
import { pictureKey } from '../state.ts'
import { usePage } from './context.ts'

/** What a camera saw last, once the page has held it against the device's own seal; how far it is, before. */
export function PictureFigure({ thing, held }: { thing: Thing; held: Held }) {
  const { app, state, words, language, now } = usePage()
  const view = state.pictures.get(pictureKey(thing.id, held.name))
  useEffect(() => {
    if (!view && held.may.read?.ok) void app.perform({ act: 'picture', thing: thing.id, property: held.name })
  }, [thing.id, held.name])
  // In the document itself: the page may load nothing (SPEC 11.1).
  const source = useMemo(
    () => view?.picture && `data:image/jpeg;base64,${view.picture.jpeg.toBase64()}`,
    [view?.picture],
  )
  const when = view?.picture?.at ? sayWhen(view.picture.at, now, language) : undefined
  return (
    <figure class="picture" aria-busy={view?.stage === 'coming'}>
      {source && <img src={source} alt={words.picture.alt(sayName(thing), when)} />}
      <figcaption>
        <div role="status">
          {view?.stage === 'failed' && (
            <span class="refused">
              <strong>{words.failed}.</strong> {words.reason(view.code ?? 'internal')}
            </span>
          )}
          {view?.stage === 'coming' &&
            (view.size ? words.picture.coming(percent(view.got, view.size)) : words.picture.asked)}
          {view?.stage === 'there' && (source ? words.picture.sealed(when) : words.picture.none)}
        </div>
      </figcaption>
    </figure>
  )
}

function percent(got: number | undefined, size: number): number {
  return Math.floor((100 * (got ?? 0)) / size)
}
