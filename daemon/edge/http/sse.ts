// SPDX-License-Identifier: GPL-3.0-or-later
import type { Channel } from '../../base/channel.ts'
import type { Caller } from '../../core/receive.ts'
import type { Outlet, Reply } from './answer.ts'
import { problem } from './answer.ts'
import type { RouteDeps } from './route.ts'

/** One server-sent event (WHATWG HTML §9.2); `data` is JSON, so it holds no line end. */
export function sseEvent(event: string, data: object, id?: number): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}

/**
 * A stream of server-sent events, with a place among the watchers and a comment every `keepAliveMs` so that nobody on
 * the way takes it for dead. `tell` writes until it is done, or until `signal` in its outlet aborts.
 */
export function sseStream<T>(
  { clock, limits, watchers }: RouteDeps,
  { origin }: Pick<Caller, 'origin'>,
  watch: () => Channel<T>,
  tell: (source: Channel<T>, outlet: Outlet) => Promise<void>,
): Reply {
  const place = watchers.take(origin)
  if (!place) {
    return problem('too-many-requests', 'too many are watching already', { headers: { 'retry-after': '30' } })
  }
  const source = watch()
  return {
    kind: 'stream',
    type: 'text/event-stream',
    endless: true,
    async run(outlet) {
      using _place = place
      const end = () => source.close()
      outlet.signal.addEventListener('abort', end, { once: true })
      if (outlet.signal.aborted) end()
      let quiet = true
      const told: Outlet = {
        signal: outlet.signal,
        async write(text) {
          quiet = false
          await outlet.write(text)
        },
      }
      // A comment that meets a full socket only waits with the events; the outlet closes a client that reads nothing.
      using _keepAlive = clock.every(limits.keepAliveMs, () => {
        if (quiet) outlet.write(': still here\n\n').catch(end)
        quiet = true
      })
      try {
        await told.write(': shallot\n\n')
        await tell(source, told)
      } finally {
        outlet.signal.removeEventListener('abort', end)
        source.close()
      }
    },
  }
}
