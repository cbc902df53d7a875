// SPDX-License-Identifier: GPL-3.0-or-later
import type { StatementSync } from 'node:sqlite'
import type { Frame, HolderKind } from '../../core/envelope/message.ts'
import { idOf, keyOf, type PartyId } from '../../core/model/index.ts'
import type { OpenPairing } from '../../core/ports-people.ts'
import { ProofRows } from './proof-rows.ts'
import type { Store } from './store.ts'

interface PairingRow {
  readonly id: Uint8Array
  readonly name: string
  readonly person: Uint8Array
  readonly kind: string
  readonly signer: Uint8Array
  readonly expires_at: number
  readonly proof_key: Uint8Array | null
  readonly invitation: string | null
  readonly asker: Uint8Array | null
  readonly pair: Uint8Array | null
  readonly ended: string | null
}

/** The table `pairing`. A phone's own stays, because it tells which address is that phone's. */
export class PairingTable extends ProofRows {
  readonly #sql: ReturnType<typeof prepareAll>

  constructor(store: Store) {
    super(store, 'pairing', "ended IS NOT 'confirmed'")
    this.#sql = prepareAll(store)
  }

  get(pairing: Uint8Array): OpenPairing | undefined {
    const row = this.#sql.get.get(pairing) as unknown as PairingRow | undefined
    return row && fromRow(row)
  }

  askedBy(key: PartyId): OpenPairing | undefined {
    const row = this.#sql.askedBy.get(keyOf(key)) as unknown as PairingRow | undefined
    return row && fromRow(row)
  }

  invited(): readonly OpenPairing[] {
    return (this.#sql.invited.all() as unknown as PairingRow[]).map(fromRow)
  }

  insert(open: OpenPairing, frame: Frame): void {
    const { pairing, name, person, kind, by, expiresAt, proofKey, invitation } = open
    const secret = [proofKey ?? null, invitation ?? null] as const
    this.#sql.insert.run(pairing, name, person, kind, keyOf(by), expiresAt, ...secret, frame)
  }

  ask(pairing: Uint8Array, key: PartyId, pair: Frame): void {
    this.#sql.ask.run(keyOf(key), pair, pairing)
  }

  end(pairing: Uint8Array, how: 'confirmed' | 'declined'): void {
    this.#sql.end.run(how, pairing)
  }
}

const COLUMNS = 'id, name, person, kind, signer, expires_at, proof_key, invitation, asker, pair, ended'

function prepareAll(store: Store) {
  return {
    get: store.prepare(`SELECT ${COLUMNS} FROM pairing WHERE id = ?`),
    askedBy: store.prepare(
      `SELECT ${COLUMNS} FROM pairing WHERE asker = ? ORDER BY expires_at DESC, id LIMIT 1`,
    ),
    invited: store.prepare(`SELECT ${COLUMNS} FROM pairing WHERE invitation IS NOT NULL ORDER BY id`),
    insert: store.prepare(
      `INSERT INTO pairing (id, name, person, kind, signer, expires_at, proof_key, invitation, frame)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    ask: store.prepare('UPDATE pairing SET asker = ?, pair = ?, proof_key = NULL WHERE id = ?'),
    end: store.prepare('UPDATE pairing SET ended = ?, proof_key = NULL WHERE id = ?'),
  } satisfies Record<string, StatementSync>
}

function fromRow(row: PairingRow): OpenPairing {
  return {
    pairing: row.id,
    name: row.name,
    person: row.person,
    kind: row.kind as HolderKind,
    by: idOf(row.signer),
    expiresAt: row.expires_at,
    proofKey: row.proof_key ?? undefined,
    invitation: row.invitation ?? undefined,
    key: row.asker ? idOf(row.asker) : undefined,
    pair: row.pair ?? undefined,
    end: (row.ended ?? undefined) as OpenPairing['end'],
  }
}
