// SPDX-License-Identifier: GPL-3.0-or-later
import { equal } from '../../base/bytes.ts'
import type { Grant } from '../envelope/index.ts'
import { idOf, type PartyId } from '../model/index.ts'

/** Why a grant is not held any more. */
export interface Departure {
  readonly body: Grant
  readonly why: 'grant-revoked' | 'grant-expired'
}

const HOLDERS_MAX = 1000

/** The last grant that each holder lost, so that people are told what became of it. Decides nothing, and forgets the oldest. */
export class Departed {
  readonly #byHolder = new Map<PartyId, Departure>()

  note(body: Grant, why: Departure['why']): void {
    if (!body.key) return
    const holder = idOf(body.key)
    this.#byHolder.delete(holder)
    this.#byHolder.set(holder, { body, why })
    if (this.#byHolder.size > HOLDERS_MAX) this.#byHolder.delete(this.#byHolder.keys().next().value!)
  }

  of(holder: Uint8Array): Departure | undefined {
    return this.#byHolder.get(idOf(holder))
  }

  /** For a person who names a grant that is not held. */
  sayOf(holder: Uint8Array, id: Uint8Array): string | undefined {
    const gone = this.of(holder)
    return gone && equal(gone.body.id, id) ? sayDeparture(gone) : undefined
  }
}

export function sayDeparture({ body, why }: Departure): string {
  return why === 'grant-expired'
    ? `“${body.name}” has ended`
    : `“${body.name}”, or what it hangs from, was taken back`
}
