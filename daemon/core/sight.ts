// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * What a caller may see and do (SPEC 9.2): the same question, asked for one device and affordance or for all of them.
 * Owners see everything; others what some grant of theirs names, whether it holds at this hour or not.
 */
import { equal } from '../base/bytes.ts'
import type { Authority } from './authority.ts'
import type { Caller } from './callers.ts'
import { affordanceOf, type Device, keyOf } from './model/index.ts'
import {
  type Circumstances,
  concerns,
  type Explanation,
  explain,
  type HeldGrant,
  linksOf,
  METHODS,
  type Operation,
  readable,
} from './policy/index.ts'

/** One caller's view of the home; made anew for each question, so that it never outlives what was taken back. */
export class Sight {
  readonly #authority: Authority
  readonly #caller: Caller

  constructor(authority: Authority, caller: Caller) {
    this.#authority = authority
    this.#caller = caller
  }

  get seesAll(): boolean {
    return this.#caller.kind === 'owner'
  }

  /** The grants that the caller acts by. */
  grants(): readonly HeldGrant[] {
    if (this.seesAll) return []
    const held = this.#authority.grants.heldBy(keyOf(this.#caller.id))
    return held.filter((grant) => this.#isAmong(grant))
  }

  /** Whether the caller may pass anything on. */
  mayShare(): boolean {
    if (this.seesAll) return true
    return this.#caller.kind === 'holder' && this.grants().some(({ body }) => (body.share ?? 0) > 0)
  }

  /** Whether anything of this device was granted. */
  sees(device: Device): boolean {
    return this.seesAll || this.#naming(device).some(({ body }) => body.what.length > 0)
  }

  /** Whether any grant names this affordance with this method, at whatever hour. */
  holds(device: Device, affordance: number, operation: Operation): boolean {
    if (!isOfKind(affordance, operation)) return false
    if (this.seesAll) return operation !== 'write' || affordanceOf(affordance)!.capability.writable
    return this.#naming(device).some((grant) =>
      linksOf(grant).every(({ body }) =>
        body.what.some((row) => row.affordance === affordance && (row.methods & METHODS[operation]) !== 0),
      ),
    )
  }

  /** Why, or why not, at this moment. */
  may(device: Device, affordance: number, operation: Operation): Explanation {
    return explain(keyOf(this.#caller.id), device, affordance, operation, this.#about(device))
  }

  /** The properties that the caller may read now. */
  readable(device: Device): readonly number[] {
    return readable(keyOf(this.#caller.id), device, this.#about(device))
  }

  #naming(device: Device): readonly HeldGrant[] {
    const groups = this.#authority.groups.of(device)
    return this.grants().filter((grant) => concerns(grant, device.id, groups))
  }

  #about(device: Device): Circumstances {
    return { ...this.#authority.about(device), among: (grant) => this.#isAmong(grant) }
  }

  /** A token acts by the grants that were passed on for it, and by no other that the hub holds. */
  #isAmong({ body }: HeldGrant): boolean {
    const { acts } = this.#caller
    return acts === undefined || acts.some((id) => equal(id, body.id))
  }
}

function isOfKind(affordance: number, operation: Operation): boolean {
  const kind = affordanceOf(affordance)?.capability.kind
  return operation === 'invoke' ? kind === 'action' : kind === 'property'
}
