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

/** As many samples wait to be put in order; a question about history reads through them. */
const FRESH_SAMPLES_MAX = 4096

/** The tables `reading`, `sample`, `fresh_sample` and `reported`. */
export class ReadingTable {
  readonly #sql: ReturnType<typeof prepareAll>
  /** At least as many as there are: a job that is undone is not subtracted. */
  #fresh: number

  constructor(store: Store) {
    this.#sql = prepareAll(store)
    this.#fresh = this.#sql.countFresh.get()!.count as number
  }

  /**
   * @returns the samples that are now the reported values of their affordances, or undefined when it was already kept
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
    this.#fresh += sealed.samples.length
    if (this.#fresh >= FRESH_SAMPLES_MAX) this.#settle()
    return latest(sealed.samples).filter((sample) => this.#report(device, sealed, sample))
  }

  /** Descending by time. */
  newest(id: PartyId, affordance: number, since: Instant, limit: number): readonly Sample[] {
    const device = this.#sql.number.get(keyOf(id))?.number as number | undefined
    if (device === undefined) return []
    const rows = this.#sql.history.all({ device, affordance, since, limit }) as unknown as SampleRow[]
    return rows.map(sampleOf)
  }

  reported(): ReadonlyArray<{ readonly id: PartyId; readonly sample: Sample }> {
    return (this.#sql.reported.all() as unknown as Array<SampleRow & { id: Uint8Array }>).map((row) => ({
      id: idOf(row.id),
      sample: sampleOf(row),
    }))
  }

  reportedBy(id: PartyId): readonly Uint8Array[] {
    return this.#sql.reportedBy.all(keyOf(id)).map((row) => row.frame as Uint8Array)
  }

  #settle(): void {
    this.#sql.settleFresh.run()
    this.#sql.dropFresh.run()
    this.#fresh = 0
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

const SAMPLE_COLUMNS = 'device, affordance, at, reading, position, value, truth'
const ASKED = `device = $device AND affordance = $affordance AND at >= $since
               ORDER BY at DESC, reading DESC, position DESC`

function prepareAll(store: Store) {
  return {
    device: store.prepare('SELECT number FROM device WHERE id = ? AND name IS NOT NULL'),
    reading: store.prepare(
      `INSERT INTO reading (device, epoch, sequence, received_at, frame) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (device, epoch, sequence) DO NOTHING`,
    ),
    sample: store.prepare(
      `INSERT INTO fresh_sample (device, affordance, at, reading, position, value, truth)
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
    number: store.prepare('SELECT number FROM device WHERE id = ?'),
    countFresh: store.prepare('SELECT count(*) AS count FROM fresh_sample'),
    settleFresh: store.prepare(
      `INSERT INTO sample (${SAMPLE_COLUMNS})
       SELECT ${SAMPLE_COLUMNS} FROM fresh_sample ORDER BY device, affordance, at, reading, position`,
    ),
    dropFresh: store.prepare('DELETE FROM fresh_sample'),
    // Each half is cut to the limit by itself, so that a long history is never read whole.
    history: store.prepare(
      `SELECT affordance, at, value, truth FROM (
         SELECT * FROM (SELECT ${SAMPLE_COLUMNS} FROM sample WHERE ${ASKED} LIMIT $limit)
         UNION ALL
         SELECT * FROM (SELECT ${SAMPLE_COLUMNS} FROM fresh_sample WHERE ${ASKED} LIMIT $limit))
       ORDER BY at DESC, reading DESC, position DESC LIMIT $limit`,
    ),
    reportedBy: store.prepare(
      `SELECT DISTINCT reading.number, frame FROM reported JOIN device ON device.number = reported.device
       JOIN reading ON reading.device = reported.device AND reading.epoch = reported.epoch
         AND reading.sequence = reported.sequence
       WHERE device.id = ? ORDER BY reading.number`,
    ),
    reported: store.prepare(
      `SELECT id, affordance, at, value, truth
       FROM reported JOIN device ON device.number = reported.device ORDER BY device.number, affordance`,
    ),
  } satisfies Record<string, StatementSync>
}
