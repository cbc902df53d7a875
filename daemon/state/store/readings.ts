// SPDX-License-Identifier: GPL-3.0-or-later
import type { StatementSync } from 'node:sqlite'
import type { Instant } from '../../base/clock.ts'
import type { Sample } from '../../core/envelope/message.ts'
import type { PartyId } from '../../core/model/index.ts'
import { idOf, keyOf } from '../../core/model/index.ts'
import { StateError } from '../error.ts'
import type { Store } from './store.ts'
import { fromColumns, toColumns, type ValueColumns } from './value.ts'

/** A message with samples in it, as it is kept. */
export interface Sealed {
  readonly epoch: Uint8Array
  readonly sequence: number
  readonly receivedAt: Instant
  readonly frame: Uint8Array
  /** `at` is never 0 here. */
  readonly samples: readonly Sample[]
}

interface SampleRow extends ValueColumns {
  readonly affordance: number
  readonly at: number
}

/** The tables `reading`, `sample` and `reported`. */
export class ReadingTable {
  readonly #sql: ReturnType<typeof prepareAll>

  constructor(store: Store) {
    this.#sql = prepareAll(store)
  }

  /**
   * @returns the affordances whose reported value this message now is, or undefined when it was already kept
   * @throws StateError unknown-device
   */
  insert(id: PartyId, sealed: Sealed): readonly Sample[] | undefined {
    const device = this.#sql.device.get(keyOf(id))?.number as number | undefined
    if (device === undefined) throw new StateError('unknown-device', `${id} is not a device of this home`)
    const { epoch, sequence, receivedAt, frame } = sealed
    const kept = this.#sql.reading.run(device, epoch, sequence, receivedAt, frame)
    if (kept.changes === 0) return undefined
    for (const [position, { affordance, at, value: sampled }] of sealed.samples.entries()) {
      const { value, truth } = toColumns(sampled)
      this.#sql.sample.run(device, affordance, at, kept.lastInsertRowid, position, value, truth)
    }
    return latest(sealed.samples).filter((sample) => this.#report(device, sealed, sample))
  }

  /** Descending by time. */
  newest(id: PartyId, affordance: number, since: Instant, limit: number): readonly Sample[] {
    const rows = this.#sql.history.all(keyOf(id), affordance, since, limit) as unknown as SampleRow[]
    return rows.map(sampleOf)
  }

  reported(): ReadonlyArray<{ readonly id: PartyId; readonly sample: Sample }> {
    return (this.#sql.reported.all() as unknown as Array<SampleRow & { id: Uint8Array }>).map((row) => ({
      id: idOf(row.id),
      sample: sampleOf(row),
    }))
  }

  #report(device: number, { epoch, sequence }: Sealed, { affordance, at, value: sampled }: Sample): boolean {
    const { value, truth } = toColumns(sampled)
    return this.#sql.report.run(device, affordance, at, value, truth, epoch, sequence).changes === 1
  }
}

/** The last sample of each affordance, in the device's order. */
function latest(samples: readonly Sample[]): readonly Sample[] {
  return [...new Map(samples.map((sample) => [sample.affordance, sample])).values()]
}

function sampleOf(row: SampleRow): Sample {
  return { affordance: row.affordance, at: row.at, value: fromColumns(row) }
}

function prepareAll(store: Store) {
  return {
    device: store.prepare('SELECT number FROM device WHERE id = ? AND name IS NOT NULL'),
    reading: store.prepare(
      `INSERT INTO reading (device, epoch, sequence, received_at, frame) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (device, epoch, sequence) DO NOTHING`,
    ),
    sample: store.prepare(
      `INSERT INTO sample (device, affordance, at, reading, position, value, truth)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ),
    // Within an epoch the sequence says what is newer, clocks do not; another epoch is another boot, and is heard in order.
    report: store.prepare(
      `INSERT INTO reported (device, affordance, at, value, truth, epoch, sequence) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (device, affordance) DO UPDATE
       SET at = excluded.at, value = excluded.value, truth = excluded.truth,
           epoch = excluded.epoch, sequence = excluded.sequence
       WHERE excluded.epoch <> reported.epoch OR excluded.sequence > reported.sequence`,
    ),
    history: store.prepare(
      `SELECT affordance, at, value, truth FROM sample
       WHERE device = (SELECT number FROM device WHERE id = ?) AND affordance = ? AND at >= ?
       ORDER BY at DESC, reading DESC, position DESC LIMIT ?`,
    ),
    reported: store.prepare(
      `SELECT id, affordance, at, value, truth
       FROM reported JOIN device ON device.number = reported.device ORDER BY device.number, affordance`,
    ),
  } satisfies Record<string, StatementSync>
}
