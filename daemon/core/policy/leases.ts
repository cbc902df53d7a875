// SPDX-License-Identifier: GPL-3.0-or-later
import { toHex } from '../../base/bytes.ts'
import type { Lease, Message } from '../envelope/message.ts'
import type { Grants } from './grants.ts'
import type { HeldGrant } from './held.ts'

/** What keeps grants alive on a device (SPEC 12.4). A hub judges without: it is the one that would lease. */
export interface LeaseBook {
  /** Seconds since the epoch at which the grant lapses; 0: no lease was heard since it came. */
  until(grant: HeldGrant): number
}

/** Leases in memory, as a device keeps them: each counts for the grants that were held when it arrived. */
export class Leases implements LeaseBook {
  readonly #until = new WeakMap<HeldGrant, number>()

  /** @param lease  opened and admitted: sealed by the hub for this device */
  take({ body }: Message<Lease>, grants: Grants): void {
    const named = new Set(body.grants.map(toHex))
    for (const id of body.grants) {
      if (!named.delete(toHex(id))) continue
      for (const grant of grants.withId(id)) {
        const until = Math.min(body.expiresAt, body.sealedAt + grant.body.leaseS)
        this.#until.set(grant, Math.max(until, this.until(grant)))
      }
    }
  }

  until(grant: HeldGrant): number {
    return this.#until.get(grant) ?? 0
  }
}
