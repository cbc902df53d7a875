// SPDX-License-Identifier: GPL-3.0-or-later
import type { StatementSync } from 'node:sqlite'
import { GRANT_ID_BYTES } from '../../../schemas/gen/ts/wire.ts'
import { concat } from '../../base/bytes.ts'
import { idOf, keyOf } from '../../core/model/index.ts'
import type { KeptToken } from '../../core/ports-people.ts'
import type { Store } from './store.ts'

interface TokenRow {
  readonly name: string
  readonly digest: Uint8Array
  readonly form: number
  readonly signer: Uint8Array
  readonly at: number
  readonly grants: Uint8Array
}

/** The table `token`. */
export class TokenTable {
  readonly #sql: ReturnType<typeof prepareAll>

  constructor(store: Store) {
    this.#sql = prepareAll(store)
  }

  all(): readonly KeptToken[] {
    return (this.#sql.all.all() as unknown as TokenRow[]).map((row) => ({
      name: row.name,
      digest: row.digest,
      form: row.form === 1,
      by: idOf(row.signer),
      at: row.at,
      grants: apart(row.grants),
    }))
  }

  put({ name, digest, form, by, at, grants }: KeptToken): void {
    this.#sql.put.run(name, digest, Number(form), keyOf(by), at, concat(...grants))
  }

  remove(name: string): boolean {
    return this.#sql.remove.run(name).changes === 1
  }
}

function apart(ids: Uint8Array): readonly Uint8Array[] {
  return Array.from({ length: ids.length / GRANT_ID_BYTES }, (_, i) =>
    ids.slice(i * GRANT_ID_BYTES, (i + 1) * GRANT_ID_BYTES),
  )
}

function prepareAll(store: Store) {
  return {
    all: store.prepare('SELECT name, digest, form, signer, at, grants FROM token ORDER BY at, name'),
    put: store.prepare(
      'INSERT OR REPLACE INTO token (name, digest, form, signer, at, grants) VALUES (?, ?, ?, ?, ?, ?)',
    ),
    remove: store.prepare('DELETE FROM token WHERE name = ?'),
  } satisfies Record<string, StatementSync>
}
