// SPDX-License-Identifier: GPL-3.0-or-later
/** People, grants and what they did → what JSON says (SPEC 9.3, 9.7), as far as the caller may see it. */
import { codeByNumber } from '../../../schemas/gen/ts/codes.ts'
import { toBase64url } from '../../base/bytes.ts'
import type { Grant, Message, Revocation } from '../../core/envelope/index.ts'
import { idOf, keyOf, type PartyId } from '../../core/model/index.ts'
import type { KnownHolder, KnownPerson } from '../../core/people.ts'
import { type HeldGrant, linksOf } from '../../core/policy/index.ts'
import type { Entry } from '../../core/ports.ts'
import type { OpenPairing } from '../../core/ports-people.ts'
import type { Caller, TokenView } from '../../core/receive.ts'
import type { Sight } from '../../core/sight.ts'
import type { HttpHome } from './home.ts'
import { tellBytes } from './telling.ts'

export function tellPerson(home: HttpHome, { id, name, by, frame }: KnownPerson): object {
  const { people, grants } = home.authority
  const holders = people.holdersOf(id)
  const held = holders.flatMap((holder) => grants.heldBy(keyOf(holder.id)))
  return {
    id: tellBytes(id),
    name,
    by,
    frame: tellBytes(frame),
    holders: holders.map((holder) => tellHolder(home, holder)),
    grants: [...new Set(held.map(({ body }) => toBase64url(body.id)))],
  }
}

export function tellHolder(
  { authority, pairings, services }: Pick<HttpHome, 'authority' | 'pairings' | 'services'>,
  holder: KnownHolder,
): object {
  const { id, name, kind, person, by, frame, at } = holder
  const invitation = pairings.askedBy(id)?.invitation
  const isThere = invitation !== undefined && services.list().some(({ service }) => service === invitation)
  return {
    key: id,
    name,
    kind,
    person: tellBytes(person),
    by,
    at,
    revoked: !authority.people.counts(holder),
    invitation: isThere ? invitation : undefined,
    frame: tellBytes(frame),
  }
}

/** @param holds  false: it was taken back, or ended and was dropped */
export function tellGrant(
  { authority }: Pick<HttpHome, 'authority'>,
  { body, signer, frame }: Message<Grant>,
  holds = true,
): object {
  const { people, uses } = authority
  const person = people.personOf(body)
  const seconds = (time: number | undefined) => (time === undefined ? undefined : time * 1000)
  return {
    id: tellBytes(body.id),
    name: body.name,
    holder: body.key && idOf(body.key),
    pin: body.pin !== undefined,
    person: tellBytes(person),
    devices: body.devices.map((one) => (typeof one === 'string' ? one : idOf(one))),
    what: body.what,
    lease: body.leaseS,
    parent: tellBytes(body.parent),
    share: body.share,
    hours: body.hours,
    from: seconds(body.notBefore),
    until: seconds(body.expiresAt),
    uses: body.uses,
    used: body.uses === undefined ? undefined : uses.count(body.id),
    by: idOf(signer),
    at: body.sealedAt * 1000,
    revoked: !holds && (body.expiresAt === undefined || body.expiresAt > authority.now()),
    frame: tellBytes(frame),
  }
}

/** The grants that this caller may know of: its own, what these hang from, and what it passed on. */
export function grantsFor({ authority }: HttpHome, caller: Caller, sight: Sight): readonly HeldGrant[] {
  const all = authority.grants.list()
  if (sight.seesAll) return all
  const own = new Set(sight.grants().flatMap(linksOf))
  const passesOn = (grant: HeldGrant) =>
    caller.kind === 'holder' && linksOf(grant).some(({ signer }) => idOf(signer) === caller.id)
  return all.filter((grant) => own.has(grant) || passesOn(grant))
}

/** The people that this caller may know of: itself, and whom it brought in. */
export function peopleFor({ authority }: HttpHome, caller: Caller, sight: Sight): readonly KnownPerson[] {
  const all = authority.people.people()
  if (sight.seesAll) return all
  const own = tellBytes(caller.person)
  return all.filter((person) => tellBytes(person.id) === own || person.by === caller.id)
}

export function tellRevocation({ body, signer, frame }: Message<Revocation>): object {
  return {
    signer: idOf(signer),
    sequence: body.sequence,
    entries: body.entries.map(tellBytes),
    floor: body.floor === undefined ? undefined : body.floor * 1000,
    frame: tellBytes(frame),
  }
}

/** The proof key never leaves; `pair` is for the owner's side to check the phone's proof with (SPEC 13.5). */
export function tellPairing(pairing: OpenPairing, now: number): object {
  return {
    pairing: tellBytes(pairing.pairing),
    name: pairing.name,
    person: tellBytes(pairing.person),
    kind: pairing.kind,
    state: pairingState(pairing, now),
    expiresAt: pairing.expiresAt,
    key: pairing.key,
    pair: tellBytes(pairing.pair),
  }
}

export function pairingState({ end, key, expiresAt }: OpenPairing, now: number): string {
  if (end) return end
  if (expiresAt <= now) return 'expired'
  return key ? 'asked' : 'open'
}

export function tellToken({ name, by, at, usedAt, form, grants }: TokenView): object {
  return { name, by, at, usedAt, form, grants: grants.map(tellBytes) }
}

/** @param whole  with the envelope itself */
export function tellEntry({ authority }: Pick<HttpHome, 'authority'>, entry: Entry, whole: boolean): object {
  const { people } = authority
  const person = entry.person && people.person(entry.person)
  const chain = entry.chain?.map(tellBytes)
  return {
    index: entry.index,
    at: entry.at,
    kind: entry.kind,
    device: entry.device,
    signer: entry.signer,
    by: entry.signer && nameOf(authority, entry.signer),
    person: entry.person && { id: tellBytes(entry.person), name: person?.name },
    grant: chain?.at(-1),
    chain,
    origin: entry.origin,
    code: entry.code === undefined ? undefined : (codeByNumber(entry.code) ?? entry.code),
    note: entry.note,
    command: tellBytes(entry.command),
    frame: whole ? tellBytes(entry.frame) : undefined,
    hash: tellBytes(entry.hash),
  }
}

/** What an owner or the holder of a key is called. */
export function nameOf({ trust, people }: HttpHome['authority'], id: PartyId): string | undefined {
  return trust.owner(keyOf(id))?.name ?? people.holder(id)?.name
}
