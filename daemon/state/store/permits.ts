// SPDX-License-Identifier: GPL-3.0-or-later
import type { StatementSync } from 'node:sqlite'
import type { Frame } from '../../core/envelope/message.ts'
import { idOf, keyOf, type PartyId } from '../../core/model/index.ts'
import type { OpenPermit } from '../../core/ports.ts'
import { ProofRows } from './proof-rows.ts'
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

/** The table `permit`. A used one stays, because its device may ask again, however late. */
export class PermitTable extends ProofRows {
  readonly #sql: ReturnType<typeof prepareAll>

  constructor(store: Store) {
    super(store, 'permit', 'used_by IS NULL')
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
