// SPDX-License-Identifier: GPL-3.0-or-later
import { json, type Reply, refused } from '../answer.ts'
import { readInteger } from '../fields.ts'
import { type Asking, findThing, type Route, type RouteDeps } from '../route.ts'
import { tellBytes, tellEntry, tellService } from '../telling.ts'

const LOG_MAX = 1000
const LOG_FALLBACK = 100

/** How the hub is, and what happened (SPEC 9.3). */
export function hubRoutes(deps: RouteDeps): Route[] {
  const { home } = deps
  return [
    { method: 'GET', path: '/status', ofThing: false, run: () => json(status(deps)) },
    {
      method: 'GET',
      path: '/log',
      ofThing: false,
      query: ['before', 'limit', 'device'],
      run: (asking) => readLog(deps, asking),
    },
    {
      method: 'GET',
      path: '/log/verify',
      ofThing: false,
      async run() {
        const { entries, pruned, head, broken } = await home.journal.verify()
        return json({ entries, pruned, head: tellBytes(head), broken })
      },
    },
  ]
}

function status({ home }: RouteDeps): object {
  const { home: id, hub, bootedAt } = home
  return { home: id, hub, bootedAt, ...home.status(), services: home.services.list().map(tellService) }
}

function readLog({ home }: RouteDeps, asking: Asking): Reply {
  const { query } = asking
  const limit = readInteger(query, 'limit', { least: 1, most: LOG_MAX, fallback: LOG_FALLBACK })
  if (!limit.ok) return refused(limit)
  const before = readInteger(query, 'before', { least: 1, most: Number.MAX_SAFE_INTEGER, fallback: 0 })
  if (!before.ok) return refused(before)
  const named = query.get('device')
  const device = named === undefined ? undefined : findThing(home, asking, named)
  if (device && !device.ok) return refused(device)
  const entries = home.journal.read({
    limit: limit.value,
    ...(before.value > 0 && { before: before.value }),
    ...(device && { device: device.value.id }),
  })
  return json({ entries: entries.map(tellEntry) })
}
