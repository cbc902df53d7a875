// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'
import { CLOCK_SKEW_S_MAX } from '../../../schemas/gen/ts/wire.ts'
import type { Instant } from '../../base/clock.ts'
import type { Act, Frame, Message, Reading, Receipt, Sample } from '../../core/envelope/message.ts'
import type { PartyId } from '../../core/model/index.ts'
import type { NewEntry, ReadingBook } from '../../core/ports.ts'
import type { ReadingTable, Sealed, Store } from '../store/index.ts'
import type { Roster } from './roster.ts'

const HISTORY_LIMIT_MAX = 10_000

/** Adds to the log inside the transaction that is under way. */
export type LinkEntry = (entry: NewEntry) => void

export class KeptReadings implements ReadingBook {
  readonly #store: Store
  readonly #table: ReadingTable
  readonly #roster: Roster
  readonly #linkEntry: LinkEntry

  constructor(store: Store, table: ReadingTable, roster: Roster, linkEntry: LinkEntry) {
    this.#store = store
    this.#linkEntry = linkEntry
    this.#table = table
    this.#roster = roster
  }

  /** @throws StateError unknown-device */
  async append(
    device: PartyId,
    message: Message<Reading> | Message<Receipt> | Message<Act>,
    receivedAt: Instant,
    entry?: NewEntry,
  ): Promise<'new' | 'known'> {
    const sealed = sealedOf(message, receivedAt)
    const reported = await this.#store.write(
      () => {
        const samples = this.#table.insert(device, sealed)
        if (samples && entry) this.#linkEntry(entry)
        return samples
      },
      (samples) => samples && this.#roster.report(device, samples),
    )
    return reported ? 'new' : 'known'
  }

  history(device: PartyId, affordance: number, since: Instant, limit: number): readonly Sample[] {
    assert(limit >= 1 && limit <= HISTORY_LIMIT_MAX, `limit ${limit}`)
    return this.#table.newest(device, affordance, since, limit).toReversed()
  }

  reportedBy(device: PartyId): readonly Frame[] {
    return this.#table.reportedBy(device)
  }
}

export function sealedOf(
  { body, frame }: Message<Reading> | Message<Receipt> | Message<Act>,
  receivedAt: Instant,
): Sealed {
  const { epoch, sequence } = body
  return { epoch, sequence, receivedAt, frame, samples: timed(body.values, receivedAt) }
}

/** The samples with the device's own time where it is to be believed, else with that of their arrival. */
function timed(samples: readonly Sample[], receivedAt: Instant): readonly Sample[] {
  return samples.map((sample) => ({ ...sample, at: timeOf(sample.at, receivedAt) }))
}

function timeOf(at: Instant, receivedAt: Instant): Instant {
  return at > 0 && at <= receivedAt + CLOCK_SKEW_S_MAX * 1000 ? at : receivedAt
}
