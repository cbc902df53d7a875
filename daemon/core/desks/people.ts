// SPDX-License-Identifier: GPL-3.0-or-later
/** Papers about people (SPEC 12, 13): opened, judged, kept, and told to whoever must know. */
import { createHash } from 'node:crypto'
import type { Code } from '../../../schemas/gen/ts/codes.ts'
import { KEY_BYTES } from '../../../schemas/gen/ts/wire.ts'
import { equal } from '../../base/bytes.ts'
import { no, type Verdict, yes } from '../../base/error.ts'
import type { Caller } from '../callers.ts'
import { admit, type Frame, type Message, type Revocation } from '../envelope/index.ts'
import { idOf, keyOf, type PartyId } from '../model/index.ts'
import type { KnownHolder, KnownPerson } from '../people.ts'
import type { HeldGrant, KnownOwner } from '../policy/index.ts'
import type { DeskDeps } from './deps.ts'

export interface PeopleDesk {
  person(frame: Frame, id: Uint8Array, caller: Caller): Promise<Verdict<KnownPerson, Code>>
  /** @returns `conflict` while a key or a grant of theirs holds */
  removePerson(id: Uint8Array, caller: Caller): Promise<Verdict<void, Code>>
  holder(frame: Frame, key: PartyId, caller: Caller): Promise<Verdict<KnownHolder, Code>>
  grant(frame: Frame, caller: Caller): Promise<Verdict<HeldGrant, Code>>
  /** The list says by itself who takes back. `told` is how many devices it went to at once. */
  revoke(
    frame: Frame,
    origin: string,
  ): Promise<Verdict<{ readonly list: Message<Revocation>; readonly told: number }, Code>>
  /** Takes back the addresses of phones that were taken back before, should the hub have died in between. */
  withdrawStale(): void
  /** The root's envelope says by itself who becomes an owner. */
  owner(frame: Frame, key: PartyId, origin: string): Promise<Verdict<KnownOwner, Code>>
}

