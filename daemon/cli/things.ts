// SPDX-License-Identifier: GPL-3.0-or-later
/** Devices as the home tells of them, and as they can prove it. */
import { CODES, type Code } from '../../schemas/gen/ts/codes.ts'
import { ENVELOPE_BYTES_MAX } from '../../schemas/gen/ts/wire.ts'
import { equal } from '../base/bytes.ts'
import { ignore, isCode } from '../base/error.ts'
import { type Hello, type Message, openEnvelope } from '../core/envelope/index.ts'
import { idOf, keyOf, type PartyId, parseId } from '../core/model/index.ts'
import type { Api } from './api.ts'
import { CliError } from './error.ts'
import { bytesIn, type Fields, fieldsOf, listOf, optionalBytesIn, optionalTextIn, textIn } from './fields.ts'
import { meantBy } from './meant.ts'
import { learnOwners } from './people/index.ts'
import type { Person } from './person.ts'

/** The path of a device in the API, by id or name. @throws CliError usage */
export function thingPath(named: string): string {
  if (named === '' || named.length > 256) throw new CliError('usage', 'a device is named by its name or id')
  return `/things/${encodeURIComponent(named)}`
}

/** What a command can be sealed for: everything in it was checked against the home's root. */
export interface ProvenThing {
  readonly id: PartyId
  readonly name: string
  readonly hello: Message<Hello>
  /** The boot nonce of that hello. */
  readonly nonce: Uint8Array
  /** An owner bound this key to this name; otherwise only the hub says that it is this device. */
  readonly confirmed: boolean
  /** By which grant of ours this may be done, or why not; undefined for an owner, who needs none. */
  may(affordance: string, operation: 'write' | 'invoke'): May | undefined
}

export interface May {
  readonly grant: Uint8Array | undefined
  readonly code: Code | undefined
  readonly detail: string | undefined
}

/**
 * Asks the home for a device and checks the proof: its hello is sealed by the device's key, and an owner's record binds that key to
 * its name (SPEC 4.4, 4.7).
 * @throws CliError refusals of the envelope when the home hands out a hello or a record that is not what it should be
 */
export async function proveThing(api: Api, person: Person, named: string): Promise<ProvenThing> {
  const fields = await (person.role === 'owner' ? ownersView(api, named) : holdersView(api, person, named))
  const id = idIn(fields)
  const name = textIn(fields, 'name')
  const asked = parseId(named)
  // `<home>/<name>` means a device of another home of the owner; a name has no slash in it.
  const bare = named.slice(named.indexOf('/') + 1)
  if (asked ? asked !== id : name !== bare) {
    throw new CliError('bad-answer', `we asked for ${named}, and the home answered with ${name}`)
  }
  const frame = optionalBytesIn(fields, 'hello')
  if (!frame) {
    throw new CliError('away', `${name} has not been heard since it was enrolled`, {
      next: 'give it power and look at `shallot status`',
    })
  }
  const hello = openHello(frame, id, name, person)
  const nonce = bytesIn(fields, 'nonce')
  if (!equal(nonce, hello.body.epoch)) {
    throw new CliError('bad-answer', `the home's nonce for ${name} is not the one in the device's hello`)
  }
  const record = optionalBytesIn(fields, 'record')
  const confirmed =
    record !== undefined && (await proveRecord(api, record, { id, name, byName: !asked }, person))
  const may: ProvenThing['may'] = (affordance, operation) =>
    person.role === 'owner' ? undefined : mayIn(fields, affordance, operation)
  return { id, name, hello, nonce, confirmed, may }
}

async function ownersView(api: Api, named: string): Promise<Fields> {
  return fieldsOf(await api.get(`${thingPath(named)}/properties`), 'a device')
}

/** The picture of the home (SPEC 9.4): the same device, and by which of our grants we may do what; also who the owners are by now. */
async function holdersView(api: Api, person: Person, named: string): Promise<Fields> {
  const home = fieldsOf(await api.get('/home'), 'a picture of the home')
  learnOwners(home, person)
  const things = listOf(home.things, 'a list of devices').map((each) => fieldsOf(each, 'a device'))
  const found = meantBy(
    things.map((fields) => ({
      ...{ id: idIn(fields), name: textIn(fields, 'name'), home: optionalTextIn(fields, 'home') },
      fields,
    })),
    named,
  )
  if (found) return found.fields
  throw new CliError(
    'not-found',
    `${person.name} sees no device called ${JSON.stringify(named.slice(0, 64))}`,
    {
      next: 'a device of which nothing was granted is not shown: `shallot device list` tells what is',
    },
  )
}

