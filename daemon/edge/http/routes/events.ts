// SPDX-License-Identifier: GPL-3.0-or-later
import type { Channel } from '../../../base/channel.ts'
import type { HomeEvent } from '../../../core/feed.ts'
import type { PartyId } from '../../../core/model/index.ts'
import { Sight } from '../../../core/sight.ts'
import { type Outlet, problem, refused } from '../answer.ts'
import { moveOf, tellHome, tellOthers } from '../picture.ts'
import { type Asking, findThing, type Route, type RouteDeps } from '../route.ts'
import { sseEvent, sseStream } from '../sse.ts'
import { tellEvent } from '../telling.ts'

/** What happens, as it happens (SPEC 9.5). A watcher that falls behind is told how many events it lost, in `lagged`. */
export function eventRoutes(deps: RouteDeps): Route[] {
  return [
    {
      method: 'GET',
      path: '/events',
      who: 'all',
      ofThing: true,
      query: ['device', 'home'],
      run(asking) {
        const named = asking.query.get('device')
        const device = named === undefined ? undefined : findThing(deps.home, asking, named)
        if (device && !device.ok) return refused(device)
        const whole = asking.query.get('home') ?? '0'
        if (whole !== '0' && whole !== '1') return problem('bad-request', 'home is 0 or 1')
        const wanted = device?.value.id ?? asking.only
        return sseStream(
          deps,
          asking.caller,
          () => deps.home.feed.watch(),
          async (events, outlet) => {
            // The watch has begun already: what happens meanwhile follows, and nothing falls between the two.
            const others = sayOthers(deps, asking)
            if (whole === '1') await outlet.write(sseEvent('home', tellHome(deps, asking.caller, wanted)))
            await tell(deps, asking, events, outlet, { wanted, others })
          },
        )
      },
    },
    {
      method: 'GET',
      path: '/home',
      who: 'all',
      ofThing: true,
      run: ({ caller, only }) => ({ kind: 'json', status: 200, body: tellHome(deps, caller, only) }),
    },
  ]
}

async function tell(
  deps: RouteDeps,
  asking: Asking,
  events: Channel<HomeEvent>,
  outlet: Outlet,
  { wanted, ...begun }: { readonly wanted: PartyId | undefined; readonly others: string },
): Promise<void> {
  let id = 0
  let lost = 0
  let known = moveOf(deps.home, asking.caller)?.address
  let { others } = begun
  for await (const event of events) {
    if (events.lost > lost) {
      await outlet.write(sseEvent('lagged', { lost: events.lost - lost }))
      lost = events.lost
    }
    // That a new address is reachable is news for who came by the old one, whose picture did not say so.
    const moved = event.event === 'onion' ? moveOf(deps.home, asking.caller) : undefined
    if (moved && moved.address !== known) {
      known = moved.address
      await outlet.write(sseEvent('moved', moved, ++id))
    }
    if (event.event === 'others') {
      const now = sayOthers(deps, asking)
      if (now !== others) await outlet.write(sseEvent('others', JSON.parse(now), ++id))
      others = now
      continue
    }
    const device = 'device' in event ? event.device : undefined
    if (wanted && wanted !== device && event.event !== 'rights') continue
    const seen = seenBy(deps, asking, event)
    if (seen) await outlet.write(sseEvent(seen.event, tellEvent(seen), ++id))
  }
}

/** As JSON, so that two lists can be held against each other. */
function sayOthers({ home }: RouteDeps, { caller, only }: Asking): string {
  return JSON.stringify(only ? {} : tellOthers(home, caller))
}

/** The event as far as this caller may see it at this moment; undefined: not at all. */
function seenBy({ home }: RouteDeps, { caller }: Asking, event: HomeEvent): HomeEvent | undefined {
  const sight = new Sight(home.authority, caller)
  if (sight.seesAll) return event
  switch (event.event) {
    case 'rights':
      return event
    case 'pairing':
      return event.by === caller.id ? event : undefined
    case 'enrolment':
    case 'rollout':
    case 'onion':
    case 'others':
      return undefined
  }
  const device = home.devices.get(event.device)
  if (!device || !sight.sees(device)) return undefined
  // All tokens have the hub's key: none is told of another's commands.
  if (event.event === 'receipt') return caller.kind === 'holder' && event.by === caller.id ? event : undefined
  if (event.event === 'presence') return event
  const readable = new Set(sight.readable(device))
  if (event.event === 'act') return readable.size > 0 ? event : undefined
  if (event.event === 'still') return readable.has(event.affordance) ? event : undefined
  const values = event.values.filter(({ affordance }) => readable.has(affordance))
  return values.length > 0 ? { ...event, values } : undefined
}