/** @param deps  `tidy`: takes back the addresses of phones that may not come any more */
export function openPeopleDesk(deps: DeskDeps & { readonly tidy: () => void }): PeopleDesk {
  const { clock, authority, papers, pairings, courier, feed, diary } = deps
  const { trust, grants, people } = authority

  const changed = (): void => feed.publish({ event: 'rights', at: clock.now() })

  /** Ends the pairing that a key asked in, now that somebody who may has said whose it is. */
  const endPairing = async (key: PartyId): Promise<void> => {
    const pairing = pairings.askedBy(key)
    if (!pairing || pairing.end) return
    await pairings.end(pairing.pairing, 'confirmed')
    feed.publish({ event: 'pairing', at: clock.now(), pairing: pairing.pairing, by: pairing.by })
  }

  /** Addresses of phones that were taken back go with them. */
  const withdrawOf = (list: Message<Revocation>, origin: string): void => {
    const keys = list.body.entries.filter((entry) => entry.length === KEY_BYTES).map(idOf)
    for (const key of keys) {
      const service = pairings.askedBy(key)?.invitation
      if (service) deps.withdraw(service, { signer: idOf(list.signer), origin })
    }
  }

  /** Whom and what a list takes back, by name, as far as it is known here. */
  const namesIn = (list: Message<Revocation>): string => {
    const known = list.body.entries.map((entry) =>
      entry.length === KEY_BYTES
        ? (people.holder(idOf(entry))?.name ?? trust.owners.find(({ id }) => id === idOf(entry))?.name)
        : grants.withId(entry)[0]?.body.name,
    )
    return known.filter((name) => name !== undefined).join(', ')
  }

  return {
    async person(frame, id, caller) {
      const refused = (why: Code, detail?: string) => diary.refuse(frame, caller, undefined, why, detail)
      const opened = people.openPerson(frame)
      if (!opened.ok) return refused(opened.why)
      if (!equal(opened.value.body.person, id))
        return refused('bad-request', 'the envelope is about somebody else')
      const admitted = admit(opened.value, { now: authority.now() })
      if (!admitted.ok) return refused(admitted.why)
      const judged = people.judge(opened.value)
      if (!judged.ok) return refused(judged.why, judged.detail)
      const at = clock.now()
      const { name } = opened.value.body
      await papers.put(
        'person',
        { key: id, frame, at },
        diary.by(caller, { kind: 'person', frame, person: id, note: name }),
      )
      const known = people.keepPerson(opened.value)
      changed()
      return yes(known)
    },

    async removePerson(id, caller) {
      const person = people.person(id)
      if (!person || person.gone) return no('not-found', 'this person is not known')
      if (caller.kind !== 'owner' && person.by !== caller.id) return no('forbidden')
      const live = people.holdersOf(id).filter((holder) => people.counts(holder))
      const held = live.some((holder) => grants.heldBy(keyOf(holder.id)).length > 0)
      if (live.length > 0 || held)
        return no('conflict', `take back the keys and grants of ${person.name} first`)
      const entry = diary.by(caller, { kind: 'removed', person: id, note: person.name })
      await papers.remove('person', id, clock.now(), entry)
      people.putAway(id)
      changed()
      return yes(undefined)
    },

    async holder(frame, key, caller) {
      const refused = (why: Code, detail?: string) => diary.refuse(frame, caller, undefined, why, detail)
      const opened = people.openHolder(frame)
      if (!opened.ok) return refused(opened.why)
      const { body } = opened.value
      if (idOf(body.key) !== key) return refused('bad-request', 'the envelope is about another key')
      const admitted = admit(opened.value, { now: authority.now() })
      if (!admitted.ok) return refused(admitted.why)
      const judged = people.judge(opened.value)
      if (!judged.ok) return refused(judged.why, judged.detail)
      const at = clock.now()
      await papers.put(
        'holder',
        { key: body.key, frame, at },
        diary.by(caller, { kind: 'holder', frame, person: body.person, note: body.name }),
      )
      const known = people.keepHolder(opened.value, at)
      await endPairing(key)
      changed()
      return yes(known)
    },

    async grant(frame, caller) {
      const admitted = grants.admit(frame, authority.now())
      if (!admitted.ok) return diary.refuse(frame, caller, undefined, admitted.why, admitted.detail)
      const grant = admitted.value
      if (grant.frame !== frame) return admitted
      const { name, key } = grant.body
      const person = key && people.holder(idOf(key))?.person
      await papers.put(
        'grant',
        { key: sha256(frame), frame, at: clock.now() },
        diary.by(caller, { kind: 'granted', frame, person, chain: [grant.body.id], note: name }),
      )
      courier.granted(grant)
      changed()
      return admitted
    },

    async revoke(frame, origin) {
      const isKnown = trust.revocations.some((list) => equal(list.frame, frame))
      const revoked = grants.revoke(frame, authority.now())
      if (!revoked.ok) return diary.stranger(revoked.why, { origin, note: 'a list of what is taken back' })
      const { list, dropped } = revoked.value
      if (isKnown) return yes({ list, told: 0 })
      const note = [...new Set([...dropped.map(({ body }) => body.name), namesIn(list)])]
        .filter(Boolean)
        .join(', ')
      const chain = list.body.entries.filter((entry) => entry.length !== KEY_BYTES)
      await papers.put(
        'revocation',
        { key: list.signer, frame, at: clock.now() },
        {
          kind: 'revoked',
          at: clock.now(),
          signer: idOf(list.signer),
          frame,
          origin,
          note: note.slice(0, 200),
          chain,
        },
      )
      const told = courier.revoked(frame)
      changed()
      withdrawOf(list, origin)
      deps.tidy()
      return yes({ list, told })
    },

    withdrawStale() {
      for (const list of trust.revocations) withdrawOf(list, 'unix')
      deps.tidy()
    },

    async owner(frame, key, origin) {
      const added = trust.addOwner(frame, authority.now())
      if (!added.ok) return diary.stranger(added.why, { origin, note: 'somebody to become an owner' })
      const owner = added.value
      if (owner.id !== key) return no('bad-request', 'the envelope is about another key')
      const at = clock.now()
      await papers.put(
        'owner',
        { key: keyOf(key), frame, at },
        { kind: 'owner', at, signer: trust.home, frame, origin, note: owner.name },
      )
      courier.owner(frame)
      changed()
      return added
    },
  }
}

function sha256(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(bytes).digest())
}
