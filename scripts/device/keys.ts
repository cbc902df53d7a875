// SPDX-License-Identifier: GPL-3.0-or-later
import { hkdfSync } from 'node:crypto'
import { systemRandom } from '../../daemon/base/random.ts'
import type { Ed25519, Signer } from '../../daemon/core/envelope/index.ts'
import { idOf, type PartyId } from '../../daemon/core/model/index.ts'

/** How to find and recognise a hub: what an enrolment code holds. */
export interface Hub {
  readonly host: string
  readonly port: number
  readonly homeId: PartyId
  readonly hubCaKeys: readonly Uint8Array[]
}

export interface DeviceKeys {
  readonly ed25519: Ed25519
  readonly seed: Uint8Array
  readonly signer: Signer
  readonly id: PartyId
}

export interface Kind {
  readonly board: string
  readonly firmware: string
  readonly affordances: readonly number[]
}

export const LAMP: Kind = { board: 'test', firmware: '0.1.0', affordances: [1, 2, 5] }

export function deviceKeys(ed25519: Ed25519, seed: Uint8Array = systemRandom.bytes(32)): DeviceKeys {
  const signer = ed25519.signer(seed)
  return { ed25519, seed, signer, id: idOf(signer.key) }
}

/** What S of an enrolment code stands for (SPEC 7.1). */
export function permitOf(secret: Uint8Array): {
  permit: Uint8Array
  hubKey: Uint8Array
  ownerKey: Uint8Array
} {
  const part = (info: string, size: number) =>
    new Uint8Array(hkdfSync('sha256', secret, 'shallot-enrol/1', info, size))
  return { permit: part('id', 8), hubKey: part('hub', 32), ownerKey: part('owner', 32) }
}
