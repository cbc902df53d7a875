// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * Who lives in this home and who may do what there, as its hub tells it (SPEC 9.3, 9.4), held against the seals.
 *
 * Always true: what is sealed next is never for a key, a person or a device that neither an owner nor who seals bound to its name; the
 * hub's word is taken for what only it knows (what was counted, who is connected).
 */
import { ENVELOPE_BYTES_MAX } from '../../../schemas/gen/ts/wire.ts'
import { equal, toBase64url } from '../../base/bytes.ts'
import {
  type Body,
  type BodyOf,
  type Enrolment,
  type Frame,
  type Grant,
  type Holder,
  type Message,
  openEnvelope,
  type Revocation,
} from '../../core/envelope/index.ts'
import { idOf, type PartyId, parseId } from '../../core/model/index.ts'
import type { Api } from '../api.ts'
import { CliError } from '../error.ts'
import {
  bytesIn,
  type Fields,
  fieldsOf,
  listOf,
  numberIn,
  optionalBytesIn,
  optionalNumberIn,
  optionalTextIn,
  textIn,
} from '../fields.ts'
import type { Person } from '../person.ts'
import { typedLast } from '../typed.ts'

export interface KnownHolder {
  readonly message: Message<Holder>
  readonly id: PartyId
  readonly name: string
  readonly kind: Holder['kind']
  readonly by: PartyId
  /** An owner's seal is on it; otherwise it was added by somebody who may share. */
  readonly byOwner: boolean
  /** That seal, or our own. */
  readonly isTrusted: boolean
  readonly at: number | undefined
  readonly revoked: boolean
  /** The onion service that is this phone's. */
  readonly invitation: string | undefined
}

export interface KnownPerson {
  /** Base64url of the id. */
  readonly id: string
  readonly person: Uint8Array
  readonly name: string
  /** An owner's seal is on it, or our own. */
  readonly isTrusted: boolean
  readonly holders: readonly KnownHolder[]
}

export interface KnownGrant {
  readonly message: Message<Grant>
  /** Base64url of the id, which copies for several keys share. */
  readonly id: string
  readonly by: PartyId
  readonly byOwner: boolean
  readonly revoked: boolean
  readonly used: number | undefined
  /** Whose it is, as the hub says; for a code there is no key that says so. */
  readonly person: string | undefined
}

export interface KnownThing {
  readonly id: PartyId
  readonly name: string
  /** What the other home is called that it is in, if it is not here. */
  readonly home: string | undefined
  readonly groups: readonly string[]
  readonly affordances: readonly number[]
  readonly connected: boolean
  /** The owner's record, when an owner has confirmed the device; the name in it is the name above. */
  readonly record: Message<Enrolment> | undefined
}

export interface House {
  readonly hub: PartyId
  /** A name of the IANA database, or an offset. */
  readonly zone: string
  /** Whether who asks may pass anything on, as the hub says. */
  readonly mayShare: boolean
  readonly people: readonly KnownPerson[]
  readonly grants: readonly KnownGrant[]
  readonly things: readonly KnownThing[]
  readonly revocations: readonly Message<Revocation>[]
}

/**
 * Asks the home for the whole picture, and learns whom its root made an owner.
 * @throws CliError with the envelope's code when a seal does not hold
 */
export async function readHouse(api: Api, person: Person): Promise<House> {
  const [home, roll] = [
    fieldsOf(await api.get('/home'), 'a picture of the home'),
    fieldsOf(await api.get('/people'), 'a list of people'),
  ]
  const revocations = learnOwners(home, person)
  const hub = parseId(textIn(home, 'hub'))
  if (!hub) throw new CliError('bad-answer', 'the home named its hub by something that is no id')
  return {
    hub,
    zone: zoneIn(home),
    mayShare: fieldsOf(home.me, 'who asks').share === true,
    people: listOf(roll.people, 'a list of people').map((each) =>
      personIn(fieldsOf(each, 'a person'), person),
    ),
    grants: listOf(home.grants, 'a list of grants').map((each) =>
      grantIn(fieldsOf(each, 'a grant'), revocations, person),
    ),
    things: listOf(home.things, 'a list of devices').map((each) =>
      thingIn(fieldsOf(each, 'a device'), person),
    ),
    revocations,
  }
}

