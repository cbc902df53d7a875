// SPDX-License-Identifier: GPL-3.0-or-later
import { useState } from 'preact/hooks'
import { GRANT_USES_MAX, METHOD_GET } from '../../../schemas/gen/ts/wire.ts'
import type { Hours, Permission } from '../../core/envelope/browser.ts'
import { keyOf, parseId } from '../../core/model/index.ts'
import { sayName } from '../kind.ts'
import { usePage } from '../parts/context.ts'
import { type KnownGrant, type KnownPerson, passedOn, permissionsFor, type Terms } from '../people.ts'
import { readMinute, sayDay, sayWhat, sayWhere, WEEK } from '../say-grant.ts'

const EVERYTHING = ''

/** Gives somebody something: an owner of anything, others of what they may pass on. */
export function GiveForm({ to }: { to: KnownPerson }) {
  const { app, state, words, language } = usePage()
  const [open, setOpen] = useState(false)
  const own = state.people.grants.filter(({ share, revoked }) => share > 0 && !revoked)
  if (!open) {
    return (
      <button
        type="button"
        class="plain"
        aria-label={`${words.people.give}: ${to.name}`}
        onClick={() => setOpen(true)}
      >
        {words.people.give}
      </button>
    )
  }
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    const terms = readTerms(new FormData(event.currentTarget as HTMLFormElement), own)
    if (!terms) return
    setOpen(false)
    void app.perform({ act: 'give', to, terms })
  }
  const isOwner = state.me?.kind === 'owner'
  return (
    <form onSubmit={submit}>
      <label>
        <span>{words.people.where}</span>
        <select name="where" required>
          {isOwner && <option value={EVERYTHING}>{words.grants.everything}</option>}
          {isOwner
            ? [...state.things.values()].map((thing) => (
                <option key={thing.id} value={thing.id}>
                  {sayName(thing)}
                </option>
              ))
            : own.map((grant) => (
                <option key={grant.id} value={grant.id}>
                  {sayWhere(grant.devices, state.things, words)}: {sayWhat(grant.what, words)}
                </option>
              ))}
        </select>
      </label>
      <label class="tick">
        <input type="checkbox" name="use" checked /> {words.people.use}
      </label>
      {isOwner && (
        <label class="tick">
          <input type="checkbox" name="share" /> {words.people.share}
        </label>
      )}
      <fieldset>
        <legend class="label">{words.people.days}</legend>
        <div class="choices">
          {WEEK.map((day) => (
            <label key={day} class="tick">
              <input type="checkbox" name="day" value={day} checked /> {sayDay(day, language)}
            </label>
          ))}
        </div>
      </fieldset>
      <div class="choices">
        <label>
          <span>{words.people.fromTime}</span>
          <input type="time" name="from" value="00:00" required />
        </label>
        <label>
          <span>{words.people.toTime}</span>
          <input type="time" name="to" value="00:00" required />
        </label>
      </div>
      <div class="choices">
        <label>
          <span>{words.people.until}</span>
          <input type="datetime-local" name="until" />
        </label>
        <label>
          <span>{words.people.uses}</span>
          <input type="number" name="uses" min={1} max={GRANT_USES_MAX} />
        </label>
      </div>
      <div class="choices">
        <button type="submit" class="plain">
          {words.people.give}
        </button>
        <button type="button" onClick={() => setOpen(false)}>
          {words.me.no}
        </button>
      </div>
    </form>
  )

  function readTerms(form: FormData, grants: readonly KnownGrant[]): Terms | undefined {
    const where = String(form.get('where'))
    const use = form.has('use')
    const limits = readLimits(form)
    if (!isOwner) {
      const parent = grants.find(({ id }) => id === where)
      if (!parent) return undefined
      const terms = passedOn(parent, limits)
      return use ? terms : { ...terms, what: lookedAt(terms.what) }
    }
    const id = parseId(where)
    const things = [...state.things.values()].filter((thing) => where === EVERYTHING || thing.id === id)
    const what = permissionsFor(things, use)
    const share = form.has('share') ? { share: 1 } : {}
    return what.length === 0 ? undefined : { devices: id ? [keyOf(id)] : [], what, ...share, ...limits }
  }
}

/** Only what may be read of it. */
function lookedAt(what: readonly Permission[]): readonly Permission[] {
  const readable = what.filter(({ methods }) => (methods & METHOD_GET) !== 0)
  return readable.map(({ affordance }) => ({ affordance, methods: METHOD_GET }))
}

function readLimits(form: FormData): Pick<Terms, 'hours' | 'expiresAt' | 'uses'> {
  const until = String(form.get('until') ?? '')
  const uses = Number(form.get('uses') || 0)
  const at = until === '' ? undefined : Math.floor(new Date(until).getTime() / 1000)
  return {
    hours: readHours(form),
    ...(at !== undefined && { expiresAt: at }),
    ...(uses > 0 && { uses }),
  }
}

/** None for always: every day from midnight to midnight. */
function readHours(form: FormData): readonly Hours[] {
  const days = form.getAll('day').reduce((all, day) => all | (1 << Number(day)), 0)
  const from = readMinute(String(form.get('from')), false) ?? 0
  const to = readMinute(String(form.get('to')), true) ?? 1440
  if (days === 127 && from === 0 && to === 1440) return []
  if (from < to) return [{ days, from, to }]
  // Over midnight: the rest of these days, and the beginning of the days after them.
  const after = ((days << 1) & 127) | (days >> 6)
  return [
    { days, from, to: 1440 },
    { days: after, from: 0, to },
  ]
}
