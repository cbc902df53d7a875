// SPDX-License-Identifier: GPL-3.0-or-later
import assert from 'node:assert/strict'

/** Waits for something that happens in another process or socket; fails after half a minute. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  for (let round = 0; round < 6000; round++) {
    if (holds()) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  assert.fail(`not within half a minute: ${what}`)
}
