// SPDX-License-Identifier: GPL-3.0-or-later
/** What the people of the grant vectors could seal for their lock, sensible or not, as fast-check draws it. */
import fc from 'fast-check'
import type { Signer } from '../../daemon/core/envelope/index.ts'
import { CHILD, GRANDCHILD, ID, idOf, may, type Scene, UNLOCK } from '../../scripts/vectors/grants/scene.ts'
import { DEVICE, device, HOME, NOW } from '../../scripts/vectors/parties.ts'

const KINDS = ['grant', 'command', 'lease', 'revocation', 'owner', 'enrolment', 'bare'] as const
export const IDS = [ID, CHILD, GRANDCHILD, idOf(9)]

export interface Forged {
  readonly kind: (typeof KINDS)[number]
  readonly by: Signer
  readonly id: Uint8Array
  readonly holder: Signer
  readonly parent: Uint8Array | undefined
  readonly share: number | undefined
  readonly affordance: number
  /** For this lock; else for the home, for every device. */
  readonly isForUs: boolean
  readonly limits: Limits
}

interface Limits {
  readonly expiresAt?: number
  readonly uses?: number
  readonly leaseS?: number
}

const LIMITS: readonly Limits[] = [
  {},
  { leaseS: 300 },
  { expiresAt: NOW + 600 },
  { expiresAt: NOW + 600, uses: 2 },
]

export function forgedBy(
  signers: readonly Signer[],
  kinds: readonly Forged['kind'][] = KINDS,
  holders: readonly Signer[] = signers,
): fc.Arbitrary<Forged> {
  const id = fc.constantFrom(...IDS)
  return fc.record({
    kind: fc.constantFrom(...kinds),
    by: fc.constantFrom(...signers),
    id,
    holder: fc.constantFrom(...holders),
    parent: fc.option(id, { nil: undefined }),
    share: fc.option(fc.integer({ min: 1, max: 2 }), { nil: undefined }),
    affordance: fc.constantFrom(UNLOCK, 10, 11),
    isForUs: fc.boolean(),
    limits: fc.constantFrom(...LIMITS),
  })
}

/** A command by the grant `ID`, sealed by its holder and for this lock. */
export function honest(by: Signer): Forged {
  const chain = { parent: undefined, share: undefined, limits: {} }
  return { kind: 'command', by, id: ID, holder: by, affordance: UNLOCK, isForUs: true, ...chain }
}

export function seal(s: Scene, forged: Forged): Uint8Array {
  const { kind, by, id, holder, affordance, isForUs } = forged
  const audience = isForUs ? DEVICE : HOME
  if (kind === 'bare') return s.bare(by)
  if (kind === 'lease') return s.lease({ grants: [...IDS], audience }, by)
  if (kind === 'revocation') return s.revocation([affordance === UNLOCK ? id : holder.key], by)
  if (kind === 'owner') return s.ownerBy(by, holder)
  if (kind === 'enrolment') return s.enrolment([isForUs ? 'gates' : 'doors'], {}, by)
  if (kind === 'grant') return sealGrant(s, forged)
  const value = affordance === UNLOCK ? { value: 5 } : affordance === 11 ? { value: true } : {}
  const operation = affordance === 11 ? 'write' : 'invoke'
  return s.command({ grant: id, affordance, operation, ...value, audience }, by)
}

function sealGrant(s: Scene, { by, id, holder, parent, share, isForUs, limits }: Forged): Uint8Array {
  const chain = { ...(parent && { parent }), ...(share !== undefined && { share }) }
  const what = [may(UNLOCK, 7), may(10, 7), may(11, 7)]
  return s.grant(
    { id, key: holder.key, devices: isForUs ? [device.key] : ['gates'], what, ...chain, ...limits },
    by,
  )
}
