// SPDX-License-Identifier: GPL-3.0-or-later
import { toHex } from '../../base/bytes.ts'
import { type HeldGrant, linksOf } from './held.ts'

/** How often grants were used (SPEC 12.3), counted by id: all copies of a grant share one count. */
export interface UseBook {
  /** @returns 0 for a grant that was never used */
  count(id: Uint8Array): number
}

/** The links whose uses one act by this grant counts against; each id once. */
export function countedLinks(held: HeldGrant): readonly HeldGrant[] {
  return linksOf(held).filter(({ body }) => body.uses !== undefined)
}

/** Counts in memory; whoever must remember them for longer keeps them before the act. */
export class Uses implements UseBook {
  readonly #counts = new Map<string, number>()

  count(id: Uint8Array): number {
    return this.#counts.get(toHex(id)) ?? 0
  }

  /** One act by this grant: to be called once when everything else has passed, before anything is done. */
  spend(held: HeldGrant): void {
    for (const { body } of countedLinks(held)) this.#counts.set(toHex(body.id), this.count(body.id) + 1)
  }
}
