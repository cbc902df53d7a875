// SPDX-License-Identifier: GPL-3.0-or-later
import type { RefObject } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { PartyId } from '../../core/model/index.ts'
import type { Act } from '../acts.ts'
import { sayName, sayValue, sayWhen, titleOf } from '../kind.ts'
import { usePage } from '../parts/context.ts'
import { Heading } from '../parts/heading.tsx'
import type { LogFilter } from '../state.ts'

/** Who did what, the newest first; goes on by itself as things happen. */
export function LogView() {
  const { app, state, words } = usePage()
  const { acts, filter, loading, complete, failed, news } = state.log
  const hasBegun = useRef(false)
  useEffect(() => {
    void app.perform({ act: 'log', read: hasBegun.current ? 'newer' : filter })
    hasBegun.current = true
    // Each picture brings another `me`: with it came news of people, rights or devices, or an end of silence.
  }, [state.me, news])
  const list = useRef<HTMLOListElement>(null)
  const added = useAdded(list, acts, filter)
  return (
    <>
      <Heading>{words.log.title}</Heading>
      <Filter />
      {failed && <p class="refused">{words.reason(failed)}</p>}
      {!loading && !failed && acts.length === 0 && <p>{words.log.empty}</p>}
      <p role="status" class="only-read">
        {added > 0 && words.log.added(added)}
      </p>
      <ol class="log" ref={list}>
        {acts.map((act) => (
          <li key={act.index}>
            <Line act={act} />
          </li>
        ))}
      </ol>
      {loading && <p role="status">{words.log.loading}</p>}
      {!loading && !complete && acts.length > 0 && (
        <button type="button" class="plain" onClick={() => void app.perform({ act: 'log', read: 'older' })}>
          {words.log.older}
        </button>
      )}
    </>
  )
}

const ANY = ''

function Filter() {
  const { app, state, words } = usePage()
  const { filter } = state.log
  const show = (read: LogFilter) => void app.perform({ act: 'log', read })
  const { who, device, ...rest } = filter
  return (
    <fieldset class="choices">
      <legend class="label">{words.log.filter}</legend>
      <label>
        <span>{words.log.who}</span>
        <select
          value={who ?? ANY}
          onChange={({ currentTarget: { value } }) =>
            show({ ...rest, ...(device && { device }), ...(value !== ANY && { who: value }) })
          }
        >
          <option value={ANY}>{words.log.everybody}</option>
          {state.owners.map(({ key, name }) => (
            <option key={key} value={key}>
              {name}
            </option>
          ))}
          {[...state.names].map(([id, name]) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>{words.log.device}</span>
        <select
          value={device ?? ANY}
          onChange={({ currentTarget: { value } }) =>
            show({ ...rest, ...(who && { who }), ...(value !== ANY && { device: value as PartyId }) })
          }
        >
          <option value={ANY}>{words.log.allDevices}</option>
          {[...state.things.values()]
            // What was done in another home is in that home's log.
            .filter(({ home }) => home === undefined)
            .map((thing) => (
              <option key={thing.id} value={thing.id}>
                {sayName(thing)}
              </option>
            ))}
        </select>
      </label>
    </fieldset>
  )
}

/**
 * How many acts came above the others with the last news. What one looks at stays where it is: not every browser sees to that
 * by itself, and the list is told to leave it to us.
 */
function useAdded(list: RefObject<HTMLOListElement>, acts: readonly Act[], filter: LogFilter): number {
  const [added, setAdded] = useState(0)
  const before = useRef({ filter, first: undefined as number | undefined })
  useLayoutEffect(() => {
    const { first } = before.current
    const isSame = before.current.filter === filter
    before.current = { filter, first: acts[0]?.index }
    const count = isSame && first !== undefined ? acts.findIndex(({ index }) => index === first) : 0
    if (count > 0) {
      const { children, offsetTop } = list.current!
      const height = (children[count] as HTMLElement).offsetTop - (children[0] as HTMLElement).offsetTop
      if (scrollY > offsetTop) scrollBy({ top: height, behavior: 'instant' })
    }
    if (count > 0 || !isSame) setAdded(count)
  }, [acts, filter])
  return added
}

function Line({ act }: { act: Act }) {
  const { state, words, language, now } = usePage()
  const thing = act.device && state.things.get(act.device)?.name
  const isDevice = act.signer !== undefined && act.signer === act.device && act.person === undefined
  const who = useWho(act)
  const kinds: Readonly<Record<string, string>> = words.log.kind
  const what = Object.hasOwn(kinds, act.kind) ? kinds[act.kind] : act.kind
  return (
    <>
      <p>
        <strong>{[who, what].filter(Boolean).join(' ')}</strong>
        {!isDevice && thing && ` · ${thing}`}
        {act.asked && ` · ${sayAsked(act.asked)}`}
        {act.note && !thing && ` · ${sayNote(act.note)}`}
        {act.code === 'ok' && <span class="done"> · {words.stage.done}</span>}
      </p>
      {act.code !== undefined && act.code !== 'ok' && <p class="refused">{words.reason(act.code)}</p>}
      <small>
        <time dateTime={new Date(act.at).toISOString()}>{sayWhen(act.at, now, language)}</time>
        {act.origin && ` · ${origin(act.origin)}`}
        {act.signer && !act.sealed && ` · ${words.log.unsealed}`}
      </small>
    </>
  )

  function sayAsked({ name, value }: NonNullable<Act['asked']>): string {
    const title = titleOf(name, words)
    return value === undefined ? title : `${title}: ${sayValue(name, value, words, language)}`
  }

  function origin(text: string): string {
    const { from } = words.log
    if (Object.hasOwn(from, text) && text !== 'onion')
      return from[text as Exclude<keyof typeof from, 'onion'>]
    if (text.startsWith('onion:guest:')) return from.guest
    return text.startsWith('onion:') ? from.onion(text.slice(text.lastIndexOf(':') + 1)) : text
  }
}

/** An onion service is called by the name that people gave it. */
function sayNote(note: string): string {
  return note.replace(/^(?:invitation|former|mesh|join):/, '')
}

/** By the name that the home has for a key; nobody for what has no signer. */
function useWho({ signer, device, person }: Act): string | undefined {
  const { app, state, words } = usePage()
  if (signer === undefined) return person
  if (signer === app.person.id) return words.log.you
  if (signer === device) return person ?? state.things.get(signer)?.name
  return person ?? state.owners.find(({ key }) => key === signer)?.name ?? words.log.somebody
}
