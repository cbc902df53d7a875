// SPDX-License-Identifier: GPL-3.0-or-later
import { useState } from 'preact/hooks'
import { fromBase64url } from '../../base/bytes.ts'
import { usePage } from '../parts/context.ts'
import { QrFigure } from '../parts/qr-figure.tsx'
import { NAME_CHARS_MAX } from '../people.ts'

const NEW = ''

/** Lets another phone in: whose it is, a code to scan, and the same digits on both. */
export function GuestView() {
  const { app, state, words } = usePage()
  const { guest } = state
  const decline = () => void app.perform({ act: 'decline' })
  if (guest.kind === 'none' || guest.kind === 'in' || guest.kind === 'failed') {
    return (
      <section class="card">
        <h2>{words.guest.title}</h2>
        <p role="alert" class="refused">
          {guest.kind === 'failed' && words.reason(guest.code)}
        </p>
        <p role="status" class="done">
          {guest.kind === 'in' && words.guest.isIn(guest.name)}
        </p>
        <GuestForm />
      </section>
    )
  }
  return (
    <section class="card">
      <h2>{words.guest.title}</h2>
      {guest.kind === 'preparing' && <p role="status">{words.guest.preparing}</p>}
      {guest.kind === 'invited' && guest.match === undefined && (
        <>
          <p>{words.guest.scan}</p>
          <QrFigure text={guest.link} label={words.guest.code} />
          <label>
            <span>{words.guest.link}</span>
            <textarea
              readOnly
              rows={5}
              value={guest.link}
              onFocus={(event) => event.currentTarget.select()}
            />
          </label>
        </>
      )}
      {guest.kind === 'invited' && guest.match !== undefined && (
        <div role="alert">
          <p class="label">{words.guest.compare}</p>
          <p class="match">{`${guest.match.slice(0, 3)} ${guest.match.slice(3)}`}</p>
        </div>
      )}
      <div class="choices">
        {guest.kind === 'invited' && guest.match !== undefined && (
          <button type="button" class="plain" onClick={() => void app.perform({ act: 'admit' })}>
            {words.guest.same}
          </button>
        )}
        <button type="button" onClick={decline}>
          {words.guest.stop}
        </button>
      </div>
    </section>
  )
}

function GuestForm() {
  const { app, state, words } = usePage()
  const [whose, setWhose] = useState(NEW)
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget as HTMLFormElement)
    const id = fromBase64url(whose)
    const person = whose !== NEW && id ? { id } : { name: String(form.get('person')).trim() }
    void app.perform({ act: 'invite', phone: { person, name: String(form.get('phone')).trim() } })
  }
  return (
    <form onSubmit={submit}>
      <label>
        <span>{words.guest.whose}</span>
        <select value={whose} onChange={(event) => setWhose(event.currentTarget.value)}>
          <option value={NEW}>{words.guest.somebodyNew}</option>
          {state.people.people.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </label>
      {whose === NEW && (
        <label>
          <span>{words.guest.person}</span>
          <input type="text" name="person" required maxLength={NAME_CHARS_MAX} autocomplete="off" />
        </label>
      )}
      <label>
        <span>{words.guest.phone}</span>
        <input type="text" name="phone" required maxLength={NAME_CHARS_MAX} autocomplete="off" />
      </label>
      <button type="submit" class="plain">
        {words.guest.invite}
      </button>
    </form>
  )
}
