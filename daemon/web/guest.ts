// SPDX-License-Identifier: GPL-3.0-or-later
/** How somebody lets another phone in: a code, the phone's proof, the same digits on both sides, a holder (SPEC 13.3 to 13.5). */
import { PAIRING_LIFETIME_S_MAX } from '../../schemas/gen/ts/wire.ts'
import { equal, fromBase32, toBase64url, utf8 } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import type { Holder, Pairing, Person as PersonBody } from '../core/envelope/browser.ts'
import { keyOf, type PartyId } from '../core/model/index.ts'
import { readMove } from './answers.ts'
import { type DealDeps, personPath, send } from './deal.ts'
import { PageError } from './error.ts'
import { bytesIn, type Fields, fieldsOf, idIn, textIn } from './fields.ts'
import type { Person } from './person.ts'
import { type PhoneCode, pairKeys, provePhone, writePhoneCode } from './phone-code.ts'
import { openSealed } from './proof.ts'

export interface GuestDeps extends DealDeps {
  readonly clock: Clock
  /** Of the page: what the guest's code says beside its own onion. */
  readonly origin: string
}

export interface NewPhone {
  /** A person's id, or the name of somebody new. */
  readonly person: { readonly id: Uint8Array } | { readonly name: string }
  /** `Bea's phone` */
  readonly name: string
}

/** Of an onion address, before `.onion`. */
const ONION_ID_CHARS = 56

/** A code that was given, and what is needed to let in whoever proves it. */
export interface OpenGuest {
  readonly code: PhoneCode
  readonly pairing: string
  readonly person: Uint8Array
  readonly name: string
  readonly link: string
}

/** Opens the way for one phone. */
export async function openGuest(deps: GuestDeps, phone: NewPhone, signal: AbortSignal): Promise<OpenGuest> {
  const { person: me, asker, random, clock } = deps
  const person = 'id' in phone.person ? phone.person.id : await addPerson(deps, phone.person.name, signal)
  const code: PhoneCode = { root: me.root, secret: random.bytes(16) }
  const { pairing, hubKey } = pairKeys(code.secret)
  const sealed = me.seal<Pairing>({
    type: 'pairing',
    name: phone.name,
    expiresAt: Math.floor(clock.now() / 1000) + PAIRING_LIFETIME_S_MAX,
    pairing,
    person,
    kind: 'phone',
  })
  const body = {
    pairing: toBase64url(sealed),
    proof: toBase64url(hubKey),
    // An address of its own, which goes with it: nobody else's is told.
    address: true,
  }
  const answer = await asker.json(
    { method: 'POST', path: '/pairings', type: 'application/json', body: json(body) },
    signal,
  )
  const { address } = readMove(fieldsOf(answer))
  const lan = deps.origin.startsWith('https:') ? [deps.origin] : []
  const text = writePhoneCode(code, fromBase32(address.slice(0, ONION_ID_CHARS))!.subarray(0, 32), lan)
  const link = `http://${address}/#${text}`
  return { code, pairing: toBase64url(pairing), person, name: phone.name, link }
}

async function addPerson({ asker, person, random }: GuestDeps, name: string, signal: AbortSignal) {
  const id = random.bytes(8)
  await send(
    asker,
    'PUT',
    personPath(id),
    person.seal<PersonBody>({ type: 'person', name, person: id }),
    signal,
  )
  return id
}

/** What is known of the phone that asked; undefined: none has yet. @throws PageError when one asks that cannot prove the code */
export async function guestAsking(
  { asker, person }: GuestDeps,
  open: OpenGuest,
  signal: AbortSignal,
): Promise<{ readonly key: PartyId; readonly match: string } | undefined> {
  const fields = fieldsOf(await asker.json({ method: 'GET', path: `/pairings/${open.pairing}` }, signal))
  const state = textIn(fields, 'state')
  if (state === 'expired') throw new PageError('permit-expired', 'the code is too old')
  if (state === 'declined') throw new PageError('permit-unknown', 'the code was taken back')
  if (state !== 'asked' && state !== 'confirmed') return undefined
  const key = provedKey(fields, open, person)
  return { key, match: provePhone(open.code, keyOf(key)).match }
}

/** The key that sealed the phone's question, if it had the secret of the code: a hub cannot put another in its place. */
function provedKey(fields: Fields, { code }: OpenGuest, { home, ed25519 }: Person): PartyId {
  const said = idIn(fields, 'key')
  const body = openSealed(bytesIn(fields, 'pair'), ed25519, (signer) => signer === said)
  const proof = body?.type === 'pair' && body.audience === home ? body.proofForOwner : undefined
  if (!proof || !equal(proof, provePhone(code, keyOf(said)).proofForOwner)) {
    throw new PageError('bad-proof', 'the phone that asks did not have the code')
  }
  return said
}

/** Confirms: from now on that key may ask. */
export async function admitGuest(
  { asker, person }: GuestDeps,
  open: OpenGuest,
  key: PartyId,
  signal: AbortSignal,
): Promise<void> {
  const { name, person: whose } = open
  const holder = person.seal<Holder>({ type: 'holder', name, key: keyOf(key), person: whose, kind: 'phone' })
  await send(asker, 'PUT', `/holders/${key}`, holder, signal)
}

export async function declineGuest(
  { asker }: GuestDeps,
  open: OpenGuest,
  signal: AbortSignal,
): Promise<void> {
  await asker.json({ method: 'DELETE', path: `/pairings/${open.pairing}` }, signal)
}

function json(body: object): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(utf8(JSON.stringify(body)))
}
