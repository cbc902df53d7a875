// SPDX-License-Identifier: GPL-3.0-or-later
/** What the page believes only with proof: the device's hello, the owner's record of it, the receipt (SPEC 4.4, 4.7, 4.11). */
import { ENVELOPE_BYTES_MAX } from '../../schemas/gen/ts/wire.ts'
import { equal } from '../base/bytes.ts'
import {
  type Body,
  type BodyOf,
  type Ed25519,
  type Message,
  openEnvelope,
  type Receipt,
  type Sample,
  type Still,
} from '../core/envelope/browser.ts'
import { affordanceOf, fromWire, idOf, keyOf, type PartyId } from '../core/model/index.ts'
import { openTrust, type Trust } from '../core/policy/trust.ts'
import type { NamedValue, Papers, Picture, Thing } from './answers.ts'
import { PageError } from './error.ts'

/** Who is believed: the pinned root, those whom it made owners, and a verifier. */
export interface Believed {
  readonly trust: Trust
  readonly ed25519: Ed25519
}

type Named = Papers & Pick<Thing, 'id' | 'name'>

/** What a command can be sealed for. */
export interface Proven {
  readonly id: PartyId
  /** By which all this was proved. */
  readonly hello: Uint8Array
  /** The boot nonce of a hello that the device sealed. */
  readonly nonce: Uint8Array
  readonly affordances: readonly number[]
  /** The name to which an owner bound this key; absent: only the hub says which device it is, or one who is no owner any more. */
  readonly recordName?: string | undefined
}

/**
 * @param known  lists of what was taken back that were seen before: a home that shows older ones, or none, is held to them
 * @throws PageError distrust when this is another home, or names owners that the root did not make, or shows lists that are nobody's
 */
export function believe(
  picture: Picture,
  root: Uint8Array,
  ed25519: Ed25519,
  known: readonly Uint8Array[] = [],
): Believed {
  if (picture.home !== idOf(root)) throw new PageError('distrust', 'another home answers at this address')
  const trust = openTrust(
    root,
    picture.owners.map(({ frame }) => frame),
    ed25519,
  )
  if (!trust.ok)
    throw new PageError('distrust', `the home names an owner whom its root did not make: ${trust.why}`)
  // What this browser kept was proved once; what of it is damaged since counts for nothing.
  for (const list of known) trust.value.revoke(list, ANY_TIME)
  for (const list of picture.revocations) {
    const taken = trust.value.revoke(list, ANY_TIME)
    if (!taken.ok && !HARMLESS.has(taken.why)) {
      throw new PageError(
        'distrust',
        `the home shows a list of what was taken back that is false: ${taken.why}`,
      )
    }
  }
  return { trust: trust.value, ed25519 }
}

/** A phone's clock is no judge of what root and owners took back. */
const ANY_TIME = 0
/** An older list than one that is known, and that of somebody who is no owner, or none that is known here: they count for nothing. */
const HARMLESS: ReadonlySet<string> = new Set(['replayed', 'unknown-signer'])

/** @throws PageError away when the device was never heard; distrust when what the home shows is not the device's or an owner's */
export function prove(thing: Named, believed: Believed): Proven {
  const { id, name, hello, nonce, record } = thing
  if (!hello || !nonce) throw new PageError('away', `${name} has not been heard of since it was enrolled`)
  const opened = open(hello, 'hello', believed, (signer) => equal(signer, keyOf(id)))
  if (!opened || !equal(opened.body.epoch, nonce)) {
    throw new PageError('distrust', `the hello of ${name} was not sealed by that device`)
  }
  const { affordances } = opened.body
  return { id, hello, nonce, affordances, recordName: record && nameIn(record, thing, believed) }
}

/** The name, or the refusal: a record that does not hold is worse than none. */
function nameIn(record: Uint8Array, { id, name }: Named, believed: Believed): string | undefined {
  const { trust } = believed
  const mayHave = (signer: Uint8Array) => trust.isOwner(signer) || trust.isUnmade(signer)
  const opened = open(record, 'enrolment', believed, mayHave)
  if (!opened || idOf(opened.body.key) !== id) {
    throw new PageError('distrust', `the record of ${name} was not sealed by an owner`)
  }
  return trust.isOwner(opened.signer) ? opened.body.name : undefined
}

/** @throws PageError distrust when it is not this device's answer to exactly this command */
export function proveReceipt(
  frame: Uint8Array,
  command: Uint8Array,
  device: PartyId,
  believed: Believed,
): Message<Receipt> {
  const opened = open(frame, 'receipt', believed, (signer) => equal(signer, keyOf(device)))
  if (!opened || !equal(opened.body.command, command)) {
    throw new PageError('distrust', 'the receipt is not the answer of this device to this command')
  }
  return opened
}

/** What a device said, by the names of SPEC 4.13 and in a person's numbers; what our list does not know is left out. */
export function valuesOf(samples: readonly Sample[]): readonly NamedValue[] {
  return samples.flatMap(({ affordance: number, at, value }) => {
    const known = affordanceOf(number)
    return known ? [{ property: known.name, at, value: fromWire(known.capability, value) }] : []
  })
}

/** @throws PageError distrust when it is not this device's word on a picture */
export function proveStill(frame: Uint8Array, device: PartyId, believed: Believed): Message<Still> {
  const opened = open(frame, 'still', believed, (signer) => equal(signer, keyOf(device)))
  if (!opened) throw new PageError('distrust', 'the picture was not sealed by this device')
  return opened
}

/** What somebody sealed, for whomever: undefined when it is no envelope, or not of one who may have sealed it. */
export function openSealed(
  frame: Uint8Array,
  ed25519: Ed25519,
  mayHaveSealed: (signer: PartyId) => boolean,
): Body | undefined {
  const opened = openEnvelope(
    frame,
    {
      sizeMax: ENVELOPE_BYTES_MAX,
      accepts: (_body, key) => mayHaveSealed(idOf(key)),
      isAudience: () => true,
    },
    ed25519,
  )
  return opened.ok ? opened.value.body : undefined
}

function open<T extends Body['type']>(
  frame: Uint8Array,
  type: T,
  { trust, ed25519 }: Believed,
  mayHaveSealed: (signer: Uint8Array) => boolean,
): Message<BodyOf<T>> | undefined {
  const opened = openEnvelope(
    frame,
    {
      sizeMax: ENVELOPE_BYTES_MAX,
      accepts: (body, signer) => body.type === type && mayHaveSealed(signer),
      isAudience: (body) => body.audience === trust.home,
    },
    ed25519,
  )
  return opened.ok ? (opened.value as Message<BodyOf<T>>) : undefined
}
