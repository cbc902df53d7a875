// SPDX-License-Identifier: GPL-3.0-or-later
import { Backoff, type BackoffOptions } from './backoff.ts'
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'
import type { Random } from './random.ts'

export interface SuperviseDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/**
 * Runs `task` until the signal aborts: again after a return, later and later after a throw.
 * A run that lasted longer than `backoff.msMax` counts as healthy and resets the wait.
 * @returns when the signal has aborted and the last run has ended; never rejects.
 */
export async function supervise(
  deps: SuperviseDeps,
  name: string,
  task: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
  backoff: BackoffOptions = { firstMs: 250, msMax: 30_000 },
): Promise<void> {
  const waits = new Backoff(deps.random, backoff)
  while (!signal.aborted) {
    const began = deps.clock.monotonic()
    try {
      await task(signal)
    } catch (error) {
      if (signal.aborted) return
      deps.log.taskFailed(name, error)
    }
    if (signal.aborted) return
    if (deps.clock.monotonic() - began > backoff.msMax) waits.reset()
    await deps.clock.sleep(waits.nextMs(), signal).catch(() => {})
  }
}
