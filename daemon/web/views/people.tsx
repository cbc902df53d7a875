// SPDX-License-Identifier: GPL-3.0-or-later
import { useEffect } from 'preact/hooks'
import type { PartyId } from '../../core/model/index.ts'
import { usePage } from '../parts/context.ts'
import { Heading } from '../parts/heading.tsx'
import { Rename } from '../parts/rename.tsx'
import { TakeBack } from '../parts/take-back.tsx'
import type { HeldKey, KnownGrant, KnownPerson } from '../people.ts'
import { sayLimits, sayWhat, sayWhere } from '../say-grant.ts'
import { GiveForm } from './give-form.tsx'
import { GuestView } from './guest.tsx'

/** Who is in this home, with which phones, and what they may do. */
export function PeopleView() {
  const { app, state, words } = usePage()
  const { people, grants, loading, failed } = state.people
  useEffect(() => {
    void app.perform({ act: 'people' })
    // Each picture brings another `me`: with it came news of people or grants.
  }, [state.me])
  const known = new Set(people.map(({ id }) => id))
  const others = grants.filter(({ person, revoked }) => !revoked && (!person || !known.has(person)))
  return (
    <>
      <Heading>{words.people.title}</Heading>
      <p role="alert" class="refused">
        {failed && words.reason(failed)}
      </p>
      <p role="status">{loading && words.log.loading}</p>
      {state.me?.share && <GuestView />}
      <Owners />
      {people.map((person) => (
        <PersonCard
          key={person.id}
          person={person}
          grants={grants.filter((grant) => grant.person === person.id && !grant.revoked)}
        />
      ))}
      {others.length > 0 && (
        <section class="card">
          <h2>{words.people.others}</h2>
          <Grants grants={others} named />
        </section>
      )}
    </>
  )
}

function Owners() {
  const { state, words, app } = usePage()
  return (
    <section class="card">
      <h2>{words.people.owners}</h2>
      <ul class="plain-list">
        {state.owners.map(({ key, name }) => (
          <li key={key}>
            {name}
            {key === app.person.id && ` (${words.log.you})`}
          </li>
        ))}
      </ul>
    </section>
  )
}

function PersonCard({ person, grants }: { person: KnownPerson; grants: readonly KnownGrant[] }) {
  const { app, state, words } = usePage()
  const isMine = state.me?.kind === 'owner' || person.by === app.person.id
  const keys = person.keys.filter(({ revoked }) => !revoked)
  return (
    <section class="card" aria-label={person.name}>
      <h2>{person.name}</h2>
      {keys.length === 0 && <p class="label">{words.people.noPhone}</p>}
      <ul class="plain-list">
        {keys.map((held) => (
          <li key={held.key}>
            <Key held={held} />
          </li>
        ))}
      </ul>
      <h3>{words.people.may}</h3>
      {grants.length === 0 ? <p class="label">{words.people.mayNothing}</p> : <Grants grants={grants} />}
      {state.me?.share && keys.length > 0 && <GiveForm to={person} />}
      {isMine && <Rename id={person.id} name={person.name} />}
      {isMine && keys.length === 0 && grants.length === 0 && (
        <TakeBack
          action={{ act: 'remove-person', id: person.id }}
          says={words.people.remove}
          sure={words.people.removeSure}
          name={person.name}
        />
      )}
    </section>
  )
}

function Key({ held }: { held: HeldKey }) {
  const { app, state, words } = usePage()
  const mine: PartyId = app.person.id
  return (
    <div class="row">
      <span>
        {held.name} <small>{held.key === mine ? words.menu.me : words.people.kind[held.kind]}</small>
      </span>
      {state.me?.kind === 'owner' && held.key !== mine && (
        <TakeBack
          action={{ act: 'take-back', what: held.key }}
          says={words.people.takeBack}
          sure={words.people.takeBackSure}
          name={held.name}
        />
      )}
      {state.me?.kind !== 'owner' && held.by === mine && held.invitation !== undefined && (
        <TakeBack
          action={{ act: 'withdraw', invitation: held.invitation }}
          says={words.people.withdraw}
          sure={words.people.withdrawSure}
          why={words.people.withdrawWhy}
          name={held.name}
        />
      )}
    </div>
  )
}

/** @param named  says also what each is called, where nothing around them does */
function Grants({ grants, named = false }: { grants: readonly KnownGrant[]; named?: boolean }) {
  const { state, words, language } = usePage()
  return (
    <ul class="plain-list">
      {grants.map((grant) => (
        <li key={grant.id}>
          <div class="row">
            <span>
              <strong>{sayWhere(grant.devices, state.things, words)}</strong>: {sayWhat(grant.what, words)}
              {named && <small class="limit">{grant.name}</small>}
              {sayLimits(grant, words, language).map((limit) => (
                <small key={limit} class="limit">
                  {limit}
                </small>
              ))}
            </span>
            {state.me?.kind === 'owner' && (
              <TakeBack
                action={{ act: 'take-back', what: grant }}
                says={words.people.takeBack}
                sure={words.people.takeBackSure}
                name={grant.name}
              />
            )}
          </div>
        </li>
      ))}
    </ul>
  )
}
