// SPDX-License-Identifier: GPL-3.0-or-later
import type { Clock } from '../../../base/clock.ts'
import { abortable } from '../../../base/lifetime.ts'
import type { Delivery } from '../../../core/router/index.ts'
import { type Outlet, type Reply, refused } from '../answer.ts'
import { type Asking, findThing, type Route, type RouteDeps } from '../route.ts'
import { tellStage } from '../telling.ts'
import { findAffordance } from './things.ts'

/** Sealed commands in, their stages out, one JSON object a line (SPEC 9.3). A client that leaves does not take its command back. */
export function commandRoutes({ home, clock }: RouteDeps): Route[] {
  const command = async (asking: Asking, kind: 'property' | 'action'): Promise<Reply> => {
    const device = findThing(home, asking, asking.params.id!)
    if (!device.ok) return refused(device)
    const affordance = findAffordance(device.value, kind, asking.params.name!)
    if (!affordance.ok) return refused(affordance)
    const operation = kind === 'property' ? 'write' : 'invoke'
    const target = { device: device.value, affordance: affordance.value.number, operation } as const
    const delivery = await home.desk.command(asking.command ?? asking.body, target, asking.caller)
    if (!delivery.ok) return refused(delivery)
    return {
      kind: 'stream',
      type: 'application/x-ndjson',
      endless: false,
      run: (outlet) => tellStages(clock, delivery.value, outlet),
    }
  }
  return [
    {
      method: 'PUT',
      path: '/things/:id/properties/:name',
      ofThing: true,
      takes: { type: 'application/cose' },
      commands: true,
      run: (asking) => command(asking, 'property'),
    },
    {
      method: 'POST',
      path: '/things/:id/actions/:name',
      ofThing: true,
      takes: { type: 'application/cose' },
      commands: true,
      run: (asking) => command(asking, 'action'),
    },
  ]
}

/**
 * A stage waits this long for the next, so that a command which is done at once is told in one piece. Through Tor each
 * further piece would wait at every hop until the one before it is acknowledged (RFC 896): 40 ms instead of none.
 */
const GATHER_MS = 20

async function tellStages(clock: Clock, delivery: Delivery, outlet: Outlet): Promise<void> {
  const stages = delivery[Symbol.asyncIterator]()
  let next = stages.next()
  let text = ''
  let due: Promise<undefined> | undefined
  for (;;) {
    const said = await abortable(due ? Promise.race([next, due]) : next, outlet.signal)
    if (said && !said.done) {
      text += `${JSON.stringify(tellStage(said.value))}\n`
      due ??= clock.sleep(GATHER_MS).then(() => undefined)
      next = stages.next()
      continue
    }
    if (text !== '') await outlet.write(text)
    if (said) return
    text = ''
    due = undefined
  }
}
