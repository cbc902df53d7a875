// SPDX-License-Identifier: GPL-3.0-or-later
import { concat } from '../../daemon/base/bytes.ts'
import { type Cbor, encodeCbor, type Signer, toBeSigned } from '../../daemon/core/envelope/index.ts'
import * as wire from '../../schemas/gen/ts/wire.ts'
import { HOME, NOW } from './parties.ts'

/** An envelope for the home whose body our own sealer would not write: in CBOR as it is. */
export function sealRaw(
  type: string,
  epoch: Uint8Array,
  body: ReadonlyMap<number, Cbor>,
  signer: Signer,
): Uint8Array {
  const payload = encodeCbor(
    new Map<number, Cbor>([
      [wire.CLAIM_AUD, HOME],
      [wire.CLAIM_IAT, NOW],
      [wire.CLAIM_CTI, concat(epoch, new Uint8Array(8))],
      [wire.CLAIM_BODY, new Map(body)],
    ]),
  )
  const header = encodeCbor(
    new Map<number, Cbor>([
      [wire.HEADER_ALG, wire.ALG_EDDSA],
      [wire.HEADER_KID, signer.key],
      [wire.HEADER_TYP, type],
    ]),
  )
  const signature = signer.sign(toBeSigned(header, payload))
  return concat(Uint8Array.of(0xd2), encodeCbor([header, new Map(), payload, signature]))
}
