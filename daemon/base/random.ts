// SPDX-License-Identifier: GPL-3.0-or-later
import { randomBytes } from 'node:crypto'

/** Chance as it is handed to every room. */
export interface Random {
  bytes(count: number): Uint8Array
  /** Uniform in [0, 1): for jitter only, never for secrets. */
  fraction(): number
}

export const systemRandom: Random = {
  bytes: (count) => Uint8Array.from(randomBytes(count)),
  fraction: () => Math.random(),
}
