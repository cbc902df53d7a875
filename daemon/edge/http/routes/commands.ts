// SPDX-License-Identifier: GPL-3.0-or-later
import type { Code } from '../../../../schemas/gen/ts/codes.ts'
import type { Clock } from '../../../base/clock.ts'
import { no, type Verdict, yes } from '../../../base/error.ts'
import { abortable } from '../../../base/lifetime.ts'
import { affordanceOf, toWire } from '../../../core/model/index.ts'
import type { Target } from '../../../core/receive.ts'
import type { Delivery } from '../../../core/router/index.ts'
import { json, type Outlet, problem, type Reply, refused } from '../answer.ts'
import { type Asking, findThing, type Route, type RouteDeps } from '../route.ts'
import { tellLatest, tellStage } from '../telling.ts'
import { findAffordance } from './things.ts'

const BODY = { type: 'application/cose', or: 'application/json' } as const

/** Commands in, what became of them out (SPEC 9.3, 9.6). A client that leaves does not take its command back. */
export function commandRoutes(deps: RouteDeps): Route[] {
  return [
    {
      method: 'PUT',
      path: '/things/:id/properties/:name',
      who: 'all',
      ofThing: true,
      takes: BODY,
      commands: true,
      run: (asking) => command(deps, asking, 'property'),
    },
    {
      method: 'POST',
      path: '/things/:id/actions/:name',
      who: 'all',
      ofThing: true,
      takes: { ...BODY, optional: true },
      commands: true,
      run: (asking) => command(deps, asking, 'action'),
    },
  ]
}

async function command(deps: RouteDeps, asking: Asking, kind: 'property' | 'action'): Promise<Reply> {
  const { home, clock } = deps
  const device = findThing(home, asking, asking.params.id!)
  if (!device.ok) return refused(device)
  const affordance = findAffordance(device.value, kind, asking.params.name!)
  if (!affordance.ok) return refused(affordance)
  const operation = kind === 'property' ? 'write' : 'invoke'
  const target = { device: device.value, affordance: affordance.value.number, operation } as const
  if (asking.caller.kind === 'token') return actFor(deps, asking, target)
  if (asking.type !== 'application/cose')
    return refused(no('unsupported-media-type', 'without a token this takes a sealed command'))
  const delivery = await home.desk.command(asking.command ?? asking.body, target, asking.caller)
  if (!delivery.ok) return refused(delivery)
  return {
    kind: 'stream',
    type: 'application/x-ndjson',
    endless: false,
    run: (outlet) => tellStages(clock, delivery.value, outlet),
  }
}

/** A value by a token: the hub seals it by the grant that allows it, and answers when the device has. */
async function actFor({ home }: RouteDeps, { type, body, caller }: Asking, target: Target): Promise<Reply> {
  if (type !== '' && type !== 'application/json')
    return refused(no('unsupported-media-type', 'with a token this takes a value as JSON'))
  const value = body.length === 0 ? yes(undefined) : readValue(body, target.affordance)
  if (!value.ok) return refused(value)
  const acted = await home.desk.act(target, value.value, caller)
  if (!acted.ok)
    return acted.why === 'expired' ? problem('expired', acted.detail, { status: 504 }) : refused(acted)
  const { at, receipt } = acted.value
  return json({ stage: 'done', at, values: tellLatest(receipt.body.values) })
}

function readValue(body: Uint8Array, number: number): Verdict<number | boolean, Code> {
  const { capability, name } = affordanceOf(number)!
  let said: unknown
  try {
    said = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    return no('bad-request', 'the body is not JSON')
  }
  const value = toWire(capability, said)
  return value === undefined ? no('bad-value', `${name} does not take this`) : yes(value)
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