function mayIn(thing: Fields, affordance: string, operation: 'write' | 'invoke'): May {
  const shown = listOf(thing.affordances, 'affordances').map((each) => fieldsOf(each, 'an affordance'))
  const own = shown.find(({ name }) => name === affordance)
  const may = own && fieldsOf(own.may ?? {}, 'what may be done')[operation]
  if (may === undefined || may === null) return { grant: undefined, code: 'not-granted', detail: undefined }
  const said = fieldsOf(may, 'what may be done')
  const code = optionalTextIn(said, 'code')
  return {
    grant: optionalBytesIn(said, 'grant'),
    code: said.ok === true || code === undefined || !Object.hasOwn(CODES, code) ? undefined : (code as Code),
    detail: optionalTextIn(said, 'detail'),
  }
}

/** An owner whom we have not heard of may have sealed it: then the home shows what makes them one. */
async function proveRecord(
  api: Api,
  record: Uint8Array,
  thing: { readonly id: PartyId; readonly name: string; readonly byName: boolean },
  person: Person,
): Promise<true> {
  try {
    return checkRecord(record, thing, person)
  } catch (error) {
    if (!isCode(error, 'unknown-signer')) throw error
    const home = await api.get('/home').catch((cause) => ignore(cause, 'then what we know of owners stands'))
    if (home === undefined) throw error
    learnOwners(fieldsOf(home, 'a picture of the home'), person)
    return checkRecord(record, thing, person)
  }
}

/** `urn:shallot:<id>` or the id alone. */
export function idIn(fields: Fields): PartyId {
  const id = parseId(textIn(fields, 'id').replace(/^urn:shallot:/, ''))
  if (!id) throw new CliError('bad-answer', 'the home named a device by something that is no id')
  return id
}

const DISTRUST = 'do not act through this hub before you know why: it may be broken into'

function openHello(frame: Uint8Array, id: PartyId, name: string, person: Person): Message<Hello> {
  const opened = openEnvelope(
    frame,
    {
      sizeMax: ENVELOPE_BYTES_MAX,
      accepts: (body, signer) => body.type === 'hello' && equal(signer, keyOf(id)),
      isAudience: (body) => body.audience === person.home,
    },
    person.ed25519,
  )
  if (opened.ok) return opened.value as Message<Hello>
  throw new CliError(opened.why, `the home handed out a hello for ${name} that this device did not seal`, {
    next: DISTRUST,
  })
}

/** True, or the refusal: a record that does not hold is worse than none. */
function checkRecord(
  record: Uint8Array,
  thing: { readonly id: PartyId; readonly name: string; readonly byName: boolean },
  person: Person,
): true {
  const opened = openEnvelope(
    record,
    {
      sizeMax: ENVELOPE_BYTES_MAX,
      accepts: (body, signer) => body.type === 'enrolment' && person.trust.isOwner(signer),
      isAudience: (body) => body.audience === person.home,
    },
    person.ed25519,
  )
  const body = opened.ok ? opened.value.body : undefined
  if (body?.type !== 'enrolment') {
    const why = opened.ok ? 'unknown-signer' : opened.why
    throw new CliError(why, `the home's record of ${thing.name} is not sealed by an owner we know`, {
      next: DISTRUST,
    })
  }
  if (idOf(body.key) !== thing.id) {
    throw new CliError('bad-key', `the owner's record of ${thing.name} is for another device's key`, {
      next: DISTRUST,
    })
  }
  if (thing.byName && body.name !== thing.name) {
    throw new CliError(
      'bad-answer',
      `the home calls it ${thing.name}, the owner's record calls it ${body.name}`,
      {
        next: `name it by its id to act on it all the same: ${thing.id}`,
      },
    )
  }
  return true
}

/** A line of `shallot device list`. */
export interface ThingLine {
  readonly id: PartyId
  readonly name: string
  /** The other home that it is in, if it is not here. */
  readonly home: string | undefined
  readonly connected: boolean | undefined
  readonly confirmed: boolean | undefined
  readonly properties: readonly string[]
  readonly actions: readonly string[]
}

export function thingLine(description: unknown): ThingLine {
  const fields = fieldsOf(description, 'a Thing Description')
  const flag = (name: string): boolean | undefined =>
    typeof fields[name] === 'boolean' ? fields[name] : undefined
  return {
    id: idIn(fields),
    name: textIn(fields, 'title'),
    home: optionalTextIn(fields, 'shallot:home'),
    connected: flag('shallot:connected'),
    confirmed: flag('shallot:confirmed'),
    properties: namesOf(fields.properties),
    actions: namesOf(fields.actions),
  }
}

function namesOf(value: unknown): readonly string[] {
  return value === undefined ? [] : Object.keys(fieldsOf(value, 'a list of affordances'))
}
