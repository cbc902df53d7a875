// SPDX-License-Identifier: GPL-3.0-or-later
import { useEffect } from 'preact/hooks'
import { keyOf, parseId } from '../../core/model/index.ts'
import { usePage } from '../parts/context.ts'
import { passedOn, permissionsFor, type Terms } from '../people.ts'

/** Links to pages without scripts, for a browser that runs none: an owner chooses devices, others what they may pass on. */
export function FormsView() {
  const { app, state, words } = usePage()
  const { names, made, busy, failed } = state.forms
  const isOwner = state.me?.kind === 'owner'
  useEffect(() => {
    void app.perform({ act: 'forms' })
    if (!isOwner) void app.perform({ act: 'people' })
  }, [])
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget as HTMLFormElement)
    const terms = isOwner ? chosen(form.getAll('thing').map(String)) : shared()
    if (terms.length > 0) void app.perform({ act: 'make-form', terms })
  }
  return (
    <section class="card">
      <h2>{words.forms.title}</h2>
      <p>{words.forms.why}</p>
      <p role="alert" class="refused">
        {failed && words.reason(failed)}
      </p>
      <form onSubmit={submit}>
        {isOwner && (
          <fieldset>
            <legend class="label">{words.forms.which}</legend>
            {[...state.things.values()].map(({ id, name }) => (
              <label key={id} class="tick">
                <input type="checkbox" name="thing" value={id} /> {name}
              </label>
            ))}
          </fieldset>
        )}
        <button type="submit" class="plain" aria-busy={busy}>
          {words.forms.make}
        </button>
      </form>
      {made && (
        <label>
          <span>{words.forms.link}</span>
          <textarea readOnly rows={4} value={made} onFocus={(event) => event.currentTarget.select()} />
        </label>
      )}
      <ul class="plain-list">
        {names.map((name) => (
          <li key={name} class="row">
            {name}
            <button
              type="button"
              aria-label={`${words.people.takeBack}: ${name}`}
              onClick={() => void app.perform({ act: 'end-form', name })}
            >
              {words.people.takeBack}
            </button>
          </li>
        ))}
      </ul>
    </section>
  )

  function chosen(ids: readonly string[]): readonly Terms[] {
    const things = ids.flatMap((id) => {
      const party = parseId(id)
      return (party && state.things.get(party)) ?? []
    })
    return things.map((thing) => ({
      devices: [keyOf(thing.id)],
      what: permissionsFor([thing], true),
      hours: [],
    }))
  }

  function shared(): readonly Terms[] {
    return state.people.grants
      .filter(({ share, revoked }) => share > 0 && !revoked)
      .map((grant) => passedOn(grant, {}))
  }
}
