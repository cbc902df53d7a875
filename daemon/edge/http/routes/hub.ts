// SPDX-License-Identifier: GPL-3.0-or-later
import { json } from '../answer.ts'
import type { Route, RouteDeps } from '../route.ts'
import { tellBytes, tellServiceOf } from '../telling.ts'

/** How the hub is, and whether its log is whole (SPEC 9.3). */
export function hubRoutes(deps: RouteDeps): Route[] {
  const { home } = deps
  return [
    { method: 'GET', path: '/status', who: 'owner', ofThing: false, run: () => json(status(deps)) },
    {
      method: 'GET',
      path: '/log/verify',
      who: 'owner',
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
  const services = home.services.list().map((each) => tellServiceOf(home, each))
  return { home: id, hub, bootedAt, ...home.status(), services }
}
