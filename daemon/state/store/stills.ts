// SPDX-License-Identifier: GPL-3.0-or-later
import type { StatementSync } from 'node:sqlite'
import { keyOf, type PartyId } from '../../core/model/index.ts'
import type { KeptStill, WhichStills } from '../../core/stills/index.ts'
import type { Store } from './store.ts'

interface Row {
  readonly digest: Uint8Array
  readonly affordance: number
  readonly command: Uint8Array
  readonly at: number
  readonly received_at: number
  readonly size: number
  readonly frame: Uint8Array
}

/** How many there are, and their bytes. */
export interface Room {
  readonly count: number
  readonly bytes: number
}

/** The table `still`. */
export class StillTable {
  readonly #sql: ReturnType<typeof prepareAll>

  constructor(store: Store) {
    this.#sql = prepareAll(store)
  }

  list(device: PartyId, limit: number, { command, before }: WhichStills = {}): readonly KeptStill[] {
    const key = keyOf(device)
    const end = before ? this.#idOf(key, before) : Number.MAX_SAFE_INTEGER
    const rows = command
      ? this.#sql.listFor.all(key, end, command, limit)
      : this.#sql.list.all(key, end, limit)
    return rows.map((row) => stillOf(device, row as unknown as Row))
  }

  /** 0 where there is none. */
  #idOf(key: Uint8Array, digest: Uint8Array): number {
    return (this.#sql.idOf.get(key, digest)?.id as number | undefined) ?? 0
  }

  get(device: PartyId, digest: Uint8Array): KeptStill | undefined {
    const row = this.#sql.get.get(keyOf(device), digest) as unknown as Row | undefined
    return row && stillOf(device, row)
  }

  read(device: PartyId, digest: Uint8Array, at: number, size: number): Uint8Array | undefined {
    return this.#sql.read.get(at + 1, size, keyOf(device), digest)?.piece as Uint8Array | undefined
  }

  put(
    { device, digest, affordance, command, at, receivedAt, size, frame }: KeptStill,
    bytes: Uint8Array,
  ): void {
    this.#sql.put.run(keyOf(device), digest, affordance, command, at, receivedAt, size, frame, bytes)
  }

  roomOf(device: PartyId): Room {
    return this.#sql.roomOf.get(keyOf(device)) as unknown as Room
  }

  bytesOfAll(): number {
    return this.#sql.bytesOfAll.get()!.bytes as number
  }

  /** The oldest of this device's goes. */
  dropOldest(device: PartyId): void {
    this.#sql.dropOldest.run(keyOf(device))
  }

  /** The oldest goes of the device that has most. */
  dropOfLargest(): void {
    this.#sql.dropOfLargest.run()
  }
}

function stillOf(device: PartyId, { received_at: receivedAt, ...row }: Row): KeptStill {
  return { device, receivedAt, ...row }
}

function prepareAll(store: Store) {
  const columns = 'digest, affordance, command, at, received_at, size, frame'
  return {
    list: store.prepare(`SELECT ${columns} FROM still WHERE device = ? AND id < ? ORDER BY id DESC LIMIT ?`),
    listFor: store.prepare(
      `SELECT ${columns} FROM still WHERE device = ? AND id < ? AND command = ? ORDER BY id DESC LIMIT ?`,
    ),
    idOf: store.prepare('SELECT id FROM still WHERE device = ? AND digest = ?'),
    get: store.prepare(`SELECT ${columns} FROM still WHERE device = ? AND digest = ?`),
    read: store.prepare('SELECT substr(bytes, ?, ?) AS piece FROM still WHERE device = ? AND digest = ?'),
    put: store.prepare(
      `INSERT INTO still (device, digest, affordance, command, at, received_at, size, frame, bytes)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (device, digest) DO NOTHING`,
    ),
    roomOf: store.prepare(
      'SELECT count(*) AS count, coalesce(sum(size), 0) AS bytes FROM still WHERE device = ?',
    ),
    bytesOfAll: store.prepare('SELECT coalesce(sum(size), 0) AS bytes FROM still'),
    dropOldest: store.prepare('DELETE FROM still WHERE id = (SELECT min(id) FROM still WHERE device = ?)'),
    dropOfLargest: store.prepare(
      `DELETE FROM still WHERE id = (SELECT min(id) FROM still WHERE device =
       (SELECT device FROM still GROUP BY device ORDER BY sum(size) DESC, min(id) LIMIT 1))`,
    ),
  } satisfies Record<string, StatementSync>
}
