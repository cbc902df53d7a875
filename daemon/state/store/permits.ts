// SPDX-License-Identifier: GPL-3.0-or-later
import type { StatementSync } from 'node:sqlite'
import type { Instant } from '../../base/clock.ts'
import type { Frame } from '../../core/envelope/message.ts'
import { idOf, keyOf, type PartyId } from '../../core/model/index.ts'
import type { OpenPermit } from '../../core/ports.ts'
import type { Store } from './store.ts'

interface PermitRow {
  readonly id: Uint8Array
  readonly name: string
  readonly expires_at: number
  readonly proof_key: Uint8Array | null
  readonly used_by: Uint8Array | null
  readonly enrol: Uint8Array | null
  readonly enrolled: Uint8Array | null
}

/** The table `permit`. */
export class PermitTable {
  readonly #sql: ReturnType<typeof prepareAll>

  constructor(store: Store) {
    this.#sql = prepareAll(store)
  }

  get(permit: Uint8Array): OpenPermit | undefined {
    const row = this.#sql.get.get(permit) as unknown as PermitRow | undefined
    return row && fromRow(row)
  }

  insert(permit: OpenPermit, proofKey: Uint8Array, frame: Frame): void {
    this.#sql.insert.run(permit.permit, permit.name, permit.expiresAt, proofKey, frame)
  }

  use(permit: Uint8Array, by: PartyId, enrol: Frame, enrolled: Frame): void {
    this.#sql.use.run(keyOf(by), enrol, enrolled, permit)
  }

  wipeStale(now: Instant): void {
    this.#sql.wipeStale.run(now)
  }

  /** Those that enrolled nothing: a used one is answered again, however late. */
  forgetUnused(before: Instant): void {
    this.#sql.forgetUnused.run(before)
  }
}

function prepareAll(store: Store) {
  return {
    get: store.prepare(
      'SELECT id, name, expires_at, proof_key, used_by, enrol, enrolled FROM permit WHERE id = ?',
    ),
    insert: store.prepare(
      'INSERT INTO permit (id, name, expires_at, proof_key, frame) VALUES (?, ?, ?, ?, ?)',
    ),
    use: store.prepare(
      'UPDATE permit SET used_by = ?, enrol = ?, enrolled = ?, proof_key = NULL WHERE id = ?',
    ),
    forgetUnused: store.prepare('DELETE FROM permit WHERE expires_at < ? AND used_by IS NULL'),
    wipeStale: store.prepare(
      'UPDATE permit SET proof_key = NULL WHERE proof_key IS NOT NULL AND expires_at <= ?',
    ),
  } satisfies Record<string, StatementSync>
}

function fromRow(row: PermitRow): OpenPermit {
  return {
    permit: row.id,
    name: row.name,
    expiresAt: row.expires_at,
    proofKey: row.proof_key ?? undefined,
    usedBy: row.used_by ? idOf(row.used_by) : undefined,
    enrol: row.enrol ?? undefined,
    enrolled: row.enrolled ?? undefined,
  }
}