/**
 * Owners whom the root's own list does not take back, from the picture of the home.
 * @returns every list that is in it
 */
export function learnOwners(home: Fields, person: Person): readonly Message<Revocation>[] {
  const revocations = revocationsIn(home, person)
  const byRoot = revocations.find(({ signer }) => equal(signer, person.root))?.body.entries ?? []
  const frames: Frame[] = []
  for (const each of listOf(home.owners, 'a list of owners')) {
    const fields = fieldsOf(each, 'an owner')
    const key = parseId(textIn(fields, 'key'))
    if (!byRoot.some((entry) => idOf(entry) === key)) frames.push(bytesIn(fields, 'frame'))
  }
  person.learnOwners(frames)
  return revocations
}

function revocationsIn(home: Fields, person: Person): readonly Message<Revocation>[] {
  return listOf(home.revocations, 'a list of revocations').map((each) =>
    openBy('revocation', bytesIn(fieldsOf(each, 'a revocation'), 'frame'), person),
  )
}

function zoneIn(home: Fields): string {
  const zone = home.zone === undefined || home.zone === null ? {} : fieldsOf(home.zone, 'a zone')
  const name = optionalTextIn(zone, 'name') ?? 'UTC'
  try {
    return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name).timeZoneId
  } catch (cause) {
    throw new CliError(
      'bad-answer',
      `the home's zone ${JSON.stringify(name.slice(0, 40))} is not known here`,
      {
        cause,
      },
    )
  }
}

function personIn(fields: Fields, owner: Person): KnownPerson {
  const { body, signer } = openBy('person', bytesIn(fields, 'frame'), owner)
  return {
    id: toBase64url(body.person),
    person: body.person,
    name: body.name,
    isTrusted: isTrusted(signer, owner),
    holders: listOf(fields.holders, 'a list of phones').map((each) =>
      holderIn(fieldsOf(each, 'a phone'), body.person, owner),
    ),
  }
}

function isTrusted(signer: Uint8Array, { trust, key }: Person): boolean {
  return trust.isOwner(signer) || equal(signer, key)
}

function holderIn(fields: Fields, person: Uint8Array, owner: Person): KnownHolder {
  const message = openBy('holder', bytesIn(fields, 'frame'), owner)
  const { body, signer } = message
  if (!equal(body.person, person)) {
    throw new CliError('bad-answer', `the home shows ${body.name} as a key of another person than it is of`, {
      next: DISTRUST,
    })
  }
  return {
    message,
    id: idOf(body.key),
    name: body.name,
    kind: body.kind,
    by: idOf(signer),
    byOwner: owner.trust.isOwner(signer),
    isTrusted: isTrusted(signer, owner),
    at: optionalNumberIn(fields, 'at'),
    revoked: fields.revoked === true,
    invitation: optionalTextIn(fields, 'invitation')?.replace(/^invitation:/, ''),
  }
}

function grantIn(fields: Fields, lists: readonly Message<Revocation>[], owner: Person): KnownGrant {
  const message = openBy('grant', bytesIn(fields, 'frame'), owner)
  return {
    message,
    id: toBase64url(message.body.id),
    by: idOf(message.signer),
    byOwner: owner.trust.isOwner(message.signer),
    revoked: fields.revoked === true || isTakenBack(message, lists),
    used: optionalNumberIn(fields, 'used'),
    person: optionalTextIn(fields, 'person'),
  }
}

