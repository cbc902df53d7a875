// SPDX-License-Identifier: GPL-3.0-or-later
import * as wire from '../../../schemas/gen/ts/wire.ts'
import { MESSAGE_TYPES } from '../../../schemas/gen/ts/wire.ts'
import { concat } from '../../base/bytes.ts'
import { type Cbor, encodeCbor } from './cbor.ts'
import { writeClaims } from './claims.ts'
import type { Signer } from './ed25519.ts'
import type { Body, Frame } from './message.ts'
import { toBeSigned } from './open.ts'

/** Seals one message (SPEC 2): the bytes that travel unchanged from here to whoever checks them last. */
export function sealEnvelope(body: Body, signer: Signer): Frame {
  const protectedBytes = encodeCbor(
    new Map<number, Cbor>([
      [wire.HEADER_ALG, wire.ALG_EDDSA],
      [wire.HEADER_KID, signer.key],
      [wire.HEADER_TYP, MESSAGE_TYPES[body.type]],
    ]),
  )
  const payload = encodeCbor(writeClaims(body))
  const signature = signer.sign(toBeSigned(protectedBytes, payload))
  const array = encodeCbor([protectedBytes, new Map(), payload, signature])
  return concat(Uint8Array.of(0xc0 | wire.TAG_SIGN1), array)
}
