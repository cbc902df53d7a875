// SPDX-License-Identifier: GPL-3.0-or-later
import type { StatementSync } from 'node:sqlite'
import { CODES, codeByNumber } from '../../../schemas/gen/ts/codes.ts'
import type { Instant } from '../../base/clock.ts'
import { idOf, keyOf } from '../../core/model/index.ts'
import type { KeptImage, Rollout, RolloutDevice } from '../../core/updates/index.ts'
import type { Store } from './store.ts'

interface RolloutRow extends Omit<Rollout, 'manifestDigest' | 'by' | 'devices'> {
  readonly digest: Uint8Array
  readonly signer: Uint8Array
}
interface DeviceRow extends Omit<RolloutDevice, 'device' | 'code'> {
  readonly device: Uint8Array
  readonly code: number | null
}

/** The tables `image`, `rollout` and `rollout_device`. */
export class UpdateTable {
  readonly #sql: ReturnType<typeof prepareAll>

  constructor(store: Store) {
    this.#sql = prepareAll(store)
  }

  image(digest: Uint8Array): KeptImage | undefined {
    const row = this.#sql.image.get(digest)
    return (
      row && { manifestDigest: digest, manifest: row.manifest as Uint8Array, image: row.bytes as Uint8Array }
    )
  }

  holdsImage(digest: Uint8Array): boolean {
    return this.#sql.holdsImage.get(digest) !== undefined
  }

  putImage({ manifestDigest, manifest, image }: KeptImage, at: Instant): void {
    this.#sql.putImage.run(manifestDigest, manifest, image, at)
  }

  /** Keeps those that a running roll-out needs and the newest so many others. */
  dropImages(newest: number): void {
    this.#sql.dropImages.run(newest)
  }

  /** All that run, and the newest so many others, ascending. */
  rollouts(newest: number): readonly Rollout[] {
    const rows = this.#sql.rollouts.all(newest) as unknown as RolloutRow[]
    return rows.map(({ digest, signer, ...row }) => ({
      ...row,
      manifestDigest: digest,
      by: idOf(signer),
      devices: this.#devices(row.id),
    }))
  }

  #devices(rollout: number): readonly RolloutDevice[] {
    const rows = this.#sql.devices.all(rollout) as unknown as DeviceRow[]
    return rows.map(({ device, stage, state, code, at }) => ({
      ...{ device: idOf(device), stage, state, at },
      ...(code !== null && { code: codeByNumber(code) ?? 'internal' }),
    }))
  }

  put({ id, manifestDigest, firmware, sequence, size, target, by, at, state, devices }: Rollout): void {
    this.#sql.put.run(id, manifestDigest, firmware, sequence, size, target, keyOf(by), at, state)
    for (const [place, { device, stage, state, code, at }] of devices.entries())
      this.#sql.putDevice.run(id, place, keyOf(device), stage, state, code ? CODES[code] : null, at)
  }

  lastId(): number {
    return this.#sql.lastId.get()!.last as number
  }
}

function prepareAll(store: Store) {
  return {
    image: store.prepare('SELECT manifest, bytes FROM image WHERE digest = ?'),
    holdsImage: store.prepare('SELECT 1 FROM image WHERE digest = ?'),
    putImage: store.prepare('INSERT OR REPLACE INTO image (digest, manifest, bytes, at) VALUES (?, ?, ?, ?)'),
    dropImages: store.prepare(
      `DELETE FROM image WHERE digest NOT IN (SELECT digest FROM rollout WHERE state = 'running')
       AND digest NOT IN (SELECT digest FROM image ORDER BY at DESC, digest LIMIT ?)`,
    ),
    rollouts: store.prepare(
      `SELECT id, digest, firmware, sequence, size, target, signer, at, state FROM rollout
       WHERE state = 'running' OR id IN (SELECT id FROM rollout ORDER BY id DESC LIMIT ?) ORDER BY id`,
    ),
    devices: store.prepare(
      'SELECT device, stage, state, code, at FROM rollout_device WHERE rollout = ? ORDER BY place',
    ),
    put: store.prepare(
      `INSERT INTO rollout (id, digest, firmware, sequence, size, target, signer, at, state)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET state = excluded.state`,
    ),
    putDevice: store.prepare(
      `INSERT INTO rollout_device (rollout, place, device, stage, state, code, at) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (rollout, place) DO UPDATE SET state = excluded.state, code = excluded.code, at = excluded.at`,
    ),
    lastId: store.prepare('SELECT coalesce(max(id), 0) AS last FROM rollout'),
  } satisfies Record<string, StatementSync>
}
