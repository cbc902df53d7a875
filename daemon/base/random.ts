// SPDX-License-Identifier: GPL-3.0-or-later

/** Chance as it is handed to every room. */
export interface Random {
  /** At most 65,536. */
  bytes(count: number): Uint8Array
  /** Uniform in [0, 1): for jitter only, never for secrets. */
  fraction(): number
}

/** The same call in Node and in a page, where even a plain-http onion has it. */
export const systemRandom: Random = {
  bytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
  fraction: () => Math.random(),
}
