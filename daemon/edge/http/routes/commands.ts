// SPDX-License-Identifier: GPL-3.0-or-later
import { abortable } from '../../../base/lifetime.ts'
import type { Delivery } from '../../../core/router/index.ts'
import { type Outlet, type Reply, refused } from '../answer.ts'
import { type Asking, findThing, type Route, type RouteDeps } from '../route.ts'
import { tellStage } from '../telling.ts'
import { findAffordance } from './things.ts'

/** Sealed commands in, their stages out, one JSON object a line (SPEC 9.3). A client that leaves does not take its command back. */
export function commandRoutes({ home }: RouteDeps): Route[] {
  const command = async (asking: Asking, kind: 'property' | 'action'): Promise<Reply> => {
    const device = findThing(home, asking, asking.params.id!)
    if (!device.ok) return refused(device)
    const affordance = findAffordance(device.value, kind, asking.params.name!)
    if (!affordance.ok) return refused(affordance)
    const operation = kind === 'property' ? 'write' : 'invoke'
    const target = { device: device.value, affordance: affordance.value.number, operation } as const
    const delivery = await home.desk.command(asking.body, target, asking.caller)
    if (!delivery.ok) return refused(delivery)
    return {
      kind: 'stream',
      type: 'application/x-ndjson',
      endless: false,
      run: (outlet) => tellStages(delivery.value, outlet),
    }
  }
  return [
    {
      method: 'PUT',
      path: '/things/:id/properties/:name',
      ofThing: true,
      takes: { type: 'application/cose' },
      run: (asking) => command(asking, 'property'),
    },
    {
      method: 'POST',
      path: '/things/:id/actions/:name',
      ofThing: true,
      takes: { type: 'application/cose' },
      run: (asking) => command(asking, 'action'),
    },
  ]
}

async function tellStages(delivery: Delivery, outlet: Outlet): Promise<void> {
  const stages = delivery[Symbol.asyncIterator]()
  for (;;) {
    const next = await abortable(stages.next(), outlet.signal)
    if (next.done) return
    await outlet.write(`${JSON.stringify(tellStage(next.value))}\n`)
  }
}
