// SPDX-License-Identifier: GPL-3.0-or-later
import type { StatementSync } from 'node:sqlite'
import type { Instant } from '../../base/clock.ts'
import type { Sample } from '../../core/envelope/message.ts'
import type { PastPage, PastSource } from '../../core/mesh/index.ts'
import { keyOf, type PartyId } from '../../core/model/index.ts'
import type { Sealed } from './readings.ts'
import type { Store } from './store.ts'
import { fromColumns, toColumns, type ValueColumns } from './value.ts'

/** Readings that are kept of one device; the first that came go first. */
export const FAR_READINGS_MAX = 20_000
/** And of all devices together; beyond it an eighth goes at once. */
export const FAR_READINGS_IN_ALL_MAX = 400_000
/** Rows that one page looks through, so that a long table does not hold up everything else. */
const SCANNED_MAX = 20_000

interface ReadingRow {
  readonly number: number
  readonly at: number
  readonly frame: Uint8Array
}

/** The tables `far_…`: what devices sealed for other daemons; and the table `reading`, to be passed on from. */
export class FarReadingTable {
  readonly #sql: ReturnType<typeof prepareAll>
  readonly #inAllMax: number
  /** At least as many as there are: a job that is undone is not subtracted. */
  #count: number

  constructor(store: Store, inAllMax = FAR_READINGS_IN_ALL_MAX) {
    this.#sql = prepareAll(store)
    this.#inAllMax = inAllMax
    this.#count = this.#sql.count.get()!.count as number
  }

  /** What follows number `after`: of our own readings, or of those that are kept here of other daemons' devices. */
  page(device: PartyId, source: PastSource, after: number, limit: number): PastPage {
    const { own, kept } = this.#sql
    const { page, newest } = source === 'own' ? own : kept
    const last = (newest.get()!.number as number | null) ?? 0
    const end = Math.min(after + SCANNED_MAX, last)
    const rows = page.all({ device: keyOf(device), after, end, limit }) as unknown as ReadingRow[]
    const isWhole = rows.length < limit
    return {
      readings: rows.map(({ number, at, frame }) => ({ number, receivedAt: at, frame })),
      last: isWhole ? Math.max(end, after) : rows.at(-1)!.number,
      more: isWhole ? end < last : true,
    }
  }

  cursor(member: PartyId, device: PartyId, source: PastSource): number {
    const row = this.#sql.cursor.get(keyOf(member), keyOf(device), Number(source === 'kept'))
    return (row?.number as number | undefined) ?? 0
  }

  moveCursor(member: PartyId, device: PartyId, source: PastSource, to: number): void {
    this.#sql.moveCursor.run(keyOf(member), this.#number(device), Number(source === 'kept'), to)
  }

  /** Once for each epoch and sequence. */
  insert(id: PartyId, { epoch, sequence, receivedAt, frame, samples }: Sealed): void {
    const device = this.#number(id)
    const kept = this.#sql.insert.run(device, epoch, sequence, receivedAt, frame)
    if (kept.changes === 0) return
    this.#count++
    for (const [position, { affordance, at, value: sampled }] of samples.entries()) {
      const { value, truth } = toColumns(sampled)
      this.#sql.sample.run(device, affordance, at, kept.lastInsertRowid, position, value, truth)
    }
  }

  /** Drops what is beyond FAR_READINGS_MAX of this device, and what is beyond the limit of all. */
  trim(id: PartyId): void {
    const device = this.#number(id)
    const beyond = this.#sql.beyond.get(device, FAR_READINGS_MAX)
    if (beyond) {
      this.#sql.dropSamples.run(device, beyond.number!)
      this.#count -= Number(this.#sql.drop.run(device, beyond.number!).changes)
    }
    if (this.#count <= this.#inAllMax) return
    const { number } = this.#sql.oldest.get(Math.ceil(this.#inAllMax / 8)) ?? { number: 0 }
    this.#sql.dropOldestSamples.run(number!)
    this.#sql.dropOldest.run(number!)
    this.#count = this.#sql.count.get()!.count as number
  }

  /** Descending by time. */
  newest(id: PartyId, affordance: number, since: Instant, limit: number): readonly Sample[] {
    const rows = this.#sql.history.all(keyOf(id), affordance, since, limit)
    return (rows as unknown as Array<ValueColumns & { at: number }>).map((row) => ({
      affordance,
      at: row.at,
      value: fromColumns(row),
    }))
  }

  #number(id: PartyId): number {
    const key = keyOf(id)
    const known = this.#sql.number.get(key)?.number as number | undefined
    return known ?? Number(this.#sql.name.run(key).lastInsertRowid)
  }
}

const NUMBER_OF = '(SELECT number FROM far_device WHERE id = ?)'

function prepareAll(store: Store) {
  const pages = (table: string, devices: string) => ({
    page: store.prepare(
      `SELECT number, received_at AS at, frame FROM ${table}
       WHERE device = (SELECT number FROM ${devices} WHERE id = $device) AND number > $after AND number <= $end
       ORDER BY number LIMIT $limit`,
    ),
    newest: store.prepare(`SELECT max(number) AS number FROM ${table}`),
  })
  return {
    own: pages('reading', 'device'),
    kept: pages('far_reading', 'far_device'),
    ...({
      number: store.prepare('SELECT number FROM far_device WHERE id = ?'),
      name: store.prepare('INSERT INTO far_device (id) VALUES (?)'),
      insert: store.prepare(
        `INSERT INTO far_reading (device, epoch, sequence, received_at, frame) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (device, epoch, sequence) DO NOTHING`,
      ),
      sample: store.prepare(
        `INSERT INTO far_sample (device, affordance, at, reading, position, value, truth)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
      ),
      beyond: store.prepare(
        'SELECT number FROM far_reading WHERE device = ? ORDER BY number DESC LIMIT 1 OFFSET ?',
      ),
      dropSamples: store.prepare(
        `DELETE FROM far_sample WHERE reading IN
         (SELECT number FROM far_reading WHERE device = ? AND number <= ?)`,
      ),
      drop: store.prepare('DELETE FROM far_reading WHERE device = ? AND number <= ?'),
      count: store.prepare('SELECT count(*) AS count FROM far_reading'),
      oldest: store.prepare('SELECT number FROM far_reading ORDER BY number LIMIT 1 OFFSET ?'),
      dropOldestSamples: store.prepare(
        'DELETE FROM far_sample WHERE reading IN (SELECT number FROM far_reading WHERE number <= ?)',
      ),
      dropOldest: store.prepare('DELETE FROM far_reading WHERE number <= ?'),
      history: store.prepare(
        `SELECT at, value, truth FROM far_sample
         WHERE device = ${NUMBER_OF} AND affordance = ? AND at >= ?
         ORDER BY at DESC, reading DESC, position DESC LIMIT ?`,
      ),
      cursor: store.prepare(
        `SELECT number FROM far_cursor WHERE member = ? AND device = ${NUMBER_OF} AND kept = ?`,
      ),
      moveCursor: store.prepare(
        `INSERT INTO far_cursor (member, device, kept, number) VALUES (?, ?, ?, ?)
         ON CONFLICT (member, device, kept) DO UPDATE SET number = excluded.number`,
      ),
    } satisfies Record<string, StatementSync>),
  }
}
