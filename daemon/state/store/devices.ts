// SPDX-License-Identifier: GPL-3.0-or-later
import type { StatementSync } from 'node:sqlite'
import type { Instant } from '../../base/clock.ts'
import type { Frame, Hello } from '../../core/envelope/message.ts'
import type { Desired, Device, PartyId } from '../../core/model/index.ts'
import { idOf, keyOf } from '../../core/model/index.ts'
import type { NewDevice } from '../../core/ports.ts'
import type { Store } from './store.ts'
import { fromColumns, toColumns, type ValueColumns } from './value.ts'

interface DeviceRow {
  readonly id: Uint8Array
  readonly name: string
  readonly board: string
  readonly firmware: string
  readonly affordances: string
  readonly enrolled_at: number
  readonly record: Uint8Array | null
  readonly hello: Uint8Array | null
  readonly nonce: Uint8Array | null
  readonly since: number
  readonly lost: number
}

interface DesiredRow extends ValueColumns {
  readonly id: Uint8Array
  readonly affordance: number
  readonly command: Uint8Array
  readonly at: number
}

/** The tables `device` and `desired`. A forgotten device is found by `isForgotten` alone. */
export class DeviceTable {
  readonly #sql: ReturnType<typeof prepareAll>

  constructor(store: Store) {
    this.#sql = prepareAll(store)
  }

  all(): readonly Device[] {
    return (this.#sql.all.all() as unknown as DeviceRow[]).map(fromRow)
  }

  forgotten(): readonly PartyId[] {
    return this.#sql.forgotten.all().map((row) => idOf(row.id as Uint8Array))
  }

  get(id: PartyId): Device | undefined {
    const row = this.#sql.get.get(keyOf(id)) as unknown as DeviceRow | undefined
    return row && fromRow(row)
  }

  isForgotten(id: PartyId): boolean {
    return this.#sql.isForgotten.get(keyOf(id)) !== undefined
  }

  idNamed(name: string): PartyId | undefined {
    const row = this.#sql.named.get(name)
    return row && idOf(row.id as Uint8Array)
  }

  insert(device: NewDevice, at: Instant): void {
    const { name, board, firmware } = device
    const affordances = JSON.stringify(device.affordances)
    const papers = [device.permit ?? null, device.record ?? null] as const
    this.#sql.insert.run(keyOf(device.id), name, board, firmware, affordances, at, ...papers, at)
  }

  confirm(id: PartyId, name: string, record: Frame): void {
    this.#sql.confirm.run(name, record, keyOf(id))
  }

  rename(id: PartyId, name: string): void {
    this.#sql.rename.run(name, keyOf(id))
  }

  forget(id: PartyId, at: Instant): void {
    const key = keyOf(id)
    this.#sql.dropDesired.run(key)
    this.#sql.dropReported.run(key)
    this.#sql.dropStills.run(key)
    this.#sql.forget.run(at, key)
  }

  hello(id: PartyId, hello: Hello, frame: Frame, at: Instant): void {
    const { board, firmware, lost, epoch } = hello
    const affordances = JSON.stringify(hello.affordances)
    this.#sql.hello.run(board, firmware, affordances, frame, lost, frame, epoch, at, keyOf(id))
  }

  desired(): ReadonlyArray<Desired & { readonly id: PartyId }> {
    return (this.#sql.desired.all() as unknown as DesiredRow[]).map((row) => ({
      id: idOf(row.id),
      affordance: row.affordance,
      value: fromColumns(row),
      command: row.command,
      at: row.at,
    }))
  }

  /** @returns false when there is no such device */
  desire(id: PartyId, desired: Desired): boolean {
    const { value, truth } = toColumns(desired.value)
    const { affordance, command, at } = desired
    return this.#sql.desire.run(affordance, value, truth, command, at, keyOf(id)).changes === 1
  }
}

const COLUMNS = 'id, name, board, firmware, affordances, enrolled_at, record, hello, nonce, since, lost'
const OF_DEVICE = '(SELECT number FROM device WHERE id = ?)'

function prepareAll(store: Store) {
  return {
    all: store.prepare(`SELECT ${COLUMNS} FROM device WHERE name IS NOT NULL ORDER BY number`),
    forgotten: store.prepare('SELECT id FROM device WHERE name IS NULL'),
    get: store.prepare(`SELECT ${COLUMNS} FROM device WHERE id = ? AND name IS NOT NULL`),
    isForgotten: store.prepare('SELECT 1 FROM device WHERE id = ? AND name IS NULL'),
    named: store.prepare('SELECT id FROM device WHERE name = ?'),
    insert: store.prepare(
      `INSERT INTO device (id, name, board, firmware, affordances, enrolled_at, permit, record, since)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    confirm: store.prepare('UPDATE device SET name = ?, record = ? WHERE id = ?'),
    rename: store.prepare('UPDATE device SET name = ? WHERE id = ?'),
    dropStills: store.prepare('DELETE FROM still WHERE device = ?'),
    forget: store.prepare(
      `UPDATE device SET name = NULL, forgotten_at = ?, permit = NULL, record = NULL, hello = NULL, nonce = NULL
       WHERE id = ?`,
    ),
    // The same hello again, after a lost answer, must not count its losses twice.
    hello: store.prepare(
      `UPDATE device SET board = ?, firmware = ?, affordances = ?, lost = lost + iif(hello IS ?, 0, ?),
       hello = ?, nonce = ?, since = ? WHERE id = ? AND name IS NOT NULL`,
    ),
    desired: store.prepare(
      `SELECT id, affordance, value, truth, command, at
       FROM desired JOIN device ON device.number = desired.device ORDER BY affordance`,
    ),
    desire: store.prepare(
      `INSERT INTO desired (affordance, value, truth, command, at, device)
       SELECT ?, ?, ?, ?, ?, number FROM device WHERE id = ? AND name IS NOT NULL
       ON CONFLICT (device, affordance) DO UPDATE
       SET value = excluded.value, truth = excluded.truth, command = excluded.command, at = excluded.at`,
    ),
    dropDesired: store.prepare(`DELETE FROM desired WHERE device = ${OF_DEVICE}`),
    dropReported: store.prepare(`DELETE FROM reported WHERE device = ${OF_DEVICE}`),
  } satisfies Record<string, StatementSync>
}

function fromRow(row: DeviceRow): Device {
  return {
    id: idOf(row.id),
    name: row.name,
    board: row.board,
    firmware: row.firmware,
    affordances: JSON.parse(row.affordances) as number[],
    enrolledAt: row.enrolled_at,
    record: row.record ?? undefined,
    lost: row.lost,
    presence: {
      connected: false,
      since: row.since,
      nonce: row.nonce ?? undefined,
      hello: row.hello ?? undefined,
    },
  }
}
