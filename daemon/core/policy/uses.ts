// SPDX-License-Identifier: GPL-3.0-or-later
import { toHex } from '../../base/bytes.ts'
import { type HeldGrant, linksOf } from './held.ts'

/** How often grants were used (SPEC 12.3), counted by id: all copies of a grant share one count. */
export interface UseBook {
  /** @returns 0 for a grant that was never used */
  count(id: Uint8Array): number
  /**
   * Seconds: counts of grants that ended by then may be gone, so such a grant counts as ended, also when the clock is set
   * back. 0 when nothing was dropped.
   */
  readonly droppedUntil: number
}

/** The links whose uses one act by this grant counts against; each id once. */
export function countedLinks(held: HeldGrant): readonly HeldGrant[] {
  return linksOf(held).filter(({ body }) => body.uses !== undefined)
}

/** Counts in memory; whoever must remember them for longer keeps them before the act. */
export class Uses implements UseBook {
  readonly #counts = new Map<string, { count: number; until: number }>()
  #droppedUntil = 0

  count(id: Uint8Array): number {
    return this.#counts.get(toHex(id))?.count ?? 0
  }

  get droppedUntil(): number {
    return this.#droppedUntil
  }

  /** One act by this grant: to be called once when everything else has passed, before anything is done. */
  spend(held: HeldGrant): void {
    for (const { body } of countedLinks(held)) {
      const id = toHex(body.id)
      const until = Math.max(body.expiresAt ?? 0, this.#counts.get(id)?.until ?? 0)
      this.#counts.set(id, { count: this.count(body.id) + 1, until })
    }
  }

  /** Forgets the counts of grants that have ended. @param now seconds since the epoch, 0: not known */
  expire(now: number): void {
    for (const [id, { until }] of this.#counts) {
      if (until > now) continue
      this.#counts.delete(id)
      this.#droppedUntil = Math.max(this.#droppedUntil, until)
    }
  }
}
