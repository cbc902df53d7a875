// SPDX-License-Identifier: GPL-3.0-or-later
import type { StatementSync } from 'node:sqlite'
import type { Instant } from '../../base/clock.ts'
import type { MeshPaper } from '../../core/mesh/index.ts'
import { idOf, keyOf, type PartyId } from '../../core/model/index.ts'
import type { Store } from './store.ts'

interface PaperRow {
  readonly kind: MeshPaper['kind']
  readonly subject: Uint8Array
  readonly sealer: Uint8Array
  readonly frame: Uint8Array
}

export interface FarRow {
  readonly member: PartyId
  readonly device: PartyId
  readonly word: Uint8Array
}

/** The tables `mesh_paper`, `mesh_thing`, `mesh_heard`, `mesh_guests` and `mesh_arrival`. */
export class MeshTable {
  readonly #sql: ReturnType<typeof prepareAll>

  constructor(store: Store) {
    this.#sql = prepareAll(store)
  }

  papers(): readonly MeshPaper[] {
    return (this.#sql.papers.all() as unknown as PaperRow[]).map((row) => ({
      kind: row.kind,
      subject: idOf(row.subject),
      sealer: idOf(row.sealer),
      frame: row.frame,
    }))
  }

  keep({ kind, subject, sealer, frame }: MeshPaper): void {
    this.#sql.keep.run(kind, keyOf(subject), keyOf(sealer), frame)
  }

  things(): readonly FarRow[] {
    return this.#sql.things.all().map((row) => ({
      member: idOf(row.member as Uint8Array),
      device: idOf(row.device as Uint8Array),
      word: row.word as Uint8Array,
    }))
  }

  keepThing(member: PartyId, device: PartyId, word: Uint8Array): void {
    this.#sql.keepThing.run(keyOf(member), keyOf(device), word)
  }

  dropThing(member: PartyId, device: PartyId): void {
    this.#sql.dropThing.run(keyOf(member), keyOf(device))
  }

  dropMember(member: PartyId): void {
    this.#sql.dropMember.run(keyOf(member))
  }

  heard(member: PartyId, at: Instant): void {
    this.#sql.heard.run(keyOf(member), at)
  }

  said(): ReadonlyArray<{ readonly member: PartyId; readonly word: Uint8Array }> {
    return this.#sql.said.all().map((row) => ({
      member: idOf(row.member as Uint8Array),
      word: row.word as Uint8Array,
    }))
  }

  keepSaid(member: PartyId, kind: 'guests' | 'offers', word: Uint8Array): void {
    this.#sql.keepSaid.run(keyOf(member), kind, word)
  }

  dropSaid(member: PartyId): void {
    this.#sql.dropSaid.run(keyOf(member))
  }

  arrivals(): ReadonlyArray<{ readonly guest: Uint8Array; readonly key: PartyId | undefined }> {
    return this.#sql.arrivals.all().map((row) => ({
      guest: row.guest as Uint8Array,
      key: row.key === null ? undefined : idOf(row.key as Uint8Array),
    }))
  }

  keepArrival(guest: Uint8Array, key: PartyId | undefined): void {
    this.#sql.keepArrival.run(guest, key === undefined ? null : keyOf(key))
  }

  dropArrival(guest: Uint8Array): void {
    this.#sql.dropArrival.run(guest)
  }

  heardAt(): ReadonlyMap<PartyId, Instant> {
    return new Map(
      this.#sql.heardAt.all().map((row) => [idOf(row.member as Uint8Array), row.at as number] as const),
    )
  }
}

function prepareAll(store: Store) {
  return {
    papers: store.prepare(
      'SELECT kind, subject, sealer, frame FROM mesh_paper ORDER BY kind, subject, sealer',
    ),
    keep: store.prepare(
      `INSERT INTO mesh_paper (kind, subject, sealer, frame) VALUES (?, ?, ?, ?)
       ON CONFLICT (kind, subject, sealer) DO UPDATE SET frame = excluded.frame`,
    ),
    things: store.prepare('SELECT member, device, word FROM mesh_thing'),
    keepThing: store.prepare(
      `INSERT INTO mesh_thing (member, device, word) VALUES (?, ?, ?)
       ON CONFLICT (member, device) DO UPDATE SET word = excluded.word`,
    ),
    dropThing: store.prepare('DELETE FROM mesh_thing WHERE member = ? AND device = ?'),
    dropMember: store.prepare('DELETE FROM mesh_thing WHERE member = ?'),
    heard: store.prepare(
      `INSERT INTO mesh_heard (member, at) VALUES (?, ?)
       ON CONFLICT (member) DO UPDATE SET at = excluded.at`,
    ),
    said: store.prepare('SELECT member, word FROM mesh_guests ORDER BY member, kind'),
    keepSaid: store.prepare(
      `INSERT INTO mesh_guests (member, kind, word) VALUES (?, ?, ?)
       ON CONFLICT (member, kind) DO UPDATE SET word = excluded.word`,
    ),
    dropSaid: store.prepare('DELETE FROM mesh_guests WHERE member = ?'),
    arrivals: store.prepare('SELECT guest, key FROM mesh_arrival ORDER BY guest'),
    keepArrival: store.prepare(
      `INSERT INTO mesh_arrival (guest, key) VALUES (?, ?)
       ON CONFLICT (guest) DO UPDATE SET key = excluded.key`,
    ),
    dropArrival: store.prepare('DELETE FROM mesh_arrival WHERE guest = ?'),
    heardAt: store.prepare('SELECT member, at FROM mesh_heard'),
  } satisfies Record<string, StatementSync>
}
