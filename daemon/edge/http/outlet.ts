// SPDX-License-Identifier: GPL-3.0-or-later
import type { ServerResponse } from 'node:http'
import { type Clock, deadline } from '../../base/clock.ts'
import { abortable } from '../../base/lifetime.ts'
import type { Outlet } from './answer.ts'

/**
 * A response as a place to write to, one piece at a time: whoever writes waits until the client has taken it, so what
 * waits for a slow client waits in the writer's own bounded queue. One that takes nothing for `stalledMsMax` is closed.
 * @param signal  aborts when the client has gone or the face closes
 */
export function openOutlet(
  clock: Clock,
  response: ServerResponse,
  stalledMsMax: number,
  signal: AbortSignal,
): Outlet {
  return {
    signal,
    async write(piece) {
      signal.throwIfAborted()
      if (response.write(piece)) return
      using patience = deadline(clock, stalledMsMax, signal)
      const drained = new Promise<void>((resolve) => response.once('drain', resolve))
      try {
        await abortable(drained, patience.signal)
      } catch (error) {
        response.destroy()
        throw error
      }
    },
  }
}
