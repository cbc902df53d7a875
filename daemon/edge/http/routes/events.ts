// SPDX-License-Identifier: GPL-3.0-or-later
import type { Channel } from '../../../base/channel.ts'
import type { HomeEvent } from '../../../core/feed.ts'
import type { PartyId } from '../../../core/model/index.ts'
import { type Outlet, problem, refused } from '../answer.ts'
import { tellHome } from '../picture.ts'
import { findThing, type Route, type RouteDeps } from '../route.ts'
import { sseEvent, sseStream } from '../sse.ts'
import { tellEvent } from '../telling.ts'

/** What happens, as it happens (SPEC 9.3). A watcher that falls behind is told how many events it lost, in `lagged`. */
export function eventRoutes(deps: RouteDeps): Route[] {
  return [
    {
      method: 'GET',
      path: '/events',
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
          asking.caller.origin,
          () => deps.home.feed.watch(),
          async (events, outlet) => {
            // The watch has begun already: what happens meanwhile follows, and nothing falls between the two.
            if (whole === '1') await outlet.write(sseEvent('home', tellHome(deps, asking.caller, wanted)))
            await tell(events, outlet, wanted)
          },
        )
      },
    },
  ]
}

async function tell(events: Channel<HomeEvent>, outlet: Outlet, wanted: PartyId | undefined): Promise<void> {
  let id = 0
  let lost = 0
  for await (const event of events) {
    if (events.lost > lost) {
      await outlet.write(sseEvent('lagged', { lost: events.lost - lost }))
      lost = events.lost
    }
    const device = 'device' in event ? event.device : undefined
    if (wanted && wanted !== device) continue
    await outlet.write(sseEvent(event.event, tellEvent(event), ++id))
  }
}
