// SPDX-License-Identifier: GPL-3.0-or-later
import type { Code } from '../../../schemas/gen/ts/codes.ts'
import * as wire from '../../../schemas/gen/ts/wire.ts'
import { MESSAGE_TYPES, type MessageType } from '../../../schemas/gen/ts/wire.ts'
import { type No, no, type Verdict, yes } from '../../base/error.ts'
import { type Cbor, type CborMap, decodeCbor, decodeTagged, encodeCbor } from './cbor.ts'
import { readClaims } from './claims.ts'
import { type Ed25519, isSoundPoint, isSoundSignature } from './ed25519.ts'
import type { Body, Frame, Message } from './message.ts'

export type EnvelopeCode = Extract<
  Code,
  | `cbor-${string}`
  | 'too-large'
  | 'wrong-tag'
  | 'bad-structure'
  | 'bad-header'
  | 'unknown-critical'
  | 'wrong-algorithm'
  | 'unknown-type'
  | 'bad-claims'
  | SignerCode
  | 'wrong-audience'
  | 'bad-key'
  | 'bad-signature'
>

/** Why a receiver does not take this from this signer (SPEC 2.6, 12.2, 12.3, 15.3). */
export type SignerCode = Extract<
  Code,
  'unknown-signer' | 'unknown-grant' | 'grant-chain' | 'grant-revoked' | 'no-release-key'
>

/** Whom a receiver listens to. Asked before the costly check of the signature; nothing is acted on until that has passed. */
export interface Receiver {
  /** Bytes: DEVICE_ENVELOPE_BYTES_MAX on the device link, ENVELOPE_BYTES_MAX elsewhere. */
  readonly sizeMax: number
  /** May this key seal this message (SPEC 2.6)? False is `unknown-signer`. */
  readonly accepts: (body: Body, signer: Uint8Array) => boolean | No<SignerCode>
  /** Is this the id of the receiver, or of the home where that is the audience? */
  readonly isAudience: (body: Body) => boolean
}

/**
 * Opens one envelope and proves who sealed it: every step of SPEC 2.5 up to the signature, in that order.
 * Time, nonce and sequence are the gate's (`admit`).
 * @param frame  untrusted bytes
 * @returns the message, or the first refusal of SPEC 2.5
 * @see RFC 9052 §4.4
 */
export function openEnvelope(
  frame: Frame,
  receiver: Receiver,
  ed25519: Ed25519,
): Verdict<Message, EnvelopeCode> {
  if (frame.length > receiver.sizeMax) return no('too-large')
  const parts = readStructure(frame)
  if (!parts.ok) return parts
  const header = readHeader(parts.value.protectedBytes)
  if (!header.ok) return header
  const payload = decodeCbor(parts.value.payload)
  if (!payload.ok) return payload
  const body = readClaims(header.value.type, payload.value)
  if (!body) return no('bad-claims')
  const { signer } = header.value
  const accepted = receiver.accepts(body, signer)
  if (accepted !== true) return accepted || no('unknown-signer')
  if (!receiver.isAudience(body)) return no('wrong-audience')
  if (!isSoundPoint(signer)) return no('bad-key')
  if (!isSoundSignature(parts.value.signature)) return no('bad-signature')
  const signed = toBeSigned(parts.value.protectedBytes, parts.value.payload)
  if (!ed25519.verify(signer, signed, parts.value.signature)) return no('bad-signature')
  return yes({ body, signer, frame } as Message)
}

/**
 * What an envelope says, whoever sealed it: for those that were proved before they were kept, and for nothing else.
 * @returns undefined when it is no envelope
 */
export function readUnproved(frame: Frame): Body | undefined {
  const parts = readStructure(frame)
  const header = parts.ok ? readHeader(parts.value.protectedBytes) : parts
  const payload = parts.ok ? decodeCbor(parts.value.payload) : parts
  return header.ok && payload.ok ? readClaims(header.value.type, payload.value) : undefined
}

interface Parts {
  readonly protectedBytes: Uint8Array
  readonly payload: Uint8Array
  readonly signature: Uint8Array
}

function readStructure(frame: Frame): Verdict<Parts, EnvelopeCode> {
  const item = decodeTagged(frame, wire.TAG_SIGN1)
  if (!item.ok) return item
  const array = item.value
  if (!Array.isArray(array) || array.length !== 4) return no('bad-structure')
  const [protectedBytes, unprotected, payload, signature] = array as [Cbor, Cbor, Cbor, Cbor]
  if (!(protectedBytes instanceof Uint8Array) || !(unprotected instanceof Map)) return no('bad-structure')
  if (!(payload instanceof Uint8Array) || !(signature instanceof Uint8Array)) return no('bad-structure')
  if (signature.length !== wire.SIGNATURE_BYTES) return no('bad-structure')
  if (unprotected.size > 0) return no('bad-header')
  return yes({ protectedBytes, payload, signature })
}

interface Header {
  readonly signer: Uint8Array
  readonly type: MessageType
}

const TYPES = new Map(
  Object.entries(MESSAGE_TYPES).map(([name, text]) => [text as string, name as MessageType]),
)

function readHeader(bytes: Uint8Array): Verdict<Header, EnvelopeCode> {
  const item = decodeCbor(bytes)
  if (!item.ok) return item
  if (!(item.value instanceof Map)) return no('bad-header')
  const header: CborMap = item.value
  if (header.has(wire.HEADER_CRIT)) return no('unknown-critical')
  const algorithm = header.get(wire.HEADER_ALG)
  const signer = header.get(wire.HEADER_KID)
  const type = header.get(wire.HEADER_TYP)
  if (header.size !== 3 || typeof algorithm !== 'number' || typeof type !== 'string') return no('bad-header')
  if (!(signer instanceof Uint8Array) || signer.length !== wire.KEY_BYTES) return no('bad-header')
  if (algorithm !== wire.ALG_EDDSA) return no('wrong-algorithm')
  const known = TYPES.get(type)
  return known ? yes({ signer: Uint8Array.from(signer), type: known }) : no('unknown-type')
}

/** The Sig_structure of RFC 9052 §4.4 for a COSE_Sign1 without external data. */
export function toBeSigned(protectedBytes: Uint8Array, payload: Uint8Array): Uint8Array {
  return encodeCbor(['Signature1', protectedBytes, new Uint8Array(), payload])
}
