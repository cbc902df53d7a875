// SPDX-License-Identifier: GPL-3.0-or-later
import { useEffect } from 'preact/hooks'
import type { Act } from '../acts.ts'
import { sayValue, sayWhen, titleOf } from '../kind.ts'
import { usePage } from '../parts/context.ts'
import { Heading } from '../parts/heading.tsx'

export function LogView() {
  const { app, state, words } = usePage()
  const { acts, loading, complete, failed } = state.log
  useEffect(() => {
    void app.perform({ act: 'log', older: false })
  }, [])
  return (
    <>
      <Heading>{words.log.title}</Heading>
      {failed && <p class="refused">{words.reason(failed)}</p>}
      {!loading && !failed && acts.length === 0 && <p>{words.log.empty}</p>}
      <ol class="log">
        {acts.map((act) => (
          <li key={act.index}>
            <Line act={act} />
          </li>
        ))}
      </ol>
      {loading && <p role="status">{words.log.loading}</p>}
      {!loading && !complete && acts.length > 0 && (
        <button type="button" class="plain" onClick={() => void app.perform({ act: 'log', older: true })}>
          {words.log.older}
        </button>
      )}
    </>
  )
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