/** By its id, its holder, its sealer, or because it is older than its sealer's floor (SPEC 12.5). */
export function isTakenBack(
  { body, signer }: Message<Grant>,
  lists: readonly Message<Revocation>[],
): boolean {
  return lists.some(({ body: { entries, floor }, signer: by }) => {
    const named = entries.some(
      (entry) => equal(entry, body.id) || equal(entry, signer) || (body.key && equal(entry, body.key)),
    )
    return named || (floor !== undefined && equal(by, signer) && body.sealedAt < floor)
  })
}

function thingIn(fields: Fields, owner: Person): KnownThing {
  const id = parseId(textIn(fields, 'id').replace(/^urn:shallot:/, ''))
  if (!id) throw new CliError('bad-answer', 'the home named a device by something that is no id')
  const frame = optionalBytesIn(fields, 'record')
  const record = frame && openBy('enrolment', frame, owner)
  if (record && (idOf(record.body.key) !== id || !owner.trust.isOwner(record.signer))) {
    throw new CliError(
      'unknown-signer',
      `the home's record of ${textIn(fields, 'name')} is not this device's`,
      {
        next: DISTRUST,
      },
    )
  }
  return {
    id,
    name: record ? record.body.name : textIn(fields, 'name'),
    home: optionalTextIn(fields, 'home'),
    groups: record?.body.groups ?? [],
    affordances: listOf(fields.affordances, 'affordances').map((each) =>
      numberIn(fieldsOf(each, 'an affordance'), 'number'),
    ),
    connected: fields.connected === true,
    record,
  }
}

const DISTRUST = 'do not act through this hub before you know why: it may be broken into'

/** An envelope of this type and home, whoever sealed it. @throws CliError with the envelope's code */
export function openBy<T extends Body['type']>(type: T, frame: Frame, person: Person): Message<BodyOf<T>> {
  const opened = openEnvelope(
    frame,
    {
      sizeMax: ENVELOPE_BYTES_MAX,
      accepts: (body) => body.type === type,
      isAudience: (body) => body.audience === person.home,
    },
    person.ed25519,
  )
  if (opened.ok) return opened.value as Message<BodyOf<T>>
  throw new CliError(opened.why, `the home showed a ${type} that is not what it should be`, {
    next: DISTRUST,
  })
}

/** @throws CliError not-found | conflict */
export function personNamed({ people }: House, name: string): KnownPerson {
  const found = people.filter((each) => each.name === name || each.id === name)
  if (found.length === 1) return found[0]!
  if (found.length > 1) {
    throw new CliError('conflict', `${found.length} people are called ${name}`, {
      next: `name one by id: ${found.map(({ id }) => id).join(' ')}`,
    })
  }
  throw new CliError('not-found', `nobody here is called ${JSON.stringify(name.slice(0, 64))}`, {
    next: `see \`shallot person list\`, or make them known with \`shallot person add ${typedLast(name.slice(0, 64))}\``,
  })
}

/** The same, for sealing something for them. @throws CliError unknown-signer for a name that neither an owner nor we have sealed */
export function trustedPerson(house: House, name: string): KnownPerson {
  const person = personNamed(house, name)
  if (person.isTrusted) return person
  throw new CliError(
    'unknown-signer',
    `neither you nor an owner made ${person.name} known here; somebody who may share did, or the hub`,
    {
      next: 'make them known yourself under another name: shallot person add',
    },
  )
}

/** The keys that act for somebody now: an owner or we said so, and nobody took them back. */
export function liveHolders(person: KnownPerson): readonly KnownHolder[] {
  return person.holders.filter(({ revoked, isTrusted }) => isTrusted && !revoked)
}

/** All of their keys that nobody took back, whoever brought them in: for looking at, and for taking back. */
export function presentHolders(person: KnownPerson): readonly KnownHolder[] {
  return person.holders.filter(({ revoked }) => !revoked)
}

/** Who sealed something: an owner by name, or the person whose key it was; else that key. */
export function sealerNamed(by: PartyId, { people }: House, { trust }: Person): string {
  const owner = trust.owners.find(({ id }) => id === by)
  if (owner) return owner.name
  return people.find(({ holders }) => holders.some(({ id }) => id === by))?.name ?? by
}
