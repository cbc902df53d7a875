// SPDX-License-Identifier: GPL-3.0-or-later
/** Papers of SPEC 12 and 13 as an owner's client, a sharer or a phone seals them. */
import { createHmac, hkdfSync } from 'node:crypto'
import { systemRandom } from '../../daemon/base/random.ts'
import {
  type Enrolment,
  type Frame,
  type Grant,
  type Holder,
  type Pair,
  type Pairing,
  type Person,
  type Revocation,
  type Signer,
  sealEnvelope,
} from '../../daemon/core/envelope/index.ts'
import { METHOD_GET, METHOD_POST, METHOD_PUT } from '../../schemas/gen/ts/wire.ts'

/** Who seals, and the claims for the home that go into everything. */
export interface Sealing {
  readonly signer: Signer
  claims(): { audience: string; sealedAt: number; epoch: Uint8Array; sequence: number }
}

export const READ = METHOD_GET
export const INVOKE = METHOD_POST
export const WRITE = METHOD_PUT
export const DAY_S = 86_400

type Said<B, Must extends keyof B> = Partial<B> & Pick<B, Must>

export function newId(): Uint8Array {
  return systemRandom.bytes(8)
}

export function personFrame(by: Sealing, said: Said<Person, 'name' | 'person'>): Frame {
  return sealEnvelope({ type: 'person', ...by.claims(), ...said }, by.signer)
}

export function holderFrame(by: Sealing, said: Said<Holder, 'key' | 'person'>): Frame {
  return sealEnvelope({ type: 'holder', ...by.claims(), name: 'phone', kind: 'phone', ...said }, by.signer)
}

/** Everything of `on` and `level` for a day, unless it says otherwise, of every device; half of it when it is passed on. */
export function grantFrame(by: Sealing, said: Partial<Grant> = {}): Frame {
  const claims = by.claims()
  const body: Grant = {
    type: 'grant',
    ...claims,
    name: 'guest',
    id: newId(),
    devices: [],
    what: [
      { affordance: 1, methods: READ | WRITE },
      { affordance: 2, methods: READ | WRITE },
    ],
    leaseS: 0,
    expiresAt: claims.sealedAt + (said.parent ? DAY_S / 2 : DAY_S),
    ...said,
  }
  return sealEnvelope(body, by.signer)
}

export function revocationFrame(
  by: Sealing,
  entries: readonly Uint8Array[],
  said: Partial<Revocation> = {},
): Frame {
  return sealEnvelope({ type: 'revocation', ...by.claims(), entries, ...said }, by.signer)
}

export function enrolmentFrame(by: Sealing, said: Said<Enrolment, 'key' | 'name'>): Frame {
  return sealEnvelope({ type: 'enrolment', ...by.claims(), permit: newId(), ...said }, by.signer)
}

export interface PairingKeys {
  readonly pairing: Uint8Array
  readonly hub: Uint8Array
  readonly owner: Uint8Array
}

/** As SPEC 13.3 derives them; written out here, so that it is not the daemon's own code that is compared with itself. */
export function pairingKeys(secret: Uint8Array): PairingKeys {
  const expand = (info: string, size: number) =>
    new Uint8Array(hkdfSync('sha256', secret, 'shallot-pair/1', info, size))
  return { pairing: expand('id', 8), hub: expand('hub', 32), owner: expand('owner', 32) }
}

export function pairingFrame(by: Sealing, said: Said<Pairing, 'pairing' | 'person'>): Frame {
  const claims = by.claims()
  const body = { name: 'phone', kind: 'phone', expiresAt: claims.sealedAt + 900, ...said } as const
  return sealEnvelope({ type: 'pairing', ...claims, ...body }, by.signer)
}

export function pairFrame(phone: Sealing, keys: PairingKeys, said: Partial<Pair> = {}): Frame {
  const prove = (key: Uint8Array) =>
    Uint8Array.from(createHmac('sha256', key).update(phone.signer.key).digest())
  return sealEnvelope(
    {
      type: 'pair',
      ...phone.claims(),
      pairing: keys.pairing,
      proofForHub: prove(keys.hub),
      proofForOwner: prove(keys.owner),
      ...said,
    },
    phone.signer,
  )
}
